"""How a chunk looks as an object of the collection, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from weaviate.proto.v1 import base_pb2, batch_pb2, search_get_pb2

from connectors.model import Chunk, Vector, stamp_of
from connectors.store.bm25f import Words
from connectors.store.terms import keys_of
from connectors.store.weaviate.schema import PROPERTIES, VECTOR
from connectors.text.analysis import terms_of

IDENTITY = ("source", "document_id", "version", "pipeline", "ordinal")
"""What a chunk's id is made of."""
SHOWN = (
    *IDENTITY,
    "title",
    "headings",
    "text",
    "first_line",
    "last_line",
    "anchor",
    "tags",
    "seal",
)
"""What a chunk is made of."""
WORDS = ("head", "body", "near")
"""What its keyword score is made of."""
EVERYTHING = tuple(one.name for one in PROPERTIES)

_ON_THE_WIRE = np.dtype("<f4")

Value = str | int | bool | list[str]
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a node gave it: those of its properties that were asked for, whatever somebody wrote there."""

    uuid: str
    fields: Fields
    updated: int
    score: float = 0.0
    distance: float = 0.0
    vector: Vector | None = None

    @property
    def chunk(self) -> Chunk:
        """The chunk; needs the properties in ``SHOWN``, or those in ``IDENTITY`` for its id alone."""
        return Chunk(
            **{name: self._text(name) for name in ("source", "document_id", "version", "pipeline", "title", "text")},
            ordinal=ordinal if isinstance(ordinal := self.fields.get("ordinal"), int) else -1,
            headings=tuple(self._texts("headings")),
            first_line=first if isinstance(first := self.fields.get("first_line"), int) else None,
            last_line=last if isinstance(last := self.fields.get("last_line"), int) else None,
            anchor=anchor if isinstance(anchor := self.fields.get("anchor"), str) else None,
            tags=frozenset(self._texts("tags")),
            seal=self._text("seal"),
        )

    @property
    def words(self) -> Words:
        """The analysed terms; needs the properties in ``WORDS``."""
        head, body, near = (self._text(name).split() for name in WORDS)
        return Words(head, body, (near,))

    @property
    def embedded(self) -> bool:
        """Whether it says that it has a vector."""
        return self.fields.get("embedded") is True

    def _text(self, name: str) -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def _texts(self, name: str) -> Sequence[str]:
        value = self.fields.get(name)
        return value if isinstance(value, list) else ()


def fields_of(chunks: Sequence[Chunk]) -> dict[str, dict[str, Value]]:
    """The properties of a version's chunks, in order, by chunk id. ``embedded`` is false."""
    heads = [" ".join(keys_of(terms_of(" ".join((chunk.title, *chunk.headings))))) for chunk in chunks]
    bodies = [" ".join(keys_of(terms_of(chunk.text))) for chunk in chunks]
    around = ["", *bodies, ""]
    return {
        (chunk_id := chunk.chunk_id): {
            **_shown(chunk),
            "stamp": stamp_of(chunk_id),
            "embedded": False,
            "terms": " ".join((head, head, body)),
            "head": head,
            "body": body,
            "near": " ".join((before, after)),
        }
        for chunk, head, body, before, after in zip(chunks, heads, bodies, around, around[2:], strict=False)
    }


def _shown(chunk: Chunk) -> dict[str, Value]:
    every = {name: getattr(chunk, name) for name in SHOWN}
    every |= {"headings": list(chunk.headings), "tags": sorted(chunk.tags)}
    return {name: value for name, value in every.items() if value is not None}


def same(one: Fields, other: Fields) -> bool:
    """Whether two objects hold the same chunk and words, embedded or not. Empty is the same as absent."""
    return all((one.get(name) or None) == (other.get(name) or None) for name in EVERYTHING if name != "embedded")


def object_of(collection: str, uuid: str, fields: Fields, vector: Vector | None) -> batch_pb2.BatchObject:
    """An object to be written, with or without a vector."""
    plain = Struct()
    plain.update({name: value for name, value in fields.items() if not isinstance(value, list)})
    plain.fields["embedded"].bool_value = vector is not None
    lists = [(name, value) for name, value in fields.items() if isinstance(value, list)]
    return batch_pb2.BatchObject(
        collection=collection,
        uuid=uuid,
        properties=batch_pb2.BatchObject.Properties(
            non_ref_properties=plain,
            text_array_properties=[
                base_pb2.TextArrayProperties(prop_name=name, values=value) for name, value in lists if value
            ],
            empty_list_props=[name for name, value in lists if not value],
        ),
        vectors=[] if vector is None else [packed(vector)],
    )


def packed(vector: Vector) -> base_pb2.Vectors:
    """A vector as it travels."""
    return base_pb2.Vectors(
        name=VECTOR,
        vector_bytes=np.asarray(vector, _ON_THE_WIRE).tobytes(),
        type=base_pb2.Vectors.VECTOR_TYPE_SINGLE_FP32,
    )


def stored_of(reply: search_get_pb2.SearchReply) -> list[Stored]:
    """What a search found, in its order."""
    return [
        Stored(
            uuid=result.metadata.id,
            fields=_fields_of(result),
            updated=result.metadata.last_update_time_unix,
            score=result.metadata.score,
            distance=result.metadata.distance,
            vector=_vector_of(result.metadata),
        )
        for result in reply.results
    ]


def newest_of(found: Iterable[Iterable[Stored]]) -> dict[str, Stored]:
    """What several nodes gave, each object once, as it was last written."""
    merged: dict[str, Stored] = {}
    for one in chain.from_iterable(found):
        if one.uuid not in merged or merged[one.uuid].updated < one.updated:
            merged[one.uuid] = one
    return merged


def _fields_of(result: search_get_pb2.SearchResult) -> dict[str, Value]:
    named = ((name, _value_of(value)) for name, value in result.properties.non_ref_props.fields.items())
    return {name: value for name, value in named if value is not None}


def _value_of(value: Any) -> Value | None:
    match value.WhichOneof("kind"):
        case "text_value":
            return str(value.text_value)
        case "int_value":
            return int(value.int_value)
        case "bool_value":
            return bool(value.bool_value)
        case "list_value":
            return list(value.list_value.text_values.values)
        case _:
            return None


def _vector_of(metadata: search_get_pb2.MetadataResult) -> Vector | None:
    for named in metadata.vectors:
        if named.name == VECTOR and named.vector_bytes:
            return np.frombuffer(named.vector_bytes, _ON_THE_WIRE).astype(np.float32)
    return None
