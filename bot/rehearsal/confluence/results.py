"""Pages of results with keyset cursors, as Confluence hands them out."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from bot.rehearsal.confluence.asking import Asked, bad_request

T = TypeVar("T")
Key = tuple[Any, int]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results, and the URL of the next one below the host, or nothing."""

    rows: list[Any]
    next: str


def page_of(asked: Asked, things: Iterable[T], key_of: Callable[[T], Key], *, down: bool, most: int) -> Page:
    """The results after the cursor, at most as many as asked for and as the server is willing to give.

    A keyset cursor names the last result, not a position: what is added, edited or removed meanwhile moves nothing.
    """
    ordered = sorted(((_plain(key_of(thing)), thing) for thing in things), key=lambda pair: pair[0], reverse=down)
    after = _cursor(asked)
    if after is not None:
        ordered = [(key, thing) for key, thing in ordered if (key < after if down else key > after)]
    size = min(asked.limit(), most)
    rows = ordered[:size]
    more = _next(asked, rows[-1][0]) if len(ordered) > size else ""
    return Page([thing for _, thing in rows], more)


def _plain(key: Key) -> Key:
    value, identity = key
    return (value.isoformat() if hasattr(value, "isoformat") else value), identity


def _cursor(asked: Asked) -> Key | None:
    text = asked.text("cursor")
    if not text:
        return None
    try:
        decoded = json.loads(base64.b64decode(text, validate=True))
        return decoded["contentOrderValue"], int(decoded["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise bad_request("The provided cursor is invalid: cursor") from None


def _next(asked: Asked, key: Key) -> str:
    content = {"id": str(key[1]), "contentOrder": asked.text("sort", "id"), "contentOrderValue": key[0]}
    cursor = base64.b64encode(json.dumps(content).encode()).decode()
    # The cursor is not the last parameter, and its "=" is escaped: clients that cut the text apart get it wrong.
    rest = {name: values for name, values in asked.query.items() if name not in {"cursor", "limit"}}
    query = f"limit={asked.text('limit', '25')}&cursor={quote(cursor, safe='')}&{urlencode(rest, doseq=True)}"
    return f"{asked.path}?{query.rstrip('&')}"
