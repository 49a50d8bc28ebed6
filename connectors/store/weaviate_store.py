"""Chunks in a Weaviate: one node or a cluster, one collection an index, the same answers as every other store."""

from __future__ import annotations

import heapq
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from connectors.errors import Misconfigured
from connectors.model import Candidate, Chunk, Held, NodeStanding, Query, StoredChunk, StoreStats, Vector
from connectors.store.weaviate.bags import head_length
from connectors.store.weaviate.connection import Connection
from connectors.store.weaviate.failures import Missing
from connectors.store.weaviate.finding import Found, Hit, Search
from connectors.store.weaviate.index import STAMPS, Index, Totals
from connectors.store.weaviate.measures import Measuring
from connectors.store.weaviate.objects import (
    BAG,
    EVERYTHING,
    IDENTITY,
    SHOWN,
    Fields,
    Stored,
    fields_of,
    object_of,
    same,
)
from connectors.store.weaviate.place import WeaviatePlace
from connectors.store.weaviate.requests import LARGEST_ANSWER, Filters, all_of, among, any_of, equals, fetch, stamped

_NAME = re.compile(r"[A-Z][_0-9A-Za-z]*")
_AT_ONCE = 200
_VERSION = ("source", "document_id", "version", "pipeline")
_LOOKS = 2
_PAUSE = 0.3


