"""The three shapes to plug into: where documents come from, where chunks are kept, what turns text into vectors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from connectors.model import (
    Candidate,
    Chunk,
    Document,
    Held,
    Listing,
    NodeStanding,
    Query,
    StoredChunk,
    StoreStats,
    Unreadable,
    Vector,
)


class Connector(Protocol):
    """Reads one source. Synchronous; every call may raise TryLater or Misconfigured.

    A document id never changes with a title or a place. Whatever a connector cannot tell, it raises.
    """

    source: str
    conversion: str
    """Names the way bodies become Markdown, with a number. When it changes, every document is fetched again."""

    def manifest(self) -> Iterator[Listing]:
        """Every document of the source, once. Complete, or it raises; never a part."""

    def recent(self, since: datetime) -> Iterator[Listing]:
        """What probably changed since then. An accelerator: it may miss things."""

    def fetch(self, listings: Sequence[Listing]) -> Iterator[Document | Unreadable]:
        """The bodies, in bulk and in any order. A document that went away meanwhile is left out."""

    def gone(self, document_ids: Collection[str]) -> Collection[str]:
        """Those of these documents that really are gone from the source, or may no longer be seen by us."""


class KnowledgeStore(Protocol):
    """Keeps the chunks of one index. A copy that the ledger vouches for; it never decides what may be seen.

    Every call raises TryLater when the store cannot be reached and Misconfigured when a person must act.
    """

    def put(self, chunks: Sequence[Chunk]) -> None:
        """Add all chunks of one version of one document, beside whatever is there.

        All or nothing; the same put again changes nothing, and nothing else is left of that version. Vectors that are
        there stay where the words did. The chunks are answerable by their words at once.
        """

    def embed(self, vectors: Mapping[str, Vector]) -> None:
        """Give chunks, by chunk id, their vectors. Ids that the store does not hold are passed over."""

    def retire(self, source: str, kept: Mapping[str, tuple[str, str] | None]) -> None:
        """For each document id named, drop every version but the (version, pipeline) kept; ``None`` keeps nothing."""

    def search(self, query: Query) -> list[Candidate]:
        """The best ``limit`` by words and the best ``limit`` by vector within the scope, each with both true scores."""

    def sample(self) -> Sequence[Vector]:
        """A fixed sample of at most 512 of the index's vectors: what a question's cosines are measured against."""

    def unembedded(self, limit: int) -> list[Chunk]:
        """Some chunks that have no vector yet."""

    def contents(self, source: str) -> Iterator[Held]:
        """Every version of every document of a source that the store holds."""

    def export(self, source: str) -> Iterator[StoredChunk]:
        """Every chunk of a source, with its vector."""

    def stats(self, source: str | None = None) -> StoreStats:
        """How much is held, of one source or of all."""

    def nodes(self) -> Sequence[NodeStanding]:
        """How the machines stand that keep the index; none where it is a file."""

    def publish(self) -> None:
        """Make this the index that other programs find under the store's own name. Repeatable."""

    def drop(self) -> None:
        """Remove the index itself with all it holds. Repeatable; nothing else may be asked of it afterwards."""

    def close(self) -> None:
        """Let go of files and connections."""


class Embedder(Protocol):
    """Turns text into vectors."""

    fingerprint: str
    """Names the model and everything that changes its vectors. Two embedders with one fingerprint agree."""
    dimensions: int

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        """One vector a text, in the same order, each of length 1."""

    def embed_question(self, text: str) -> Vector:
        """The vector of a question, to be compared with those of texts."""
