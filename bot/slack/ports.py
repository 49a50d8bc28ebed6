"""What the Slack side needs of the rest of the house, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.answering.model import Answer, Passage, Piece, Question, Scope


class Answerer(Protocol):
    """Answers questions."""

    def stream(self, question: Question) -> AsyncIterator[Piece | Answer]:
        """Finished pieces while the model writes, then exactly one Answer, last."""


StillVouched = Callable[[Sequence[Passage], Scope], Awaitable[bool]]
"""Whether every passage that a model was sent may still be seen in a scope."""

SmallTalk = Callable[[str], str | None]
"""The one short line that answers thanks, a greeting or nothing at all; None for a question."""


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a sync of one source is. ``failure`` is a sentence for a person, when it failed."""

    source: str
    finished: bool
    seen: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    held: int = 0
    unreadable: int = 0
    chunks: int = 0
    seconds: float = 0.0
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """A sync that was asked for. ``joined``: it was under way already."""

    run: str
    joined: bool


class Syncs(Protocol):
    """Asks for syncs. It never runs one itself."""

    async def request(self, source: str, asked_by: str) -> Requested:
        """Ask for a sync of a source, or join the one under way. Raises QuothError with a sentence."""

    async def state(self, run: str) -> RunState:
        """How far a run is."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What is known about a source."""

    source: str
    kind: str
    last_success: datetime | None
    documents: int
    unreadable: int = 0
    held: int = 0
    running: bool = False


Statuses = Callable[[Sequence[str]], Awaitable[Sequence[SourceStatus]]]
"""The status of these sources, in this order."""
