"""Where a Weaviate is and how it is to be used. Imports nothing of the client, so that settings may build it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Consistency = Literal["one", "quorum", "all"]


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of a Weaviate cluster.

    ``http`` is its REST address (``http://host:8080``). ``grpc`` is host and port (``host:50051``), where the
    connection is as safe as the REST one; ``grpc://`` and ``grpcs://`` before it say otherwise.
    """

    http: str
    grpc: str


@dataclass(frozen=True, slots=True)
class WeaviatePlace:
    """The nodes of one Weaviate, and the names and promises that an index is kept under.

    ``replicas`` is how many nodes hold each chunk, ``consistency`` how many of those acknowledge a write.
    ``collection`` is the alias that other programs find the live index under.
    """

    nodes: tuple[Node, ...]
    api_key: str | None = field(default=None, repr=False)
    replicas: int = 1
    consistency: Consistency = "quorum"
    collection: str = "Quoth"
    allow_anonymous: bool = False
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ValueError("a Weaviate needs at least one node")
        if self.replicas < 1:
            raise ValueError(f"a chunk needs at least one replica, not {self.replicas}")

    @property
    def acknowledgements(self) -> int:
        """How many replicas have a write for sure once it is acknowledged."""
        return {"one": 1, "quorum": self.replicas // 2 + 1, "all": self.replicas}[self.consistency]

    @property
    def readers(self) -> int:
        """How many different nodes a read asks, so that at least one of them has every acknowledged write.

        At most as many as are named: a single address in front of a cluster cannot be asked for more.
        """
        return min(self.replicas - self.acknowledgements + 1, len(self.nodes))
