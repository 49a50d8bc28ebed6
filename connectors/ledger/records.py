"""What the ledger records of one source, as a sync reads and writes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from connectors.database import Database
from connectors.ledger.holdings import Holding, in_parts, switch
from connectors.ledger.tables import documents, holdings, owed, quarantine, sources
from connectors.model import Document, Listing, Unreadable


@dataclass(frozen=True, slots=True)
class Place:
    """Title, parent and breadcrumbs as a listing told them."""

    title: str
    parent: str | None
    breadcrumbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A document of the ledger."""

    version: str
    place: Place
    waits_for_removal: bool


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A version that could not be read, through which pipeline, and whether it never will be."""

    version: str
    pipeline: str
    lasting: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is stored now, and the place that led to it."""

    document: Document
    place: Place


def place_of(listing: Listing) -> Place:
    """Where a listing says that its document is."""
    return Place(listing.title, listing.parent, listing.breadcrumbs)


class Records:
    """The ledger's rows of one source. Every method is one transaction or one look."""

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source

    def known(self) -> dict[str, Known]:
        """Every document of the source, by id."""
        d = documents.c
        asked = sa.select(d.document_id, d.version, d.listed, d.held_since).where(d.source == self._source)
        with self._database.read() as connection:
            return {row.document_id: _known_of(row) for row in connection.execute(asked)}

    def quarantined(self) -> dict[str, Quarantined]:
        """Every unreadable document of the source, by id."""
        q = quarantine.c
        asked = sa.select(q.document_id, q.version, q.pipeline, q.lasting).where(q.source == self._source)
        with self._database.read() as connection:
            return {row.document_id: Quarantined(*row[1:]) for row in connection.execute(asked)}

    def commit(
        self,
        stored: Sequence[Stored],
        unreadable: Sequence[Unreadable],
        pipeline: str,
        held: Mapping[str, Mapping[str, Holding]],
    ) -> None:
        """Switch to the new versions and put the unreadable into quarantine, all in one transaction.

        ``held`` names every index that the sync fills, with what it holds now of these documents; ``pipeline`` is what
        the unreadable could not be read through.

        Raises:
            TryLater: Another index than these answers by now.
        """
        ids = [entry.document.document_id for entry in stored]
        with self._database.write() as connection:
            for table in (documents, quarantine):
                self._delete(connection, table, ids)
            self._delete(connection, quarantine, [entry.listing.document_id for entry in unreadable])
            _insert(connection, documents, [_document_row(entry) for entry in stored])
            _insert(connection, quarantine, [self._quarantine_row(entry, pipeline) for entry in unreadable])
            switch(connection, self._source, held)

    def relist(self, listings: Sequence[Listing]) -> None:
        """The documents have moved: take the place, and the links that follow from it, without a fetch."""
        with self._database.write() as connection:
            for listing in listings:
                row = connection.execute(
                    sa.select(documents.c.url, documents.c.link).where(self._is(documents, listing.document_id))
                ).one_or_none()
                if row is not None:
                    connection.execute(
                        sa.update(documents)
                        .where(self._is(documents, listing.document_id))
                        .values(_moved(listing, row.url, row.link))
                    )

    def hold(self, document_ids: Collection[str], now: datetime) -> None:
        """These would be removed; they go on answering until a person approves."""
        self._update(document_ids, held_since=now)

    def release(self, document_ids: Collection[str]) -> None:
        """These are listed again, so nothing waits for a person."""
        self._update(document_ids, held_since=None)

    def forget(self, document_ids: Collection[str]) -> None:
        """Unanswerable from now on. Every index owes their removal."""
        with self._database.write() as connection:
            forget(connection, self._source, document_ids)

    def clear_quarantine(self, document_ids: Collection[str]) -> None:
        """These can be read again, or are listed no more."""
        with self._database.write() as connection:
            self._delete(connection, quarantine, document_ids)

    def waiting(self) -> int:
        """How many documents wait for a person to let them go."""
        mine = sa.and_(documents.c.source == self._source, documents.c.held_since.is_not(None))
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one()

    def is_registered(self) -> bool:
        """Whether the source is one that is configured."""
        asked = sa.select(sources.c.standing).where(sources.c.source == self._source)
        with self._database.read() as connection:
            return connection.execute(asked).scalar_one_or_none() in ("active", "returning")

    def last_success(self) -> datetime | None:
        """When the source was last compared whole, without a failure."""
        asked = sa.select(sources.c.last_success).where(sources.c.source == self._source)
        with self._database.read() as connection:
            return connection.execute(asked).scalar_one_or_none()

    def succeeded(self, now: datetime) -> None:
        """The source was compared whole. What had been out of the configuration answers again."""
        again = sa.case((sources.c.standing == "returning", "active"), else_=sources.c.standing)
        self._update_source(last_success=now, last_error=None, standing=again)

    def failed(self, error: str) -> None:
        """The last run did not get through, and why."""
        self._update_source(last_error=error)

    def _update_source(self, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(sa.update(sources).where(sources.c.source == self._source).values(values))

    def _update(self, document_ids: Collection[str], **values: Any) -> None:
        with self._database.write() as connection:
            for some in in_parts(document_ids):
                mine = sa.and_(documents.c.source == self._source, documents.c.document_id.in_(some))
                connection.execute(sa.update(documents).where(mine).values(values))

    def _delete(self, connection: sa.Connection, table: sa.Table, document_ids: Collection[str]) -> None:
        for some in in_parts(document_ids):
            connection.execute(sa.delete(table).where(_among(table, self._source, some)))

    def _is(self, table: sa.Table, document_id: str) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.source == self._source, table.c.document_id == document_id)

    def _quarantine_row(self, entry: Unreadable, pipeline: str) -> dict[str, Any]:
        listing = entry.listing
        return {
            "source": self._source,
            "document_id": listing.document_id,
            "version": listing.version,
            "pipeline": pipeline,
            "title": listing.title,
            "url": listing.url,
            "reason": entry.reason,
            "lasting": entry.lasting,
        }


