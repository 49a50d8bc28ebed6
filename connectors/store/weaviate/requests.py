"""The few kinds of requests that the store makes of a node's gRPC service."""

from __future__ import annotations

from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping, Sequence

from weaviate.proto.v1 import aggregate_pb2, base_pb2, base_search_pb2, batch_delete_pb2, batch_pb2, search_get_pb2

from connectors.model import Vector
from connectors.store.weaviate.objects import packed
from connectors.store.weaviate.place import Consistency
from connectors.store.weaviate.schema import VECTOR

LARGEST_ANSWER = 10_000
"""Objects that a server gives or deletes at most for one request ([S] QUERY_MAXIMUM_RESULTS)."""

_LEVELS = {
    "one": base_pb2.CONSISTENCY_LEVEL_ONE,
    "quorum": base_pb2.CONSISTENCY_LEVEL_QUORUM,
    "all": base_pb2.CONSISTENCY_LEVEL_ALL,
}
Filters = base_pb2.Filters
_Integer = aggregate_pb2.AggregateRequest.Aggregation.Integer
_Boolean = aggregate_pb2.AggregateRequest.Aggregation.Boolean


def equals(name: str, value: str | bool | int) -> Filters:
    """Objects whose property is exactly this."""
    target = base_pb2.FilterTarget(property=name)
    if isinstance(value, bool):
        return Filters(operator=Filters.OPERATOR_EQUAL, target=target, value_boolean=value)
    if isinstance(value, int):
        return Filters(operator=Filters.OPERATOR_EQUAL, target=target, value_int=value)
    return Filters(operator=Filters.OPERATOR_EQUAL, target=target, value_text=value)


def any_of(name: str, values: Values[str]) -> Filters:
    """Objects whose property is, or holds, one of these; ``_id`` is their uuid."""
    return Filters(
        operator=Filters.OPERATOR_CONTAINS_ANY,
        target=base_pb2.FilterTarget(property=name),
        value_text_array=base_pb2.TextArray(values=values),
    )


def among(uuids: Values[str]) -> Filters:
    """These objects."""
    return any_of("_id", uuids)


def stamped(first: int, end: int) -> Filters:
    """Objects with a stamp from the first on and below the end."""
    target = base_pb2.FilterTarget(property="stamp")
    at_least, below = Filters.OPERATOR_GREATER_THAN_EQUAL, Filters.OPERATOR_LESS_THAN
    return all_of(
        Filters(operator=at_least, target=target, value_int=first),
        Filters(operator=below, target=target, value_int=end),
    )


def all_of(*filters: Filters) -> Filters:
    """Objects that pass every one of these."""
    return filters[0] if len(filters) == 1 else Filters(operator=Filters.OPERATOR_AND, filters=filters)


def fetch(
    collection: str, names: Iterable[str], limit: int, where: Filters | None = None, *, vectors: bool = False
) -> search_get_pb2.SearchRequest:
    """Objects that pass a filter, with these properties."""
    return search_get_pb2.SearchRequest(
        collection=collection,
        limit=min(limit, LARGEST_ANSWER),
        filters=where,
        properties=search_get_pb2.PropertiesRequest(non_ref_properties=list(names)),
        metadata=search_get_pb2.MetadataRequest(
            uuid=True, last_update_time_unix=True, vectors=[VECTOR] if vectors else []
        ),
        uses_127_api=True,
    )


def by_words(plain: search_get_pb2.SearchRequest, repeats: Mapping[str, int]) -> search_get_pb2.SearchRequest:
    """The same, best first by BM25 over the terms. A term counts as often as it is repeated."""
    plain.bm25_search.CopyFrom(
        base_search_pb2.BM25(
            query=" ".join(key for key, times in repeats.items() for _ in range(times)), properties=["terms"]
        )
    )
    plain.metadata.score = True
    return plain


def by_vector(plain: search_get_pb2.SearchRequest, vector: Vector) -> search_get_pb2.SearchRequest:
    """The same, nearest first by cosine."""
    plain.near_vector.CopyFrom(base_search_pb2.NearVector(vectors=[packed(vector)], target_vectors=[VECTOR]))
    return plain


def totals(collection: str, where: Filters | None = None) -> aggregate_pb2.AggregateRequest:
    """How many objects there are, how many of them embedded, and the sum of their stamps.

    A node that has caught up with others may keep index entries of objects that are gone. With a filter, they are in
    ``objects_count`` but not among the values; without one, it is the other way round.
    """
    return aggregate_pb2.AggregateRequest(
        collection=collection,
        objects_count=True,
        filters=where,
        aggregations=[
            aggregate_pb2.AggregateRequest.Aggregation(property="stamp", int=_Integer(sum=True, count=True)),
            aggregate_pb2.AggregateRequest.Aggregation(property="embedded", boolean=_Boolean(total_true=True)),
        ],
    )


def writing(objects: Sequence[batch_pb2.BatchObject], consistency: Consistency) -> batch_pb2.BatchObjectsRequest:
    """Write these objects, over any that have their uuids."""
    return batch_pb2.BatchObjectsRequest(objects=objects, consistency_level=_LEVELS[consistency])


def deleting(collection: str, where: Filters, consistency: Consistency) -> batch_delete_pb2.BatchDeleteRequest:
    """Delete the objects that pass a filter, as many at once as the server will."""
    return batch_delete_pb2.BatchDeleteRequest(
        collection=collection, filters=where, consistency_level=_LEVELS[consistency]
    )
