"""The state of a cluster: its schema, and what each node holds. What is written goes to every node that hears of it."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from weaviate.proto.v1 import base_pb2

from tests.fakes.weaviate.faults import Faults
from tests.fakes.weaviate.refusals import Refused
from tests.fakes.weaviate.schema import Collection, Schema
from tests.fakes.weaviate.shard import Shard, Stored

VERSION = "1.39.0"
_REQUIRED: dict[int, Callable[[int], int]] = {
    base_pb2.CONSISTENCY_LEVEL_ONE: lambda _: 1,
    base_pb2.CONSISTENCY_LEVEL_ALL: lambda replicas: replicas,
}
_NO_LEADER = Refused("leader not found", status=500)


@dataclass
class Node:
    """One machine. ``hears`` is whether writes reach it; it answers searches from what it holds all the same.

    ``gone`` is set once it is killed: whatever is still at work for it ends.
    """

    index: int
    up: bool = True
    hears: bool = True
    gone: threading.Event = field(default_factory=threading.Event)
    shards: dict[str, Shard] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"node{self.index}"


@dataclass
class Cluster:
    """Nodes that each hold a replica of everything, whatever a collection's factor says.

    ``keys`` are API keys and what they may do: ``admin`` or ``viewer``; without any, anybody may do anything.
    ``read_only`` is why no shard takes writes.
    """

    nodes: Sequence[Node]
    keys: Mapping[str, str] = field(default_factory=dict)
    version: str = VERSION
    maximum_results: int = 10_000
    maximum_deleted: int = 10_000
    """One setting on a real server, two here, so that a cap of deletes can be met with a few objects."""
    read_only: str | None = None
    schema: Schema = field(default_factory=Schema)
    faults: Faults = field(default_factory=Faults)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def shard(self, node: int, collection: Collection) -> Shard:
        """What a node holds of a collection."""
        return self.nodes[node].shards.setdefault(collection.name, Shard(collection))

    def put(self, collection: Collection, stored: Stored, level: int) -> None:
        """Write an object to every node that hears of it, if those are enough for the level."""
        self.check_writable()
        self._write(collection, level, lambda shard: shard.put(stored))

    def delete(self, collection: Collection, object_ids: Sequence[str]) -> None:
        """Delete objects wherever that is heard of. Too few replicas are no failure to the server (measured)."""
        for node in self._hearing():
            for object_id in object_ids:
                self.shard(node.index, collection).delete(object_id)

    def check_writable(self) -> None:
        if self.read_only:
            raise Refused(f"store is read-only due to: {self.read_only}", status=500)

    def check_leader(self) -> None:
        """Schema and readiness need most of the nodes."""
        if 2 * sum(node.up for node in self.nodes) <= len(self.nodes):
            raise _NO_LEADER

    def drop(self, name: str) -> None:
        """Delete a collection, or nothing: an alias is no collection, and one that is not there is no failure."""
        self.schema.collections.pop(name, None)
        for node in self.nodes:
            node.shards.pop(name, None)

    def catch_up(self, index: int) -> None:
        """Give a node what it missed, as replication does after a while."""
        other = next(node for node in self.nodes if node.up and node.hears and node.index != index)
        self.nodes[index].shards = {name: _copied(shard) for name, shard in other.shards.items()}
        self.nodes[index].hears = True

    def compact(self) -> None:
        """Let all nodes write to disk and count what they hold."""
        for node in self.nodes:
            for shard in node.shards.values():
                shard.compact()

    def snapshot(self) -> Callable[[], None]:
        """Remembers all there is; calling it brings that back."""
        with self.lock:
            saved = [{name: _copied(shard) for name, shard in node.shards.items()} for node in self.nodes]
            schema = copy.deepcopy(self.schema)

        def restore() -> None:
            with self.lock:
                self.schema = copy.deepcopy(schema)
                for node, shards in zip(self.nodes, saved, strict=True):
                    node.shards = {name: _copied(shard) for name, shard in shards.items()}

        return restore

    def _hearing(self) -> list[Node]:
        return [node for node in self.nodes if node.up and node.hears]

    def _write(self, collection: Collection, level: int, write: Callable[[Shard], None]) -> None:
        replicas = min(collection.factor, len(self.nodes))
        required = _REQUIRED.get(level, _quorum)(replicas)
        hearing = self._hearing()
        if len(hearing) < required:
            raise Refused(f"cannot reach enough replicas: required {required} replicas, got {len(hearing)}")
        for node in hearing:
            write(self.shard(node.index, collection))


def verbose_nodes(cluster: Cluster, name: str = "") -> list[dict[str, Any]]:
    """What ``/v1/nodes?output=verbose`` tells. A node that is down is not among its members."""
    if name and name not in cluster.schema.collections:
        raise Refused(f'class "{name}" not found', status=404)
    return [_told(cluster, node, name) for node in cluster.nodes if node.up]


def _told(cluster: Cluster, node: Node, name: str) -> dict[str, Any]:
    shards: list[dict[str, Any]] = [
        {
            "asyncReplicationStatus": [],
            "class": collection.name,
            "compressed": False,
            "loaded": True,
            "name": collection.shard,
            "numberOfReplicas": collection.factor,
            "objectCount": cluster.shard(node.index, collection).flushed,
            "replicationFactor": collection.factor,
            "vectorIndexingStatus": "READONLY" if cluster.read_only else "READY",
            "vectorQueueLength": 0,
        }
        for collection in cluster.schema.collections.values()
        if name in ("", collection.name)
    ]
    return {
        "batchStats": {"queueLength": 0, "ratePerSecond": 0},
        "name": node.name,
        "operationalMode": "ReadWrite",
        "shards": shards or None,
        "stats": {"objectCount": sum(one["objectCount"] for one in shards), "shardCount": len(shards)},
        "status": "HEALTHY",
        "version": cluster.version,
    }


def _quorum(replicas: int) -> int:
    return replicas // 2 + 1


def now() -> int:
    """Milliseconds, as objects tell when they were made."""
    return time.time_ns() // 1_000_000


def _copied(shard: Shard) -> Shard:
    lengths, replaced = copy.deepcopy(shard.lengths), copy.deepcopy(shard._replaced)
    return replace(shard, objects=dict(shard.objects), lengths=lengths, _replaced=replaced)
