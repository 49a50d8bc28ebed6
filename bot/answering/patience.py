"""When a failed call of Claude is worth another try, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass

import anthropic
import httpx2

_OVERLOADED = frozenset({"overloaded_error", "api_error", "timeout_error"})
_SPENT = ("spend_limit", "spend limit", "usage limit", "credit balance", "billing")
_RETRIED = frozenset({408, 409, 500, 502, 503, 504, 529})
_RATE_LIMITED = 429
_OUR_FAULT = frozenset({401, 403})


class StreamCut(Exception):
    """A stream that ended without saying that it is over."""


@dataclass(frozen=True, slots=True)
class Patience:
    """One deadline for all tries together. Seconds."""

    deadline_seconds: float = 60.0
    tries: int = 4
    connect_seconds: float = 5.0
    silence_seconds: float = 20.0
    """Longest pause between two events of a stream; the API sends pings while it thinks."""
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 8.0


def pause_before_retry(error: Exception, tried: int, remaining: float, patience: Patience) -> float | None:
    """Seconds to wait before the next try; ``None`` when there must be none.

    A wait that the API asks for is honoured if it fits into what remains, and never beyond. A rate limit without a
    time, a spent budget, a refused key and a request that is wrong are final.
    """
    if tried >= patience.tries or not _is_passing(error):
        return None
    asked = _retry_after(error)
    if isinstance(error, anthropic.APIStatusError) and error.status_code == _RATE_LIMITED and asked is None:
        return None
    grown = min(patience.first_pause_seconds * 2 ** (tried - 1), patience.longest_pause_seconds)
    pause = asked if asked is not None else grown * random.uniform(0.5, 1.0)  # noqa: S311  # Jitter, not a secret.
    return pause if pause < remaining else None


def is_our_fault(error: Exception) -> bool:
    """Whether the key was refused: an operator must act."""
    return isinstance(error, anthropic.APIStatusError) and error.status_code in _OUR_FAULT


def name_of(error: Exception) -> str:
    """The failure for a log: a type and a status, nothing that anybody wrote."""
    status = error.status_code if isinstance(error, anthropic.APIStatusError) else ""
    return f"{type(error).__name__} {status}".strip()


def _is_passing(error: Exception) -> bool:
    if isinstance(error, anthropic.APIStatusError):
        return _is_passing_status(error)
    return isinstance(error, (anthropic.APIConnectionError, httpx2.TransportError, StreamCut))


def _is_passing_status(error: anthropic.APIStatusError) -> bool:
    if any(sign in str(error.body).lower() for sign in _SPENT):
        return False
    if error.status_code == httpx2.codes.OK:  # An error event inside of a stream.
        return _kind_of(error.body) in _OVERLOADED
    return error.status_code in _RETRIED or error.status_code == _RATE_LIMITED


def _kind_of(body: object) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("type", "")) if isinstance(error, dict) else ""


def _retry_after(error: Exception) -> float | None:
    if not isinstance(error, anthropic.APIStatusError):
        return None
    try:
        return max(0.0, float(error.response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
