"""One SQLite file that several processes read and write: opened, checked, and its failures put into sentences."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.model import stamp_of
from connectors.store.sqlite_failures import failure_of, name_of
from connectors.store.sqlite_layout import APPLICATION, LAYOUT, statements

_BUSY_SECONDS = 30.0

_HEADER = 72
"""Bytes at the beginning of a database that end with the application's own."""

_MARKED = "SELECT 1 FROM meta WHERE name = 'dropped'"


class SqliteFile:
    """Connections to one index file, one a thread, and transactions on them.

    Raises:
        Misconfigured: The file is not an index, is of another layout or fingerprint, or cannot be written.
        TryLater: It is busy, or the disk is full.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self._fingerprint = fingerprint
        self.generation = 0
        """Counts the files that were followed: what was read of one says nothing of the next."""
        self._place: tuple[int, int] | None = None
        self._local = threading.local()
        self._idle: set[sqlite3.Connection] = set()
        self._lock = threading.RLock()
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"The folder {path.parent} cannot be made for the index: {error.strerror}.") from error
        try:
            try:
                self._prepare()
            except _SetAside:
                self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the file, whatever is written meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is there as a whole or not at all, also after a kill."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def size_bytes(self) -> int:
        """What the file and its log take on disk."""
        return sum(file.stat().st_size for file in self._files()[:2] if file.exists())

    def drop(self) -> None:
        """Remove the file, for every thread and every process that has it open."""
        with suppress(QuothError):  # one that is damaged, or dropped already, cannot be told
            self._mark()
        self.close()
        try:
            for file in self._files():
                file.unlink(missing_ok=True)
        except OSError as error:
            raise Misconfigured(f"The index {self.path} cannot be removed: {error.strerror}.") from error

    def close(self) -> None:
        """Let go of the file, for every thread."""
        with self._lock:
            self._closed = True
            self._let_go()

    def _files(self) -> tuple[Path, Path, Path]:
        """The file, its log, and what its processes share in memory."""
        return self.path, self.path.with_name(f"{self.path.name}-wal"), self.path.with_name(f"{self.path.name}-shm")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        self._follow()
        try:
            with self._taken() as connection:
                connection.execute(begin)
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise self._failure_of(error) from error

    @contextmanager
    def _taken(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection. Nobody else closes it meanwhile: SQLite does not survive that."""
        with self._lock:
            connection, generation = self._connection(), self.generation
            self._idle.discard(connection)
        try:
            yield connection
        finally:
            with self._lock:
                if generation == self.generation:
                    self._idle.add(connection)
                else:
                    connection.close()

    def _connection(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise TryLater(f"The index {self.path} was closed.")
            generation, held = getattr(self._local, "held", (-1, None))
            if isinstance(held, sqlite3.Connection) and generation == self.generation:
                return held
            connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._idle.add(connection)
            self._local.held = self.generation, connection
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.create_function("stamp", 1, _stamp, deterministic=True)
        return connection

    def _follow(self) -> None:
        """Go where the file went: somebody may have removed it, or put another in its place, while we had it open.

        What we have open then is a file that nobody else sees.
        """
        if self._closed or self._place == _place_of(self.path):
            return
        with self._lock:
            if self._place != _place_of(self.path):
                if self._is_marked():
                    raise TryLater(f"The index {self.path} was dropped.")
                self._let_go()
                self._prepare()

    def _let_go(self) -> None:
        """Close what nobody uses now; a connection in use is closed by whoever has it."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self.generation += 1

    def _mark(self) -> None:
        """Leave word for other processes that the file is gone on purpose: they are not to make a new one."""
        with self.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('dropped', '')")

    def _is_marked(self) -> bool:
        """Whether the file that we still have open was dropped."""
        try:
            return any(connection.execute(_MARKED).fetchone() is not None for connection in self._idle)
        except sqlite3.Error:
            return False

    def _failure_of(self, error: sqlite3.Error) -> QuothError:
        """What a failure means. A damaged file of ours makes way for a new one: all of it can be fetched again."""
        if not (name_of(error).startswith("SQLITE_CORRUPT") and _is_ours(self.path)):
            return failure_of(error, self.path)
        with self._lock:
            if self._place == _place_of(self.path):
                self._let_go()
                for file in self._files():
                    if file.exists():
                        file.replace(file.with_name(f"{file.name}.damaged"))
        return _SetAside(
            f"The index {self.path} was damaged and has been set aside. `quoth sync` builds it again; the sources are "
            "untouched."
        )

    def _prepare(self) -> None:
        try:
            connection = self._connection()
            _look_for_fts5(connection)
            self._check_owner(connection)
            _use_wal(connection)
            self._place = _place_of(self.path)
        except sqlite3.Error as error:
            self._place = _place_of(self.path)
            raise self._failure_of(error) from error
        with self.writing() as connection:
            if not _value(connection, "PRAGMA user_version"):
                self._create(connection)
            connection.execute("DELETE FROM meta WHERE name = 'dropped'")  # Who opens it wants it again.
        with self.reading() as connection:
            self._check_fingerprint(connection)

    def _check_owner(self, connection: sqlite3.Connection) -> None:
        application = _value(connection, "PRAGMA application_id")
        layout = _value(connection, "PRAGMA user_version")
        if application == APPLICATION and layout == LAYOUT:
            return
        if application == APPLICATION:
            raise Misconfigured(
                f"The index {self.path} has layout {layout}; this version of Quoth reads {LAYOUT}. "
                "Move the file away and run `quoth sync` to build it again."
            )
        if layout or _value(connection, "SELECT count(*) FROM sqlite_master"):
            raise Misconfigured(
                f"{self.path} is a database of another program. Set `data_dir` to a folder of Quoth's own."
            )

    def _create(self, connection: sqlite3.Connection) -> None:
        for statement in statements():
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('fingerprint', ?)", (self._fingerprint,))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {LAYOUT}")

    def _check_fingerprint(self, connection: sqlite3.Connection) -> None:
        held = _value(connection, "SELECT value FROM meta WHERE name = 'fingerprint'")
        if held != self._fingerprint:
            raise Misconfigured(
                f"The index {self.path} was built with another embedding model, analyser or chunking ({held}, not "
                f"{self._fingerprint}). Move the file away and run `quoth sync` to build it again."
            )


class _SetAside(TryLater):
    """The file was damaged; a new one takes its place."""


def _is_ours(path: Path) -> bool:
    """Whether a file says that it is an index of ours, where SQLite cannot read it any more."""
    try:
        with path.open("rb") as file:
            return file.read(_HEADER)[-4:] == APPLICATION.to_bytes(4, "big")
    except OSError:
        return False


def _place_of(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path; None where none does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _look_for_fts5(connection: sqlite3.Connection) -> None:
    options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    if "ENABLE_FTS5" not in options:
        raise Misconfigured(
            f"This Python's SQLite ({sqlite3.sqlite_version}) lacks full-text search (FTS5). "
            "Use a Python from python.org, uv, Homebrew or your distribution."
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and one writer at a time. Two processes that switch a new file at once wait for each other."""
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _stamp(chunk_id: object) -> int:
    """The stamp of a chunk id; 0 of what somebody else wrote in its place, which is no error of this very call."""
    try:
        return stamp_of(str(chunk_id))
    except ValueError:
        return 0


def _value(connection: sqlite3.Connection, asked: str) -> object:
    row = connection.execute(asked).fetchone()
    return row[0] if row else None
