"""What SQLite's failures mean for the operator of an index."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from connectors.errors import Misconfigured, QuothError, TryLater


def failure_of(error: sqlite3.Error, path: Path) -> QuothError:
    """What a failure of SQLite means for the operator."""
    name = name_of(error)
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


def name_of(error: sqlite3.Error) -> str:
    """SQLite's own name of a failure, such as SQLITE_BUSY; empty where it is Python's."""
    return getattr(error, "sqlite_errorname", "") or ""
