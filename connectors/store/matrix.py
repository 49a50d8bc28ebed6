"""The vectors of a SQLite index in memory, as of one state of the file."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from connectors.model import Vector
from connectors.store.terms import keys_of

ON_DISK = np.dtype("<f2")
"""Half precision: measured to lose no neighbour."""

_GROWTH = 1.5
_SMALL_PART = 4
_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class Matrix:
    """Vectors by row, as of one change of the file. Never changes, however the file does."""

    seq: int = 0
    ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    scopes: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    alive: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Living rows by id, to look ids up in."""
    names: tuple[frozenset[str], ...] = ()
    """The scopes that chunks have; ``scopes`` points into it."""

    def cosines(self, vector: Vector, tags: frozenset[str]) -> Cosines:
        """How near every vector is; those outside the scope are not there."""
        keys = frozenset(keys_of(tags))
        wanted = [index for index, name in enumerate(self.names) if not keys.isdisjoint(name)]
        inside = self.alive if len(wanted) == len(self.names) else self.alive & np.isin(self.scopes, wanted)
        return Cosines(self, self._products(vector, inside), inside)

    def _products(self, vector: Vector, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The cosines; only those inside where that is a small part, since reading the vectors is what takes time."""
        rows, found = np.flatnonzero(inside), np.zeros(len(inside), np.float32)
        if len(rows) * _SMALL_PART > len(inside):
            return self.vectors @ vector
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            found[some] = self.vectors[some] @ vector
        return found


@dataclass(frozen=True, slots=True)
class Cosines:
    """The cosines of one question with a matrix."""

    matrix: Matrix
    values: NDArray[np.float32]
    inside: NDArray[np.bool_]

    def best(self, limit: int) -> list[int]:
        """The ids of the nearest within the scope, nearest first."""
        rows = np.flatnonzero(self.inside)
        if len(rows) > limit:
            rows = rows[np.argpartition(-self.values[rows], limit - 1)[:limit]]
        rows = rows[np.lexsort((self.matrix.ids[rows], -self.values[rows]))]
        return [int(found) for found in self.matrix.ids[rows]]

    def of(self, ids: Sequence[int]) -> dict[int, float]:
        """The cosines of those of these ids that have a vector."""
        matrix = self.matrix
        if not len(matrix.order) or not ids:
            return {}
        wanted = np.asarray(ids, np.int64)
        places = np.searchsorted(matrix.ids[matrix.order], wanted)
        rows = matrix.order[np.minimum(places, len(matrix.order) - 1)]
        there = matrix.ids[rows] == wanted
        return {int(i): float(self.values[row]) for i, row in zip(wanted[there], rows[there], strict=True)}


class MatrixCache:
    """Keeps the matrix in step with the file: what changed since the last look is read, not everything."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held while a reader takes its state of the file and its matrix, so that the two are of one moment."""
        self._generation = 0
        self._matrix = Matrix()
        threadpool_limits(
            1, "blas"
        )  # One product is too short to share out: threads that wait for each other cost more.

    def matrix_at(self, connection: sqlite3.Connection, generation: int = 0) -> Matrix:
        """The matrix of the connection's own state of the file. Call with the lock held, first in a transaction.

        Nothing is kept from one ``generation`` to the next: it is another file.
        """
        (seq, oldest) = connection.execute(
            "SELECT coalesce(max(seq), 0), coalesce(min(seq), 0) FROM changes"
        ).fetchone()
        if (generation, seq) != (self._generation, self._matrix.seq):
            # A file that was put back is behind what we know of it.
            known = generation == self._generation and oldest - 1 <= self._matrix.seq < seq and self._matrix.seq
            self._matrix = self._caught_up(connection, seq) if known else self._loaded(connection, seq)
            self._generation = generation
        return self._matrix

    def _caught_up(self, connection: sqlite3.Connection, seq: int) -> Matrix:
        old = self._matrix
        changed = [i for (i,) in connection.execute("SELECT DISTINCT id FROM changes WHERE seq > ?", (old.seq,))]
        alive = old.alive & ~np.isin(old.ids, changed)
        added = connection.execute(
            "SELECT v.id, c.scope, v.vector FROM changes JOIN vectors v USING (id) JOIN chunks c USING (id) "
            "WHERE seq > ? GROUP BY v.id",
            (old.seq,),
        ).fetchall()
        if len(old.ids) - int(alive.sum()) > len(old.ids) // 4:
            return self._loaded(connection, seq)  # More than a quarter is dead weight.
        return _appended(old, alive, added, seq)

    def _loaded(self, connection: sqlite3.Connection, seq: int) -> Matrix:
        rows = connection.execute("SELECT v.id, c.scope, v.vector FROM vectors v JOIN chunks c USING (id)").fetchall()
        return _appended(Matrix(), np.empty(0, np.bool_), rows, seq)


def _appended(old: Matrix, alive: NDArray[np.bool_], rows: Sequence[tuple[int, str, bytes]], seq: int) -> Matrix:
    """The old rows with new ones behind them. Readers of the old matrix see only its own rows."""
    width = old.vectors.shape[1] * ON_DISK.itemsize or usual_size([row[2] for row in rows])
    rows = [row for row in rows if len(row[2]) == width]
    known = {" ".join(sorted(name)): index for index, name in enumerate(old.names)}
    scopes = [known.setdefault(" ".join(sorted(scope.split())), len(known)) for _, scope, _ in rows]
    ids = np.concatenate((old.ids, np.fromiter((row[0] for row in rows), np.int64, len(rows))))
    everything = np.concatenate((alive, np.ones(len(rows), np.bool_)))
    living = np.flatnonzero(everything)
    return Matrix(
        seq=seq,
        ids=ids,
        scopes=np.concatenate((old.scopes, np.asarray(scopes, np.int32))),
        alive=everything,
        vectors=_vectors(old.vectors, [row[2] for row in rows]),
        order=living[np.argsort(ids[living], kind="stable")],
        names=tuple(frozenset(name.split()) for name in known),
    )


def usual_size(blobs: Sequence[bytes]) -> int:
    """The size in bytes that most vectors have. One that somebody spoiled must not spoil the search for all."""
    return Counter(map(len, blobs)).most_common(1)[0][0] if blobs else 0


def _vectors(old: NDArray[np.float32], blobs: Sequence[bytes]) -> NDArray[np.float32]:
    if not blobs:
        return old
    added = np.frombuffer(b"".join(blobs), ON_DISK).reshape(len(blobs), -1)
    if not len(old):
        return added.astype(np.float32)
    size = len(old) + len(added)
    room = old.base if isinstance(old.base, np.ndarray) and old.base.ndim == added.ndim else old
    if len(room) < size:
        room = np.empty((int(size * _GROWTH), added.shape[1]), np.float32)
        room[: len(old)] = old
    room[len(old) : size] = added
    return room[:size]
