"""A house around the Slack side that works without models, stores or sources: what it says is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.answering.model import Answer, Citation, Passage, Piece, Question, Rejected, Scope
from bot.slack.app import House
from bot.slack.ports import Requested, RunState, SourceStatus
from bot.slack.rules import SlackRules

VPN = Citation(
    1, "VPN handbook", "https://wiki.acme.example/vpn#reset", "press Reset", "git:handbook:vpn.md",
    datetime(2026, 11, 1, tzinfo=UTC), ("Access", "Reset"),
)  # fmt: skip
FOUND = Passage(
    1, 0.91, "c1", "git:handbook:vpn.md", "handbook", "v1", "VPN handbook", ("Access", "Reset"),
    "https://wiki.acme.example/vpn#reset", "Open Settings and press Reset.", keyword_score=7.2, vector_score=0.83,
)  # fmt: skip
KEPT_OUT = Rejected("Salaries 2027", "git:board:salaries.md", "superseded version", 0.44)
ANSWER = Answer(
    "answered",
    "Open **Settings** and press *Reset*. [1]\n\nThen sign in again.",
    citations=(VPN,),
    passages=(FOUND,),
    rejected=(KEPT_OUT,),
    model="scripted",
    timings={"search": 0.01},
)


def scope_of(knowledge_base: str) -> Scope:
    """A knowledge base of one source of the same name."""
    return Scope(knowledge_base, frozenset({f"source:{knowledge_base}"}))


def rules(channels: dict[str, str], **others: Any) -> SlackRules:
    """Rules with two knowledge bases, and a source that is in none."""
    bases = {"engineering": ("handbook", "wiki"), "people": ("policies",)}
    return SlackRules(channels, scope_of, bases, ("handbook", "wiki", "policies", "attic"), **others)


def pieces_of(answer: Answer) -> list[Piece]:
    """The paragraphs of an answer, as a model would finish them."""
    paragraphs = answer.text.split("\n\n") if answer.outcome == "answered" else []
    return [Piece(text, answer.citations if at == 0 else ()) for at, text in enumerate(paragraphs)]


@dataclass
class ScriptedAnswerer:
    """Says the same to everybody, remembers every question, and can be slow or broken."""

    answer: Answer = ANSWER
    seconds: float = 0.0
    failure: Exception | None = None
    asked: list[Question] = field(default_factory=list)

    async def stream(self, question: Question) -> AsyncIterator[Piece | Answer]:
        self.asked.append(question)
        if self.failure is not None:
            raise self.failure
        for piece in pieces_of(self.answer):
            yield piece
            await asyncio.sleep(self.seconds)
        yield self.answer


@dataclass
class ScriptedSyncs:
    """Syncs that are done when they are told to be. ``queue``: takes nothing before it is set."""

    joined: bool = False
    done: bool = True
    failure: str | None = None
    requests: list[tuple[str, str]] = field(default_factory=list)
    queue: asyncio.Event | None = None

    async def request(self, source: str, asked_by: str) -> Requested:
        if self.queue is not None:
            await self.queue.wait()
        self.requests.append((source, asked_by))
        return Requested(f"run-{source}", self.joined)

    async def state(self, run: str) -> RunState:
        state = RunState(run.removeprefix("run-"), self.done, seen=12, added=1, seconds=0.4)
        return replace(state, failure=self.failure) if self.done else state


async def statuses(sources: Sequence[str]) -> Sequence[SourceStatus]:
    """Every source was read a moment ago."""
    return [SourceStatus(source, "git", datetime.now(UTC), 12, unreadable=1) for source in sources]


async def always_vouched(passages: Sequence[Passage], scope: Scope) -> bool:
    """Nothing was deleted meanwhile."""
    return True


def no_small_talk(text: str) -> str | None:
    """Everything but nothing is a question."""
    return None if text.strip(" :") else "Ask me a question."


def house(answerer: ScriptedAnswerer, syncs: ScriptedSyncs, **others: Any) -> House:
    """A house that works."""
    parts = {"still_vouched": always_vouched, "small_talk_of": no_small_talk, "statuses": statuses}
    return House(answerer=answerer, syncs=syncs, **(parts | others))
