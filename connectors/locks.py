"""Locks between the processes of one machine. The system lets go of them when their process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

_PLACE = "place"


class FileLock:
    """A lock that is held by at most one holder of this file, in this process or another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock, at once or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        # The file stays: unlinking it would let two processes hold two files of one name.
        self._file = file
        return True

    def release(self) -> None:
        """Let go. Nothing happens if the lock was not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def place_of(folder: Path) -> str:
    """The name of a lock folder, made up once. Who reads the same name shares these locks, so a free one means dead."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _PLACE
    if not path.exists():
        draft = folder / f".{_PLACE}-{secrets.token_hex(8)}"
        draft.write_text(secrets.token_hex(16))
        try:
            os.link(draft, path)  # whole or not at all, and only the first of several processes
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
