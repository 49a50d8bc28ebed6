"""The real Slack side of the bot in front of a scripted answerer, against a rehearsal Slack, over a socket or HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bot.answering.model import Answer, Citation, Nearest, Passage, Piece, Question, Rejected, Scope
from bot.answering.smalltalk import small_talk_of
from bot.inbox.inbox import Inbox
from bot.inbox.presence import Presence
from bot.rehearsal.slack import Message, RehearsalSlack
from bot.slack.app import Connection, House, SlackApp
from bot.slack.ports import Requested, RunState, SourceStatus
from bot.slack.rules import SlackRules
from bot.web import WebServer, web_app
from tests.fakes.slack_desk import hasty_limits

Mode = Literal["socket", "http"]
VPN_URL = "https://wiki.example/vpn#Reset"
LOGIN_URL = "https://git.example/blob/c0ffee/login.md#L10-L20"
CITATIONS = (
    Citation(
        1, "VPN handbook", VPN_URL, "Open Settings", "confluence:wiki:1", datetime(2026, 1, 2, tzinfo=UTC), ("Reset",)
    ),
    Citation(2, "login.md", LOGIN_URL, "Log in again", "git:handbook:login.md"),
)
PASSAGE = Passage(1, 0.9, "c1", "confluence:wiki:1", "wiki", "1", "VPN handbook", ("Reset",), VPN_URL, "Open Settings")
PIECES = (
    Piece("Open **Settings**, then *VPN*. [1]", CITATIONS[:1]),
    Piece("1. Press `Reset`.\n2. Log in again. [2]", CITATIONS[1:]),
)
ANSWERED = Answer(
    "answered",
    "\n\n".join(piece.text for piece in PIECES),
    CITATIONS,
    passages=(PASSAGE,),
    rejected=(Rejected("Board minutes", "confluence:wiki:9", "out of scope", 0.8),),
    model="scripted",
)
NOT_FOUND = Answer(
    "not_found", "I did not find this.", nearest=(Nearest("VPN handbook", VPN_URL, "confluence:wiki:1"),)
)


@dataclass
class ScriptedAnswerer:
    """Says what it is told to, piece by piece, and remembers what it was asked. ``gate`` holds it up until set."""

    pieces: Sequence[Piece] = PIECES
    answer: Answer = ANSWERED
    pause_seconds: float = 0.0
    questions: list[Question] = field(default_factory=list)
    failure: Exception | None = None
    gate: asyncio.Event | None = None

    async def stream(self, question: Question) -> AsyncIterator[Piece | Answer]:
        self.questions.append(question)
        if self.failure is not None:
            raise self.failure
        for piece in self.pieces if self.answer.outcome == "answered" else ():
            yield piece
            await asyncio.sleep(self.pause_seconds)
            if self.gate is not None:
                await self.gate.wait()
        yield self.answer


@dataclass
class ScriptedSyncs:
    """Every sync takes as many looks as it is told, then ends well."""

    looks: int = 1
    requests: list[tuple[str, str]] = field(default_factory=list)

    async def request(self, source: str, asked_by: str) -> Requested:
        self.requests.append((source, asked_by))
        return Requested(f"run-{source}", joined=False)

    async def state(self, run: str) -> RunState:
        self.looks -= 1
        return RunState(run.removeprefix("run-"), finished=self.looks <= 0, seen=41, updated=2, chunks=99, seconds=1.5)


async def statuses_of(sources: Sequence[str]) -> Sequence[SourceStatus]:
    read = datetime.now(UTC) - timedelta(days=2)
    return [SourceStatus(source, "git", read, documents=41, unreadable=1) for source in sources]


class Desk:
    """One running bot. ``still_vouched`` may be turned off by a test."""

    def __init__(self, slack: RehearsalSlack, folder: Path, channels: dict[str, str], mode: Mode = "socket") -> None:
        self.slack = slack
        self.folder = folder
        self.mode = mode
        self.answerer = ScriptedAnswerer()
        self.syncs = ScriptedSyncs()
        self.still_vouched = True
        self.limits = hasty_limits()
        self._inbox: Inbox | None = None
        bases = {"engineering": ("handbook", "wiki"), "people": ("hr",)}
        self.rules = SlackRules(channels, scope_of, bases, ("handbook", "wiki", "hr"), direct_messages="engineering")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SlackApp]:
        """The bot, taking questions; drained at the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        presence = Presence(self.folder / "processes")
        inbox = Inbox(f"sqlite:///{self.folder / 'inbox.db'}", presence, keep_words=timedelta(days=30))
        self._inbox = inbox
        app = SlackApp(self._connection(), self.rules, inbox, self._house())
        try:
            await app.start()
            async with self._reachable(app):
                yield app
        finally:
            await app.drain(5.0)
            inbox.close()

    async def idle(self, timeout_seconds: float = 15.0) -> None:
        """Wait until every delivery is acknowledged and every question has its outcome."""
        await self.slack.settle()
        async with asyncio.timeout(timeout_seconds):
            while self._inbox is not None and await self._inbox.waiting():
                await asyncio.sleep(0.01)

    async def votes(self, question_id: str) -> dict[str, int]:
        """What people said of an answer."""
        assert self._inbox is not None
        return await self._inbox.votes(question_id)

    def _connection(self) -> Connection:
        slack = self.slack
        app_token = slack.app_token if self.mode == "socket" else None
        return Connection(slack.bot_token, app_token, slack.signing_secret, slack.api_url, self.limits)

    def _house(self) -> House:
        async def still_vouched(passages: Sequence[Passage], scope: Scope) -> bool:
            return self.still_vouched

        return House(self.answerer, still_vouched, small_talk_of, self.syncs, statuses_of)

    @asynccontextmanager
    async def _reachable(self, app: SlackApp) -> AsyncIterator[None]:
        if self.mode == "socket":
            await self.slack.connected()
            yield
            return
        server = WebServer(web_app(app.receive, {}), "127.0.0.1", 0)
        try:
            await server.start()
            await self.slack.deliver_to(f"http://127.0.0.1:{server.port}/slack/events")
            yield
        finally:
            await server.stop()


