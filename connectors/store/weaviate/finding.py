"""A search on one node: by words and by vector at once, then whatever a candidate's two true scores still need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weaviate.proto.v1 import base_pb2

from connectors.model import Candidate, Query, Vector
from connectors.store.bm25f import MAX_TERMS, Numbers, Worth, pair_scores, worth_of
from connectors.store.terms import keyed, keys_of, repeats_of
from connectors.store.weaviate.bags import head_length, scores_of
from connectors.store.weaviate.connection import Call, Connection
from connectors.store.weaviate.index import Index
from connectors.store.weaviate.measures import Measures
from connectors.store.weaviate.objects import BAG, SHOWN, TERMS, Stored
from connectors.store.weaviate.requests import LARGEST_ANSWER, among, any_of, by_vector, by_words, fetch

_DEPTH = 3
"""Candidates by words for each two wanted: the server's order is not quite the true one."""
_SHALLOWEST = 100
_PROBED_AT_ONCE = 64
_WANTED = (BAG, TERMS, *SHOWN)


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate, and when its object was last written: of two nodes' versions the newer one counts."""

    chunk_id: str
    candidate: Candidate
    updated: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a node found, and how many objects were in the way that are nobody's chunks."""

    hits: Sequence[Hit]
    strays: int


class Search:
    """One question, asked of one node. ``limit`` holds for words and for vectors each."""

    def __init__(self, index: Index, node: Connection, measures: Measures, query: Query, limit: int) -> None:
        self._index = index
        self._node = node
        self._measures = measures
        self._query = query
        self._limit = min(limit, LARGEST_ANSWER)
        positive = ((key, weight) for key, weight in query.terms.items() if weight > 0)
        self._weights = {key: weight for term, weight in positive for key in keys_of([term])}
        self._pairs = keyed(query.pairs)

    def run(self) -> Found:
        """The best by words and the best by vector within the scope, each with both true scores."""
        node, index = self._node, self._index
        probes = self._start_probes()
        near_call = self._start_near()
        if len(self._weights) > MAX_TERMS:
            worth = self._worth(probes)
            words_call = self._start_words({key: self._weights[key] for key in worth.terms})
        else:
            words_call = self._start_words(self._weights)
            worth = self._worth(probes)
        near, likely = index.finish(node, near_call), index.finish(node, words_call)
        known = {one.uuid for one in near}
        rest_call = self._start_fetch([one.uuid for one in likely if one.uuid not in known])
        hits = self._vetted(near, worth)  # Meanwhile the node looks up the others.
        rest = index.finish(node, rest_call)
        hits += self._vetted(rest, worth)
        return Found(hits, len(near) + len(rest) - len(hits))

    def _vetted(self, rows: Sequence[Stored], worth: Worth) -> list[Hit]:
        hits = list[Hit]()
        for row, score in zip(rows, self._scores(rows, worth), strict=True):
            chunk = row.chunk
            if chunk.tags & self._query.tags and chunk.chunk_id == row.uuid:
                hits.append(Hit(row.uuid, Candidate(chunk, float(score), self._cosine(row)), row.updated))
        return hits

    def _scores(self, rows: Sequence[Stored], worth: Worth) -> Numbers:
        averages = self._measures.averages
        bags = [row.text(BAG) for row in rows]
        alone = scores_of(bags, worth.terms, averages)
        if not worth.pairs:
            return alone
        texts = [row.analysed(head_length(bag)) for row, bag in zip(rows, bags, strict=True)]
        return alone + pair_scores([head for head, _ in texts], [body for _, body in texts], worth, averages)

    def _start_near(self) -> Call | None:
        if self._query.vector is None:
            return None
        request = fetch(self._index.name, _WANTED, self._limit, self._scope(), vectors=True)
        return self._index.start(self._node, by_vector(request, self._query.vector))

    def _start_words(self, weights: Mapping[str, float]) -> Call | None:
        if not weights:
            return None
        depth = min(max(_DEPTH * self._limit // 2, _SHALLOWEST), LARGEST_ANSWER)
        # Their ids alone: whatever else a server is asked for in a search by words, it decodes all of an object.
        request = by_words(fetch(self._index.name, (), depth, self._scope()), repeats_of(weights))
        return self._index.start(self._node, request)

    def _start_fetch(self, uuids: Sequence[str]) -> Call | None:
        if not uuids:
            return None
        with_vectors = self._query.vector is not None
        request = fetch(self._index.name, _WANTED, len(uuids), among(uuids), vectors=with_vectors)
        return self._index.start(self._node, request)

    def _cosine(self, one: Stored) -> float | None:
        vector: Vector | None = self._query.vector
        if vector is None or one.vector is None or len(one.vector) != len(vector):
            return None
        return float(one.vector @ vector)

    def _scope(self) -> base_pb2.Filters:
        return any_of("tags", sorted(self._query.tags))

    def _worth(self, probes: Mapping[str, Call]) -> Worth:
        """What the terms that can decide are worth. That nobody holds a term is not remembered: it may come."""
        for key, call in probes.items():
            self._measures.learn(key, self._index.finish(self._node, call))
        known = self._measures.rarities
        rarities = {key: known[key] for key in self._weights if key in known}
        return worth_of(self._weights, self._pairs, rarities)

    def _start_probes(self) -> dict[str, Call]:
        unknown = [key for key in self._weights if key not in self._measures.rarities]
        if len(unknown) > _PROBED_AT_ONCE:
            unknown = self._held(unknown)
        return {key: self._probe([key]) for key in unknown}

    def _held(self, keys: Sequence[str]) -> list[str]:
        """Those of very many terms that may be held at all: most of what people paste is not."""
        groups = [keys[first : first + _PROBED_AT_ONCE] for first in range(0, len(keys), _PROBED_AT_ONCE)]
        calls = [(group, self._probe(group)) for group in groups]
        return [key for group, call in calls if self._index.finish(self._node, call) for key in group]

    def _probe(self, keys: Sequence[str]) -> Call:
        request = by_words(fetch(self._index.name, (TERMS,), 1), dict.fromkeys(keys, 1))
        return self._index.start(self._node, request)
