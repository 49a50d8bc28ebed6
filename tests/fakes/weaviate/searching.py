"""Searches and aggregations, from the request to the reply, on what one node holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weaviate.proto.v1 import aggregate_pb2, base_search_pb2, search_get_pb2

from tests.fakes.weaviate.filters import accepts
from tests.fakes.weaviate.refusals import Refused
from tests.fakes.weaviate.schema import Collection
from tests.fakes.weaviate.shard import Accepts, Found, Shard
from tests.fakes.weaviate.values import value_out, vector_in, vector_out

DEFAULT_LIMIT = 10


def search(request: search_get_pb2.SearchRequest, shard: Shard, maximum: int) -> search_get_pb2.SearchReply:
    """What a search finds on this node."""
    collection = shard.collection
    limit, offset = request.limit or DEFAULT_LIMIT, request.offset
    _check_properties(request, collection)
    passes = accepts(request.filters, collection) if request.HasField("filters") else None
    _check_page(request, limit, offset, maximum)
    found = _found(request, shard, passes, limit + offset)[offset : offset + limit]
    reply = search_get_pb2.SearchReply()
    reply.results.extend(_result(one, request, collection) for one in found)
    return reply


def _found(request: search_get_pb2.SearchRequest, shard: Shard, passes: Accepts | None, limit: int) -> Sequence[Found]:
    if request.HasField("bm25_search"):
        return shard.by_words(request.bm25_search.query, list(request.bm25_search.properties), passes, limit)
    if request.HasField("near_vector"):
        return _near(request.near_vector, shard, passes, limit)
    if request.after:
        after = _packed(request.after)
        return [Found(stored) for stored in shard.listed() if stored.packed_id > after][:limit]
    listed = shard.listed() if passes is None else shard.matching(passes)
    for by in reversed(request.sort_by):
        name = by.path[0]
        if name == "_id":
            listed.sort(key=lambda stored: stored.packed_id, reverse=not by.ascending)
        else:
            listed.sort(key=lambda stored, name=name: stored.properties.get(name), reverse=not by.ascending)  # type: ignore[misc]
    return [Found(stored) for stored in listed[:limit]]


def _near(asked: base_search_pb2.NearVector, shard: Shard, passes: Accepts | None, limit: int) -> Sequence[Found]:
    names = [*asked.targets.target_vectors, *asked.target_vectors, *shard.collection.vectors]
    if names[0] not in shard.collection.vectors:
        available = " ".join(shard.collection.vectors)
        raise Refused(
            f"extract target vectors: class {shard.collection.name} does not have named vector {names[0]} configured. "
            f"Available named vectors [{available}]"
        )
    packed = asked.vectors[0].vector_bytes if asked.vectors else asked.vector_bytes
    found = shard.by_vector(vector_in(packed), names[0], passes, limit)
    if asked.HasField("distance"):
        return [one for one in found if one.distance is not None and one.distance <= asked.distance]
    return found


def _result(one: Found, request: search_get_pb2.SearchRequest, collection: Collection) -> search_get_pb2.SearchResult:
    wanted = request.properties
    everything = not request.HasField("properties") or wanted.return_all_nonref_properties
    names = list(collection.properties) if everything else list(wanted.non_ref_properties)
    result = search_get_pb2.SearchResult()
    result.properties.target_collection = collection.name
    result.properties.non_ref_props.SetInParent()
    for name in names:
        value = value_out(one.stored.properties.get(name), collection.properties[name].data_type)
        result.properties.non_ref_props.fields[name].CopyFrom(value)
    _fill_metadata(result.metadata, one, request.metadata)
    return result


def _fill_metadata(told: search_get_pb2.MetadataResult, one: Found, wanted: search_get_pb2.MetadataRequest) -> None:
    if wanted.uuid:
        told.id, told.id_as_bytes = one.stored.object_id, one.stored.packed_id
    if wanted.score:
        told.score, told.score_present = one.score, True
    if wanted.distance and one.distance is not None:
        told.distance, told.distance_present = one.distance, True
    if wanted.creation_time_unix:
        told.creation_time_unix, told.creation_time_unix_present = one.stored.created, True
    if wanted.last_update_time_unix:
        told.last_update_time_unix, told.last_update_time_unix_present = one.stored.updated, True
    for name, vector in one.stored.vectors.items():
        if wanted.vector or name in wanted.vectors:
            told.vectors.append(vector_out(name, vector))


def _check_properties(request: search_get_pb2.SearchRequest, collection: Collection) -> None:
    for name in request.properties.non_ref_properties:
        try:
            collection.property_of(name)
        except Refused as refused:
            said = f"extract properties request: get property by name {name} for class {collection.name}: "
            raise Refused(said + refused.said) from None


def _check_page(request: search_get_pb2.SearchRequest, limit: int, offset: int, maximum: int) -> None:
    if request.after and request.HasField("filters"):
        raise Refused("cursor api: invalid 'after' parameter: where cannot be set with after and limit parameters")
    if limit + offset <= maximum:
        return
    where = "explorer: list class: search: "
    if request.HasField("bm25_search"):
        where = "explorer: get class: vector search: "
    if request.HasField("near_vector"):
        where = "explorer: get class: concurrentTargetVectorSearch): explorer: get class: vector search: "
    raise Refused(
        f"{where}invalid pagination params: query maximum results exceeded: the total limit calculated from the "
        f"provided offset '{offset}' and limit '{limit}' exceeds the configured value for QUERY_MAXIMUM_RESULTS "
        f"'{maximum}'. If you've supplied a negative offset or limit, this may be an underflow error"
    )


def _packed(object_id: str) -> bytes:
    return bytes.fromhex(object_id.replace("-", ""))


def aggregate(request: aggregate_pb2.AggregateRequest, shard: Shard) -> aggregate_pb2.AggregateReply:
    """Counts and sums over what a filter lets through on this node."""
    passes = accepts(request.filters, shard.collection) if request.HasField("filters") else None
    objects = shard.listed() if passes is None else shard.matching(passes)
    reply = aggregate_pb2.AggregateReply()
    single = reply.single_result
    single.SetInParent()
    if request.objects_count:
        single.objects_count = len(objects)
    for wanted in request.aggregations:
        try:
            shard.collection.property_of(wanted.property)
        except Refused as refused:
            said = f"aggregate: shard {shard.collection.shard}: aggregate properties: property {wanted.property}: "
            raise Refused(f"{said}property {wanted.property}: {refused.said}") from None
        values = [v for o in objects if (v := o.properties.get(wanted.property)) is not None]
        single.aggregations.aggregations.append(_aggregated(wanted, values))
    return reply


def _aggregated(
    wanted: aggregate_pb2.AggregateRequest.Aggregation, values: Sequence[Any]
) -> aggregate_pb2.AggregateReply.Aggregations.Aggregation:
    told = aggregate_pb2.AggregateReply.Aggregations.Aggregation(property=wanted.property)
    which = wanted.WhichOneof("aggregation")
    if which == "boolean":
        told.boolean.count, told.boolean.total_true = len(values), sum(values)
        told.boolean.total_false = len(values) - sum(values)
        told.boolean.percentage_true = sum(values) / len(values) if values else 0.0
        told.boolean.percentage_false = 1 - told.boolean.percentage_true if values else 0.0
    elif which == "int":
        told.int.SetInParent()
        if wanted.int.count:
            told.int.count = len(values)
        if wanted.int.sum and values:
            told.int.sum = sum(values)
        if wanted.int.minimum and values:
            told.int.minimum = min(values)
        if wanted.int.maximum and values:
            told.int.maximum = max(values)
    else:
        raise NotImplementedError(f"the fake does not know the aggregation {which}")
    return told
