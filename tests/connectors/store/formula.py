"""The keyword score of one chunk as the literature writes it down, for what computes many at once to be held against.

BM25F: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from connectors.store.bm25f import BODY, HEAD, NEAR, SATURATION, Averages, Field, Worth


@dataclass(frozen=True, slots=True)
class Words:
    """The analysed terms of one chunk, field by field. ``near`` holds those of each neighbour."""

    head: Sequence[str]
    body: Sequence[str]
    near: Sequence[Sequence[str]] = ()


def score(words: Words, worth: Worth, averages: Averages) -> float:
    """Σ worth · tf / (tf + k1), tf summed over the weighted fields; the same for pairs, without neighbours."""
    near = [term for neighbour in words.near for term in neighbour]
    terms, pairs = dict[Any, float](), dict[Any, float]()
    for found, field, average in (
        (words.head, HEAD, averages.head),
        (words.body, BODY, averages.body),
        (near, NEAR, averages.near),
    ):
        factor = _factor(field, len(found), average)
        _count(terms, found, factor)
        if field is not NEAR:
            _count(pairs, pairwise(found), factor)
    return _saturated(terms, worth.terms) + _saturated(pairs, worth.pairs)


def _factor(field: Field, length: int, average: float) -> float:
    return field.weight / ((1 - field.b) + field.b * length / average) if average else field.weight


def _count(counts: dict[Any, float], found: Iterable[Any], factor: float) -> None:
    for one in found:
        counts[one] = counts.get(one, 0.0) + factor


def _saturated(counts: Mapping[Any, float], worth: Mapping[Any, float]) -> float:
    return sum(value * counts[one] / (counts[one] + SATURATION) for one, value in worth.items() if one in counts)
