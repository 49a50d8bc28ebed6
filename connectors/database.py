"""Opens a SQL database: pragmas where it is SQLite, its tables brought up to date, its failures given names."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from connectors.errors import Misconfigured, QuothError, TryLater

BUSY_SECONDS = 15.0
"""How long a writer waits for another one before it gives up, unless told otherwise."""

_MIGRATION_LOCK = 7_106_311
"""Any number that only our migrations use: PostgreSQL's advisory lock while tables change."""

_alembic = threading.Lock()  # alembic keeps the running environment in module globals


@dataclass(frozen=True, slots=True)
class Lineage:
    """A line of migrations: the folder of its steps and the table that remembers how far they got."""

    folder: Path
    version_table: str


class Database:
    """A database whose tables are those of a lineage. Safe to use from many threads.

    Every failure leaves as TryLater (it is down, busy or its disk is full) or Misconfigured (a person must act).

    With SQLite, ``busy_seconds`` is how long a write waits for another process's, and with ``overwrites`` what is
    deleted is zeroed in the file (see :meth:`empty_log`). PostgreSQL's server decides both.

    Raises:
        Misconfigured: It was written by a newer version, it is not a SQLite database, or it cannot be opened.
        TryLater: It is down or busy, or its disk is full.
    """

    def __init__(
        self, url: str, lineage: Lineage, *, busy_seconds: float = BUSY_SECONDS, overwrites: bool = False
    ) -> None:
        parsed = _parsed(url)
        self._name = parsed.render_as_string(hide_password=True)
        self._engine = _engine_of(parsed, busy_seconds)
        if overwrites and self.dialect == "sqlite":
            sa.event.listen(self._engine, "connect", _overwrite_what_is_deleted)
        try:
            with self._named():
                _ensure_wal(self._engine)
            with self.write() as connection:
                self._migrate(connection, lineage)
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database for as long as the block lasts."""
        with self._named(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A connection whose changes are all committed at the end of the block, or none."""
        with self._named(), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    def empty_log(self) -> bool:
        """Empty SQLite's write-ahead log, where deleted rows stay readable. False while others read or write."""
        if self.dialect != "sqlite":
            return True
        with self._named():
            connection = self._engine.raw_connection()
            try:
                is_busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()
        return not is_busy

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except sa.exc.DBAPIError as error:
            raise failure_of(self._name, error.orig or error) from error
        except sa.exc.TimeoutError as error:
            raise TryLater(f"{self._name}: all connections are busy. Try again in a moment.") from error
        except sqlite3.Error as error:
            raise failure_of(self._name, error) from error

    def _migrate(self, connection: sa.Connection, lineage: Lineage) -> None:
        if self.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        config = Config()
        config.set_main_option("script_location", str(lineage.folder).replace("%", "%%"))
        config.attributes.update(connection=connection, version_table=lineage.version_table)
        scripts = ScriptDirectory.from_config(config)
        at = _version_of(connection, lineage.version_table)
        if at is not None and at not in {step.revision for step in scripts.walk_revisions()}:
            raise Misconfigured(
                f"{self._name} was written by a newer Quoth (its tables are at {at!r}). "
                "Upgrade this one, or point it at another database."
            )
        if at != scripts.get_current_head():
            with _alembic:
                command.upgrade(config, "head")


def failure_of(name: str, error: BaseException) -> QuothError:
    """What a driver's error means for the operator: wait, or change something."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if "disk is full" in text or "No space left" in text:
        return TryLater(f"{name}: the disk is full. Free some space and try again; nothing was half-written.")
    if "not a database" in text or "malformed" in text:
        return Misconfigured(f"{name} is not a SQLite database, or it is damaged. Move it away or restore a copy.")
    if "unable to open" in text or "readonly" in text or "read-only" in text:
        return Misconfigured(f"{name} cannot be opened for writing ({text}). Check the folder and its permissions.")
    if "already exists" in text:
        return Misconfigured(f"{name} has tables that are not Quoth's ({text}). Point it at a database of its own.")
    if "authentication failed" in text or "does not exist" in text:
        return Misconfigured(f"{name} refuses us ({text}). Check the database URL.")
    return TryLater(f"{name} cannot be asked now ({text}).")


def _parsed(url: str) -> sa.URL:
    try:
        return make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise Misconfigured(
            "The database URL cannot be read: write postgresql+psycopg://user:password@host:5432/name, with what is "
            "special in the password percent-encoded."
        ) from None  # the error quotes parts of the URL, of the password perhaps


def _engine_of(url: sa.URL, busy_seconds: float) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": busy_seconds, "check_same_thread": False})
        sa.event.listen(engine, "connect", _set_pragmas)
        sa.event.listen(engine, "begin", _begin)
        return engine
    try:
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except ImportError as error:
        raise Misconfigured("PostgreSQL needs a package that is not there: uv sync --extra postgres.") from error


def _set_pragmas(connection: Any, _: object) -> None:
    # Python's own transaction control begins too late and upgrades locks, which ends in "database is locked".
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=FULL")


def _overwrite_what_is_deleted(connection: Any, _: object) -> None:
    connection.execute("PRAGMA secure_delete=ON")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _ensure_wal(engine: sa.Engine) -> None:
    """Readers beside a writer. Switching needs the file for oneself and does not wait by itself, so we do."""
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + BUSY_SECONDS
    connection = engine.raw_connection()
    try:
        while connection.cursor().execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
    finally:
        connection.close()


def _version_of(connection: sa.Connection, table: str) -> str | None:
    if not sa.inspect(connection).has_table(table):
        return None
    return connection.execute(sa.text(f"SELECT version_num FROM {table}")).scalar_one_or_none()  # noqa: S608  # our own constant
