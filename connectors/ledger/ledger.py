"""The ledger: what we hold, at which version, in which index, and whether it may be seen."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from connectors.database import Database, Lineage
from connectors.ledger.holdings import Holdings
from connectors.ledger.indexes import Indexes, insert_or_find
from connectors.ledger.records import Records, forget
from connectors.ledger.seals import is_sealed
from connectors.ledger.tables import documents, holdings, indexes, keys, quarantine, sources
from connectors.model import Chunk, link_of, source_tag

LINEAGE = Lineage(Path(__file__).parents[1] / "migrations", "alembic_version_connectors")

_LIVE = sa.select(indexes.c.name).where(indexes.c.live).limit(1).scalar_subquery()

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the ledger says of a chunk that may be seen. ``url`` opens the chunk, ``document_url`` its document."""

    title: str
    url: str
    document_url: str
    breadcrumbs: tuple[str, ...]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Vouching:
    """The chunks that may be seen, by chunk id, and for each other one the reason why not."""

    vouched: Mapping[str, Vouched]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """One line of ``quoth status``. ``documents`` are answerable; ``held`` ones among them wait for a person."""

    source: str
    kind: str
    last_success: datetime | None
    last_error: str | None
    documents: int
    chunks: int
    embedded: int
    unreadable: int
    held: int
    digest: int = 0
    """The sum of the chunks' stamps: what the live index must have, too."""


class Ledger:
    """The truth about every document, in one SQL database. Safe to use from many threads and processes.

    ``key`` is the sealing key, kept in the ledger.

    Raises:
        Misconfigured: The database is of a newer version, is not ours or cannot be opened.
        TryLater: It cannot be asked now; also from every method.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url, LINEAGE)
        self.indexes = Indexes(self.database)
        try:
            self.key = self._sealing_key()
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def register(self, source: str, kind: str, identity: str) -> None:
        """Note that a source is configured. ``identity`` names what it reads: type, URL, spaces.

        With another identity it is another source under an old name: what we hold is refused at once and forgotten.
        A source that had been out of the configuration answers again after its next reconcile.
        """
        insert_or_find(lambda: self._register(source, kind, identity))

    def keep_sources(self, names: Collection[str]) -> None:
        """Nothing but these sources may answer. The others are refused at once; what we hold of them stays."""
        gone = sa.and_(sources.c.source.not_in(list(names)), sources.c.standing != "removed")
        with self.database.write() as connection:
            removed = connection.execute(sa.update(sources).where(gone).values(standing="removed")).rowcount
        if removed:
            log.info("sources.removed", count=removed)

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        """Which of these chunks may be seen by somebody who may see these tags, and why the others may not.

        One query, however many chunks.

        Raises:
            TryLater: The ledger cannot be asked. Nothing is vouched for then.
        """
        rows = self._rows_of(chunks)
        refused: dict[str, str] = {}
        vouched: dict[str, Vouched] = {}
        for chunk in chunks:
            row = rows.get((chunk.source, chunk.document_id))
            reason = self._objection(chunk, row, tags)
            if reason is not None:
                refused[chunk.chunk_id] = reason
            else:
                vouched[chunk.chunk_id] = _vouched(chunk, row)
        # Two chunks with one id: the refused one must not pass as the other.
        return Vouching({key: value for key, value in vouched.items() if key not in refused}, refused)

    def still_stand(self, versions: Mapping[str, str], tags: frozenset[str]) -> bool:
        """Whether each of these documents, by id, is still answerable at this version within these tags.

        Raises:
            TryLater: The ledger cannot be asked. Nothing is vouched for then.
        """
        d, h = documents.c, holdings.c
        held = sa.and_(h.fingerprint == _LIVE, h.source == d.source, h.document_id == d.document_id)
        joined = documents.join(sources, sources.c.source == d.source).join(holdings, held)
        asked = sa.select(d.document_id, h.version, d.tags).select_from(joined)
        with self.database.read() as connection:
            found = connection.execute(asked.where(d.document_id.in_(versions), sources.c.standing == "active")).all()
        standing = {row.document_id: row.version for row in found if not tags.isdisjoint(row.tags)}
        return standing == dict(versions)

    def titles(self, source: str) -> list[str]:
        """The titles of a source's documents."""
        asked = sa.select(documents.c.title).where(documents.c.source == source).order_by(documents.c.title)
        with self.database.read() as connection:
            return list(connection.execute(asked).scalars())

    def records(self, source: str) -> Records:
        """What the ledger records of a source, for a sync to read and write."""
        return Records(self.database, source)

    def holdings(self, source: str, index: str) -> Holdings:
        """What an index, by name, holds of a source, for a sync to read and write."""
        return Holdings(self.database, index, source)

    def figures(self) -> list[SourceFigures]:
        """How every configured source stands, by name; chunks are those of the live index."""
        with self.database.read() as connection:
            rows = connection.execute(_FIGURES).all()
        return [SourceFigures(**row._mapping) for row in rows]

    def _sealing_key(self) -> bytes:
        asked = sa.select(keys.c.secret).where(keys.c.name == "seal")
        with self.database.read() as connection:
            key = connection.execute(asked).scalar_one_or_none()
        if key is not None:
            return bytes(key)
        insert_or_find(self._ensure_key)
        with self.database.read() as connection:
            return bytes(connection.execute(asked).scalar_one())

    def _ensure_key(self) -> None:
        with self.database.write() as connection:
            if connection.execute(sa.select(keys.c.name).where(keys.c.name == "seal")).one_or_none() is None:
                connection.execute(sa.insert(keys).values(name="seal", secret=secrets.token_bytes(32)))

    def _register(self, source: str, kind: str, identity: str) -> None:
        here = sources.c.source == source
        with self.database.read() as connection:
            row = connection.execute(sa.select(sources).where(here)).one_or_none()
        if row is not None and (row.kind, row.identity) == (kind, identity) and row.standing != "removed":
            return
        with self.database.write() as connection:
            if row is None:
                connection.execute(
                    sa.insert(sources).values(source=source, kind=kind, identity=identity, standing="active")
                )
                return
            if (row.kind, row.identity) != (kind, identity):
                forget(connection, source)
                log.info("source.replaced", source=source)
            standing = "returning" if row.standing == "removed" else row.standing
            fresh = {"kind": kind, "identity": identity, "standing": standing, "last_success": None}
            connection.execute(sa.update(sources).where(here).values(fresh))

    def _rows_of(self, chunks: Sequence[Chunk]) -> dict[tuple[str, str], Any]:
        """What the ledger says of the chunks' documents, by source and document id, in one query."""
        ids = {chunk.document_id for chunk in chunks}
        if not ids:
            return {}
        joined = documents.join(sources, sources.c.source == documents.c.source)
        held = sa.and_(
            holdings.c.fingerprint == _LIVE,
            holdings.c.source == documents.c.source,
            holdings.c.document_id == documents.c.document_id,
        )
        asked = sa.select(
            documents, sources.c.standing, holdings.c.version.label("held_version"), holdings.c.pipeline
        ).select_from(joined.outerjoin(holdings, held))
        with self.database.read() as connection:
            # The sources lead the primary key: without them the database would read every document.
            named = documents.c.source.in_({chunk.source for chunk in chunks}), documents.c.document_id.in_(ids)
            found = connection.execute(asked.where(*named))
            return {(row.source, row.document_id): row for row in found}

    def _objection(self, chunk: Chunk, row: Any, tags: frozenset[str]) -> str | None:
        """Why a chunk may not be seen; None when it may."""
        if not is_sealed(self.key, chunk):
            return "its seal is broken"
        if source_tag(chunk.source) not in chunk.tags or tags.isdisjoint(chunk.tags):
            return "it is outside the knowledge base"
        return _objection_of_document(chunk, row, tags)


