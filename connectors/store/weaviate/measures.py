"""What scores are measured with: a fixed sample of an index, its mean lengths, and how rare terms are."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from connectors.errors import TryLater
from connectors.model import Vector
from connectors.store.bm25f import Averages, rarity
from connectors.store.weaviate.bags import averages_of
from connectors.store.weaviate.index import STAMPS, Index
from connectors.store.weaviate.objects import BAG, IDENTITY, TERMS, Stored
from connectors.store.weaviate.requests import LARGEST_ANSWER, all_of, among, by_words, equals, fetch, stamped
from connectors.store.weaviate.schema import K1, B

SAMPLE = 512
"""Objects of the fixed sample: those of the smallest chunk ids, which are as good as drawn by lot."""

_FRESH_SECONDS = 300.0
_FRESH_SECONDS_WHEN_SMALL = 10.0
_CHANGED = 16
"""A sample is taken anew when one chunk of so many was written here meanwhile."""
_FIRST_RANGE = 2**18
_AMPLE = 1.3
_TERMS_KEPT = 50_000
_NONE = Averages(0.0, 0.0, 0.0)
_COMMON = 64
"""Chunks of the sample that hold a term from which on the sample tells well enough how many hold it in all."""
_COMPARED = 16
_FEWEST_COMPARED = 24


@dataclass(frozen=True, slots=True)
class Measures:
    """One state of an index, good enough for scores: they compare with those of the same question only."""

    vectors: Sequence[Vector] = ()
    averages: Averages = _NONE
    length: float = 0.0
    """Terms of a chunk as the server counts them, on average."""
    chunks: int = 0
    """About how many there are."""
    shift: float = 0.0
    """What is added to a rarity that a server tells. It counts objects that were written again twice until it has
    tidied up ([S] createDiskTermFromCV), and giving a chunk its vector writes it again."""
    rarities: dict[str, float] = field(default_factory=dict)
    """What is known about terms."""

    def learn(self, term: str, found: Sequence[Stored]) -> None:
        """Read a term's rarity off the score of the best chunk for that term alone, where one holds it."""
        told = self.told(term, found)
        if told is None:
            return
        if len(self.rarities) >= _TERMS_KEPT:
            self.rarities.clear()
        # Where nodes differ, one of them is believed: scores of one question compare with each other.
        self.rarities.setdefault(term, max(0.0, told + self.shift))

    def told(self, term: str, found: Sequence[Stored]) -> float | None:
        """A term's rarity as the server has it; None where no chunk holds the term."""
        terms = found[0].text(TERMS).split() if found else []
        times = terms.count(term)
        if not times:
            return None
        norm = 1 - B + B * len(terms) / self.length if self.length else 1.0
        return found[0].score * (times + K1 * norm) / times


class Measuring:
    """Takes the measures of an index, again after some time or many changes. Safe to use from many threads."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._measures = Measures()
        self._changes = 0
        self._expires = 0.0
        self._range = _FIRST_RANGE

    def changed(self, chunks: int) -> None:
        """So many chunks were written or dropped."""
        self._changes += chunks  # A lost count costs a slightly older sample.

    def now(self) -> Measures:
        """The measures of the index as it is, or was a little while ago. While one takes them others use the old."""
        if not self._stale() or not self._lock.acquire(blocking=not self._expires):
            return self._measures
        try:
            if self._stale():
                self._take()
            return self._measures
        finally:
            self._lock.release()

    def _take(self) -> None:
        self._changes = 0
        try:
            self._measures = self._taken()
        except TryLater:
            if not self._expires:
                raise
        small = len(self._measures.vectors) < SAMPLE
        self._expires = time.monotonic() + (_FRESH_SECONDS_WHEN_SMALL if small else _FRESH_SECONDS)

    def _stale(self) -> bool:
        return time.monotonic() > self._expires or self._changes > self._measures.chunks // _CHANGED

    def _taken(self) -> Measures:
        everything, known = self._sample(embedded=False)
        sample = everything if all(one.embedded for one in everything) else self._sample(embedded=True)[0]
        vectors = [one.vector for one in sample if one.vector is not None]
        averages = averages_of([one.text(BAG) for one in everything])
        holders = Counter(term for one in everything for term in set(one.text(TERMS).split()))
        enough = _COMMON if len(everything) < known else 1
        rarities = {
            term: rarity(known, round(count * known / len(everything)))
            for term, count in holders.items()
            if count >= enough
        }
        plain = Measures(vectors, averages, 2 * averages.head + averages.body, known, rarities=rarities)
        return plain if enough == 1 else replace(plain, shift=self._shift(plain, holders))

    def _shift(self, plain: Measures, holders: Mapping[str, int]) -> float:
        """How far the server's rarities are from those of the sample, by terms that some but not most chunks hold."""
        usual = [term for term, count in holders.items() if _FEWEST_COMPARED <= count <= SAMPLE // 2]
        told: list[float] = []
        for term in sorted(usual, key=lambda term: (-holders[term], term))[:_COMPARED]:
            found = self._index.fetched(by_words(fetch(self._index.name, (TERMS,), 1), {term: 1}))
            its = plain.told(term, sorted(found.values(), key=lambda one: -one.score)[:1])
            if its is not None:
                told.append(rarity(plain.chunks, round(holders[term] * plain.chunks / SAMPLE)) - its)
        return median(told) if told else 0.0

    def _sample(self, *, embedded: bool) -> tuple[list[Stored], int]:
        """The objects of the smallest ids, and about how many objects there are in all."""
        index, reach = self._index, self._range
        while True:
            within = stamped(0, reach) if not embedded else all_of(stamped(0, reach), equals("embedded", True))
            found = index.fetched(fetch(index.name, ("stamp",), LARGEST_ANSWER, within))
            if len(found) >= LARGEST_ANSWER:
                reach //= 2
            elif len(found) >= SAMPLE or reach >= STAMPS:
                break
            else:
                reach = min(STAMPS, int(reach * max(2.0, min(32.0, _AMPLE * SAMPLE / (len(found) or 1)))))
        if not embedded:
            self._range = max(reach, _FIRST_RANGE) if reach < STAMPS else _FIRST_RANGE
        smallest = sorted(found)[:SAMPLE]
        names = (*IDENTITY, BAG, TERMS, "embedded")
        rows = index.fetched(fetch(index.name, names, SAMPLE, among(smallest), vectors=True)) if smallest else {}
        own = [rows[uuid] for uuid in smallest if uuid in rows and rows[uuid].identity.chunk_id == uuid]
        return own, len(found) * STAMPS // reach
