"""Which processes of ours are alive: each holds an OS lock on a file of its own, and a dead one holds nothing."""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path


class Presence:
    """This process's sign of life. The lock goes with the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.name = uuid.uuid4().hex
        self._file = self._path_of(self.name).open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def dead(self, names: set[str]) -> set[str]:
        """Those that certainly are dead: their file is here and nobody holds it. Other machines' cannot be told."""
        return {name for name in names - {self.name} if self._is_dead(name)}

    def bury(self, name: str) -> None:
        """Remove what a dead process left, once everything it had claimed is free again."""
        self._path_of(name).unlink(missing_ok=True)

    def leave(self) -> None:
        """Say that this process ends. Others may then take over its claims at once."""
        self._path_of(self.name).unlink(missing_ok=True)
        self._file.close()

    def _path_of(self, name: str) -> Path:
        return self._folder / f"process-{name}.lock"

    def _is_dead(self, name: str) -> bool:
        try:
            file = os.open(self._path_of(name), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(file)
