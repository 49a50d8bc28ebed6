"""Every query searched, timed and scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.evaluation.dataset import Case
from bot.evaluation.intervals import Estimate, estimate, mean, percentile
from bot.evaluation.metrics import scores_of

Rank = Callable[[Case], Sequence[str]]
"""Names the documents found for a query, best first, each once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one query came to: its scores by metric, and how long its search took."""

    query: str
    scores: Mapping[str, float]
    milliseconds: float


def outcomes_of(cases: Iterable[Case], rank: Rank) -> Iterator[Outcome]:
    """Rank for one query after the other."""
    for case in cases:
        began = time.perf_counter()
        ranked = rank(case)
        milliseconds = 1000 * (time.perf_counter() - began)
        yield Outcome(case.name, scores_of(ranked, case.judged), milliseconds)


def figures_of(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """The means of all metrics and two percentiles of the latency, by name, each with its interval over queries."""
    times = [outcome.milliseconds for outcome in outcomes]
    return {
        **{metric: estimate([outcome.scores[metric] for outcome in outcomes], mean) for metric in outcomes[0].scores},
        **{f"latency_ms_p{percent}": estimate(times, percentile(percent)) for percent in (50, 95)},
    }
