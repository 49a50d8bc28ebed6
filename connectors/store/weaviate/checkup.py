"""Looks at the servers of a Weaviate themselves, for `quoth doctor`: which version, and whether they take writes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from connectors.store.weaviate.connection import Connection
from connectors.store.weaviate.place import Node, WeaviatePlace

_READ_ONLY = "READONLY"


@dataclass(frozen=True, slots=True)
class Sight:
    """What one server says of itself. ``read_only``: its disk or memory is too full to take anything more."""

    version: str
    read_only: bool


def sight_of(node: Node, place: WeaviatePlace, fingerprint: str) -> Sight:
    """What a server says of itself and of its part of an index.

    Raises:
        Misconfigured: It may not be used as it is: its version, its key, its openness.
        TryLater: It cannot be reached.
    """
    with closing(Connection(node, place)) as connection, connection.rest() as client:
        version = str(client.get_meta().get("version", "unknown"))
        name = f"{place.collection}_{fingerprint}"
        shards = client.collections.use(name).config.get_shards() if client.collections.exists(name) else []
        return Sight(version, any(shard.status == _READ_ONLY for shard in shards))
