"""What one index holds of one source, as the ledger believes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from connectors.database import Database
from connectors.errors import TryLater
from connectors.ledger.tables import holdings, indexes, owed
from connectors.model import Chunk, Held, stamp_of

_IDS_A_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class Holding:
    """A version of a document through a pipeline, in so many chunks; ``digest`` is the sum of their stamps."""

    version: str
    pipeline: str
    chunks: int
    digest: int


@dataclass(frozen=True, slots=True)
class Totals:
    """How much an index holds of a source."""

    chunks: int
    embedded: int
    digest: int


def holding_of(version: str, pipeline: str, chunks: Sequence[Chunk]) -> Holding:
    """What an index holds of a document once these, its chunks, are in it."""
    return Holding(version, pipeline, len(chunks), sum(stamp_of(chunk.chunk_id) for chunk in chunks))


class Holdings:
    """The ledger's rows of one source and one index. Every method is one transaction or one look."""

    def __init__(self, database: Database, index: str, source: str) -> None:
        self._database = database
        self._index = index
        self._source = source

    def held(self) -> dict[str, Holding]:
        """What the index holds of each document, by id."""
        h = holdings.c
        asked = sa.select(h.document_id, h.version, h.pipeline, h.chunks, h.digest).where(self._mine(holdings))
        with self._database.read() as connection:
            return {row.document_id: Holding(*row[1:]) for row in connection.execute(asked)}

    def owed(self) -> dict[str, tuple[str, str] | None]:
        """What the index must keep, as ``store.retire`` wants it, of the documents whose other versions may linger."""
        joined = owed.outerjoin(
            holdings,
            sa.and_(*(holdings.c[name] == owed.c[name] for name in ("fingerprint", "source", "document_id"))),
        )
        asked = sa.select(owed.c.document_id, holdings.c.version, holdings.c.pipeline).select_from(joined)
        with self._database.read() as connection:
            rows = connection.execute(asked.where(self._mine(owed)))
            return {row.document_id: (row.version, row.pipeline) if row.version else None for row in rows}

    def owe(self, document_ids: Collection[str]) -> None:
        """Remember, before the store is touched, that it may come to hold more of these than the ledger says."""
        with self._database.write() as connection:
            _delete(connection, owed, self._mine(owed), document_ids)
            connection.execute(sa.insert(owed), [self._key(document_id) for document_id in document_ids])

    def settle(self, document_ids: Collection[str]) -> None:
        """The store keeps of these what the ledger says, and nothing else."""
        with self._database.write() as connection:
            _delete(connection, owed, self._mine(owed), document_ids)

    def commit(self, held: Mapping[str, Holding]) -> None:
        """Switch the index, and nothing but the index, to these."""
        with self._database.write() as connection:
            if self._index in _standing(connection):
                _replace(connection, self._index, self._source, held)

    def count_embedded(self, contents: Iterable[Held]) -> None:
        """Take over how many chunks have a vector, for what the store and the ledger agree to hold."""
        h = holdings.c
        asked = sa.select(h.document_id, h.version, h.pipeline, h.embedded).where(self._mine(holdings))
        with self._database.read() as connection:
            believed = {tuple(row[:3]): row.embedded for row in connection.execute(asked)}
        true = {(held.document_id, held.version, held.pipeline): held.embedded for held in contents}
        wrong = {key: true[key] for key in believed.keys() & true.keys() if believed[key] != true[key]}
        if not wrong:
            return
        with self._database.write() as connection:
            for (document_id, version, pipeline), embedded in wrong.items():
                same = sa.and_(h.document_id == document_id, h.version == version, h.pipeline == pipeline)
                connection.execute(sa.update(holdings).where(self._mine(holdings), same).values(embedded=embedded))

    def add_embedded(self, given: Mapping[tuple[str, str, str], int]) -> None:
        """Note how many more chunks have a vector, by document, version and pipeline. What is held no more is not."""
        h = holdings.c
        same = (h.document_id == sa.bindparam("of"), h.version == sa.bindparam("at"), h.pipeline == sa.bindparam("by"))
        grown = {"embedded": h.embedded + sa.bindparam("more")}
        rows = [{"of": of, "at": at, "by": by, "more": more} for (of, at, by), more in given.items()]
        if rows:
            with self._database.write() as connection:
                connection.execute(sa.update(holdings).where(self._mine(holdings), *same).values(grown), rows)

    def totals(self) -> Totals:
        """How much there is now."""
        h = holdings.c
        asked = sa.select(*(sa.func.sum(column) for column in (h.chunks, h.embedded, h.digest)))
        with self._database.read() as connection:
            row = connection.execute(asked.where(self._mine(holdings))).one()
            return Totals(*(int(total or 0) for total in row))

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return _rows_of(table, self._index, self._source)

    def _key(self, document_id: str) -> dict[str, Any]:
        return {"fingerprint": self._index, "source": self._source, "document_id": document_id}


def switch(connection: sa.Connection, source: str, held: Mapping[str, Mapping[str, Holding]]) -> None:
    """Switch every index named, in one transaction, to what it holds now of these documents.

    An index that was dropped meanwhile is passed over.

    Raises:
        TryLater: Another index than these answers by now.
    """
    standing = _standing(connection)
    if any(is_live and name not in held for name, is_live in standing.items()):
        raise TryLater(f"{source}: another index went live during this sync. Sync again; nothing was half-written.")
    for name in held.keys() & standing.keys():
        _replace(connection, name, source, held[name])


def in_parts(document_ids: Collection[str]) -> Iterator[list[str]]:
    """As many at a time as a statement takes."""
    ids = list(document_ids)
    for start in range(0, len(ids), _IDS_A_STATEMENT):
        yield ids[start : start + _IDS_A_STATEMENT]


def _standing(connection: sa.Connection) -> dict[str, bool]:
    """The indexes that are not to be dropped, and whether they are live."""
    asked = sa.select(indexes.c.name, indexes.c.live).where(sa.or_(indexes.c.live, indexes.c.building))
    return {row.name: row.live for row in connection.execute(asked)}


def _replace(connection: sa.Connection, index: str, source: str, held: Mapping[str, Holding]) -> None:
    _delete(connection, holdings, _rows_of(holdings, index, source), held)
    key = {"fingerprint": index, "source": source, "embedded": 0}
    rows = [key | asdict(holding) | {"document_id": document_id} for document_id, holding in held.items()]
    if rows:
        connection.execute(sa.insert(holdings), rows)


def _delete(
    connection: sa.Connection, table: sa.Table, among: sa.ColumnElement[bool], document_ids: Collection[str]
) -> None:
    for some in in_parts(document_ids):
        connection.execute(sa.delete(table).where(among, table.c.document_id.in_(some)))


def _rows_of(table: sa.Table, index: str, source: str) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.fingerprint == index, table.c.source == source)
