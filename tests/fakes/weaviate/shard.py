"""What one node holds of one collection, and how it finds it."""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from connectors.model import Vector
from tests.fakes.weaviate.refusals import Refused
from tests.fakes.weaviate.schema import Collection, Property
from tests.fakes.weaviate.words import STOPWORDS, tokens_of


@dataclass(frozen=True)
class Stored:
    """One object. ``order`` is the server's own number for it: a new one whenever its vectors change."""

    object_id: str
    properties: Mapping[str, Any]
    vectors: Mapping[str, Vector]
    created: int
    updated: int
    order: int = 0
    tokens: Mapping[str, Counter[str]] = field(default_factory=dict)

    @property
    def packed_id(self) -> bytes:
        return uuid.UUID(self.object_id).bytes


@dataclass(frozen=True)
class Found:
    """An object that a search found, and how well."""

    stored: Stored
    score: float = 0.0
    distance: float | None = None


Accepts = Callable[[Stored], bool]


@dataclass
class Shard:
    """The objects of one collection on one node. Its average lengths remember what was replaced until compaction."""

    collection: Collection
    objects: dict[str, Stored] = field(default_factory=dict)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    flushed: int = 0
    """How many objects ``/v1/nodes`` tells: those that were on disk when somebody last looked."""
    flushes: bool = False
    """Whether what is replaced was on disk by then: the server goes on counting its words until compaction."""
    _replaced: dict[str, Counter[str]] = field(default_factory=dict)
    _orders: int = 0

    def put(self, stored: Stored) -> None:
        """Add or replace an object."""
        self._check_dimensions(stored)
        old = self.objects.get(stored.object_id)
        preserved = old is not None and _same_vectors(old.vectors, stored.vectors)
        if old is not None and preserved and old.properties == stored.properties:
            return
        self._orders += not preserved
        tokens = {one.name: Counter(self.tokens_in(stored.properties, one)) for one in self._searchable()}
        if not preserved:
            for name, counted in tokens.items():
                if counted:
                    self.lengths.setdefault(name, []).append(counted.total())
                if old is not None and self.flushes:
                    self._replaced.setdefault(name, Counter()).update(old.tokens[name].keys())
        self.objects[stored.object_id] = Stored(
            stored.object_id,
            stored.properties,
            stored.vectors,
            old.created if old else stored.created,
            stored.updated,
            old.order if old and preserved else self._orders,
            tokens,
        )

    def delete(self, object_id: str) -> None:
        self.objects.pop(object_id, None)

    def compact(self) -> None:
        """Forget what was replaced and deleted, as the server does after a while, and count anew."""
        self.flushed = len(self.objects)
        self._replaced.clear()
        self.lengths = {
            one.name: [s.tokens[one.name].total() for s in self.objects.values() if s.tokens[one.name]]
            for one in self._searchable()
        }

    def listed(self) -> list[Stored]:
        """All objects by id."""
        return sorted(self.objects.values(), key=lambda stored: stored.packed_id)

    def matching(self, accepts: Accepts) -> list[Stored]:
        """All objects that a filter lets through, the oldest first."""
        return sorted(filter(accepts, self.objects.values()), key=lambda stored: stored.order)

    def by_words(self, query: str, names: Sequence[str], accepts: Accepts | None, limit: int) -> list[Found]:
        """The best by BM25 over these properties (``name^boost``). Statistics are the whole shard's."""
        if not query:
            raise Refused("keyword search (bm25) must have query set")
        scores: dict[str, float] = {}
        for name, boost in self._boosts(names):
            for object_id, score in self._bm25(query, self.collection.property_of(name)):
                scores[object_id] = scores.get(object_id, 0.0) + boost * score
        found = [
            Found(self.objects[object_id], float(np.float32(score)))
            for object_id, score in scores.items()
            if accepts is None or accepts(self.objects[object_id])
        ]
        best = sorted(found, key=lambda one: (-one.score, one.stored.order))[:limit]
        return sorted(best, key=lambda one: (-one.score, one.stored.packed_id))

    def by_vector(self, vector: Vector, name: str, accepts: Accepts | None, limit: int) -> list[Found]:
        """The nearest by cosine distance. What has no vector is not found."""
        held = [stored for stored in self.objects.values() if name in stored.vectors]
        if held and len(held[0].vectors[name]) != len(vector):
            raise Refused(
                "explorer: get class: concurrentTargetVectorSearch): explorer: get class: vector search: object vector "
                f"search at index {self.collection.name.lower()}: "
                f"shard {self.collection.name.lower()}_{self.collection.shard}: vector search: "
                f"{len(held[0].vectors[name])} vs {len(vector)}: vector lengths don't match"
            )
        found = [
            Found(stored, 0.0, _distance(vector, stored.vectors[name]))
            for stored in held
            if accepts is None or accepts(stored)
        ]
        return sorted(found, key=lambda one: (one.distance, one.stored.order))[:limit]

    def tokens_in(self, properties: Mapping[str, Any], one: Property) -> list[str]:
        value = properties.get(one.name)
        texts = [] if value is None else value if isinstance(value, list) else [value]
        return [token for text in texts for token in tokens_of(text, one.tokenization)]

    def _bm25(self, query: str, one: Property) -> Iterator[tuple[str, float]]:
        k1, b = self.collection.saturation
        lengths = self.lengths.get(one.name) or [0]
        average = sum(lengths) / len(lengths) or 40.0
        asked = Counter(tokens_of(query, one.tokenization))
        if one.tokenization == "word" and self.collection.ignores_stopwords:
            asked = Counter({token: times for token, times in asked.items() if token not in STOPWORDS})
        for token, times in asked.items():
            holding = [stored for stored in self.objects.values() if token in stored.tokens[one.name]]
            counted = len(holding) + self._replaced.get(one.name, Counter())[token]
            rarity = math.log(1 + (max(len(self.objects), counted) - counted + 0.5) / (counted + 0.5))
            for stored in holding:
                counts = stored.tokens[one.name]
                often = counts[token]
                yield (
                    stored.object_id,
                    times * rarity * often / (often + k1 * (1 - b + b * counts.total() / average)),
                )

    def _boosts(self, names: Sequence[str]) -> Iterator[tuple[str, float]]:
        for told in names or [one.name for one in self._searchable()]:
            name, _, boost = told.partition("^")
            one = self.collection.properties.get(name)
            if one is None or not one.searchable:
                raise Refused(
                    f"Searching by property '{name}' requires inverted index. Is `indexSearchable` option of property "
                    f"'{name}' enabled? Set it to `true` or leave empty"
                )
            yield name, float(boost or 1)

    def _searchable(self) -> list[Property]:
        return [one for one in self.collection.properties.values() if one.searchable]

    def _check_dimensions(self, stored: Stored) -> None:
        for name, vector in stored.vectors.items():
            held = next((len(o.vectors[name]) for o in self.objects.values() if name in o.vectors), len(vector))
            if held != len(vector):
                raise Refused(
                    f"Validate vector index {name} for target vector {stored.object_id}: new node has a vector with "
                    f"length {len(vector)}. Existing nodes have vectors with length {held}: vector dimensions do not "
                    "match the index dimensions"
                )


def _same_vectors(one: Mapping[str, Vector], other: Mapping[str, Vector]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def _distance(one: Vector, other: Vector) -> float:
    return float(np.float32(1) - np.dot(_unit(one), _unit(other)))


def _unit(vector: Vector) -> Vector:
    length = np.linalg.norm(vector)
    return vector / np.float32(length) if length else vector
