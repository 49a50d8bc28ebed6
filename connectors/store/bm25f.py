"""The true keyword score of a chunk: BM25F over its own terms, the same for every store."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MAX_TERMS = 32
"""Distinct terms of a question that count. The rarest and heaviest are kept."""

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


def rarity(chunks: int, holding: int) -> float:
    """The inverse document frequency, never negative: ln(1 + (N − n + ½) / (n + ½))."""
    return math.log(1 + (max(chunks, holding) - holding + 0.5) / (holding + 0.5))


def strongest(terms: Mapping[str, float], rarities: Mapping[str, float]) -> dict[str, float]:
    """The terms that can decide, with what each is worth: its weight in the question times its rarity."""
    worth = {term: weight * rarities[term] for term, weight in terms.items() if term in rarities and weight > 0}
    kept = sorted(worth, key=lambda term: (-worth[term], term))[:MAX_TERMS]
    return {term: worth[term] for term in kept}


def score(words: Words, worth: Mapping[str, float], averages: Averages) -> float:
    """How well a chunk answers by its words: Σ worth · tf / (tf + k1), tf summed over the weighted fields."""
    counts: dict[str, float] = {}
    near = sum(map(len, words.near))
    _count(counts, words.head, worth, HEAD.factor(len(words.head), averages.head))
    _count(counts, words.body, worth, BODY.factor(len(words.body), averages.body))
    for neighbour in words.near:
        _count(counts, neighbour, worth, NEAR.factor(near, averages.near))
    return sum((worth[term] * count / (count + SATURATION) for term, count in counts.items()), 0.0)


def _count(counts: dict[str, float], terms: Iterable[str], worth: Mapping[str, float], factor: float) -> None:
    for term in filter(worth.__contains__, terms):
        counts[term] = counts.get(term, 0.0) + factor
