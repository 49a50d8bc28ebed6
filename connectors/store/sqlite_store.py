"""Chunks in one SQLite file: FTS5 finds candidates by their words, numpy scans every vector."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np

from connectors.errors import Misconfigured
from connectors.model import Candidate, Chunk, Held, NodeStanding, Query, StoredChunk, StoreStats, Vector
from connectors.store.keywords import keyword_query
from connectors.store.matrix import ON_DISK, Matrix, MatrixCache, usual_size
from connectors.store.rows import COLUMNS, INSERT, Row, Version, chunk_of, numbers, rows_of
from connectors.store.sqlite_file import SqliteFile

SAMPLE = 512
"""Vectors of the fixed sample: those of the smallest chunk ids, which are as good as drawn by lot."""

_DEEPER = 4
"""How many times more rows are looked at where some of them were nobody's."""

_PAGE = 500
_DOCUMENTS_AT_ONCE = 200
_LOG_KEPT = 100_000  # Changes of vectors that a reader may be behind before it reads all of them again.


class SqliteStore:
    """A :class:`~connectors.ports.KnowledgeStore` in a file, for many threads and processes at once.

    A search sees one state of the file. Exact: no neighbour is missed, and scores are the true ones. Meant for up to
    about 100,000 chunks; vectors are held in memory.

    Raises:
        Misconfigured: The file is of another version or fingerprint, not an index, or cannot be written.
        TryLater: It is busy, or the disk is full. Nothing is half written.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._file = SqliteFile(path, fingerprint)
        self._cache = MatrixCache()
        self._sample: tuple[tuple[int, int], list[Vector]] = ((0, 0), [])

    def put(self, chunks: Sequence[Chunk]) -> None:
        """Add all chunks of one version of one document; the same put again changes nothing."""
        if not chunks:
            return
        version = _version_of(chunks)
        with self._file.reading() as connection:
            if _held(connection, version) == {chunk.chunk_id: chunk for chunk in chunks}:
                return
        rows = rows_of(chunks)
        with self._file.writing() as connection:
            kept = _vectors_by_terms(connection, version)
            _drop(connection, version)
            # Where somebody gave a chunk's id to something else.
            connection.executemany("DELETE FROM chunks WHERE chunk_id = ?", [(chunk.chunk_id,) for chunk in chunks])
            version_id = connection.execute(
                "INSERT INTO versions (source, document_id, version, pipeline) VALUES (?, ?, ?, ?)", version
            ).lastrowid
            connection.executemany(INSERT, [(version_id, *row) for row in rows])
            _embed(connection, {str(row[0]): kept[row[-5:-3]] for row in rows if row[-5:-3] in kept})

    def embed(self, vectors: Mapping[str, Vector]) -> None:
        """Give chunks, by chunk id, their vectors. Ids that are not held are passed over."""
        if not vectors:
            return
        (size,) = {len(vector) for vector in vectors.values()}
        with self._file.writing() as connection:
            _check_size(connection, size)
            _embed(connection, {key: np.asarray(vector, ON_DISK).tobytes() for key, vector in vectors.items()})
            connection.execute("DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes) - ?", (_LOG_KEPT,))

    def retire(self, source: str, kept: Mapping[str, tuple[str, str] | None]) -> None:
        """Drop every version of these documents but the one kept, some documents at a time."""
        documents = iter(kept)
        while batch := list(islice(documents, _DOCUMENTS_AT_ONCE)):
            with self._file.reading() as connection:
                held = [version for document_id in batch for version in _versions(connection, source, document_id)]
            stale = [version for version in held if kept[version[1]] != version[2:]]
            if stale:
                with self._file.writing() as connection:
                    for version in stale:
                        _drop(connection, version)

    def search(self, query: Query) -> list[Candidate]:
        """The best by words and the best by vector within the scope, each with both true scores.

        A row that is not the chunk which its id says is nobody's; the search goes on behind it.
        """
        with self._file.reading() as connection, ThreadPoolExecutor(1, "cosines") as beside:
            matrix = self._matrix(connection)
            nearing = query.vector is not None and beside.submit(matrix.cosines, query.vector, query.tags)
            words = keyword_query(connection, query)
            depth = query.limit
            while True:
                likely = words.candidates(connection, query.tags, depth)  # Beside the product of all vectors.
                cosines = nearing.result() if nearing else None
                near = cosines.best(depth) if cosines else []
                scores = words.scores(connection, {*likely, *near})
                best = heapq.nsmallest(depth, likely, key=lambda i: (-scores.get(i, 0.0), i))
                chunks = _chunks(connection, {*best, *near})
                sides = [[i for i in side if i in chunks][: query.limit] for side in (best, near)]
                if all(
                    len(true) == query.limit or len(side) < depth
                    for true, side in zip(sides, (best, near), strict=True)
                ):
                    break
                depth *= _DEEPER
        found = dict.fromkeys(i for side in sides for i in side)
        nearness = cosines.of(list(found)) if cosines else {}
        return [Candidate(chunks[i], scores[i], nearness.get(i)) for i in found]

    def sample(self) -> Sequence[Vector]:
        """The fixed sample that a question's cosines are measured against."""
        with self._file.reading() as connection:
            (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM changes").fetchone()
            state = self._file.generation, seq
            if state != self._sample[0]:
                rows = connection.execute(
                    "SELECT vector FROM chunks JOIN vectors USING (id) ORDER BY chunk_id LIMIT ?", (SAMPLE,)
                )
                blobs = [blob for (blob,) in rows]
                size = usual_size(blobs)
                self._sample = (state, [_vector(blob) for blob in blobs if len(blob) == size])
            return self._sample[1]

    def unembedded(self, limit: int) -> list[Chunk]:
        """Some chunks that have no vector yet, the oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM chunks c JOIN versions v USING (version_id) "  # noqa: S608  # Our own words.
                "WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.id = c.id) ORDER BY c.id"
            )
            return list(islice((chunk for row in rows if (chunk := _true(row)) is not None), limit))

    def contents(self, source: str) -> Iterator[Held]:
        """Every version of every document of a source."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT document_id, version, pipeline, count(*), count(w.id) FROM versions v JOIN chunks c "
                "USING (version_id) LEFT JOIN vectors w USING (id) WHERE source = ? GROUP BY version_id",
                (source,),
            ).fetchall()
        return (Held(*row) for row in rows)

    def export(self, source: str) -> Iterator[StoredChunk]:
        """Every chunk of a source with its vector, read some at a time."""
        last = 0
        while True:
            with self._file.reading() as connection:
                rows = connection.execute(
                    f"SELECT {COLUMNS}, c.id, w.vector FROM chunks c JOIN versions v USING (version_id) "  # noqa: S608
                    "LEFT JOIN vectors w USING (id) WHERE v.source = ? AND c.id > ? ORDER BY c.id LIMIT ?",
                    (source, last, _PAGE),
                ).fetchall()
            if not rows:
                return
            for *row, last, blob in rows:  # noqa: B007  # The last one read is where the next page begins.
                if (chunk := _true(row)) is not None:
                    yield StoredChunk(chunk, None if blob is None else _vector(blob))

    def stats(self, source: str | None = None) -> StoreStats:
        """How much is held, of one source or of all; the size is the whole file's."""
        with self._file.reading() as connection:
            documents, chunks, embedded, digest = connection.execute(
                "SELECT count(DISTINCT source || char(0) || document_id), count(c.id), count(w.id), "
                "coalesce(sum(stamp(chunk_id)), 0) FROM versions v JOIN chunks c USING (version_id) "
                "LEFT JOIN vectors w USING (id) WHERE ? IS NULL OR source = ?",
                (source, source),
            ).fetchone()
        return StoreStats(documents, chunks, embedded, digest, self._file.size_bytes())

    def nodes(self) -> Sequence[NodeStanding]:
        """None: it is a file."""
        return ()

    def publish(self) -> None:
        """Nothing: nobody else looks for the file."""

    def drop(self) -> None:
        """Remove the file."""
        self._file.drop()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _matrix(self, connection: sqlite3.Connection) -> Matrix:
        with self._cache.lock:  # The first read of a transaction settles which state of the file it sees.
            return self._cache.matrix_at(connection, self._file.generation)