def _objection_of_document(chunk: Chunk, row: Any, tags: frozenset[str]) -> str | None:
    if row is None:
        return "its document is gone, hidden or unknown"
    if row.standing != "active":
        return "its source is not configured, or was not synced since it is again"
    if tags.isdisjoint(row.tags):
        return "its document is outside the knowledge base"
    if (chunk.version, chunk.pipeline) != (row.held_version, row.pipeline):
        return "it belongs to another version of its document"
    return None


def _vouched(chunk: Chunk, row: Any) -> Vouched:
    return Vouched(row.title, link_of(row.link, chunk), row.url, tuple(row.breadcrumbs), row.updated_at)


def _figures() -> sa.Select[Any]:
    d, h, q = documents.c, holdings.c, quarantine.c

    def one(what: sa.ColumnElement[Any], table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        mine = table.c.source == sources.c.source
        return sa.func.coalesce(sa.select(what).select_from(table).where(mine, *where).scalar_subquery(), 0)

    held = h.fingerprint == _LIVE
    return (
        sa.select(
            sources.c.source,
            sources.c.kind,
            sources.c.last_success,
            sources.c.last_error,
            one(sa.func.count(), holdings, held).label("documents"),
            one(sa.func.sum(h.chunks), holdings, held).label("chunks"),
            one(sa.func.sum(h.embedded), holdings, held).label("embedded"),
            one(sa.func.count(q.document_id), quarantine).label("unreadable"),
            one(sa.func.count(), documents, d.held_since.is_not(None)).label("held"),
            one(sa.cast(sa.func.sum(h.digest), sa.BigInteger), holdings, held).label("digest"),
        )
        .where(sources.c.standing != "removed")
        .order_by(sources.c.source)
    )


_FIGURES = _figures()