class Scene:
    """A workspace with one bound channel, somebody who asks, and a bot."""

    def __init__(self, slack: RehearsalSlack, folder: Path, mode: Mode) -> None:
        self.slack = slack
        self.asker = slack.add_user("Platform on-call")
        self.channel = slack.add_channel("engineering")
        self.bindings = {self.channel: "engineering"}
        self.desk = Desk(slack, folder, self.bindings, mode)

    def bound_channels(self, count: int) -> list[str]:
        """More channels of the same knowledge base."""
        channels = [self.slack.add_channel(f"team-{n}") for n in range(count)]
        self.bindings.update(dict.fromkeys(channels, "engineering"))
        return channels

    async def ask(self, words: str = "how do I reset the VPN?", thread_ts: str | None = None) -> str:
        return await self.slack.say(self.channel, self.asker, f"<@{self.slack.bot_user_id}> {words}", thread_ts)

    async def answer(self, ts: str, after: str = "") -> Message:
        """The finished answer, once its question has been seen off."""
        answer = await self.slack.answer_in(self.channel, ts, after=after)
        await self.desk.idle()
        return self.slack.workspace.message(self.channel, answer.ts)

    def answers_in(self, channel: str, ts: str) -> list[Message]:
        return [m for m in self.slack.thread(channel, ts) if m.user == self.slack.bot_user_id]

    def bot_messages(self) -> list[Message]:
        return [m for m in self.slack.workspace.history(self.channel) if m.user == self.slack.bot_user_id]


def scope_of(knowledge_base: str) -> Scope:
    return Scope(knowledge_base, frozenset({f"source:{knowledge_base}"}))