def _version_of(chunks: Sequence[Chunk]) -> Version:
    versions = {(chunk.source, chunk.document_id, chunk.version, chunk.pipeline) for chunk in chunks}
    if len(versions) != 1:
        raise ValueError(f"a put is of one version of one document, not of {len(versions)}")
    return versions.pop()


def _versions(connection: sqlite3.Connection, source: str, document_id: str) -> list[Version]:
    return connection.execute(
        "SELECT source, document_id, version, pipeline FROM versions WHERE source = ? AND document_id = ?",
        (source, document_id),
    ).fetchall()


_MINE = "version_id IN (SELECT version_id FROM versions WHERE (source, document_id, version, pipeline) = (?, ?, ?, ?))"


def _held(connection: sqlite3.Connection, version: Version) -> dict[str, Chunk]:
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM chunks JOIN versions v USING (version_id) WHERE {_MINE}",  # noqa: S608  # Our own words.
        version,
    )
    return {str(row[0]): chunk_of(row) for row in rows}


def _vectors_by_terms(connection: sqlite3.Connection, version: Version) -> dict[Row, bytes]:
    rows = connection.execute(
        f"SELECT head, body, vector FROM chunks JOIN vectors USING (id) WHERE {_MINE}",  # noqa: S608  # Our own words.
        version,
    )
    return {(head, body): vector for head, body, vector in rows}


def _drop(connection: sqlite3.Connection, version: Version) -> None:
    connection.execute(f"DELETE FROM chunks WHERE {_MINE}", version)  # noqa: S608  # Our own words.
    connection.execute(f"DELETE FROM versions WHERE {_MINE}", version)  # noqa: S608  # Our own words.


def _check_size(connection: sqlite3.Connection, size: int) -> None:
    held = connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
    if held and held[0] != size * ON_DISK.itemsize:
        raise Misconfigured(
            f"The index holds vectors of {held[0] // ON_DISK.itemsize} dimensions and the embedding model gave {size}. "
            "Set `embeddings` back, or move the index away and run `quoth sync`."
        )


def _embed(connection: sqlite3.Connection, blobs: Mapping[str, bytes]) -> None:
    connection.executemany(
        "INSERT INTO vectors (id, vector) SELECT id, ? FROM chunks WHERE chunk_id = ? "
        "ON CONFLICT (id) DO UPDATE SET vector = excluded.vector WHERE vector != excluded.vector",
        [(blob, chunk_id) for chunk_id, blob in blobs.items()],
    )


def _chunks(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, Chunk]:
    """Those of these rows that are what their ids say."""
    rows = numbers(
        connection,
        f"SELECT {COLUMNS}, c.id FROM chunks c JOIN versions v USING (version_id) "  # noqa: S608  # Our own words.
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        ids,
    )
    return {int(row[-1]): chunk for row in rows if (chunk := _true(row[:-1])) is not None}


def _true(row: Sequence[object]) -> Chunk | None:
    """The chunk of a row; None where the row's id is not the chunk's own, so that it passes for another."""
    chunk = chunk_of(row)
    return chunk if chunk.chunk_id == row[0] else None


def _vector(blob: bytes) -> Vector:
    return np.frombuffer(blob, ON_DISK).astype(np.float32)
