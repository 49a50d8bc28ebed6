"""The values that travel between connectors, ledger, stores and the bot. All frozen, all valid once they exist."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""One embedding: one dimension, normalised to length 1."""

Markup = Literal["markdown", "plain"]

_SOURCE = "source:"
_CHUNKS = uuid.UUID("3f6f7a52-5a43-5b0e-9d3e-6f3f1a2b7c11")
_MARKED, _MARKS = 0xF << 76 | 0x3 << 62, 0x5 << 76 | 0x2 << 62
"""The bits of a UUID that say its version, 5, and its variant (RFC 9562)."""


def source_tag(source: str) -> str:
    """The tag that every chunk of a source carries."""
    return f"{_SOURCE}{source}"


def sources_of(tags: Iterable[str]) -> list[str]:
    """The sources that these tags let in, sorted."""
    return sorted(tag.removeprefix(_SOURCE) for tag in tags if tag.startswith(_SOURCE))


@dataclass(frozen=True, slots=True)
class Listing:
    """That a document exists, at a version, and where. No body."""

    document_id: str
    version: str
    title: str
    url: str
    parent: str | None = None
    breadcrumbs: tuple[str, ...] = ()
    updated_at: datetime | None = None
    restricted: bool = False
    """Not everybody who may use this source may see it: it must not be answerable."""


@dataclass(frozen=True, slots=True)
class Document:
    """One page or file, ready to be cut.

    ``version`` is that of this very body, which may be newer than the listing that led here.
    ``link`` opens a passage; ``{start}``, ``{end}`` and ``{anchor}`` in it are filled in by :func:`link_of`.
    ``lines`` gives for each line of ``text`` the 1-based line of the source file; ``None`` means the same line,
    ``()`` that lines mean nothing here. ``anchors`` gives for lines of ``text`` (0-based) that are headings
    their anchor.
    """

    source: str
    document_id: str
    version: str
    title: str
    text: str
    url: str
    link: str
    parent: str | None = None
    breadcrumbs: tuple[str, ...] = ()
    updated_at: datetime | None = None
    owner: str | None = None
    tags: frozenset[str] = frozenset()
    markup: Markup = "markdown"
    lines: tuple[int, ...] | None = None
    anchors: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that was listed and cannot be read, and why."""

    listing: Listing
    reason: str
    lasting: bool = True
    """The content itself is at fault: reading this version again would fail again."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored piece of one version of a document.

    ``text`` is shown and quoted; for Markdown it is an exact slice of the document. ``headings`` are outermost
    first and leave out the title. ``first_line`` and ``last_line`` are 1-based lines of the source file, both included.
    """

    source: str
    document_id: str
    version: str
    pipeline: str
    ordinal: int
    title: str
    headings: tuple[str, ...]
    text: str
    first_line: int | None = None
    last_line: int | None = None
    anchor: str | None = None
    tags: frozenset[str] = frozenset()
    seal: str = ""

    @property
    def chunk_id(self) -> str:
        """A UUID that is the same for the same source, document, version, pipeline and ordinal, everywhere."""
        parts = (self.source, self.document_id, self.version, self.pipeline, str(self.ordinal))
        return _uuid5("\0".join(parts))


@dataclass(frozen=True, slots=True)
class Query:
    """A question as a store understands it: analysed, weighted terms, and the scope as tags, never empty.

    ``pairs`` are terms that stand side by side in the question: a chunk where they do, too, counts for more.
    """

    terms: Mapping[str, float]
    vector: Vector | None
    tags: frozenset[str]
    limit: int
    pairs: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tags:
            raise ValueError("a query needs at least one tag: an empty scope finds nothing")
        if self.limit < 1:
            raise ValueError(f"a query needs a limit of at least 1, not {self.limit}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a store found, with both of its true scores.

    ``keyword_score`` is BM25, 0 where no term of the query occurs. ``vector_score`` is the cosine; ``None`` means
    that the chunk is not embedded yet or that the query had no vector, never 0.
    """

    chunk: Chunk
    keyword_score: float
    vector_score: float | None


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds of one version of a document."""

    document_id: str
    version: str
    pipeline: str
    chunks: int
    embedded: int


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as it stands in a store, with its vector if it has one."""

    chunk: Chunk
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How much a store holds. ``size_bytes`` is what it takes on disk, ``None`` where that cannot be told.

    ``digest`` is the sum of the chunks' stamps (:func:`stamp_of`): two stores with one count and one digest hold the
    same chunks, whatever they are called.
    """

    documents: int
    chunks: int
    embedded: int
    digest: int
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """How one node of a store's cluster stands. A node that lags answers, but misses what was written meanwhile."""

    name: str
    ready: bool
    lagging: bool
    chunks: int | None


@lru_cache(maxsize=10_000)
def _uuid5(name: str) -> str:
    """What ``str(uuid.uuid5(_CHUNKS, name))`` gives, in a third of the time: a search asks for hundreds, often."""
    number = int.from_bytes(hashlib.sha1(_CHUNKS.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digits = f"{number & ~_MARKED | _MARKS:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def stamp_of(chunk_id: str) -> int:
    """A number below 2**28 that is as good as drawn by lot for each chunk id: sums of it tell sets of chunks apart."""
    return int(chunk_id[:7], 16)


def link_of(link: str, chunk: Chunk) -> str:
    """Where a chunk can be opened: the document's link with this chunk's lines or anchor filled in.

    A chunk without lines or anchor opens its document: the fragment that would need them is left out.
    """
    places = {"{start}": chunk.first_line, "{end}": chunk.last_line, "{anchor}": chunk.anchor}
    if any(place in link and value is None for place, value in places.items()):
        return link.partition("#")[0]
    for place, value in places.items():
        link = link.replace(place, quote(str(value), safe="-._~!$&'()*+,;=:@/?%"))
    return link
