"""Others beside ours, on the same queries: whose turn it is, what differs, and what of it may be chance."""

from collections.abc import Sequence

import pytest

from bot.evaluation.comparison import FEWEST, contrast_of, verdict_of
from bot.evaluation.dataset import Case
from bot.evaluation.intervals import Estimate
from bot.evaluation.measuring import Outcome, figures_of, outcomes_of


def outcomes(*scores: float, milliseconds: Sequence[float] = ()) -> list[Outcome]:
    times = milliseconds or [10.0] * len(scores)
    return [Outcome(str(n), {"mrr": score}, time) for n, (score, time) in enumerate(zip(scores, times, strict=True))]


def test_pipelines_take_turns_in_beginning() -> None:
    asked: list[str] = []

    def rank(name: str, case: Case) -> list[str]:
        asked.append(f"{case.name}{name}")
        return ["d"]

    cases = [Case(name, "?", (), {"d": 1.0}) for name in "123"]
    pipelines = {"a": lambda case: rank("a", case), "b": lambda case: rank("b", case)}
    rows = list(outcomes_of(cases, pipelines))

    assert asked == ["1a", "1b", "2b", "2a", "3a", "3b"]
    assert [row["b"].query for row in rows] == ["1", "2", "3"]
    assert rows[0]["a"].ranked == ("d",)
    assert rows[0]["a"].scores["mrr"] == 1.0


def test_a_contrast_is_ours_minus_theirs_query_by_query() -> None:
    ours, theirs = outcomes(*[1.0, 0.5] * 10), outcomes(*[0.5, 0.5] * 10, milliseconds=[12.0] * 20)
    found = contrast_of(ours, theirs)

    assert found.figures == figures_of(theirs)
    assert list(found.differences) == ["mrr", "latency_ms_p50", "latency_ms_p95"]
    assert found.differences["mrr"].value == 0.25
    assert found.differences["latency_ms_p95"].value == -2.0
    assert found.verdicts == {"mrr": "better", "latency_ms_p50": "better", "latency_ms_p95": "better"}
    assert contrast_of(theirs, ours).verdicts == {"mrr": "worse", "latency_ms_p50": "worse", "latency_ms_p95": "worse"}

    told = found.to_json()
    assert list(told) == ["mrr", "latency_ms_p50", "latency_ms_p95", "difference"]
    assert told["difference"]["mrr"]["value"] == 0.25


@pytest.mark.parametrize(
    ("low", "high", "differing", "verdict"),
    [
        (0.01, 0.2, FEWEST, "better"),
        (0.01, 0.2, FEWEST - 1, "chance"),  # Five of five are too few, however far apart.
        (0.0, 0.2, 100, "chance"),
        (-0.1, 0.2, 100, "chance"),
        (-0.2, -0.1, 100, "worse"),
        (0.0, 0.0, 0, "chance"),
    ],
)
def test_a_difference_is_believed_when_none_is_out_of_bounds(
    low: float, high: float, differing: int, verdict: str
) -> None:
    assert verdict_of(Estimate((low + high) / 2, low, high), differing) == verdict


def test_one_query_proves_nothing() -> None:
    assert contrast_of(outcomes(1.0), outcomes(0.0)).verdicts["mrr"] == "chance"