def forget(connection: sa.Connection, source: str, document_ids: Collection[str] | None = None) -> None:
    """Drop documents of a source, or all of them, from the ledger; every index that holds them owes their removal."""
    parts = [None] if document_ids is None else in_parts(document_ids)
    for some in parts:
        _owe_everywhere(connection, source, some)
        for table in (documents, holdings, quarantine):
            connection.execute(sa.delete(table).where(_among(table, source, some)))


def _owe_everywhere(connection: sa.Connection, source: str, some: Sequence[str] | None) -> None:
    names = ("fingerprint", "source", "document_id")
    already = sa.exists().where(*(owed.c[name] == holdings.c[name] for name in names))
    due = sa.select(*(holdings.c[name] for name in names)).where(_among(holdings, source, some), ~already)
    connection.execute(sa.insert(owed).from_select(names, due))


def _among(table: sa.Table, source: str, some: Sequence[str] | None) -> sa.ColumnElement[bool]:
    mine = table.c.source == source
    return mine if some is None else sa.and_(mine, table.c.document_id.in_(some))


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def _known_of(row: Any) -> Known:
    listed = row.listed
    return Known(
        version=row.version,
        place=Place(listed["title"], listed["parent"], tuple(listed["breadcrumbs"])),
        waits_for_removal=row.held_since is not None,
    )


def _listed_row(place: Place) -> dict[str, Any]:
    return {"title": place.title, "parent": place.parent, "breadcrumbs": list(place.breadcrumbs)}


def _document_row(entry: Stored) -> dict[str, Any]:
    document = entry.document
    return {
        "source": document.source,
        "document_id": document.document_id,
        "version": document.version,
        "title": document.title,
        "url": document.url,
        "link": document.link,
        "parent": document.parent,
        "breadcrumbs": list(document.breadcrumbs),
        "updated_at": document.updated_at,
        "owner": document.owner,
        "tags": sorted(document.tags),
        "listed": _listed_row(entry.place),
    }


def _moved(listing: Listing, url: str, link: str) -> dict[str, Any]:
    place = {
        "parent": listing.parent,
        "breadcrumbs": list(listing.breadcrumbs),
        "listed": _listed_row(place_of(listing)),
    }
    # A link is its page's URL and a fragment; one that is not stays as it is.
    if link.startswith(url):
        return place | {"url": listing.url, "link": listing.url + link[len(url) :]}
    return place
