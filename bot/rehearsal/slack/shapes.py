"""What a JSON value must look like: small checks that yield a sentence for each thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any], Iterator[str]]


def string(longest: int, shortest: int = 0) -> Check:
    """Text of a bounded length."""

    def check(value: Any) -> Iterator[str]:
        if not isinstance(value, str):
            yield "must be a string"
        elif not shortest <= len(value) <= longest:
            yield f"must be {shortest} to {longest} characters, is {len(value)}"

    return check


def one_of(*allowed: Any) -> Check:
    """One of a few constants."""

    def check(value: Any) -> Iterator[str]:
        if value not in allowed:
            yield f"must be one of {allowed}"

    return check


def of_type(*kinds: type) -> Check:
    """A JSON value of a type."""

    def check(value: Any) -> Iterator[str]:
        if not isinstance(value, kinds):
            yield f"must be a {kinds[0].__name__}"

    return check


def many(item: Check, most: int, least: int = 0) -> Check:
    """A list of bounded length."""

    def check(value: Any) -> Iterator[str]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            yield f"must be a list of {least} to {most}"
            return
        for n, element in enumerate(value):
            yield from (f"{n}/{problem}" for problem in item(element))

    return check


def shape(fields: Mapping[str, Check], required: str) -> Check:
    """An object with these fields and no other; ``required`` names some, with blanks between."""

    def check(value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield "must be an object"
            return
        yield from (f"unknown key {key!r}" for key in value.keys() - fields.keys())
        yield from (f"missing {key!r}" for key in required.split() if key not in value)
        for key, inner in fields.items():
            if key in value:
                yield from (f"{key}: {problem}" for problem in inner(value[key]))

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object whose ``type`` says which shape it has."""

    def check(value: Any) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            yield f"unsupported type {kind!r}"
        else:
            yield from kinds[kind](value)

    return check
