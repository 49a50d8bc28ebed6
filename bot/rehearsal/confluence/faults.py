"""The moods of a server: what a rehearsal Confluence does instead of, or to, a good answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it goes over the wire."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Change = Callable[[Reply], Reply]


@dataclass(slots=True)
class Fault:
    """Changes answers to requests whose path and query contain ``where``: after the first ``skip``, ``times`` times."""

    where: str
    change: Change
    skip: int = 0
    times: int | None = None

    def takes(self, target: str) -> bool:
        """Whether this request is one to spoil. Counts."""
        if self.where not in target or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults that a server has, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, where: str, change: Change, *, skip: int = 0, times: int | None = None) -> None:
        """From now on, change answers to requests whose path and query contain ``where``."""
        with self._lock:
            self._faults.append(Fault(where, change, skip, times))

    def clear(self) -> None:
        """Be good again."""
        with self._lock:
            self._faults.clear()

    def applied(self, target: str, reply: Callable[[], Reply]) -> Reply:
        """The reply to a request, spoilt."""
        with self._lock:
            changes = [fault.change for fault in self._faults if fault.takes(target)]
        answer = reply()
        for change in changes:
            answer = change(answer)
        return answer


def json_reply(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})


def refused(status: int, headers: Mapping[str, str] | None = None, message: str = "") -> Change:
    """A status instead of an answer: 403, 404, 429 with any headers, 500, 503 …"""
    return lambda _: json_reply(status, {"statusCode": status, "message": message or f"status {status}"}, headers)


def wrong_scope() -> Change:
    """What the gateway says when a token lacks a scope."""
    headers = {"X-Failure-Category": "FAILURE_CLIENT_SCOPE_CHECK"}
    return lambda _: json_reply(401, {"code": 401, "message": "Unauthorized; scope does not match"}, headers)


def truncated(share: float = 0.5) -> Change:
    """A JSON answer that ends too soon."""
    return lambda reply: replace(reply, body=reply.body[: int(len(reply.body) * share)])


def empty() -> Change:
    """A 200 with nothing in it."""
    return lambda reply: replace(reply, status=200, body=b"")


def login_page() -> Change:
    """A web page with status 200, as single sign-on and company proxies send it."""
    page = b"<!DOCTYPE html><html><title>Log in with Atlassian account</title><body>Log in</body></html>"
    return lambda _: Reply(200, page, {"Content-Type": "text/html; charset=utf-8"})


def redirected(location: str) -> Change:
    """A redirect."""
    return lambda _: Reply(302, b"", {"Location": location})


def slow(seconds: float) -> Change:
    """The right answer, late."""

    def change(reply: Reply) -> Reply:
        time.sleep(seconds)
        return reply

    return change


def edited(change_of: Callable[[dict[str, Any]], Any]) -> Change:
    """The right answer with its JSON changed in place, or replaced by what ``change_of`` returns."""

    def change(reply: Reply) -> Reply:
        content = json.loads(reply.body)
        changed = change_of(content)
        return json_reply(reply.status, content if changed is None else changed, {})

    return change


def followed_by(action: Callable[[], None]) -> Change:
    """The right answer; and before the next request something happens on the site."""

    def change(reply: Reply) -> Reply:
        action()
        return reply

    return change
