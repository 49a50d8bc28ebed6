"""The tables of the inbox, and how their database is opened."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from connectors.errors import Misconfigured, TryLater

METADATA = sa.MetaData()
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x51554F54
"""Any number that nobody else uses as a PostgreSQL advisory lock: “QUOT”."""

QUESTIONS = sa.Table(
    "questions",
    METADATA,
    sa.Column("question_id", sa.String, primary_key=True),
    sa.Column("team", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("ts", sa.String, nullable=False),
    sa.Column("thread_ts", sa.String, nullable=False),
    sa.Column("asker", sa.String, nullable=False),
    sa.Column("asker_team", sa.String),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("words", sa.Text),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("claimed_by", sa.String),
    sa.Column("claimed_until", sa.Float),
    sa.Column("withdrawn", sa.String),
    sa.Column("sending", sa.String),
    sa.Column("answer_ts", sa.String),
    sa.Column("outcome", sa.String),
    sa.Column("answer", sa.Text),
    sa.Column("explanation", sa.Text),
    sa.UniqueConstraint("team", "channel", "ts"),
    sa.Index("questions_by_state", "state", "not_before"),
    sa.Index("questions_by_thread", "team", "channel", "thread_ts"),
    sa.Index("questions_by_answer", "team", "channel", "answer_ts", unique=True),
)
DELIVERIES = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("delivery", sa.String, primary_key=True),
    sa.Column("received", sa.Float, nullable=False),
)
FEEDBACK = sa.Table(
    "feedback",
    METADATA,
    sa.Column("question_id", sa.String, primary_key=True),
    sa.Column("voter", sa.String, primary_key=True),
    sa.Column("vote", sa.Integer, nullable=False),
    sa.Column("voted", sa.Float, nullable=False),
)


def opened(url: str) -> sa.Engine:
    """An engine on the inbox's database, its tables at this version.

    Raises:
        Misconfigured: The database is not ours, or a newer Quoth has already used it.
        TryLater: It cannot be reached.
    """
    engine = _engine_of(url)
    try:
        with engine.begin() as connection:
            _migrate(connection)
    except sa.exc.OperationalError as error:
        engine.dispose()
        raise TryLater(
            f"The inbox's database cannot be opened ({type(error).__name__}); see its path or its server."
        ) from error
    except sa.exc.DatabaseError as error:
        engine.dispose()
        raise Misconfigured(
            "The inbox's database file is not a database of ours. Move it away; a new one is made."
        ) from error
    except Misconfigured:
        engine.dispose()
        raise
    return engine


def _engine_of(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=1)
    # An acknowledgement may take three seconds: better a clear no after two than a wait for another process's write.
    engine = sa.create_engine(url, connect_args={"timeout": 2, "check_same_thread": False})
    sa.event.listen(engine, "connect", _as_durable)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _as_durable(connection: object, _: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # We say BEGIN ourselves, see _begin.
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA secure_delete = ON")  # Words that are forgotten are overwritten.
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A write lock from the start: a claim reads first, and two processes must not read the same free question.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    _refuse_newer(connection, ScriptDirectory.from_config(config))
    command.upgrade(config, "head")


def _refuse_newer(connection: sa.Connection, ours: ScriptDirectory) -> None:
    tables = sa.inspect(connection)
    if not tables.has_table("alembic_version_bot"):
        return
    held = connection.execute(sa.text("SELECT version_num FROM alembic_version_bot")).scalar()
    if held is not None and held not in {revision.revision for revision in ours.walk_revisions()}:
        raise Misconfigured("The inbox was written by a newer Quoth. Start that version, or move its database away.")
