"""The values of an answer: what was asked, what was found, what is said, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

MAX_QUESTION = 4_000
"""Characters of a question that count. What is longer is cut, and the answer says so."""

Speaker = Literal["user", "agent"]
Outcome = Literal["answered", "not_found", "error"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the thread."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question may be answered from: a knowledge base, resolved to the tags of its chunks."""

    knowledge_base: str
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asked, in its thread and its scope."""

    text: str
    scope: Scope
    turns: tuple[Turn, ...] = ()
    """Earlier turns only, oldest first."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk found for a question and vouched for by the ledger. ``url`` opens it; it comes from the ledger's link."""

    rank: int
    score: float
    chunk_id: str
    document_id: str
    source: str
    version: str
    title: str
    headings: tuple[str, ...]
    url: str
    text: str
    breadcrumbs: tuple[str, ...] = ()
    updated_at: datetime | None = None
    keyword_score: float = 0.0
    vector_score: float | None = None
    rerank_score: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A chunk that a store offered and that was kept out, and why. Its text is not carried."""

    title: str
    document_id: str
    reason: str
    score: float


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a search found, best first, and what was kept out."""

    passages: tuple[Passage, ...]
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A source an answer rests on. ``quote`` is an exact part of the passage's text."""

    n: int
    title: str
    url: str
    quote: str
    document_id: str
    updated_at: datetime | None = None
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nearest:
    """A page that came close, offered where there is no answer."""

    title: str
    url: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer, in words that may be shown. ``reference`` finds the log line."""

    kind: str
    message: str
    reference: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A finished paragraph, list item or code block of an answer that is still being written: Markdown with [n]."""

    text: str
    citations: tuple[Citation, ...] = ()
    """Those that this piece cites for the first time."""
    passages: tuple[Passage, ...] = ()
    """All that its writer was sent: whatever it says may be from any of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The one outcome of a question.

    ``text`` is Markdown with [n]: every [n] has exactly one citation and the reverse, numbered by first use. ``notes``
    are sentences a person should see beside it (quote mode, a cut question). ``dropped_citations`` counts the marks and
    citations that pointed at nothing we had sent. Numbers in ``timings`` are seconds. ``because`` says why there is an
    answer or none, without anybody's words.
    """

    outcome: Outcome
    text: str
    citations: tuple[Citation, ...] = ()
    nearest: tuple[Nearest, ...] = ()
    passages: tuple[Passage, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    model: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    dropped_citations: int = 0
    because: str = ""
