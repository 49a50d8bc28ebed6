"""The collections and aliases of a cluster. Every node knows them all: they are agreed upon."""

from __future__ import annotations

import copy
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.weaviate.refusals import Refused, unknown_class, unknown_property

Definition = dict[str, Any]
"""A collection as REST tells it."""

_TEXTS = ("text", "text[]")


@dataclass(frozen=True)
class Property:
    """One property of a collection, with what is indexed of it."""

    name: str
    data_type: str
    tokenization: str
    filterable: bool
    searchable: bool
    rangeable: bool

    @property
    def is_text(self) -> bool:
        return self.data_type in _TEXTS


class Collection:
    """A collection, read for use."""

    def __init__(self, definition: Definition) -> None:
        self.shard = "".join(secrets.choice(string.ascii_letters) for _ in range(12))
        self.define(definition)

    def define(self, definition: Definition) -> None:
        """Take this definition from now on."""
        self.definition = definition
        self.properties = {one["name"]: _property(one) for one in definition["properties"] or []}

    @property
    def name(self) -> str:
        return str(self.definition["class"])

    @property
    def vectors(self) -> list[str]:
        return list(self.definition.get("vectorConfig") or {})

    @property
    def factor(self) -> int:
        return int(self.definition["replicationConfig"]["factor"])

    @property
    def saturation(self) -> tuple[float, float]:
        """k1 and b of BM25."""
        bm25 = self.definition["invertedIndexConfig"]["bm25"]
        return float(bm25["k1"]), float(bm25["b"])

    @property
    def ignores_stopwords(self) -> bool:
        return bool(self.definition["invertedIndexConfig"]["stopwords"]["preset"] == "en")

    def property_of(self, name: str) -> Property:
        if name not in self.properties:
            raise unknown_property(name, self.name)
        return self.properties[name]


@dataclass
class Schema:
    """All collections by name, and what each alias points to."""

    nodes: int = 1
    collections: dict[str, Collection] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Collection:
        """The collection of this name or alias."""
        name = self.aliases.get(name, name)
        if name not in self.collections:
            raise unknown_class(name)
        return self.collections[name]

    def create(self, definition: Definition) -> Definition:
        name = definition["class"]
        if name in self.aliases:
            raise Refused(f"alias name {name} already exists")
        if name in self.collections:
            raise Refused(f"class name {name} already exists")
        self.collections[name] = Collection(completed(definition, self.nodes))
        return self.collections[name].definition

    def update(self, name: str, definition: Definition) -> Definition:
        self.find(name).define(completed(definition, self.nodes))
        return self.find(name).definition

    def alias(self, name: str, target: str) -> None:
        if target not in self.collections:
            raise Refused(f'validation: target class "{target}" does not exist')
        if name in self.aliases:
            raise Refused(f"validation: updating schema: TYPE_CREATE_ALIAS: create alias: {name}, alias already exists")
        if name in self.collections:
            said = f"updating schema: TYPE_CREATE_ALIAS: create alias: class {name} already exists"
            raise Refused(said, status=500)
        self.aliases[name] = target

    def point(self, name: str, target: str) -> None:
        if name not in self.aliases:
            raise Refused("", status=404)
        if target not in self.collections:
            raise Refused(f'validation: target class "{target}" does not exist')
        self.aliases[name] = target


def _property(one: Definition) -> Property:
    return Property(
        one["name"],
        one["dataType"][0],
        one.get("tokenization") or "word",
        one["indexFilterable"],
        one["indexSearchable"],
        one["indexRangeFilters"],
    )


def completed(definition: Definition, nodes: int) -> Definition:
    """A definition with the server's own defaults filled in, as it is told back."""
    told = copy.deepcopy(definition)
    told["properties"] = [_completed_property(one) for one in told.get("properties") or []] or None
    inverted = told.setdefault("invertedIndexConfig", {})
    inverted.setdefault("bm25", {"b": 0.75, "k1": 1.2})
    inverted.setdefault("cleanupIntervalSeconds", 60)
    stopwords = inverted.setdefault("stopwords", {})
    inverted["stopwords"] = {"additions": None, "preset": "en", "removals": None} | stopwords
    inverted["usingBlockMaxWAND"] = True
    told.setdefault("multiTenancyConfig", {})
    told["multiTenancyConfig"] = {
        "autoTenantActivation": False,
        "autoTenantCreation": False,
        "enabled": False,
    } | told["multiTenancyConfig"]
    sharding = {"virtualPerPhysical": 128, "desiredCount": nodes} | (told.get("shardingConfig") or {})
    sharding |= {"actualCount": sharding["desiredCount"], "key": "_id", "strategy": "hash", "function": "murmur3"}
    sharding["desiredVirtualCount"] = sharding["actualVirtualCount"] = 128 * sharding["desiredCount"]
    told["shardingConfig"] = sharding
    replication = {"factor": 1, "asyncEnabled": False, "deletionStrategy": "TimeBasedResolution"}
    told["replicationConfig"] = replication | (told.get("replicationConfig") or {})
    for vector in (told.get("vectorConfig") or {}).values():
        _complete_vector(vector)
    return told


def _completed_property(one: Definition) -> Definition:
    is_text = one["dataType"][0] in _TEXTS
    told: Definition = {"indexFilterable": True, "indexSearchable": is_text, "indexRangeFilters": False} | one
    if is_text:
        told.setdefault("tokenization", "word")
    else:
        told.pop("tokenization", None)
    return told


def _complete_vector(vector: Definition) -> None:
    """Of the graph's settings only those that somebody may look at."""
    asked = vector.get("vectorIndexConfig") or {}
    told = {
        "cleanupIntervalSeconds": 300,
        "distance": "cosine",
        "dynamicEfFactor": 8,
        "dynamicEfMax": 500,
        "dynamicEfMin": 100,
        "ef": -1,
        "efConstruction": 128,
        "filterStrategy": "acorn",
        "flatSearchCutoff": 40000,
        "maxConnections": 32,
        "skip": False,
        "vectorCacheMaxObjects": 1000000000000,
        "bq": {"enabled": False},
        "pq": {"enabled": False, "segments": 0, "centroids": 256, "trainingLimit": 100000, "bitCompression": False}
        | {"encoder": {"type": "kmeans", "distribution": "log-normal"}},
        "sq": {"enabled": False, "rescoreLimit": 20, "trainingLimit": 100000},
        "rq": {"enabled": False, "bits": 8, "rescoreLimit": 20},
        "multivector": {"aggregation": "maxSim", "enabled": False},
    }
    told |= {key: value for key, value in asked.items() if key not in ("rq", "distanceMetric")}
    if "rq" in asked:
        told["rq"] = told["rq"] | asked["rq"]
    vector["vectorIndexConfig"] = told
    vector.setdefault("vectorIndexType", "hnsw")
