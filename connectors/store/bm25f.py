"""The true keyword scores of chunks: BM25F over their own terms and pairs of them, the same for every store."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

MAX_TERMS = 32
"""Distinct terms of a question that count, and as many pairs. The rarest and heaviest are kept."""

PAIR = 0.5
"""What two terms side by side are worth beside what each is worth alone, as a share of the rarer one's rarity
(tests/bench/retrieval). How many chunks hold the pair ranks no better, and would have to be known."""

SATURATION = 1.2
"""k1 of BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009)."""


Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Field:
    """How much a term counts in one field of a chunk, and how much the field's length is held against it."""

    weight: float
    b: float

    def factors(self, lengths: Numbers, average: float) -> Numbers:
        """What one occurrence in fields of these lengths is worth."""
        if not average:
            return np.full(len(lengths), self.weight)
        return self.weight / ((1 - self.b) + self.b * lengths / average)


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
class Occurrences:
    """How often some terms are in one field of some chunks: a row a chunk, a column a term; and the fields' lengths."""

    counts: Numbers
    lengths: Numbers

    def at(self, places: Sequence[int]) -> Occurrences:
        """Those in the chunks at these places."""
        return Occurrences(self.counts[places], self.lengths[places])

    def __add__(self, other: Occurrences) -> Occurrences:
        return Occurrences(self.counts + other.counts, self.lengths + other.lengths)


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


def scores(head: Occurrences, body: Occurrences, near: Occurrences, worth: Numbers, averages: Averages) -> Numbers:
    """How well chunks answer by their words: Σ worth · tf / (tf + k1), tf summed over the weighted fields."""
    weighted = (
        field.factors(one.lengths, average)[:, None] * one.counts
        for field, one, average in (
            (HEAD, head, averages.head),
            (BODY, body, averages.body),
            (NEAR, near, averages.near),
        )
    )
    counts = sum(weighted, np.zeros(head.counts.shape))
    found: Numbers = (counts / (counts + SATURATION)) @ worth
    return found


def pair_scores(heads: Sequence[str], bodies: Sequence[str], worth: Worth, averages: Averages) -> Numbers:
    """What pairs add to the scores of chunks, from their terms in order. Those of neighbours add nothing."""
    if not worth.pairs:
        return np.zeros(len(heads))
    head, body = (_occurrences(map(str.split, texts), list(worth.pairs), pairwise) for texts in (heads, bodies))
    nowhere = Occurrences(np.zeros_like(head.counts), np.zeros(len(heads)))
    return scores(head, body, nowhere, np.fromiter(worth.pairs.values(), float), averages)


def occurrences_in(texts: Sequence[str], terms: Sequence[str]) -> Occurrences:
    """How often terms are in texts of terms with a space between."""
    return _occurrences(map(str.split, texts), terms, iter)


_Counted = TypeVar("_Counted", str, tuple[str, str])


def _strongest(worth: Mapping[_Counted, float]) -> dict[_Counted, float]:
    kept = sorted((one for one in worth if worth[one] > 0), key=lambda one: (-worth[one], one))[:MAX_TERMS]
    return {one: worth[one] for one in kept}


def _occurrences(
    fields: Iterable[Sequence[str]],
    wanted: Sequence[_Counted],
    parts_of: Callable[[Sequence[str]], Iterable[_Counted]],
) -> Occurrences:
    place, cells, lengths = {one: at for at, one in enumerate(wanted)}, list[int](), list[int]()
    for row, terms in enumerate(fields):
        lengths.append(len(terms))
        cells.extend(row * len(place) + place[one] for one in filter(place.__contains__, parts_of(terms)))
    counts = np.bincount(np.array(cells, np.intp), minlength=len(lengths) * len(place))
    return Occurrences(counts.reshape(len(lengths), len(place)).astype(float), np.array(lengths, float))