class WeaviateStore:
    """A :class:`~connectors.ports.KnowledgeStore` on Weaviate, for many threads, processes and machines at once.

    The collection is ``<collection>_<fingerprint>``; the alias ``<collection>`` points at the published one. Reads ask
    as many nodes as it takes to miss no acknowledged write. ``owner`` names the ledger that the chunks are sealed for.
    Nothing is connected to before the first call.

    Raises:
        TryLater: Too few nodes can be reached, or they cannot take writes now.
        Misconfigured: A person must act: a key, a version, an open or unencrypted server, another's collection.
    """

    def __init__(self, place: WeaviatePlace, fingerprint: str, *, owner: str) -> None:
        name = f"{place.collection}_{fingerprint}"
        if not _NAME.fullmatch(name):
            raise Misconfigured(
                f"{place.collection!r} cannot be a Weaviate collection: use letters, digits and underscores, and begin "
                "with a capital letter (store.collection)."
            )
        self._place = place
        self._index = Index(place, name, owner)
        self._measuring = Measuring(self._index)
        self._documents: dict[str | None, tuple[Totals, int]] = {}

    def put(self, chunks: Sequence[Chunk]) -> None:
        """Add all chunks of one version of one document; the same put again changes nothing."""
        if not chunks:
            return
        version = _version_of(chunks)
        self._whole(lambda: self._put(version, fields_of(chunks)))

    def embed(self, vectors: Mapping[str, Vector]) -> None:
        """Give chunks, by chunk id, their vectors. Ids that are not held are passed over."""
        for some in _slices(list(vectors)):
            rows = self._index.fetched(fetch(self._index.name, EVERYTHING, len(some), among(some)))
            objects = {
                uuid: object_of(self._index.name, uuid, row.fields, vectors[uuid])
                for uuid, row in rows.items()
                if row.chunk.chunk_id == uuid
            }
            self._index.write(objects)
            self._measuring.changed(len(objects))

    def retire(self, source: str, kept: Mapping[str, tuple[str, str] | None]) -> None:
        """Drop every version of these documents but the one kept, some documents at a time."""
        for some in _slices(list(kept)):
            where = all_of(equals("source", source), any_of("document_id", some))
            stale = [
                row.uuid
                for row in self._index.listed(IDENTITY, where)
                if row.identity.source == source and _stale(row.identity, kept)
            ]
            self._index.delete(stale)
            self._measuring.changed(len(stale))

    def search(self, query: Query) -> list[Candidate]:
        """The best by words and the best by vector within the scope, each with both true scores."""
        tags = frozenset(tag for tag in query.tags if tag.strip())
        if not tags or not self._index.there():
            return []
        limit = query.limit
        while True:
            found = self._found(query, limit)
            best = _best(found, query.limit)
            in_the_way = any(one.strays and one.strays + len(one.hits) >= limit for one in found)
            if len(best) >= query.limit or not in_the_way or limit >= LARGEST_ANSWER:
                return best
            limit *= 4

    def sample(self) -> Sequence[Vector]:
        """The fixed sample that a question's cosines are measured against, some minutes old where many are held."""
        return self._measuring.now().vectors

    def unembedded(self, limit: int) -> list[Chunk]:
        """Some chunks that have no vector yet."""
        where = equals("embedded", False)
        rows = self._index.fetched(fetch(self._index.name, SHOWN, limit, where))
        if self._place.readers > 1:  # A node that lags calls unembedded what another one has the vector of.
            now = self._index.fetched(fetch(self._index.name, ("embedded",), len(rows) or 1, among(list(rows))))
            rows = {uuid: row for uuid, row in rows.items() if uuid in now and not now[uuid].embedded}
        own = [row.chunk for row in rows.values() if _own(row)]
        if len(own) < min(limit, len(rows)):
            own = [row.chunk for row in islice(filter(_own, self._index.listed(SHOWN, where)), limit)]
        return own[:limit]

    def contents(self, source: str) -> Iterator[Held]:
        """Every version of every document of a source, with what somebody else has put under its name."""
        held: dict[tuple[str, str, str], list[int]] = {}
        for row in self._index.listed((*IDENTITY, "embedded"), equals("source", source)):
            chunk = row.identity
            if chunk.source == source:
                counts = held.setdefault((chunk.document_id, chunk.version, chunk.pipeline), [0, 0])
                counts[0] += 1
                counts[1] += row.embedded
        return (Held(*version, *counts) for version, counts in held.items())

    def export(self, source: str) -> Iterator[StoredChunk]:
        """Every chunk of a source with its vector, read some at a time."""
        for row in self._index.listed(SHOWN, equals("source", source), vectors=True):
            if _own(row) and row.chunk.source == source:
                yield StoredChunk(row.chunk, row.vector)

    def stats(self, source: str | None = None) -> StoreStats:
        """How much is held, of one source or of all. Where nodes differ, what most of them say."""
        where = None if source is None else equals("source", source)
        counted = self._index.counted(where)
        if len(set(counted)) > 1:
            counted = [totals for _, totals in self._index.totals(where) if totals]
        totals = _usual(counted)
        return StoreStats(self._count_documents(source, totals), totals.chunks, totals.embedded, totals.digest)

    def nodes(self) -> Sequence[NodeStanding]:
        """How each node stands. One lags that holds something else than most do, however often one looks."""
        counted = self._index.totals()
        usual = _usual([totals for _, totals in counted if totals])
        lagging = {address for address, totals in counted if totals and totals != usual}
        for _ in range(_LOOKS if lagging else 0):
            time.sleep(_PAUSE)
            exactly = self._index.totals(stamped(0, STAMPS))
            usual = _usual([totals for _, totals in exactly if totals])
            lagging -= {address for address, totals in exactly if totals == usual}
        ready = dict(self._index.cluster.each(Connection.ready))
        chunks = {address: totals.chunks for address, totals in counted if totals}
        return [
            NodeStanding(address, bool(is_ready), address in lagging, chunks.get(address))
            for address, is_ready in ready.items()
        ]

    def publish(self) -> None:
        """Point the alias, by which other programs find the index, at this one's collection."""
        self._index.publish()

    def drop(self) -> None:
        """Delete the collection, and the alias where it points at it."""
        self._index.drop()

    def close(self) -> None:
        """Let go of the connections."""
        self._index.close()

    def _whole(self, write: Callable[[], None]) -> None:
        """A write to a collection that is made first, and once more where somebody has deleted it meanwhile."""
        self._index.make()
        try:
            write()
        except Missing:
            self._index.make()
            write()

    def _put(self, version: Chunk, wanted: Mapping[str, Fields]) -> None:
        where = all_of(*(equals(name, getattr(version, name)) for name in _VERSION))
        seen = self._index.listed_by_each(EVERYTHING, where)
        new = [uuid for uuid, fields in wanted.items() if not all(_holds(node, uuid, fields) for node in seen)]
        vectors = self._vectors(where) if any(row.embedded for node in seen for row in node.values()) else {}
        self._index.write(
            {
                uuid: object_of(
                    self._index.name, uuid, fields, vectors.get((str(fields["terms"]), head_length(str(fields[BAG]))))
                )
                for uuid, fields in ((uuid, wanted[uuid]) for uuid in new)
            }
        )
        old = {uuid for node in seen for uuid, row in node.items() if uuid not in wanted and _is_of(row, version)}
        self._index.delete(old)
        self._measuring.changed(len(new) + len(old))

    def _vectors(self, where: Filters) -> dict[tuple[str, int], Vector]:
        rows = self._index.listed(("terms", BAG), where, vectors=True)
        return {_words_of(row.fields): row.vector for row in rows if row.vector is not None}

    def _found(self, query: Query, limit: int) -> list[Found]:
        measures = self._measuring.now()
        return self._index.cluster.read(
            lambda node: Search(self._index, node, measures, query, limit).run(), self._place.readers
        )

    def _count_documents(self, source: str | None, totals: Totals) -> int:
        """How many there are, counted by their first chunks: again only when what is held has changed."""
        known = self._documents.get(source)
        if known is None or known[0] != totals:
            first = equals("ordinal", 0)
            where = first if source is None else all_of(first, equals("source", source))
            rows = self._index.listed(("source", "document_id"), where)
            found = {(row.text("source"), row.text("document_id")) for row in rows}
            known = self._documents[source] = (totals, len(found))
        return known[1]


