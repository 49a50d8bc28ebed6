"""The queries that went worst: what was wanted, and what was found instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.evaluation.connector import texts_of
from bot.evaluation.dataset import Case
from bot.evaluation.measuring import Outcome
from bot.evaluation.plots import Measured
from bot.evaluation.running import OURS

MOST = 25
"""Queries that are told of."""

METRIC = "ndcg@10"

_WANTED, _INSTEAD = 5, 3
_EXCERPT = 240


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as a report shows it. ``rank`` is where it was found, from 1; ``None`` where it was not."""

    name: str
    title: str
    excerpt: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Failing:
    """A query that could have gone better: its right documents, and the wrong ones that were found first.

    ``scores`` gives for each pipeline, ours among them, its nDCG@10. ``more`` right documents are left out.
    """

    case: Case
    scores: Mapping[str, float]
    wanted: Sequence[Shown]
    more: int
    instead: Sequence[Shown]


def worst_of(measured: Measured) -> list[Failing]:
    """The queries with the lowest nDCG@10 of ours, the worst first. Perfect ones are not among them.

    Raises:
        TryLater: The corpus is no longer the one that was measured.
    """
    ours = measured.pipelines[OURS]
    order = sorted(range(len(ours)), key=lambda at: (ours[at].scores[METRIC], ours[at].scores["mrr"], at))
    chosen = [at for at in order if ours[at].scores[METRIC] < 1][:MOST]
    cases = {at: measured.dataset.cases[at] for at in chosen}
    names = {name for at, case in cases.items() for name in (*_wanted(case, ours[at]), *_instead(case, ours[at]))}
    texts = texts_of(measured.dataset.corpus, sorted(names))
    return [_failing(measured, at, texts) for at in chosen]


def _failing(measured: Measured, at: int, texts: Mapping[str, str]) -> Failing:
    case, outcome = measured.dataset.cases[at], measured.pipelines[OURS][at]

    def shown(name: str) -> Shown:
        rank = outcome.ranked.index(name) + 1 if name in outcome.ranked else None
        return Shown(name, measured.dataset.corpus.entries[name].title, _excerpt(texts[name]), rank)

    wanted = _wanted(case, outcome)
    scores = {name: outcomes[at].scores[METRIC] for name, outcomes in measured.pipelines.items()}
    more = len(case.relevant) - len(wanted)
    return Failing(case, scores, [*map(shown, wanted)], more, [*map(shown, _instead(case, outcome))])


def _wanted(case: Case, outcome: Outcome) -> list[str]:
    """The right documents, the most relevant and then the worst found first."""
    ranks = {name: rank for rank, name in enumerate(outcome.ranked)}
    order = sorted(case.relevant, key=lambda name: (-case.judged[name], -ranks.get(name, len(ranks)), name))
    return order[:_WANTED]


def _instead(case: Case, outcome: Outcome) -> list[str]:
    return [name for name in outcome.ranked if name not in case.relevant][:_INSTEAD]


def _excerpt(text: str) -> str:
    words = " ".join(text[: 4 * _EXCERPT].split())
    return words if len(words) <= _EXCERPT else words[:_EXCERPT].rstrip() + "…"
