"""What goes wrong with a Weaviate, named by what to do about it. Nothing that a server says is ever shown."""

from __future__ import annotations

from collections.abc import Iterable

import grpc  # type: ignore[import-untyped]
import httpx
from weaviate.exceptions import UnexpectedStatusCodeError

from connectors.errors import Misconfigured, QuothError, TryLater


class Missing(TryLater):
    """The collection is not there, or not any more."""


class Crowded(TryLater):
    """More was asked for than the server sends in one answer."""


OLDEST = (1, 37)
NEWEST = (1, 40)
"""Versions of the server that this was tested with: from the first, below the second."""

UNTESTED = (
    "Weaviate at {place} is of a version that Quoth was never tested with. It is tested with "
    f"{'.'.join(map(str, OLDEST))} up to, but not with, {'.'.join(map(str, NEWEST))}: run one of those."
)
_KEY = "Weaviate at {place} refuses the API key: set the variable that store.api_key_env names to a key that it knows."
_FORBIDDEN = (
    "Weaviate at {place} does not let this API key do that: give its user a role that may read, write and create the "
    "collections and aliases whose names begin with store.collection."
)

_SAID: tuple[tuple[str, type[QuothError], str], ...] = (
    ("could not find class", Missing, "Weaviate at {place} does not hold the collection."),
    ("class not found", Missing, "Weaviate at {place} does not hold the collection."),
    ("not present in schema", Missing, "Weaviate at {place} does not hold the collection."),
    ("is not supported. please use weaviate version", Misconfigured, UNTESTED),
    ("anonymous access not enabled", Misconfigured, _KEY),
    ("invalid api key", Misconfigured, _KEY),
    ("unauthorized", Misconfigured, _KEY),
    ("forbidden", Misconfigured, _FORBIDDEN),
    ("read-only", TryLater, "Weaviate at {place} takes no writes: its disk or memory is too full. Free some of it."),
    ("not enough memory", TryLater, "Weaviate at {place} has not enough memory: give it more, or raise its limit."),
    (
        "do not match the index dimensions",
        Misconfigured,
        "Weaviate at {place} holds vectors of another length than the embedding model gave. Set `embeddings` back, or "
        "run `quoth sync` with a new store.collection.",
    ),
    ("leader not found", TryLater, "The Weaviate cluster at {place} has no leader: start the other nodes."),
    ("no leader", TryLater, "The Weaviate cluster at {place} has no leader: start the other nodes."),
    (
        "consistency level",
        TryLater,
        "The Weaviate cluster at {place} has too few nodes up for store.consistency: start the others.",
    ),
    (
        "enough replicas",
        TryLater,
        "The Weaviate cluster at {place} has too few nodes up for store.consistency: start the others.",
    ),
    ("larger than max", Crowded, "Weaviate at {place} has more to say than fits into one answer."),
)

_CODES: dict[grpc.StatusCode, tuple[type[QuothError], str]] = {
    grpc.StatusCode.UNAUTHENTICATED: (Misconfigured, _KEY),
    grpc.StatusCode.PERMISSION_DENIED: (Misconfigured, _FORBIDDEN),
    grpc.StatusCode.DEADLINE_EXCEEDED: (TryLater, "Weaviate at {place} took too long to answer."),
    grpc.StatusCode.UNAVAILABLE: (TryLater, "Weaviate at {place} cannot be reached by gRPC (store.grpc_url)."),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (Crowded, "Weaviate at {place} has more to say than fits into one answer."),
    grpc.StatusCode.CANCELLED: (TryLater, "The connection to Weaviate at {place} was closed."),
}


_STATUSES = {401: _KEY, 403: _FORBIDDEN}


def failure_of_call(error: grpc.RpcError, place: str) -> QuothError:
    """What a failed gRPC call means for the operator."""
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    if found := _said((error.details() or "") if isinstance(error, grpc.Call) else "", place):
        return found
    kind, sentence = _CODES.get(code, (TryLater, f"Weaviate at {{place}} failed ({code.name})."))
    return kind(sentence.format(place=place))


def failure_of_objects(said: Iterable[str], place: str) -> QuothError:
    """What it means that some objects of a batch were not taken: the worst of what was said about them."""
    found = [_said(one, place) for one in set(said)]
    named = [failure for failure in found if failure]
    grave = [failure for failure in named if isinstance(failure, Misconfigured)]
    return next(iter(grave + named), TryLater(f"Weaviate at {place} did not take all chunks of a batch."))


def failure_of_request(error: Exception, place: str) -> QuothError:
    """What a failed REST call of the client means for the operator."""
    status = _status(error)
    if status in _STATUSES:
        return Misconfigured(_STATUSES[status].format(place=place))
    unnamed = "cannot be reached (store.url)" if status is None else f"failed (HTTP {status})"
    return _said(str(error), place) or TryLater(f"Weaviate at {place} {unnamed}.")


def refused(error: Exception) -> bool:
    """Whether a REST call failed because nobody in particular may make it."""
    return _status(error) in _STATUSES


def _status(error: BaseException | None) -> int | None:
    while error is not None:
        if isinstance(error, UnexpectedStatusCodeError):
            return error.status_code
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.status_code
        error = error.__cause__ or error.__context__
    return None


def _said(text: str, place: str) -> QuothError | None:
    lowered = text.lower()
    for beginning, kind, sentence in _SAID:
        if beginning in lowered:
            return kind(sentence.format(place=place))
    return None
