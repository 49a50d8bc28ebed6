"""One SQLite file that several processes read and write: opened, checked, and its failures put into sentences."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.model import stamp_of

APPLICATION = 0x51756F74  # "Quot": how the file says whose it is.
LAYOUT = 1
"""The tables below, numbered. Another number is another file: an index is built again, never converted."""

_BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE versions (
    version_id INTEGER PRIMARY KEY, source TEXT NOT NULL, document_id TEXT NOT NULL, version TEXT NOT NULL,
    pipeline TEXT NOT NULL, UNIQUE (source, document_id, version, pipeline));
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, chunk_id TEXT NOT NULL UNIQUE,
    version_id INTEGER NOT NULL REFERENCES versions, ordinal INTEGER NOT NULL,
    title TEXT NOT NULL, headings TEXT NOT NULL, text TEXT NOT NULL, first_line INTEGER, last_line INTEGER,
    anchor TEXT, tags TEXT NOT NULL, seal TEXT NOT NULL, scope TEXT NOT NULL, head TEXT NOT NULL, body TEXT NOT NULL,
    head_length INTEGER NOT NULL, body_length INTEGER NOT NULL, near_length INTEGER NOT NULL);
CREATE INDEX chunks_by_version ON chunks (version_id, ordinal);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL);
CREATE TABLE totals (chunks INTEGER NOT NULL, head INTEGER NOT NULL, body INTEGER NOT NULL, near INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, 0, 0);
CREATE VIRTUAL TABLE terms USING fts5 (
    scope, head, body, content='chunks', content_rowid='id', tokenize="unicode61 remove_diacritics 0 tokenchars '_'");
INSERT INTO terms (terms, rank) VALUES ('rank', 'bm25(0.0, 2.0, 1.0)');
CREATE VIRTUAL TABLE frequencies USING fts5vocab ('terms', 'row');
CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
    INSERT INTO terms (rowid, scope, head, body) VALUES (new.id, new.scope, new.head, new.body);
    UPDATE totals SET chunks = chunks + 1, head = head + new.head_length, body = body + new.body_length,
        near = near + new.near_length;
END;
CREATE TRIGGER chunk_dropped AFTER DELETE ON chunks BEGIN
    INSERT INTO terms (terms, rowid, scope, head, body) VALUES ('delete', old.id, old.scope, old.head, old.body);
    DELETE FROM vectors WHERE id = old.id;
    UPDATE totals SET chunks = chunks - 1, head = head - old.head_length, body = body - old.body_length,
        near = near - old.near_length;
END;
CREATE TRIGGER vector_added AFTER INSERT ON vectors BEGIN INSERT INTO changes (id) VALUES (new.id); END;
CREATE TRIGGER vector_changed AFTER UPDATE ON vectors BEGIN INSERT INTO changes (id) VALUES (new.id); END;
CREATE TRIGGER vector_dropped AFTER DELETE ON vectors BEGIN INSERT INTO changes (id) VALUES (old.id); END;
"""


class SqliteFile:
    """Connections to one index file, one a thread, and transactions on them.

    Raises:
        Misconfigured: The file is not an index, is of another layout or fingerprint, or cannot be written.
        TryLater: It is busy, or the disk is full.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self._fingerprint = fingerprint
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"The folder {path.parent} cannot be made for the index: {error.strerror}.") from error
        try:
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
        """Remove the file, for every thread. Another process that has it open works on nothing."""
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
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _files(self) -> tuple[Path, Path, Path]:
        """The file, its log, and what its processes share in memory."""
        return self.path, self.path.with_name(f"{self.path.name}-wal"), self.path.with_name(f"{self.path.name}-shm")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._connection()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise failure_of(error, self.path) from error

    def _connection(self) -> sqlite3.Connection:
        held = getattr(self._local, "connection", None)
        if isinstance(held, sqlite3.Connection) and not self._closed:
            return held
        with self._lock:
            if self._closed:
                raise TryLater(f"The index {self.path} was closed.")
            connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._open.append(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.create_function("stamp", 1, _stamp, deterministic=True)
        self._local.connection = connection
        return connection

    def _prepare(self) -> None:
        try:
            connection = self._connection()
            _look_for_fts5(connection)
            self._check_owner(connection)
            _use_wal(connection)
        except sqlite3.Error as error:
            raise failure_of(error, self.path) from error
        with self.writing() as connection:
            if not _value(connection, "PRAGMA user_version"):
                self._create(connection)
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
        for statement in _statements(_TABLES):
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


def failure_of(error: sqlite3.Error, path: Path) -> QuothError:
    """What a failure of SQLite means for the operator."""
    name = getattr(error, "sqlite_errorname", "") or ""
    for beginning, (kind, sentence) in _FAILURES.items():
        if name.startswith(beginning):
            return kind(sentence.format(path=path))
    if isinstance(error, sqlite3.ProgrammingError):
        return TryLater(f"The index {path} was closed.")
    return TryLater(f"The index {path} cannot be used now: {error}.")


_FAILURES: dict[str, tuple[type[QuothError], str]] = {
    "SQLITE_BUSY": (TryLater, "The index {path} is busy: another process has been writing to it for too long."),
    "SQLITE_LOCKED": (TryLater, "The index {path} is busy: another process has been writing to it for too long."),
    "SQLITE_FULL": (TryLater, "The disk that holds the index {path} is full: free some space. Nothing stored is lost."),
    "SQLITE_READONLY": (Misconfigured, "The index {path} may not be written: let Quoth's user write file and folder."),
    "SQLITE_PERM": (Misconfigured, "The index {path} may not be used: let Quoth's user read and write it."),
    "SQLITE_CANTOPEN": (Misconfigured, "The index {path} cannot be opened: it must be a file that Quoth may write."),
    "SQLITE_NOTADB": (Misconfigured, "{path} is not a database: move it away and run `quoth sync` to build the index."),
    "SQLITE_CORRUPT": (
        Misconfigured,
        "The index {path} is damaged: move it away and run `quoth sync` to build it again. The sources are untouched.",
    ),
}


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


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _stamp(chunk_id: object) -> int:
    """The stamp of a chunk id; 0 of what somebody else wrote in its place, which is no error of this very call."""
    try:
        return stamp_of(str(chunk_id))
    except ValueError:
        return 0


def _value(connection: sqlite3.Connection, asked: str) -> object:
    row = connection.execute(asked).fetchone()
    return row[0] if row else None
