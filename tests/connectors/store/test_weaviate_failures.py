from __future__ import annotations

import grpc
import pytest

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.store.weaviate.failures import Missing, failure_of_call, failure_of_objects

PLACE = "http://there:8080"


class Refusal(grpc.RpcError):  # type: ignore[misc]
    """A failed call as gRPC raises it."""

    def __init__(self, code: grpc.StatusCode, said: str | None) -> None:
        self._code, self._said = code, said

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str | None:
        return self._said


grpc.Call.register(Refusal)


@pytest.mark.parametrize(
    ("code", "said", "kind", "says"),
    [
        ("UNKNOWN", "could not find class Quoth_x in schema", Missing, "does not hold the collection"),
        ("UNAUTHENTICATED", "unauthorized: invalid api key", Misconfigured, "store.api_key_env"),
        ("PERMISSION_DENIED", "rbac: forbidden", Misconfigured, "role"),
        ("UNKNOWN", "store is read-only due to: disk usage too high", TryLater, "takes no writes"),
        ("UNKNOWN", "cannot process: not enough memory", TryLater, "not enough memory"),
        ("UNKNOWN", "cannot achieve consistency level QUORUM", TryLater, "too few nodes"),
        ("UNKNOWN", "leader not found", TryLater, "has no leader"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", TryLater, "too long"),
        ("UNAVAILABLE", "failed to connect to all addresses", TryLater, "cannot be reached"),
        ("INTERNAL", None, TryLater, "INTERNAL"),
    ],
)
def test_every_failure_says_what_to_do(code: str, said: str | None, kind: type[QuothError], says: str) -> None:
    failure = failure_of_call(Refusal(grpc.StatusCode[code], said), PLACE)
    assert type(failure) is kind
    assert says in str(failure)
    assert PLACE in str(failure)


def test_a_servers_own_words_are_not_shown() -> None:
    for failure in (
        failure_of_call(Refusal(grpc.StatusCode.UNKNOWN, "the combination is 4711"), PLACE),
        failure_of_objects(["the combination is 4711"], PLACE),
    ):
        assert "4711" not in str(failure)


def test_the_gravest_of_many_refusals_is_named() -> None:
    said = ["?", "not enough memory", "vector dimensions do not match the index dimensions"]
    assert isinstance(failure_of_objects(said, PLACE), Misconfigured)
    assert "not enough memory" in str(failure_of_objects(said[:2], PLACE))
