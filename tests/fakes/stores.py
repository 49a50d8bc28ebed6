"""A store in memory that keeps every promise of the port, and counts what is asked of it."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from connectors.errors import TryLater
from connectors.model import (
    Candidate,
    Chunk,
    Held,
    NodeStanding,
    Query,
    StoredChunk,
    StoreStats,
    Vector,
    stamp_of,
)
from connectors.text.analysis import terms_of

K1, B, PAIR = 1.2, 0.75, 0.5
SAMPLE = 512


def words_of(chunk: Chunk) -> list[str]:
    return terms_of(" ".join((chunk.title, *chunk.headings, chunk.text)))


def _version_of(chunk: Chunk) -> tuple[str, str, str, str]:
    return chunk.source, chunk.document_id, chunk.version, chunk.pipeline


@dataclass
class MemoryStore:
    """Chunks and vectors in dictionaries. ``writes`` are the calls that changed something; ``down`` refuses all."""

    chunks: dict[str, Chunk] = field(default_factory=dict)
    vectors: dict[str, Vector] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, chunks: Sequence[Chunk]) -> None:
        self._asked("put")
        with self.lock:
            versions = {_version_of(chunk) for chunk in chunks}
            ids = {chunk.chunk_id for chunk in chunks}
            self._drop(key for key, old in self.chunks.items() if _version_of(old) in versions and key not in ids)
            for chunk in chunks:
                old = self.chunks.get(chunk.chunk_id)
                if old is not None and words_of(old) != words_of(chunk):
                    self.vectors.pop(chunk.chunk_id, None)
                self.chunks[chunk.chunk_id] = chunk

    def embed(self, vectors: Mapping[str, Vector]) -> None:
        self._asked("embed")
        with self.lock:
            self.vectors.update({key: vector for key, vector in vectors.items() if key in self.chunks})

    def retire(self, source: str, kept: Mapping[str, tuple[str, str] | None]) -> None:
        self._asked("retire")
        with self.lock:
            named = {k: c for k, c in self.chunks.items() if c.source == source and c.document_id in kept}
            self._drop(k for k, c in named.items() if kept[c.document_id] != (c.version, c.pipeline))

    def search(self, query: Query) -> list[Candidate]:
        self._asked()
        with self.lock:
            found = self._scored(query)
        by_words = sorted((c for c in found if c.keyword_score > 0), key=lambda c: -c.keyword_score)[: query.limit]
        near = [c for c in found if c.vector_score is not None]
        by_vector = sorted(near, key=lambda c: -(c.vector_score or 0.0))[: query.limit]
        return list({c.chunk.chunk_id: c for c in (*by_words, *by_vector)}.values())

    def sample(self) -> Sequence[Vector]:
        self._asked()
        with self.lock:
            return [self.vectors[key] for key in sorted(self.vectors)[:SAMPLE]]

    def unembedded(self, limit: int) -> list[Chunk]:
        self._asked()
        with self.lock:
            return [chunk for key, chunk in self.chunks.items() if key not in self.vectors][:limit]

    def contents(self, source: str) -> Iterator[Held]:
        self._asked()
        with self.lock:
            mine = {key: chunk for key, chunk in self.chunks.items() if chunk.source == source}
            held = Counter((c.document_id, c.version, c.pipeline) for c in mine.values())
            embedded = Counter((c.document_id, c.version, c.pipeline) for k, c in mine.items() if k in self.vectors)
        yield from (Held(*key, chunks=count, embedded=embedded[key]) for key, count in held.items())

    def export(self, source: str) -> Iterator[StoredChunk]:
        self._asked()
        with self.lock:
            mine = [StoredChunk(c, self.vectors.get(k)) for k, c in self.chunks.items() if c.source == source]
        yield from mine

    def stats(self, source: str | None = None) -> StoreStats:
        self._asked()
        with self.lock:
            mine = {k: c for k, c in self.chunks.items() if source in (None, c.source)}
            documents = len({(c.source, c.document_id) for c in mine.values()})
            return StoreStats(documents, len(mine), sum(key in self.vectors for key in mine), sum(map(stamp_of, mine)))

    def nodes(self) -> Sequence[NodeStanding]:
        self._asked()
        return ()

    def publish(self) -> None:
        self._asked()

    def drop(self) -> None:
        self._asked("drop")
        with self.lock:
            self._drop(self.chunks)

    def close(self) -> None: ...

    def _drop(self, chunk_ids: Iterable[str]) -> None:
        for chunk_id in list(chunk_ids):
            del self.chunks[chunk_id]
            self.vectors.pop(chunk_id, None)

    def _asked(self, write: str = "") -> None:
        if self.down:
            raise TryLater("the store is down")
        if write:
            self.writes.append(write)

    def _scored(self, query: Query) -> list[Candidate]:
        words = {key: words_of(chunk) for key, chunk in self.chunks.items()}
        average = sum(map(len, words.values())) / max(len(words), 1) or 1.0
        frequency = Counter(term for terms in words.values() for term in set(terms))
        found = []
        for key, chunk in self.chunks.items():
            if query.tags.isdisjoint(chunk.tags):
                continue
            counts, length = Counter(words[key]), len(words[key])
            score = 0.0
            for term, weight in query.terms.items():
                rarity = math.log(1 + (len(words) - frequency[term] + 0.5) / (frequency[term] + 0.5))
                norm = counts[term] + K1 * (1 - B + B * length / average)
                score += weight * rarity * counts[term] * (K1 + 1) / norm
            beside = set(pairwise(words[key]))
            score += PAIR * sum(weight for pair, weight in query.pairs.items() if pair in beside)
            vector = self.vectors.get(key)
            near = None if vector is None or query.vector is None else float(np.dot(vector, query.vector))
            found.append(Candidate(chunk, score, near))
        return found
