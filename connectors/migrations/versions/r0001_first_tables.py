"""The first tables: ledger, quarantine, what each index holds, runs, the sealing key."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _create_keys()
    _create_sources()
    _create_documents()
    _create_quarantine()
    _create_indexes()
    _create_holdings()
    _create_owed()
    _create_runs()


def _create_keys() -> None:
    op.create_table(
        "keys",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )


def _create_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("last_success", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text),
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("breadcrumbs", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
        sa.Column("owner", sa.Text),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("listed", sa.JSON, nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True)),
    )


def _create_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("lasting", sa.Boolean, nullable=False),
    )


def _create_indexes() -> None:
    op.create_table(
        "indexes",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("live", sa.Boolean, nullable=False),
    )


def _create_holdings() -> None:
    op.create_table(
        "holdings",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("embedded", sa.Integer, nullable=False),
    )


def _create_owed() -> None:
    op.create_table(
        "owed",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document_id", sa.Text, primary_key=True),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("full_fetch", sa.Boolean, nullable=False),
        sa.Column("approve_removals", sa.Boolean, nullable=False),
        sa.Column("verify", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True)),
        sa.Column("owner", sa.Text),
        sa.Column("place", sa.Text),
        sa.Column("progress", sa.JSON),
        sa.Column("report", sa.JSON),
    )
    op.create_index("runs_by_source", "runs", ["source", "run_id"])
    for state in ("queued", "running"):
        only = sa.text(f"state = '{state}'")
        op.create_index(
            f"one_{state}_run_a_source", "runs", ["source"], unique=True, sqlite_where=only, postgresql_where=only
        )
