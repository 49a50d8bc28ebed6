"""A comparison on a terminal: side by side, with what is beyond chance marked."""

import pytest

from bot.evaluation.comparison import contrast_of
from bot.evaluation.measuring import Outcome, figures_of
from bot.evaluation.running import OURS, Evaluation
from bot.evaluation.table import show_comparison


def outcomes(score: float, milliseconds: float) -> list[Outcome]:
    return [Outcome(str(n), {"mrr": score + n / 1_000}, milliseconds) for n in range(20)]


def test_what_is_beyond_chance_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    ours = outcomes(0.5, 20.0)
    others = {"bm25": outcomes(0.25, 30.0), "ensemble_rrf": outcomes(0.5, 2.0)}
    contrasts = {name: contrast_of(ours, theirs) for name, theirs in others.items()}
    show_comparison(Evaluation(figures_of(ours), 5, 7, 20, contrasts, {OURS: ours, **others}))
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert "mrr 0.509 0.260 0.509" in rows
    assert "mrr +0.250 ▲ +0.000" in rows
    assert "+0.250…+0.250 +0.000…+0.000" in rows
    assert "latency_ms_p50 -10 ▲ +18 ▼" in rows
    assert "20 queries on 5 documents in 7 chunks" in rows
    assert not any("told from chance" in row for row in rows)
