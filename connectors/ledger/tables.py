"""The tables that connectors own, in SQLAlchemy's words."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC datetime, also where the database forgets the zone (SQLite)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """What the database is given: UTC, without a zone where it would be dropped anyway."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """What the caller is given: aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    # active: answers. removed: no longer configured. returning: configured again, but what we hold of it is as old as
    # its removal and may have been deleted or restricted since; a reconcile makes it active.
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("last_success", Instant),
    sa.Column("last_error", sa.Text),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("document_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("parent", sa.Text),
    sa.Column("breadcrumbs", sa.JSON, nullable=False),
    sa.Column("updated_at", Instant),
    sa.Column("owner", sa.Text),
    sa.Column("tags", sa.JSON, nullable=False),
    # Title, parent and breadcrumbs as the listing told them, which need not be those of the body.
    sa.Column("listed", sa.JSON, nullable=False),
    sa.Column("held_since", Instant),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("document_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("lasting", sa.Boolean, nullable=False),
)

# One index is live: it answers. One may be in building, to follow it. Any other is to be dropped.
indexes = sa.Table(
    "indexes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("building", sa.Boolean, nullable=False, server_default=sa.false()),
    # How to open it when it is no longer the one that is configured; NULL in rows that are older than these columns.
    sa.Column("embeddings", sa.Text),
    sa.Column("store", sa.Text),
    sa.Column("embedder", sa.Text),
)

holdings = sa.Table(
    "holdings",
    metadata,
    sa.Column("fingerprint", sa.Text, primary_key=True),  # The index's name, which once was its fingerprint alone.
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("document_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("chunks", sa.Integer, nullable=False),
    sa.Column("embedded", sa.Integer, nullable=False),
    # The sum of the chunks' stamps (connectors.model.stamp_of).
    sa.Column("digest", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)

# Documents of which an index may hold other versions than the ledger says. Written before a store is touched and
# taken back once the store was told what to keep: what a crash leaves here, the next run settles.
owed = sa.Table(
    "owed",
    metadata,
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("document_id", sa.Text, primary_key=True),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("full_fetch", sa.Boolean, nullable=False),
    sa.Column("approve_removals", sa.Boolean, nullable=False),
    sa.Column("verify", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("requested_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("heartbeat_at", Instant),
    # Who runs it: a token of this very claim, and the lock folder through which its neighbours can tell that it lives.
    sa.Column("owner", sa.Text),
    sa.Column("place", sa.Text),
    sa.Column("progress", sa.JSON),
    sa.Column("report", sa.JSON),
    sa.Index("runs_by_source", "source", "run_id"),
    sa.Index("one_queued_run_a_source", "source", unique=True, sqlite_where=sa.text("state = 'queued'"),
             postgresql_where=sa.text("state = 'queued'")),
    sa.Index("one_running_run_a_source", "source", unique=True, sqlite_where=sa.text("state = 'running'"),
             postgresql_where=sa.text("state = 'running'")),
)  # fmt: skip

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", Instant, nullable=False),
)
