"""What a collection of Quoth's looks like, and how it is made, told from others, published and removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from weaviate import WeaviateClient

from connectors.errors import Misconfigured
from connectors.store.weaviate.place import WeaviatePlace

VECTOR = "default"
"""The name of a chunk's one vector."""

K1 = 1.2
B = 0.75
"""BM25 as the server ranks candidates by it: its own defaults, named because scores are divided out again."""

_OWNER = "Chunks of a Quoth knowledge base, written by Quoth only. Owner: "


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    kind: str = "text"
    filterable: bool = False
    searchable: bool = False
    ranged: bool = False

    def wanted(self) -> dict[str, Any]:
        """The property as the server is asked for it."""
        text = self.kind.startswith("text")
        return {
            "name": self.name,
            "dataType": [self.kind],
            "indexFilterable": self.filterable,
            "indexSearchable": self.searchable,
            "indexRangeFilters": self.ranged,
            **({"tokenization": "whitespace" if self.searchable else "field"} if text else {}),
        }


PROPERTIES = (
    _Property("source", filterable=True),
    _Property("document_id", filterable=True),
    _Property("version", filterable=True),
    _Property("pipeline", filterable=True),
    _Property("tags", "text[]", filterable=True),
    _Property("ordinal", "int", filterable=True),
    _Property("stamp", "int", filterable=True, ranged=True),
    _Property("embedded", "boolean", filterable=True),
    _Property("terms", searchable=True),
    _Property("bag"),
    _Property("card"),
    _Property("text"),
)
"""Exactly what a chunk's object has. Names and scopes are whole values to the server, words come analysed."""


@dataclass(frozen=True, slots=True)
class Collection:
    """One index's collection, by its physical name, as its owner wants it.

    Raises:
        Misconfigured: In every method: it is somebody else's, or of another shape.
    """

    place: WeaviatePlace
    name: str
    owner: str

    def there(self, client: WeaviateClient) -> bool:
        """Whether it exists, looked at closely."""
        if not client.collections.exists(self.name):
            return False
        found = client.collections.export_config(self.name).to_dict()
        self._look_at_owner(str(found.get("description") or ""))
        wrong = list(self._differences(found))
        if wrong:
            raise Misconfigured(
                f"The Weaviate collection {self.name} is not as Quoth makes it: {'; '.join(wrong)}. Set it right in "
                "the configuration, name another store.collection, or delete the collection and run `quoth sync`."
            )
        return True

    def make(self, client: WeaviateClient) -> None:
        """Create it where it is missing, with an alias where that is missing too. Two may do so at once."""
        if not self.there(client):
            try:
                client.collections.create_from_dict(self._wanted())
            except Exception:
                if not self.there(client):
                    raise
        if client.alias.get(alias_name=self.place.collection) is None:
            self._make_alias(client)

    def publish(self, client: WeaviateClient) -> None:
        """Point the alias here."""
        if client.alias.get(alias_name=self.place.collection) is None:
            self._make_alias(client)
        client.alias.update(alias_name=self.place.collection, new_target_collection=self.name)

    def remove(self, client: WeaviateClient) -> None:
        """Delete it, and the alias where it points here."""
        alias = client.alias.get(alias_name=self.place.collection)
        if client.collections.exists(self.name):
            self._look_at_owner(str(client.collections.export_config(self.name).description or ""))
        if alias is not None and alias.collection == self.name:
            client.alias.delete(alias_name=self.place.collection)
        client.collections.delete(self.name)

    def _make_alias(self, client: WeaviateClient) -> None:
        try:
            client.alias.create(alias_name=self.place.collection, target_collection=self.name)
        except Exception:
            if client.collections.exists(self.place.collection) and not client.alias.exists(
                alias_name=self.place.collection
            ):
                raise Misconfigured(
                    f"Weaviate holds a collection of its own named {self.place.collection}, which Quoth needs as an "
                    "alias: name another store.collection."
                ) from None
            if not client.alias.exists(alias_name=self.place.collection):
                raise

    def _look_at_owner(self, description: str) -> None:
        if description != _OWNER + self.owner:
            raise Misconfigured(
                f"The Weaviate collection {self.name} belongs to another Quoth, or to another program. Name another "
                "store.collection; or, where this one's ledger was lost, delete the collection and run `quoth sync`."
            )

    def _wanted(self) -> dict[str, Any]:
        # Not rescored: that reads 500 vectors from disk, and we compute the cosines of what is found ourselves.
        index = {"distance": "cosine", "rq": {"enabled": True, "bits": 8, "rescoreLimit": 0}}
        return {
            "class": self.name,
            "description": _OWNER + self.owner,
            "properties": [one.wanted() for one in PROPERTIES],
            "vectorConfig": {
                VECTOR: {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw", "vectorIndexConfig": index}
            },
            "invertedIndexConfig": {"stopwords": {"preset": "none"}, "bm25": {"b": B, "k1": K1}},
            "shardingConfig": {"desiredCount": 1},
            "replicationConfig": {"factor": self.place.replicas, "deletionStrategy": "TimeBasedResolution"},
        }

    def _differences(self, found: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with a collection that is there, one thing each."""
        held = {str(one["name"]): one for one in found["properties"]}
        for one in (prop.wanted() for prop in PROPERTIES):
            there = held.pop(one["name"], None)
            if there is None or any(there.get(key) != value for key, value in one.items()):
                yield f"property {one['name']} is {'missing' if there is None else 'of another kind or index'}"
        if held:
            yield f"it has {len(held)} other properties"
        vectors = found.get("vectorConfig") or {}
        settings = (vectors.get(VECTOR) or {}).get("vectorIndexConfig") or {}
        if set(vectors) != {VECTOR} or settings.get("distanceMetric", settings.get("distance")) != "cosine":
            yield f"its vectors are not one named {VECTOR}, compared by cosine"
        factor = found["replicationConfig"]["factor"]
        if factor != self.place.replicas:
            yield f"it keeps {factor} replicas and store.replicas says {self.place.replicas}"
        if found["shardingConfig"]["desiredCount"] != 1:
            yield "it has more than one shard"
        if {key: found["invertedIndexConfig"]["bm25"][key] for key in ("b", "k1")} != {"b": B, "k1": K1}:
            yield "its BM25 has other parameters"
