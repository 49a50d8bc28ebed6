"""The way Slack says no: ``ok: false`` with a name, sometimes a status and a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """Slack's answer is an error of this name; ``details`` stand beside it in the body."""

    def __init__(
        self, error: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **details: Any
    ) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = dict(headers or {})
        self.details = details

    @property
    def body(self) -> dict[str, Any]:
        """The JSON that Slack sends."""
        return {"ok": False, "error": self.error, **self.details}


def rate_limited(seconds: int) -> Refused:
    """429: wait so many seconds."""
    return Refused("ratelimited", status=429, headers={"Retry-After": str(seconds)})


def missing_scope(needed: str, provided: frozenset[str]) -> Refused:
    """The token lacks a scope."""
    return Refused("missing_scope", needed=needed, provided=",".join(sorted(provided)))


def invalid_blocks(problems: list[str]) -> Refused:
    """Blocks that Slack would not take, with what is wrong with them."""
    return Refused(
        "invalid_blocks", errors=problems, response_metadata={"messages": [f"[ERROR] {p}" for p in problems]}
    )
