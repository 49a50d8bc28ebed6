"""Searches a SQLite index by words: FTS5 finds candidates, BM25F from their own terms scores them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connectors.model import Query
from connectors.store.bm25f import Averages, Words, Worth, rarity, score, worth_of
from connectors.store.rows import match_of, numbers
from connectors.store.terms import keyed, keys_of, repeats_of

_DEPTH = 4
"""Candidates by words for each one wanted: FTS5's order is not quite the true one."""
_SHALLOWEST = 400
"""Candidates by words at least: FTS5 gives terms of half of the rows no worth, which hides rows of a small index."""


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """A question's terms in one state of an index: what each is worth, and what lengths are compared with."""

    weights: Mapping[str, float]
    worth: Worth
    averages: Averages

    def candidates(self, connection: sqlite3.Connection, tags: Collection[str], limit: int) -> list[int]:
        """Chunks in scope that hold any of the terms, the most likely first: more than ``limit``, to choose from."""
        if not self.worth.terms:
            return []
        repeats = repeats_of({key: self.weights[key] for key in self.worth.terms})
        found = connection.execute(
            "SELECT rowid FROM terms WHERE terms MATCH ? ORDER BY rank LIMIT ?",
            (match_of(repeats, tags), max(_DEPTH * limit, _SHALLOWEST)),
        )
        return [row for (row,) in found]

    def scores(self, connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, float]:
        """The true score of each of these chunks that is there, 0 without a term."""
        wanted = list(ids)
        if not self.worth.terms:
            return dict.fromkeys(wanted, 0.0)
        around = {
            neighbour for i in wanted for neighbour in (i - 1, i, i + 1)
        }  # A version's chunks are added in a row.
        rows = numbers(
            connection,
            "SELECT id, version_id, head, body FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            around,
        )
        held = {i: (version, head, body.split()) for i, version, head, body in rows}
        found = {}
        for i in wanted:
            if i not in held:
                continue
            version, head, body = held[i]
            near = [held[n][2] for n in (i - 1, i + 1) if n in held and held[n][0] == version]
            found[i] = score(Words(head.split(), body, near), self.worth, self.averages)
        return found


def keyword_query(connection: sqlite3.Connection, query: Query) -> KeywordQuery:
    """A question's terms as this state of the index sees them. The strongest are kept."""
    chunks, head, body, near = connection.execute("SELECT chunks, head, body, near FROM totals").fetchone()
    weights = dict(zip(keys_of(query.terms), query.terms.values(), strict=True))
    rarities = {}
    for key in weights:
        row = connection.execute("SELECT doc FROM frequencies WHERE term = ?", (key,)).fetchone()
        if row:
            rarities[key] = rarity(chunks, row[0])
    rows = max(chunks, 1)
    worth = worth_of(weights, keyed(query.pairs), rarities)
    return KeywordQuery(weights, worth, Averages(head / rows, body / rows, near / rows))
