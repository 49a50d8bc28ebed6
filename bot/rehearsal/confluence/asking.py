"""A request to a rehearsal Confluence, checked as the real one checks it, and the refusals it earns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from bot.rehearsal.confluence.faults import Reply, json_reply

MOST_IDS = 250
MOST_SPACES = 100


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the path below ``/wiki``, its query, and its JSON."""

    method: str
    path: str
    query: dict[str, list[str]]
    content: Any = None

    def text(self, name: str, default: str = "") -> str:
        """The last value of a parameter."""
        return self.query.get(name, [default])[-1]

    def many(self, name: str) -> list[str]:
        """All values of a parameter, however they are spread over commas and repetitions."""
        return [part for value in self.query.get(name, []) for part in value.split(",") if part]

    def one_of(self, name: str, allowed: Collection[str], default: str) -> str:
        """The value of a parameter that has only a few."""
        value = self.text(name, default)
        if value not in allowed:
            raise bad_request(f"Provided value {{{value}}} for '{name}' is not the correct type. Expected: {allowed}")
        return value

    def ids(self, name: str, most: int) -> list[str]:
        """The ids of a parameter."""
        ids = self.many(name)
        if len(ids) > most or not all(part.isdigit() for part in ids):
            raise bad_request(f"'{name}' takes at most {most} numeric ids")
        return ids

    def limit(self, default: int = 25, most: int = 250) -> int:
        """The size of a page of results that is asked for."""
        text = self.text("limit", str(default))
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise bad_request(f"Provided value {{{text}}} for 'limit' is not in 1..{most}")
        return int(text)


def asked_of(method: str, target: str, content: Any = None) -> Asked:
    """The request behind the first line of HTTP."""
    parts = urlsplit(target)
    return Asked(method, unquote(parts.path).removeprefix("/wiki"), parse_qs(parts.query), content)


def bad_request(title: str, code: str = "INVALID_REQUEST_PARAMETER") -> Refused:
    """A 400 as v2 says it."""
    return _v2_refusal(400, code, title)


def not_found(title: str = "Not Found") -> Refused:
    """A 404 as v2 says it."""
    return _v2_refusal(404, "NOT_FOUND", title)


def v1_refusal(status: int, message: str) -> Refused:
    """An error as v1 says it."""
    data = {"authorized": status != 403, "valid": False, "errors": [], "successful": False}  # noqa: PLR2004  # Forbidden.
    return Refused(json_reply(status, {"statusCode": status, "data": data, "message": message}))


def _v2_refusal(status: int, code: str, title: str) -> Refused:
    return Refused(json_reply(status, {"errors": [{"status": status, "code": code, "title": title, "detail": None}]}))
