"""One collection on a cluster's nodes: what is asked of it and written to it, whole or with a named failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from google.protobuf.message import Message  # type: ignore[import-untyped]
from weaviate import WeaviateClient
from weaviate.proto.v1 import aggregate_pb2, base_pb2, batch_delete_pb2, batch_pb2, search_get_pb2

from connectors.errors import TryLater
from connectors.store.weaviate.connection import Call, Connection
from connectors.store.weaviate.failures import Crowded, Missing, failure_of_objects
from connectors.store.weaviate.nodes import Cluster
from connectors.store.weaviate.objects import Stored, newest_of, stored_of
from connectors.store.weaviate.place import WeaviatePlace
from connectors.store.weaviate.requests import all_of, among, deleting, fetch, stamped, totals, writing
from connectors.store.weaviate.schema import Collection

T = TypeVar("T")

STAMPS = 2**28
"""Stamps are below this (:func:`connectors.model.stamp_of`)."""

READ_SECONDS = 10.0
"""How long a node may take for one answer to a question."""
_LISTING_SECONDS = 60.0
_WRITTEN_AT_ONCE = 200
_DELETED_AT_ONCE = 1_000
_PAGE = 1_000
_NARROWER = 8


@dataclass(frozen=True, slots=True)
class Totals:
    """What a node counts: two nodes with the same figures hold the same chunks."""

    chunks: int = 0
    embedded: int = 0
    digest: int = 0


class Index:
    """The collection of one index. Reads of one that is not there find nothing; writes make it.

    Raises:
        TryLater: Too few nodes answer, or they cannot write now.
        Misconfigured: The collection is another's or of another shape, or a node refuses us.
    """

    def __init__(self, place: WeaviatePlace, name: str, owner: str) -> None:
        self.name = name
        self.cluster = Cluster(place)
        self._place = place
        self._collection = Collection(place, name, owner)
        self._seen = False

    def there(self) -> bool:
        """Whether the collection exists. Once seen, it is looked for again only after a node has missed it."""
        if not self._seen:
            self._seen = self._manage(self._collection.there)
        return self._seen

    def make(self) -> None:
        """Create the collection where it is missing."""
        if not self._seen:
            self._manage(self._collection.make)
            self._seen = True

    def publish(self) -> None:
        """Point the alias to the collection, which is made where it is missing."""
        self._seen = False
        self.make()
        self._manage(self._collection.publish)

    def drop(self) -> None:
        """Delete the collection."""
        self._manage(self._collection.remove)
        self._seen = False

    def start(self, node: Connection, request: search_get_pb2.SearchRequest) -> Call:
        """Send a node a search; several may be under way."""
        return node.start("Search", request, READ_SECONDS)

    def finish(self, node: Connection, call: Call | None) -> list[Stored]:
        """What a search found; nothing where there is no collection."""
        if call is None:
            return []
        try:
            return stored_of(cast(search_get_pb2.SearchReply, node.answer(call)))
        except Missing:
            self._seen = False
            return []

    def fetched(self, request: search_get_pb2.SearchRequest) -> dict[str, Stored]:
        """What enough nodes find, each object once as it was last written, by its uuid."""
        if not self.there():
            return {}
        return newest_of(self.cluster.read(lambda node: self._search(node, request), self.cluster.readers))

    def listed(self, names: Iterable[str], where: base_pb2.Filters, *, vectors: bool = False) -> Iterator[Stored]:
        """Every object that passes a filter, as it was last written, read some at a time."""
        return self._paged(lambda request: list(self.fetched(request).values()), list(names), where, vectors=vectors)

    def listed_by_each(self, names: Iterable[str], where: base_pb2.Filters) -> list[dict[str, Stored]]:
        """The same as so many nodes see it as acknowledge a write, and no fewer than a read asks."""
        if not self.there():
            return [{}]
        wanted = list(names)

        def listed(node: Connection) -> dict[str, Stored]:
            rows = self._paged(lambda request: self._search(node, request), wanted, where)
            return {row.uuid: row for row in rows}

        return self.cluster.read(listed, self.cluster.writers)

    def totals(self, where: base_pb2.Filters | None = None) -> list[tuple[str, Totals | None]]:
        """What each node counts, by its address; ``None`` where it does not answer. Exact with a filter only."""
        if not self.there():
            return []
        return self.cluster.each(lambda node: self._count(node, where))

    def counted(self, where: base_pb2.Filters | None = None) -> list[Totals]:
        """What so many nodes count as a read asks."""
        if not self.there():
            return [Totals()]
        return self.cluster.read(lambda node: self._count(node, where), self.cluster.readers)

    def write(self, objects: Mapping[str, batch_pb2.BatchObject]) -> None:
        """Write objects, by uuid, over any that are there. Those that fail are tried through another node."""
        for uuids in _slices(list(objects), _WRITTEN_AT_ONCE):
            left = {uuid: objects[uuid] for uuid in uuids}

            def act(node: Connection, seconds: float, left: dict[str, batch_pb2.BatchObject] = left) -> None:
                sent = list(left)
                request = writing(list(left.values()), self._place.consistency)
                reply = cast(batch_pb2.BatchObjectsReply, _asked(node, "BatchObjects", request, seconds))
                failed = {sent[error.index]: error.error for error in reply.errors}
                for uuid in sent:
                    if uuid not in failed:
                        del left[uuid]
                if failed:
                    raise failure_of_objects(failed.values(), node.address)

            self._writing(act)

    def delete(self, uuids: Iterable[str]) -> None:
        """Delete these objects, as often as it takes."""
        for some in _slices(list(uuids), _DELETED_AT_ONCE):
            request = deleting(self.name, among(some), self._place.consistency)

            def act(node: Connection, seconds: float, request: Message = request) -> bool:
                reply = cast(batch_delete_pb2.BatchDeleteReply, _asked(node, "BatchDelete", request, seconds))
                if reply.failed:
                    raise TryLater(f"Weaviate at {node.address} did not delete all that it was asked to.")
                return reply.matches > reply.successful

            while self._writing(act):
                pass

    def close(self) -> None:
        """Let go of all connections."""
        self.cluster.close()

    def _writing(self, act: Callable[[Connection, float], T]) -> T:
        try:
            return self.cluster.write(act)
        except Missing:
            self._seen = False
            raise

    def _search(self, node: Connection, request: search_get_pb2.SearchRequest) -> list[Stored]:
        return self.finish(node, node.start("Search", request, _LISTING_SECONDS))

    def _count(self, node: Connection, where: base_pb2.Filters | None) -> Totals:
        try:
            reply = _asked(node, "Aggregate", totals(self.name, where), _LISTING_SECONDS)
        except Missing:
            self._seen = False
            return Totals()
        single = cast(aggregate_pb2.AggregateReply, reply).single_result
        found = {one.property: one for one in single.aggregations.aggregations}
        if not single.objects_count:
            return Totals()
        chunks = single.objects_count if where is None else found["stamp"].int.count
        return Totals(chunks, found["embedded"].boolean.total_true, found["stamp"].int.sum)

    def _paged(
        self,
        ask: Callable[[search_get_pb2.SearchRequest], list[Stored]],
        names: list[str],
        where: base_pb2.Filters,
        *,
        vectors: bool = False,
    ) -> Iterator[Stored]:
        """Ranges of stamps, none with more than a page: a filter and a cursor do not go together on a server."""
        first, width = 0, STAMPS
        while first < STAMPS:
            end = min(first + width, STAMPS)
            within = where if end - first == STAMPS else all_of(where, stamped(first, end))
            try:
                found = ask(fetch(self.name, names, _PAGE, within, vectors=vectors))
            except Crowded:
                if end - first == 1:
                    raise
                found = None
            if (found is None or len(found) >= _PAGE) and end - first > 1:
                width = max(1, (end - first) // _NARROWER)
                continue
            yield from found or ()
            width = max(1, min(_NARROWER * width, width * _PAGE // (2 * len(found or ()) + 1)))
            first = end

    def _manage(self, act: Callable[[WeaviateClient], T]) -> T:
        def managed(node: Connection) -> T:
            with node.rest() as client:
                return act(client)

        return self.cluster.manage(managed)


def _asked(node: Connection, method: str, request: Message, seconds: float) -> Message:
    return node.answer(node.start(method, request, seconds))


def _slices(uuids: list[str], size: int) -> Iterator[list[str]]:
    return (uuids[first : first + size] for first in range(0, len(uuids), size))
