"""The gRPC side of a node, on the stubs that the client itself ships."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Protocol

import grpc  # type: ignore[import-untyped]
from weaviate.proto.v1 import (
    aggregate_pb2,
    batch_delete_pb2,
    batch_pb2,
    health_weaviate_pb2,
    search_get_pb2,
    weaviate_pb2_grpc,
)

from tests.fakes.weaviate.cluster import Cluster, now
from tests.fakes.weaviate.faults import Call
from tests.fakes.weaviate.filters import accepts
from tests.fakes.weaviate.refusals import Refused, forbidden
from tests.fakes.weaviate.searching import aggregate, search
from tests.fakes.weaviate.shard import Stored
from tests.fakes.weaviate.values import checked, named, properties_in, vectors_in

_Health = health_weaviate_pb2.WeaviateHealthCheckResponse


class Context(Protocol):
    """What the fake uses of gRPC's own context of a call."""

    def invocation_metadata(self) -> Any: ...

    def abort(self, code: grpc.StatusCode, details: str) -> None: ...


class Servicer(weaviate_pb2_grpc.WeaviateServicer):
    """One node's answers."""

    def __init__(self, cluster: Cluster, node: int) -> None:
        self._cluster = cluster
        self._node = node
        self._gone = cluster.nodes[node].gone

    def Search(self, request: Any, context: Context) -> Any:  # noqa: N802  # The protocol's name.
        return self._answer("Search", request, context, lambda asked, _: self._search(asked))

    def Aggregate(self, request: Any, context: Context) -> Any:  # noqa: N802
        return self._answer("Aggregate", request, context, lambda asked, _: self._aggregate(asked))

    def BatchObjects(self, request: Any, context: Context) -> Any:  # noqa: N802
        return self._answer("BatchObjects", request, context, self._batch)

    def BatchDelete(self, request: Any, context: Context) -> Any:  # noqa: N802
        return self._answer("BatchDelete", request, context, self._delete)

    def check(self, request: Any, context: Context) -> Any:
        """The health check, which needs no key."""
        return self._answer("Check", request, context, lambda *_: _Health(status=_Health.SERVING), secured=False)

    def _answer(
        self, name: str, request: Any, context: Context, carry_out: Callable[[Any, str], Any], *, secured: bool = True
    ) -> Any:
        def locked(asked: Any) -> Any:
            with self._cluster.lock:
                return carry_out(asked, self._user(context) if secured else "")

        try:
            return self._cluster.faults.answer(Call(name, self._node, request, locked, self._gone))
        except Refused as refused:
            return context.abort(refused.code, refused.said)

    def _user(self, context: Context) -> str:
        """The role of whoever asks."""
        told = dict(context.invocation_metadata()).get("authorization", "")
        key = told.removeprefix("Bearer ")
        if self._cluster.keys and key not in self._cluster.keys:
            raise Refused("extract auth: unauthorized: invalid api key")
        return self._cluster.keys.get(key, "admin")

    def _search(self, request: search_get_pb2.SearchRequest) -> search_get_pb2.SearchReply:
        collection = self._cluster.schema.find(request.collection)
        return search(request, self._cluster.shard(self._node, collection), self._cluster.maximum_results)

    def _aggregate(self, request: aggregate_pb2.AggregateRequest) -> aggregate_pb2.AggregateReply:
        try:
            collection = self._cluster.schema.find(request.collection)
        except Refused as refused:
            raise Refused(f"parse params: {refused.said}") from None
        return aggregate(request, self._cluster.shard(self._node, collection))

    def _batch(self, request: batch_pb2.BatchObjectsRequest, role: str) -> batch_pb2.BatchObjectsReply:
        reply = batch_pb2.BatchObjectsReply()
        for position, told in enumerate(request.objects):
            try:
                self._put(told, request.consistency_level, role)
            except Refused as refused:
                reply.errors.append(batch_pb2.BatchObjectsReply.BatchError(index=position, error=refused.said))
        return reply

    def _put(self, told: batch_pb2.BatchObject, level: int, role: str) -> None:
        schema = self._cluster.schema
        name = schema.aliases.get(told.collection, told.collection)
        if role == "viewer":
            raise forbidden("reader", "U", f"data/collections/{name}/shards/*/objects/*")
        if name not in schema.collections:
            raise Refused(f"class '{name}' not present in schema")
        collection = schema.collections[name]
        properties = checked(properties_in(told.properties), collection)
        vectors = named(vectors_in(told), collection)
        self._cluster.put(collection, Stored(_id_of(told.uuid), properties, vectors, now(), now()), level)

    def _delete(self, request: batch_delete_pb2.BatchDeleteRequest, role: str) -> batch_delete_pb2.BatchDeleteReply:
        cluster = self._cluster
        if role == "viewer":
            raise forbidden("reader", "D", f"data/collections/{request.collection}/shards/*/objects/*")
        try:
            collection = cluster.schema.find(request.collection)
        except Refused as refused:
            raise Refused(f"batch delete params: {refused.said}") from None
        try:
            passes = accepts(request.filters, collection)
        except Refused as refused:
            where = f'batch delete: cannot find objects: find matching doc ids in shard "{collection.shard}": docIds: '
            raise Refused(where + refused.said) from None
        matching = cluster.shard(self._node, collection).matching(passes)
        chosen = matching[: cluster.maximum_deleted]
        if cluster.read_only and chosen:
            raise Refused('batch delete reply: failed to parse id "" as uuid: invalid UUID length: 0')
        if not request.dry_run:
            cluster.delete(collection, [stored.object_id for stored in chosen])
        reply = batch_delete_pb2.BatchDeleteReply(matches=len(matching), successful=len(chosen))
        for stored in chosen if request.verbose else ():
            reply.objects.append(batch_delete_pb2.BatchDeleteObject(uuid=stored.packed_id, successful=True, error=""))
        return reply


def _id_of(told: str) -> str:
    try:
        return str(uuid.UUID(told))
    except ValueError:
        raise Refused(f"invalid UUID length: {len(told)}") from None


def add_to(server: grpc.Server, servicer: Servicer) -> None:
    """Let a gRPC server answer with these."""
    weaviate_pb2_grpc.add_WeaviateServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    handler = grpc.unary_unary_rpc_method_handler(
        servicer.check,
        request_deserializer=health_weaviate_pb2.WeaviateHealthCheckRequest.FromString,
        response_serializer=_Health.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),)
    )
