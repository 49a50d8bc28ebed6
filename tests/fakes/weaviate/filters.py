"""Filters, as gRPC writes them down, on the fake's own objects."""

from __future__ import annotations

import fnmatch
import operator
from collections.abc import Callable, Sequence
from typing import Any

from weaviate.proto.v1 import base_pb2

from tests.fakes.weaviate.refusals import Refused, unknown_property
from tests.fakes.weaviate.schema import Collection, Property
from tests.fakes.weaviate.shard import Accepts, Stored
from tests.fakes.weaviate.words import tokens_of

_F = base_pb2.Filters
_COMPARED: dict[int, Callable[[Any, Any], bool]] = {
    _F.OPERATOR_GREATER_THAN: operator.gt,
    _F.OPERATOR_GREATER_THAN_EQUAL: operator.ge,
    _F.OPERATOR_LESS_THAN: operator.lt,
    _F.OPERATOR_LESS_THAN_EQUAL: operator.le,
}


def accepts(told: base_pb2.Filters, collection: Collection) -> Accepts:
    """Whether an object passes. Raises what the server would refuse before it looks at any."""
    if told.operator in (_F.OPERATOR_AND, _F.OPERATOR_OR, _F.OPERATOR_NOT):
        return _joined(told.operator, [accepts(one, collection) for one in told.filters])
    name = told.target.property or (told.on[0] if told.on else "")
    if name in ("_id", "id"):
        return _by_id(told)
    one = collection.properties.get(name)
    if one is None:
        raise unknown_property(name, collection.name)
    _check_index(one)
    if told.operator == _F.OPERATOR_IS_NULL:
        raise Refused(
            "resolve doc ids for prop/value pair: Nullstate must be indexed to be filterable! Add `indexNullState: "
            "true` to the invertedIndexConfig"
        )
    wanted = _values(told)
    _check_types(one, wanted)
    return _by_value(told.operator, one, wanted)


def _joined(how: int, parts: Sequence[Accepts]) -> Accepts:
    if how == _F.OPERATOR_NOT:
        return lambda stored: not parts[0](stored)
    both = all if how == _F.OPERATOR_AND else any
    return lambda stored: both(part(stored) for part in parts)


def _by_id(told: base_pb2.Filters) -> Accepts:
    wanted = {str(value).lower() for value in _values(told)}
    if told.operator in (_F.OPERATOR_EQUAL, _F.OPERATOR_CONTAINS_ANY):
        return lambda stored: stored.object_id in wanted
    if told.operator in (_F.OPERATOR_NOT_EQUAL, _F.OPERATOR_CONTAINS_NONE):
        return lambda stored: stored.object_id not in wanted
    compared = _COMPARED[told.operator]
    return lambda stored: compared(stored.object_id, min(wanted))


def _by_value(how: int, one: Property, wanted: Sequence[Any]) -> Accepts:
    held = _held(one)
    if how in _COMPARED:
        return lambda stored: any(_COMPARED[how](value, wanted[0]) for value in held(stored))
    if how == _F.OPERATOR_LIKE:
        return lambda stored: any(fnmatch.fnmatchcase(str(value), str(wanted[0])) for value in held(stored))
    passes = [_equals(one, value) for value in wanted]
    if how == _F.OPERATOR_CONTAINS_ALL:
        return lambda stored: all(equal(held(stored)) for equal in passes)
    if how in (_F.OPERATOR_EQUAL, _F.OPERATOR_CONTAINS_ANY):
        return lambda stored: any(equal(held(stored)) for equal in passes)
    if how in (_F.OPERATOR_NOT_EQUAL, _F.OPERATOR_CONTAINS_NONE):
        return lambda stored: not any(equal(held(stored)) for equal in passes)
    raise NotImplementedError(f"the fake does not know the filter operator {how}")


def _held(one: Property) -> Callable[[Stored], set[Any]]:
    """What the inverted index holds of an object."""

    def held(stored: Stored) -> set[Any]:
        value = stored.properties.get(one.name)
        values = [] if value is None else value if isinstance(value, list) else [value]
        if one.is_text:
            return {token for text in values for token in tokens_of(text, one.tokenization)}
        return set(values)

    return held


def _equals(one: Property, value: Any) -> Callable[[set[Any]], bool]:
    """Equal is: every token of the value is there, in whatever order."""
    if not one.is_text:
        return lambda held: value in held
    tokens = set(tokens_of(value, one.tokenization))
    return lambda held: bool(tokens) and tokens <= held


def _check_index(one: Property) -> None:
    if not (one.filterable or one.searchable or one.rangeable):
        raise Refused(
            f"Filtering by property '{one.name}' requires inverted index. Is `indexFilterable` option of property "
            f"'{one.name}' enabled? Set it to `true` or leave empty"
        )


def _check_types(one: Property, wanted: Sequence[Any]) -> None:
    kind = one.data_type.removesuffix("[]")
    for value in wanted:
        if kind == "text" and not isinstance(value, str):
            raise Refused(f"expected value to be string, got '{type(value).__name__}'")
        if kind == "int" and not isinstance(value, int):
            raise Refused(
                f"expected an integer value, but could not parse string '{value}' as int: strconv.ParseFloat: parsing "
                f'"{value}": invalid syntax'
            )


def _values(told: base_pb2.Filters) -> list[Any]:
    which = told.WhichOneof("test_value")
    if which is None:
        return []
    value = getattr(told, which)
    return list(value.values) if which.endswith("_array") else [value]
