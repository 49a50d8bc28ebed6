"""Every query searched, timed and scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.evaluation.dataset import Case
from bot.evaluation.intervals import Estimate, Statistic, difference, estimate, mean, percentile
from bot.evaluation.metrics import scores_of

Rank = Callable[[Case], Sequence[str]]
"""Names the documents found for a query, best first, each once."""

LATENCIES = {f"latency_ms_p{percent}": percentile(percent) for percent in (50, 95)}
"""The figures that are no means of scores: milliseconds, of which fewer are better."""

DEPTH = 100
"""Passages found for a query, and chunks on each list that a pipeline fuses: as many as ``quoth search`` finds at most,
and what a Weaviate takes of each list where nobody asks for more (``QUERY_HYBRID_MAXIMUM_RESULTS``)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one query came to: its scores by metric, how long its search took, and the documents found, best first."""

    query: str
    scores: Mapping[str, float]
    milliseconds: float
    ranked: tuple[str, ...] = ()


def outcomes_of(cases: Iterable[Case], pipelines: Mapping[str, Rank]) -> Iterator[Mapping[str, Outcome]]:
    """One query after the other, each ranked for by every pipeline in turn.

    Another pipeline begins each time, so that none always finds what the one before it has warmed, and so that what
    else the machine does slows all of them alike.
    """
    names = list(pipelines)
    for number, case in enumerate(cases):
        first = number % len(names)
        yield {name: _outcome(case, pipelines[name]) for name in names[first:] + names[:first]}


def figures_of(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """The means of all metrics and two percentiles of the latency, by name, each with its interval over queries."""
    return {name: estimate(values_of(name, outcomes), statistic) for name, statistic in _statistics(outcomes)}


def differences_of(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, Estimate]:
    """The same figures of ours minus those of theirs, on the same queries, each with its paired interval."""
    return {
        name: difference(values_of(name, ours), values_of(name, theirs), statistic)
        for name, statistic in _statistics(ours)
    }


def values_of(name: str, outcomes: Sequence[Outcome]) -> list[float]:
    """What each query contributes to a figure."""
    return [outcome.milliseconds if name in LATENCIES else outcome.scores[name] for outcome in outcomes]


def _outcome(case: Case, rank: Rank) -> Outcome:
    began = time.perf_counter()
    ranked = rank(case)
    milliseconds = 1000 * (time.perf_counter() - began)
    return Outcome(case.name, scores_of(ranked, case.judged), milliseconds, tuple(ranked))


def _statistics(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, Statistic]]:
    yield from ((metric, mean) for metric in outcomes[0].scores)
    yield from LATENCIES.items()
