"""What the ledger knows of one source in one index, read and written by whoever moves the index to another store."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from connectors.database import Database
from connectors.errors import Misconfigured
from connectors.ledger.holdings import in_parts
from connectors.ledger.ledger import Ledger
from connectors.ledger.tables import documents, holdings, keys, quarantine, sources
from connectors.model import Held

_COPIED_FROM = "copied from"
"""Under this name, beside the sealing key, a ledger keeps whose documents it was given."""

_HELD = ("document_id", "version", "pipeline", "chunks", "embedded")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What a ledger says of a source as a whole. ``identity`` names what it reads."""

    kind: str
    identity: str
    standing: str
    last_success: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the ledger has it, and what an index holds of it, as rows of their tables."""

    document: Row
    holding: Row


class Transfer:
    """The rows of one source and one index that a move reads or writes. Every method is one transaction or one look."""

    def __init__(self, database: Database, index: str, source: str) -> None:
        self._database = database
        self._index = index
        self._source = source

    def held(self) -> dict[str, Held]:
        """What the index holds of every document that the ledger knows, by document id."""
        h = holdings.c
        asked = sa.select(*(h[name] for name in _HELD)).select_from(_answerable())
        with self._database.read() as connection:
            rows = connection.execute(asked.where(h.source == self._source, h.fingerprint == self._index))
            return {row.document_id: Held(*row) for row in rows}

    def known(self) -> set[str]:
        """The id of every document of the source, whether or not the index holds it."""
        with self._database.read() as connection:
            mine = sa.select(documents.c.document_id).where(documents.c.source == self._source)
            return set(connection.execute(mine).scalars())

    def source_row(self) -> SourceRow | None:
        """The source itself; None where the ledger never heard of it."""
        s = sources.c
        asked = sa.select(s.kind, s.identity, s.standing, s.last_success).where(s.source == self._source)
        with self._database.read() as connection:
            row = connection.execute(asked).one_or_none()
        return None if row is None else SourceRow(*row)

    def entries(self, carried: Collection[Held]) -> list[Entry]:
        """The rows of each of these that the index holds at this very version still.

        ``carried`` says how many chunks of each were carried, and how many of them with a vector.
        """
        with self._database.read() as connection:
            return self._entries(connection, self._index, carried)

    def quarantine(self) -> list[Row]:
        """Every unreadable document of the source."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(quarantine).where(quarantine.c.source == self._source))
            return [dict(row._mapping) for row in rows]

    def take_holdings(self, other: str, carried: Collection[Held]) -> set[str]:
        """The index holds these as another one of the same ledger does: the ids of those that that one still holds."""
        with self._database.write() as connection:
            entries = self._entries(connection, other, carried)
            self._hold(connection, entries)
        return {entry.document["document_id"] for entry in entries}

    def take_documents(self, entries: Sequence[Entry]) -> None:
        """These documents, and that the index holds them, from another ledger."""
        with self._database.write() as connection:
            for some in in_parts([entry.document["document_id"] for entry in entries]):
                connection.execute(sa.delete(documents).where(self._among(documents, some)))
            _insert(connection, documents, [entry.document for entry in entries])
            self._hold(connection, entries)

    def take_source(self, row: SourceRow, unreadable: Sequence[Row]) -> None:
        """How the source stands and what of it cannot be read, from another ledger."""
        mine = quarantine.c.source == self._source
        fresh = {"standing": row.standing, "last_success": row.last_success}
        with self._database.write() as connection:
            connection.execute(sa.delete(quarantine).where(mine))
            _insert(connection, quarantine, unreadable)
            connection.execute(sa.update(sources).where(sources.c.source == self._source).values(fresh))

    def _entries(self, connection: sa.Connection, index: str, carried: Collection[Held]) -> list[Entry]:
        wanted = {held.document_id: held for held in carried}
        found: list[Entry] = []
        for some in in_parts(wanted):
            here = sa.select(documents, holdings).select_from(_answerable())
            rows = connection.execute(here.where(self._among(holdings, some), holdings.c.fingerprint == index))
            entries = [_entry_of(row, wanted) for row in rows]
            found += [entry for entry in entries if _is_same(entry, wanted)]
        return found

    def _hold(self, connection: sa.Connection, entries: Sequence[Entry]) -> None:
        for some in in_parts([entry.document["document_id"] for entry in entries]):
            mine = sa.and_(self._among(holdings, some), holdings.c.fingerprint == self._index)
            connection.execute(sa.delete(holdings).where(mine))
        _insert(connection, holdings, [{**entry.holding, "fingerprint": self._index} for entry in entries])

    def _among(self, table: sa.Table, some: Sequence[str]) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.source == self._source, table.c.document_id.in_(some))


def introduce(origin: Ledger, target: Ledger, names: Collection[str]) -> None:
    """Make sure that one ledger may take documents of these sources from another, and note there whose they are.

    Raises:
        Misconfigured: A source is another one there, or there are documents of it that did not come from here.
    """
    whose = hashlib.sha256(origin.key).digest()
    from_here = _copied_from(target.database) == whose
    for name in names:
        there = Transfer(target.database, "", name)
        mine, its = Transfer(origin.database, "", name).source_row(), there.source_row()
        if mine is None or its is None or (mine.kind, mine.identity) != (its.kind, its.identity):
            raise Misconfigured(f"{name} reads something else in the other configuration. Make both the same.")
        if count := len(there.known()):
            _must_follow(name, mine, its, count if not from_here else 0)
    if not from_here:
        with target.database.write() as connection:
            connection.execute(sa.delete(keys).where(keys.c.name == _COPIED_FROM))
            connection.execute(sa.insert(keys).values(name=_COPIED_FROM, secret=whose))


def _must_follow(name: str, mine: SourceRow, its: SourceRow, of_its_own: int) -> None:
    """Whether what a ledger has of a source may be made to follow another ledger."""
    if of_its_own:
        raise Misconfigured(
            f"The other ledger has {of_its_own} documents of {name} that did not come from here. "
            "Name another data_dir or database there, or keep what it has and run `quoth sync` there."
        )
    if its.last_success and (mine.last_success is None or its.last_success > mine.last_success):
        raise Misconfigured(
            f"{name} was synced there after it was synced here: a copy would set it back. Run `quoth sync` here first."
        )


def _copied_from(database: Database) -> bytes | None:
    with database.read() as connection:
        found = connection.execute(sa.select(keys.c.secret).where(keys.c.name == _COPIED_FROM)).scalar_one_or_none()
    return None if found is None else bytes(found)


def _answerable() -> sa.Join:
    """Documents with what an index holds of them."""
    names = ("source", "document_id")
    return documents.join(holdings, sa.and_(*(documents.c[name] == holdings.c[name] for name in names)))


def _entry_of(row: sa.Row[Any], wanted: Mapping[str, Held]) -> Entry:
    """Of two columns with one name, the table's own is meant: names alone would mix documents and holdings."""
    document = {column.name: row._mapping[column] for column in documents.c}
    holding = {column.name: row._mapping[column] for column in holdings.c}
    return Entry(document, holding | {"embedded": wanted[document["document_id"]].embedded})


def _is_same(entry: Entry, wanted: Mapping[str, Held]) -> bool:
    held = entry.holding
    return Held(*(held[name] for name in _HELD)) == wanted[held["document_id"]]


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(sa.insert(table), list(rows))
