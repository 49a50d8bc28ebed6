"""The indexes that there are: which one answers, which one is to follow it, and which are to be dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa
import structlog

from connectors.database import Database
from connectors.errors import Misconfigured
from connectors.ledger.tables import documents, holdings, indexes, owed, sources

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index by name, and all that it takes to open it again when the configuration says something else by then.

    ``name`` is unique among all stores. ``fingerprint`` names the pipeline: the chunks of two indexes with one
    fingerprint are the same, wherever they are kept. ``embeddings`` is the configuration's string; ``store`` its
    section in JSON, with the names of secrets and not the secrets. ``embedder`` is the fingerprint of what embeds,
    empty where it was never noted.
    """

    name: str
    fingerprint: str
    embeddings: str
    store: str
    embedder: str = ""


@dataclass(frozen=True, slots=True)
class Building:
    """How far the index in building is: documents that it holds of all that can be answered, and its vectors."""

    name: str
    documents: int
    of: int
    chunks: int
    embedded: int


class Indexes:
    """The ledger's rows of indexes. One is live; one may be in building; the others are to be dropped.

    Raises:
        TryLater: The ledger cannot be asked now; from every method.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def want(self, spec: IndexSpec) -> None:
        """Have this index answer: at once where nothing else does, else as soon as it holds what the live one does.

        What had been in building for another configuration is wanted no more.
        """
        insert_or_find(lambda: self._want(spec))

    def live(self) -> IndexSpec:
        """The index that answers.

        Raises:
            Misconfigured: There is none.
        """
        for row in self._rows():
            if row.live:
                return _spec_of(row)
        raise Misconfigured("The ledger was not told which index is in use: call indexes.want first.")

    def building(self) -> IndexSpec | None:
        """The index that is to answer once it is complete."""
        return next((_spec_of(row) for row in self._rows() if row.building), None)

    def unwanted(self) -> list[IndexSpec]:
        """Indexes that may still be there and are to be dropped."""
        return [_spec_of(row) for row in self._rows() if not row.live and not row.building]

    def is_complete(self, name: str) -> bool:
        """Whether an index holds, with vectors, every document that can be answered from."""
        with self._database.read() as connection:
            return not _lacks_anything(connection, name)

    def make_live(self, name: str) -> bool:
        """Let the index in building answer from now on; whether it does. Not unless it is complete."""
        with self._database.write() as connection:
            mine = sa.and_(indexes.c.name == name, indexes.c.building)
            if connection.execute(sa.select(indexes.c.name).where(mine)).one_or_none() is None:
                return False
            if _lacks_anything(connection, name):
                return False
            connection.execute(sa.update(indexes).values(live=indexes.c.name == name, building=sa.false()))
        log.info("index.switched", index=name)
        return True

    def forget(self, name: str) -> None:
        """The index has been dropped, and nothing of it is owed any more; unless somebody wants it again by now."""
        with self._database.write() as connection:
            still = sa.and_(indexes.c.name == name, ~indexes.c.live, ~indexes.c.building)
            if connection.execute(sa.delete(indexes).where(still)).rowcount:
                for table in (holdings, owed):
                    connection.execute(sa.delete(table).where(table.c.fingerprint == name))
                log.info("index.dropped", index=name)

    def vectors(self, name: str) -> tuple[int, int]:
        """How many chunks of an index have a vector, and how many there are."""
        h = holdings.c
        joined = holdings.join(sources, sources.c.source == h.source)
        asked = sa.select(sa.func.sum(h.embedded), sa.func.sum(h.chunks)).select_from(joined)
        with self._database.read() as connection:
            embedded, chunks = connection.execute(
                asked.where(h.fingerprint == name, sources.c.standing != "removed")
            ).one()
        return int(embedded or 0), int(chunks or 0)

    def progress(self) -> Building | None:
        """How far the index in building is; None where there is none."""
        spec = self.building()
        if spec is None:
            return None
        h = holdings.c
        held = sa.select(sa.func.count(), sa.func.sum(h.chunks), sa.func.sum(h.embedded)).select_from(
            holdings.join(sources, sources.c.source == h.source)
        )
        answerable = sa.select(sa.func.count()).select_from(
            documents.join(sources, sources.c.source == documents.c.source)
        )
        active = sources.c.standing == "active"
        with self._database.read() as connection:
            count, chunks, embedded = connection.execute(held.where(active, h.fingerprint == spec.name)).one()
            of = connection.execute(answerable.where(active)).scalar_one()
        return Building(spec.name, count, of, int(chunks or 0), int(embedded or 0))

    def _want(self, spec: IndexSpec) -> None:
        if self._is_settled(spec):
            return
        with self._database.write() as connection:
            _note(connection, spec)
            live = connection.execute(sa.select(indexes.c.name).where(indexes.c.live)).scalar_one_or_none()
            held = sa.exists().where(holdings.c.fingerprint == live).select()
            if live != spec.name and connection.execute(held).scalar_one():
                connection.execute(sa.update(indexes).values(building=indexes.c.name == spec.name))
                log.info("index.begun", index=spec.name)
                return
            connection.execute(sa.update(indexes).values(live=indexes.c.name == spec.name, building=sa.false()))
            if live != spec.name:
                connection.execute(sa.update(sources).values(last_success=None))  # of another index: all are due
                log.info("index.opened", index=spec.name)

    def _is_settled(self, spec: IndexSpec) -> bool:
        """Whether the rows say already what they would say."""
        rows = {row.name: row for row in self._rows()}
        mine = rows.get(spec.name)
        if mine is None or _spec_of(mine) != spec or any(row.embeddings is None for row in rows.values()):
            return False
        return bool(mine.building or mine.live) and sum(row.building for row in rows.values()) == mine.building

    def _rows(self) -> list[Any]:
        with self._database.read() as connection:
            return list(connection.execute(sa.select(indexes).order_by(indexes.c.name)))


def _note(connection: sa.Connection, spec: IndexSpec) -> None:
    """Write down how to open the index. Of an older one without a note, the best guess is what is configured now."""
    known = sa.select(indexes.c.name).where(indexes.c.name == spec.name)
    if connection.execute(known).one_or_none() is None:
        connection.execute(sa.insert(indexes).values(asdict(spec) | {"live": False, "building": False}))
    else:
        connection.execute(sa.update(indexes).where(indexes.c.name == spec.name).values(asdict(spec)))
    unknown = indexes.c.embeddings.is_(None)
    connection.execute(sa.update(indexes).where(unknown).values(embeddings=spec.embeddings))


def _lacks_anything(connection: sa.Connection, name: str) -> bool:
    """Whether any document of a source that answers is missing, is older than the live one, or has no vectors yet."""
    d, here, live = documents.c, holdings.alias("here"), holdings.alias("live")
    live_name = sa.select(indexes.c.name).where(indexes.c.live).limit(1).scalar_subquery()
    joined = documents.join(sources, sources.c.source == d.source)
    for table, index in ((here, sa.literal(name)), (live, live_name)):
        same = sa.and_(table.c.source == d.source, table.c.document_id == d.document_id)
        joined = joined.outerjoin(table, sa.and_(same, table.c.fingerprint == index))
    current = here.c.version.in_((d.version, sa.func.coalesce(live.c.version, d.version)))
    whole = sa.and_(here.c.version.is_not(None), current, here.c.embedded >= here.c.chunks)
    lacking = sa.select(d.document_id).select_from(joined).where(sources.c.standing == "active", ~whole)
    return connection.execute(lacking.limit(1)).first() is not None


def _spec_of(row: Any) -> IndexSpec:
    return IndexSpec(**{field.name: row._mapping[field.name] or "" for field in fields(IndexSpec)})


def insert_or_find(step: Callable[[], None]) -> None:
    """Insert or find: where another process was first, the second look finds its row."""
    try:
        step()
    except sa.exc.IntegrityError:
        step()
