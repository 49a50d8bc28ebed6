"""The true keyword score of a chunk: BM25F over its own terms and pairs of them, the same for every store."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

MAX_TERMS = 32
"""Distinct terms of a question that count, and as many pairs. The rarest and heaviest are kept."""

PAIR = 0.5
"""What two terms side by side are worth beside what each is worth alone, as a share of the rarer one's rarity
(tests/bench/retrieval). How many chunks hold the pair ranks no better, and would have to be known."""

SATURATION = 1.2
"""k1 of BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009)."""


@dataclass(frozen=True, slots=True)
class Field:
    """How much a term counts in one field of a chunk, and how much the field's length is held against it."""

    weight: float
    b: float

    def factor(self, length: int, average: float) -> float:
        """What one occurrence in a field of this length is worth."""
        return self.weight / ((1 - self.b) + self.b * length / average) if average else self.weight


HEAD = Field(weight=2.0, b=0.3)
"""Title and headings."""
BODY = Field(weight=1.0, b=0.75)
"""The text itself."""
NEAR = Field(weight=0.15, b=0.75)
"""The text of the chunks before and after it in its document."""


@dataclass(frozen=True, slots=True)
class Averages:
    """Mean numbers of terms in the fields of an index's chunks."""

    head: float
    body: float
    near: float


@dataclass(frozen=True, slots=True)
class Words:
    """The analysed terms of one chunk, field by field. ``near`` holds those of each neighbour."""

    head: Sequence[str]
    body: Sequence[str]
    near: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class Worth:
    """What counts in a question and how much: terms, and terms side by side."""

    terms: Mapping[str, float]
    pairs: Mapping[tuple[str, str], float]


def rarity(chunks: int, holding: int) -> float:
    """The inverse document frequency, never negative: ln(1 + (N − n + ½) / (n + ½))."""
    return math.log(1 + (max(chunks, holding) - holding + 0.5) / (holding + 0.5))


def worth_of(
    terms: Mapping[str, float], pairs: Mapping[tuple[str, str], float], rarities: Mapping[str, float]
) -> Worth:
    """The terms and pairs that can decide, with what each is worth: its weight in the question times its rarity."""
    known = {term: weight * rarities[term] for term, weight in terms.items() if term in rarities}
    beside = {
        pair: PAIR * weight * max(rarities[pair[0]], rarities[pair[1]])
        for pair, weight in pairs.items()
        if rarities.keys() >= set(pair)
    }
    return Worth(_strongest(known), _strongest(beside))


def score(words: Words, worth: Worth, averages: Averages) -> float:
    """How well a chunk answers by its words: Σ worth · tf / (tf + k1), tf summed over the weighted fields."""
    counts: dict[str, float] = {}
    near = sum(map(len, words.near))
    _count(counts, words.head, worth.terms, HEAD.factor(len(words.head), averages.head))
    _count(counts, words.body, worth.terms, BODY.factor(len(words.body), averages.body))
    for neighbour in words.near:
        _count(counts, neighbour, worth.terms, NEAR.factor(near, averages.near))
    return _saturated(counts, worth.terms) + pair_score(words.head, words.body, worth, averages)


def pair_score(head: Sequence[str], body: Sequence[str], worth: Worth, averages: Averages) -> float:
    """The part of a score that pairs make. Those of neighbours were measured to add nothing."""
    if not worth.pairs:
        return 0.0
    counts: dict[tuple[str, str], float] = {}
    _count(counts, pairwise(head), worth.pairs, HEAD.factor(len(head), averages.head))
    _count(counts, pairwise(body), worth.pairs, BODY.factor(len(body), averages.body))
    return _saturated(counts, worth.pairs)


_Counted = TypeVar("_Counted", str, tuple[str, str])


def _strongest(worth: Mapping[_Counted, float]) -> dict[_Counted, float]:
    kept = sorted((one for one in worth if worth[one] > 0), key=lambda one: (-worth[one], one))[:MAX_TERMS]
    return {one: worth[one] for one in kept}


def _count(
    counts: dict[_Counted, float], found: Iterable[_Counted], worth: Mapping[_Counted, float], factor: float
) -> None:
    for one in filter(worth.__contains__, found):
        counts[one] = counts.get(one, 0.0) + factor


def _saturated(counts: Mapping[_Counted, float], worth: Mapping[_Counted, float]) -> float:
    return sum((worth[one] * count / (count + SATURATION) for one, count in counts.items()), 0.0)
