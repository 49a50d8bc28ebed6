"""Which processes of ours are alive: each holds an OS lock on a file of its own, and a dead one holds nothing."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from connectors.locks import FileLock

_FILE = "process-{}.lock"


class Presence:
    """This process's sign of life, from ``enter`` on. The lock goes with the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = uuid.uuid4().hex
        self._lock = FileLock(self._path_of(self.name))

    def enter(self) -> None:
        """Show that this process lives.

        Raises:
            Misconfigured: The folder cannot be written.
            TryLater: Its disk is full.
        """
        # Between its making and its locking, another process may look at the file, and even bury it.
        while not (self._lock.acquire() and self._path_of(self.name).exists()):
            self._lock.release()
            time.sleep(0.01)

    def leave(self) -> None:
        """Say that this process ends. Others may then take over its claims at once."""
        self._path_of(self.name).unlink(missing_ok=True)
        self._lock.release()

    def dead(self) -> set[str]:
        """Those that certainly are dead: their file is here and nobody holds it. Other machines' cannot be told."""
        prefix, suffix = _FILE.split("{}")
        found = {path.name.removeprefix(prefix).removesuffix(suffix) for path in self._folder.glob(_FILE.format("*"))}
        return {name for name in found - {self.name} if self._is_free(name)}

    def bury(self, name: str) -> None:
        """Remove what a dead process left, once everything it had claimed is free again."""
        lock = FileLock(self._path_of(name))
        if lock.acquire():
            self._path_of(name).unlink(missing_ok=True)
            lock.release()

    def _path_of(self, name: str) -> Path:
        return self._folder / _FILE.format(name)

    def _is_free(self, name: str) -> bool:
        lock = FileLock(self._path_of(name))
        is_free = lock.acquire()
        lock.release()
        return is_free
