"""Puts together again what a store tells chunk by chunk, in whatever order."""

from __future__ import annotations

import pickle
from pathlib import Path
from tempfile import TemporaryFile

from connectors.model import StoredChunk

IN_MEMORY = 20_000
"""Chunks that wait in memory for the others of their document; beyond it they wait in a file."""


class Gathering:
    """Chunks of documents that are not whole yet. A context: what still waits at its end is let go.

    ``folder`` takes the file, which has no name and is gone when the process is, however it ends.
    """

    def __init__(self, folder: Path, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115  # closed at the end of our own context
        self._near: dict[str, dict[int, StoredChunk]] = {}
        self._far: dict[str, dict[int, int]] = {}
        self._waiting = 0

    def __enter__(self) -> Gathering:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, stored: StoredChunk, of: int) -> list[StoredChunk]:
        """All chunks of this one's document, in order, if it was the last of so many; else none.

        Only chunks of one version of each document may be added.
        """
        document_id, ordinal = stored.chunk.document_id, stored.chunk.ordinal
        near, far = self._near.setdefault(document_id, {}), self._far.get(document_id, {})
        self._waiting += ordinal not in near
        near[ordinal] = stored
        if len(near.keys() | far.keys()) >= of:
            return self._whole(document_id)
        if self._waiting >= self._in_memory:
            self._write_out()
        return []

    def _whole(self, document_id: str) -> list[StoredChunk]:
        near = self._near.pop(document_id)
        self._waiting -= len(near)
        far = {ordinal: self._read(at) for ordinal, at in self._far.pop(document_id, {}).items()}
        return [chunk for _, chunk in sorted((far | near).items())]

    def _write_out(self) -> None:
        self._file.seek(0, 2)
        for document_id, near in self._near.items():
            far = self._far.setdefault(document_id, {})
            for ordinal, stored in near.items():
                far[ordinal] = self._file.tell()
                pickle.dump(stored, self._file, pickle.HIGHEST_PROTOCOL)
        self._near.clear()
        self._waiting = 0

    def _read(self, at: int) -> StoredChunk:
        self._file.seek(at)
        stored: StoredChunk = pickle.load(self._file)  # noqa: S301  # a nameless file of our own: nobody else writes it
        return stored
