"""Locks between the processes of one machine. The system lets go of them when their process dies, however it dies."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import Misconfigured, TryLater

_PLACE = "place"


class FileLock:
    """A lock that is held by at most one holder of this file, in this process or another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock, at once or not at all.

        Raises:
            Misconfigured: The folder cannot be written.
            TryLater: Its disk is full.
        """
        with _usable(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(file):
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


class SharedLock:
    """A lock that any number of holders share, of whom the last one can tell that it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def join(self) -> None:
        """Be one of the holders. Waits for the moment in which another one leaves.

        Raises:
            Misconfigured: The folder cannot be written.
            TryLater: Its disk is full.
        """
        with _usable(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Hold it no longer. Whether this was the last holder, as far as nobody joins at this moment."""
        if self._file is None:
            return False
        alone = _locked(self._file)
        os.close(self._file)
        self._file = None
        return alone


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def place_of(folder: Path) -> str:
    """The name of a lock folder, made up once. Who reads the same name shares these locks, so a free one means dead."""
    with _usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _PLACE
        if not path.exists():
            _make_up(path)
        return path.read_text()


def _make_up(path: Path) -> None:
    draft = path.with_name(f".{_PLACE}-{secrets.token_hex(8)}")
    draft.write_text(secrets.token_hex(16))
    try:
        os.link(draft, path)  # whole or not at all, and only the first of several processes
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TryLater(f"{folder}: the disk is full. Free some space and try again.") from error
        raise Misconfigured(
            f"{folder} cannot hold locks ({error.strerror}). Let Quoth's user write `data_dir`."
        ) from error