def _version_of(chunks: Sequence[Chunk]) -> Chunk:
    if len({tuple(getattr(chunk, name) for name in _VERSION) for chunk in chunks}) != 1:
        raise ValueError("a put is of one version of one document")
    return chunks[0]


def _is_of(row: Stored, version: Chunk) -> bool:
    return all(row.text(name) == getattr(version, name) for name in _VERSION)


def _words_of(fields: Fields) -> tuple[str, int]:
    """What tells a head and a body from others: all terms, and where the body begins."""
    return str(fields.get("terms", "")), head_length(str(fields.get(BAG, "")))


def _holds(node: Mapping[str, Stored], uuid: str, fields: Fields) -> bool:
    return uuid in node and same(node[uuid].fields, fields)


def _own(row: Stored) -> bool:
    return row.chunk.chunk_id == row.uuid


def _stale(chunk: Chunk, kept: Mapping[str, tuple[str, str] | None]) -> bool:
    return chunk.document_id in kept and kept[chunk.document_id] != (chunk.version, chunk.pipeline)


def _best(found: Sequence[Found], limit: int) -> list[Candidate]:
    """What nodes found, each chunk once as it was last written, cut to the best of each side."""
    newest: dict[str, Hit] = {}
    for hit in (hit for one in found for hit in one.hits):
        if hit.chunk_id not in newest or newest[hit.chunk_id].updated < hit.updated:
            newest[hit.chunk_id] = hit
    candidates = {chunk_id: hit.candidate for chunk_id, hit in newest.items()}
    words = {key: one.keyword_score for key, one in candidates.items() if one.keyword_score > 0}
    near = {key: one.vector_score for key, one in candidates.items() if one.vector_score is not None}
    return [candidates[key] for key in dict.fromkeys((*_highest(words, limit), *_highest(near, limit)))]


def _highest(scores: Mapping[str, float], limit: int) -> list[str]:
    return heapq.nsmallest(limit, scores, key=lambda key: (-scores[key], key))


def _usual(counted: Sequence[Totals]) -> Totals:
    """What most nodes say; of two that are said as often, the one with more chunks."""
    said = Counter(counted)
    return max(said, key=lambda totals: (said[totals], totals.chunks, totals.embedded), default=Totals())


def _slices(ids: Sequence[str]) -> Iterator[list[str]]:
    return (list(ids[first : first + _AT_ONCE]) for first in range(0, len(ids), _AT_ONCE))
