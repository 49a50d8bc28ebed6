"""What the fake refuses, and how that looks on either wire."""

from __future__ import annotations

from dataclasses import dataclass

import grpc  # type: ignore[import-untyped]


@dataclass
class Refused(Exception):
    """A call that fails. ``code`` is what gRPC says, ``status`` what REST says, ``said`` the server's own words."""

    said: str
    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN
    status: int = 422


def unknown_class(name: str) -> Refused:
    return Refused(f"could not find class {name} in schema", status=404)


def unknown_property(name: str, collection: str) -> Refused:
    return Refused(
        f"no such prop with name '{name}' found in class '{collection}' in the schema. Check your schema files for "
        "which properties in this class are available"
    )


def unavailable(said: str) -> Refused:
    return Refused(said, grpc.StatusCode.UNAVAILABLE, 503)


def forbidden(who: str, may_not: str, what: str) -> Refused:
    said = (
        f"adminlist: authorization, forbidden action: user '{who}' has insufficient permissions to {may_not} [{what}]"
    )
    return Refused(said, grpc.StatusCode.PERMISSION_DENIED, 403)
