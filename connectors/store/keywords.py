"""Searches a SQLite index by words: FTS5 finds candidates, BM25F from their own terms scores them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from connectors.model import Query
from connectors.store.bm25f import Averages, Worth, occurrences_in, pair_scores, rarity, scores, worth_of
from connectors.store.rows import match_of, numbers
from connectors.store.terms import keyed, keys_of, repeats_of

_DEPTH = 4
"""Candidates by words for each one wanted: FTS5's order is not quite the true one."""
_SHALLOWEST = 400
"""Candidates by words at least: FTS5 gives terms of half of the rows no worth, which hides rows of a small index."""

_AMPLE, _AMPLE_SHARE = 2_000, 10
"""Chunks that the terms of a question hold together, or one of so many of the index, beyond which commoner terms look
for no candidates: the rarer ones find those that count, and every chunk that is looked at costs time."""


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """A question's terms in one state of an index: what each is worth, and what lengths are compared with."""

    weights: Mapping[str, float]
    worth: Worth
    averages: Averages
    holding: Mapping[str, int]
    """How many chunks hold each term."""
    chunks: int

    def candidates(self, connection: sqlite3.Connection, tags: Collection[str], limit: int) -> list[int]:
        """Chunks in scope that hold any of the terms, the most likely first: more than ``limit``, to choose from."""
        if not self.worth.terms:
            return []
        depth = max(_DEPTH * limit, _SHALLOWEST)
        rarest = self._rarest()
        found = self._matching(connection, rarest, tags, depth)
        # Within a small scope there may be hardly any of the rarest.
        enough = len(found) == depth or len(rarest) == len(self.worth.terms)
        return found if enough else self._matching(connection, self.worth.terms, tags, depth)

    def _matching(
        self, connection: sqlite3.Connection, keys: Iterable[str], tags: Collection[str], depth: int
    ) -> list[int]:
        repeats = repeats_of({key: self.weights[key] for key in keys})
        found = connection.execute(
            "SELECT rowid FROM terms WHERE terms MATCH ? ORDER BY rank LIMIT ?", (match_of(repeats, tags), depth)
        )
        return [row for (row,) in found]

    def _rarest(self) -> list[str]:
        """The terms that the fewest chunks hold, until they hold amply many together."""
        ample = max(_AMPLE, self.chunks // _AMPLE_SHARE)
        rarest = sorted(self.worth.terms, key=lambda key: self.holding[key])
        held = accumulate(self.holding[key] for key in rarest)
        return rarest[: max(1, sum(chunks <= ample for chunks in held))]

    def scores(self, connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, float]:
        """The true score of each of these chunks that is there, 0 without a term."""
        wanted = dict.fromkeys(ids)
        if not self.worth.terms:
            return dict.fromkeys(wanted, 0.0)
        around = {neighbour for i in wanted for neighbour in (i - 1, i, i + 1)}
        held = numbers(
            connection,
            "SELECT id, version_id, head, body FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            around,
        ).fetchall()
        places = {i: place for place, (i, *_) in enumerate(held)}
        own = [places[i] for i in wanted if i in places]
        # A version's chunks are added in a row.
        sides = [[_beside(held, places, place, step) for place in own] for step in (-1, 1)]
        found = self._scores([row[2:] for row in held], own, sides)
        return {held[place][0]: score for place, score in zip(own, found, strict=True)}

    def _scores(
        self, texts: Sequence[tuple[str, str]], own: Sequence[int], sides: Sequence[Sequence[int]]
    ) -> list[float]:
        """The scores of the chunks at some places, by their head and body and the bodies at other places."""
        terms, worth = list(self.worth.terms), np.fromiter(self.worth.terms.values(), float)
        heads = [texts[place][0] for place in own]
        bodies = occurrences_in([*(body for _, body in texts), ""], terms)
        near = bodies.at(sides[0]) + bodies.at(sides[1])
        alone = scores(occurrences_in(heads, terms), bodies.at(own), near, worth, self.averages)
        together = pair_scores(heads, [texts[place][1] for place in own], self.worth, self.averages)
        return [float(one) for one in alone + together]


def _beside(held: Sequence[Sequence[int]], places: Mapping[int, int], place: int, step: int) -> int:
    """Where the chunk before or after this one in its version is held; last of all where there is none."""
    i, version, *_ = held[place]
    beside = places.get(i + step, -1)
    return beside if beside >= 0 and held[beside][1] == version else -1


def keyword_query(connection: sqlite3.Connection, query: Query) -> KeywordQuery:
    """A question's terms as this state of the index sees them. The strongest are kept."""
    chunks, head, body, near = connection.execute("SELECT chunks, head, body, near FROM totals").fetchone()
    weights = dict(zip(keys_of(query.terms), query.terms.values(), strict=True))
    holding = {}
    for key in weights:
        row = connection.execute("SELECT doc FROM frequencies WHERE term = ?", (key,)).fetchone()
        if row:
            holding[key] = row[0]
    rows = max(chunks, 1)
    worth = worth_of(weights, keyed(query.pairs), {key: rarity(chunks, held) for key, held in holding.items()})
    return KeywordQuery(weights, worth, Averages(head / rows, body / rows, near / rows), holding, chunks)
