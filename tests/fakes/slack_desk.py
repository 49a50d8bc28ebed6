"""The Slack app at its desk: a rehearsal workspace, an inbox on disk, a scripted house; all real but the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.inbox.inbox import Inbox
from bot.inbox.presence import Presence
from bot.rehearsal.slack.rehearsal import RehearsalSlack
from bot.rehearsal.slack.workspace import Message
from bot.slack.app import Connection, SlackApp
from bot.slack.limits import Limits
from tests.fakes.scripted_house import ScriptedAnswerer, ScriptedSyncs, house, rules

_HASTE = 50


def hasty_limits() -> Limits:
    """Slack's limits on a clock that runs fifty times as fast."""
    return Limits(lambda: time.monotonic() * _HASTE, lambda seconds: asyncio.sleep(seconds / _HASTE))


def inbox_in(folder: Path, **others: Any) -> Inbox:
    """An inbox in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"keep_words": timedelta(days=30)} | others
    return Inbox(f"sqlite:///{folder}/inbox.db", Presence(folder / "processes"), **settings)


@dataclass
class Desk:
    """One workspace, one bound channel, one person, one running app."""

    slack: RehearsalSlack
    app: SlackApp
    inbox: Inbox
    answerer: ScriptedAnswerer
    syncs: ScriptedSyncs
    person: str
    channel: str

    async def ask(self, text: str = "how do I reset the VPN?", thread_ts: str | None = None) -> str:
        """Mention the bot; the ts of the message."""
        return await self.slack.say(self.channel, self.person, f"<@{self.slack.bot_user_id}> {text}", thread_ts)

    async def idle(self, seconds: float = 5.0) -> None:
        """Wait until nothing is delivered, waiting or being answered any more."""
        async with asyncio.timeout(seconds):
            await self.slack.settle()
            while await self.inbox.waiting():
                await asyncio.sleep(0.01)

    def said(self, thread_ts: str, channel: str | None = None) -> list[Message]:
        """What the bot shows in a thread."""
        bot = self.slack.workspace.app.bot_id
        return [message for message in self.slack.thread(channel or self.channel, thread_ts) if message.bot_id == bot]


@asynccontextmanager
async def desk(folder: Path, *, slack: RehearsalSlack | None = None, **changes: Any) -> AsyncIterator[Desk]:
    """A desk over Socket Mode. ``changes``: rules, house parts (``answerer``, ``syncs``, …), ``keep_words``, ``at``."""
    async with slack or RehearsalSlack() as workspace:
        person = workspace.add_user("ada")
        channel = workspace.add_channel("eng")
        async with seated(folder, workspace, channel, **changes) as (app, inbox, answerer, syncs):
            await workspace.connected()
            yield Desk(workspace, app, inbox, answerer, syncs, person, channel)


@asynccontextmanager
async def seated(
    folder: Path, slack: RehearsalSlack, channel: str, **changes: Any
) -> AsyncIterator[tuple[SlackApp, Inbox, ScriptedAnswerer, ScriptedSyncs]]:
    """The app alone, connected to a workspace that is there already."""
    answerer = changes.pop("answerer", None) or ScriptedAnswerer()
    syncs = changes.pop("syncs", None) or ScriptedSyncs()
    inbox = inbox_in(
        folder, **{key: changes.pop(key) for key in ("keep_words", "clock", "busy_seconds", "share") if key in changes}
    )
    parts = {key: changes.pop(key) for key in ("still_vouched", "small_talk_of", "statuses") if key in changes}
    app_options = {key: changes.pop(key) for key in ("at", "at_once") if key in changes}
    reached = Connection(slack.bot_token, slack.app_token, api_url=slack.api_url, limits=hasty_limits())
    connection = changes.pop("connection", reached)
    rules_ = changes.pop("rules", None) or rules({channel: "engineering"}, **changes)
    app = SlackApp(connection, rules_, inbox, house(answerer, syncs, **parts), **app_options)
    try:
        await app.start()
        yield app, inbox, answerer, syncs
    finally:
        await app.drain(2.0)
        inbox.close()
