"""Properties and vectors on their way in and out, as gRPC writes them down."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from weaviate.proto.v1 import base_pb2, batch_pb2, properties_pb2

from connectors.model import Vector
from tests.fakes.weaviate.refusals import Refused
from tests.fakes.weaviate.schema import Collection

Properties = Mapping[str, Any]


def properties_in(told: batch_pb2.BatchObject.Properties) -> dict[str, Any]:
    """The properties of an object of a batch. What is null is not there."""
    plain = told.non_ref_properties.fields.items()
    found: dict[str, Any] = {name: getattr(one, one.WhichOneof("kind")) for name, one in plain}
    for arrays in (told.int_array_properties, told.text_array_properties, told.boolean_array_properties):
        found |= {array.prop_name: list(array.values) for array in arrays}
    for numbers in told.number_array_properties:
        found[numbers.prop_name] = list(struct.unpack(f"<{len(numbers.values_bytes) // 8}d", numbers.values_bytes))
    found |= {name: [] for name in told.empty_list_props}
    nothing = {name for name, one in plain if one.HasField("null_value")}
    return {name: value for name, value in found.items() if name not in nothing}


def vectors_in(told: batch_pb2.BatchObject) -> dict[str, Vector]:
    """The vectors by name; one without a name is the collection's only one."""
    found = {one.name: vector_in(one.vector_bytes) for one in told.vectors}
    return found | ({"": vector_in(told.vector_bytes)} if told.vector_bytes else {})


def vector_in(packed: bytes) -> Vector:
    return np.frombuffer(packed, "<f4").astype(np.float32)


def checked(properties: Properties, collection: Collection) -> dict[str, Any]:
    """The properties as the collection keeps them, or why not: nothing is added to a schema by itself."""
    return {name: _checked(name, value, collection) for name, value in properties.items()}


def named(vectors: Mapping[str, Vector], collection: Collection) -> dict[str, Vector]:
    """The vectors under the names that the collection has."""
    found = {name or next(iter(collection.vectors), ""): vector for name, vector in vectors.items()}
    for name in found:
        if name not in collection.vectors:
            raise Refused(f"collection {collection.name} does not have configuration for vector {name}")
    return found


def _checked(name: str, value: Any, collection: Collection) -> Any:
    data_type = collection.property_of(name).data_type
    kind, is_list = data_type.removesuffix("[]"), data_type.endswith("[]")
    if is_list and isinstance(value, list):
        return [_scalar(name, one, kind, collection) for one in value]
    return _scalar(name, value, kind, collection)


def _scalar(name: str, value: Any, kind: str, collection: Collection) -> Any:
    fits, wants = _KINDS[kind]
    if not fits(value):
        article = "an" if kind == "int" else "a"
        word = {"int": "integer"}.get(kind, kind)
        raise Refused(
            f"invalid {word} property '{name}' on class '{collection.name}': requires {article} {wants}, the given "
            f"value is '{value}'"
        )
    return int(value) if kind == "int" else value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda value: isinstance(value, str), "string"),
    "int": (lambda value: _is_number(value) and float(value).is_integer(), "integer"),
    "number": (_is_number, "float"),
    "boolean": (lambda value: isinstance(value, bool), "bool"),
}


def value_out(value: Any, data_type: str) -> properties_pb2.Value:
    """A property as a search tells it; null where the object has none."""
    if value is None:
        return properties_pb2.Value(null_value=0)
    if not data_type.endswith("[]"):
        return properties_pb2.Value(**{_SCALARS[data_type]: value})
    lists: dict[str, Callable[[], properties_pb2.ListValue]] = {
        "text[]": lambda: properties_pb2.ListValue(text_values=properties_pb2.TextValues(values=value)),
        "boolean[]": lambda: properties_pb2.ListValue(bool_values=properties_pb2.BoolValues(values=value)),
        "int[]": lambda: properties_pb2.ListValue(
            int_values=properties_pb2.IntValues(values=struct.pack(f"<{len(value)}q", *value))
        ),
        "number[]": lambda: properties_pb2.ListValue(
            number_values=properties_pb2.NumberValues(values=struct.pack(f"<{len(value)}d", *value))
        ),
    }
    return properties_pb2.Value(list_value=lists[data_type]())


_SCALARS = {"text": "text_value", "int": "int_value", "number": "number_value", "boolean": "bool_value"}


def vector_out(name: str, vector: Vector) -> base_pb2.Vectors:
    return base_pb2.Vectors(
        name=name, vector_bytes=vector.astype("<f4").tobytes(), type=base_pb2.Vectors.VECTOR_TYPE_SINGLE_FP32
    )
