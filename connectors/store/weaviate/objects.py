"""How a chunk looks as an object of the collection, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from weaviate.proto.v1 import base_pb2, batch_pb2, search_get_pb2

from connectors.model import Chunk, Vector, stamp_of
from connectors.store.terms import keys_of
from connectors.store.weaviate.bags import bag_of
from connectors.store.weaviate.schema import PROPERTIES, VECTOR
from connectors.text.analysis import terms_of

IDENTITY = ("source", "document_id", "version", "pipeline", "ordinal")
"""What a chunk's id is made of, to be filtered by."""
SHOWN = ("card", "text")
"""What a chunk is made of. Every property that is asked for costs a server as much as a kilobyte does, so everything
but the text is in one, as JSON."""
BAG = "bag"
"""What its keyword score is made of."""
TERMS = "terms"
"""What the server searches: the terms of title and headings twice, then those of the text, in their order."""
EVERYTHING = tuple(one.name for one in PROPERTIES)

_CARD: dict[str, type | tuple[type, ...]] = {
    "source": str,
    "document_id": str,
    "version": str,
    "pipeline": str,
    "ordinal": int,
    "title": str,
    "headings": list,
    "first_line": (int, NoneType),
    "last_line": (int, NoneType),
    "anchor": (str, NoneType),
    "tags": list,
    "seal": str,
}
_ON_THE_WIRE = np.dtype("<f4")

Value = str | int | bool | list[str]
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a node gave it: those of its properties that were asked for, whatever somebody wrote there.

    Properties are decoded when they are looked at: most of what a search brings is not.
    """

    uuid: str
    properties: Any
    updated: int
    score: float = 0.0
    vector: Vector | None = None

    @property
    def chunk(self) -> Chunk:
        """The chunk; needs the properties in ``SHOWN``. Nobody's where somebody has spoiled them."""
        card = _read(self.text("card"))
        if card is None:
            return self.identity
        headings, tags = tuple(card.pop("headings")), frozenset(card.pop("tags"))
        return Chunk(**card, headings=headings, tags=tags, text=self.text("text"))

    @property
    def identity(self) -> Chunk:
        """A chunk of the same id and nothing else; needs the properties in ``IDENTITY``."""
        source, document_id, version, pipeline = (self.text(name) for name in IDENTITY[:-1])
        return Chunk(source, document_id, version, pipeline, self.number("ordinal"), title="", headings=(), text="")

    @property
    def embedded(self) -> bool:
        """Whether it says that it has a vector."""
        return "embedded" in self.properties and bool(self.properties["embedded"].bool_value)

    @property
    def fields(self) -> dict[str, Value]:
        """All properties that it came with."""
        named = ((name, _value_of(value)) for name, value in self.properties.items())
        return {name: value for name, value in named if value is not None}

    def analysed(self, head: int) -> tuple[str, str]:
        """The terms of title and headings, of which there are so many, and those of the text; needs ``TERMS``."""
        terms = self.text(TERMS).split(" ", 2 * head)
        return " ".join(terms[:head]), "".join(terms[2 * head :])

    def text(self, name: str) -> str:
        """A property that is a text; empty where it is none."""
        return str(self.properties[name].text_value) if name in self.properties else ""

    def number(self, name: str) -> int:
        """A property that is a whole number; 0 where it is none."""
        return int(self.properties[name].int_value) if name in self.properties else 0


def fields_of(chunks: Sequence[Chunk]) -> dict[str, dict[str, Value]]:
    """The properties of a version's chunks, in order, by chunk id. ``embedded`` is false."""
    heads = [keys_of(terms_of(" ".join((chunk.title, *chunk.headings)))) for chunk in chunks]
    bodies = [keys_of(terms_of(chunk.text)) for chunk in chunks]
    around = [[], *bodies, []]
    return {
        (chunk_id := chunk.chunk_id): {
            **{name: getattr(chunk, name) for name in IDENTITY},
            "tags": sorted(chunk.tags),
            "card": _card_of(chunk),
            "text": chunk.text,
            "stamp": stamp_of(chunk_id),
            "embedded": False,
            TERMS: " ".join((*head, *head, *body)),
            "bag": bag_of(head, body, [*before, *after]),
        }
        for chunk, head, body, before, after in zip(chunks, heads, bodies, around, around[2:], strict=False)
    }


def _read(card: str) -> dict[str, Any] | None:
    """What a card says, if it is one: a single spoiled object must not end every search."""
    try:
        values = json.loads(card)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != len(_CARD) or not all(map(isinstance, values, _CARD.values())):
        return None
    found = dict(zip(_CARD, values, strict=True))
    return found if all(isinstance(one, str) for one in (*found["headings"], *found["tags"])) else None


def _card_of(chunk: Chunk) -> str:
    listed = {"headings": list(chunk.headings), "tags": sorted(chunk.tags)}
    return json.dumps([listed.get(name, getattr(chunk, name)) for name in _CARD], ensure_ascii=False)


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
            properties=result.properties.non_ref_props.fields,
            updated=result.metadata.last_update_time_unix,
            score=result.metadata.score,
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
