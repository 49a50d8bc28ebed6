"""The slash commands: reindex, status, scope, help."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.inbox import Inbox
from bot.slack.background import Background
from bot.slack.gate import NO_DIRECT, UNBOUND, Gate
from bot.slack.gateway import Gateway
from bot.slack.notices import Notices
from bot.slack.ports import Requested, RunState, SourceStatus, Statuses, Syncs
from bot.slack.rules import SlackRules
from bot.slack.sources import age_of
from connectors.errors import QuothError

log = structlog.get_logger()
Command = Mapping[str, Any]
_PROGRESS_AFTER_SECONDS = (5.0, 60.0, 600.0)
_LOOK_SECONDS = 0.5
_FORGET_AFTER_SECONDS = 6 * 3600.0
HELP = """Ask me by mentioning me in a channel; I answer in the thread with my sources.
{command} scope – what this channel is answered from
{command} status – the sources, when they were last read, and what could not be read
{command} reindex [source] – read the sources again now (admins); {reindex} does the same
{command} help – this text"""
NOT_ADMIN = "Only admins may start a sync. Ask one of them, or wait: every source is read again on its own schedule."


class Commands:
    """Answers commands to the one person who gave them."""

    def __init__(
        self, gateway: Gateway, inbox: Inbox, gate: Gate, rules: SlackRules, syncs: Syncs, statuses: Statuses
    ) -> None:  # fmt: skip
        self._gateway = gateway
        self._inbox = inbox
        self._gate = gate
        self._rules = rules
        self._syncs = syncs
        self._statuses = statuses
        self.background = Background()

    async def on_command(self, ack: AsyncAck, command: Command) -> None:
        """The whole command: its first word says what to do."""
        await self._take(ack, command, str(command.get("text") or ""))

    async def on_reindex(self, ack: AsyncAck, command: Command) -> None:
        """The short form: the text is a source."""
        await self._take(ack, command, f"reindex {command.get('text') or ''}")

    async def _take(self, ack: AsyncAck, command: Command, text: str) -> None:
        trigger = command.get("trigger_id")
        is_new = not trigger or await self._inbox.first_time(f"command:{trigger}")
        await ack()
        if is_new:
            self.background.start(self._run(command, text.split()), "command")

    async def _run(self, command: Command, words: Sequence[str]) -> None:
        notices = Notices(self._gateway, command)
        refusal = await self._gate.refusal_of(str(command.get("user_id")), command.get("user_team_id"))
        if refusal is not None:
            await notices.say(refusal.sentence)
            return
        try:
            await self._obey(command, words, notices)
        except QuothError as error:
            await notices.say(str(error))
        except Exception as error:
            log.exception("command.failed", error=type(error).__name__)
            await notices.say("Something went wrong on my side. The log of this moment says what.")

    async def _obey(self, command: Command, words: Sequence[str], notices: Notices) -> None:
        match [word.lower() for word in words[:1]] + list(words[1:]):
            case ["reindex"]:
                await self._reindex(command, None, notices)
            case ["reindex", source]:
                await self._reindex(command, source, notices)
            case ["status"]:
                await notices.say(await self._status(str(command.get("channel_id"))))
            case ["scope"]:
                await notices.say(self._scope(str(command.get("channel_id"))))
            case _:
                await notices.say(HELP.format(command=self._rules.command, reindex=self._rules.reindex_command))

    async def _reindex(self, command: Command, source: str | None, notices: Notices) -> None:
        user = str(command.get("user_id"))
        if not await self._gate.is_admin(user):
            await notices.say(NOT_ADMIN)
            return
        here = self._rules.sources_for(str(command.get("channel_id"))) or self._rules.sources
        chosen = here if source is None else (source,)
        if not chosen or (source is not None and source not in self._rules.sources):
            await notices.say(_no_such_source(source, self._rules.sources))
            return
        requested = {name: await self._syncs.request(name, user) for name in chosen}
        log.info("reindex.requested", asked_by=user, sources=list(chosen))
        await notices.say("\n".join(_begun(name, one) for name, one in requested.items()))
        await self._follow([one.run for one in requested.values()], notices)

    async def _follow(self, runs: Sequence[str], notices: Notices) -> None:
        waited, marks = 0.0, list(_PROGRESS_AFTER_SECONDS)
        while waited < _FORGET_AFTER_SECONDS:
            states = [await self._syncs.state(run) for run in runs]
            if all(state.finished for state in states):
                await notices.say("\n".join(_report(state) for state in states))
                return
            if marks and waited >= marks[0]:
                marks.pop(0)
                await notices.progress("\n".join(_progress(state) for state in states))
            await asyncio.sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS

    async def _status(self, channel: str) -> str:
        sources = self._sources_seen_from(channel)
        if not sources:
            return self._scope(channel)
        now = datetime.now(UTC)
        return "\n".join(_status_line(status, now) for status in await self._statuses(sources))

    def _scope(self, channel: str) -> str:
        base = self._base_of(channel)
        if base is None:
            return NO_DIRECT if channel.startswith("D") else UNBOUND.format(channel=channel)
        sources = ", ".join(self._rules.sources_of.get(base, ())) or "no source yet"
        return f"Answers here come from the knowledge base {base}: {sources}."

    def _sources_seen_from(self, channel: str) -> tuple[str, ...]:
        base = self._base_of(channel)
        return self._rules.sources_of.get(base, ()) if base is not None else ()

    def _base_of(self, channel: str) -> str | None:
        return self._rules.direct_messages if channel.startswith("D") else self._rules.channels.get(channel)


def _no_such_source(source: str | None, known: Sequence[str]) -> str:
    names = f"Known sources: {', '.join(known)}." if known else "No source is configured yet."
    return names if source is None else f"There is no source called {source!r}. {names}"


def _begun(source: str, requested: Requested) -> str:
    return f"{source}: joined the sync that is under way." if requested.joined else f"{source}: reading it again now."


def _progress(state: RunState) -> str:
    return _report(state) if state.finished else f"{state.source}: {state.seen} documents seen so far …"


def _report(state: RunState) -> str:
    if state.failure is not None:
        return f"{state.source}: failed. {state.failure}"
    counts = {"added": state.added, "updated": state.updated, "removed": state.removed, "held back": state.held,
              "unreadable": state.unreadable}  # fmt: skip
    changes = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing has changed"
    return f"{state.source}: done in {state.seconds:.1f} s. {state.seen} documents seen, {changes}."


def _status_line(status: SourceStatus, now: datetime) -> str:
    read = (
        "never read yet" if status.last_success is None else age_of(status.last_success, now).replace("updated", "read")
    )
    parts = [f"{status.documents} documents", read]
    parts += [f"{status.unreadable} unreadable"] if status.unreadable else []
    parts += [f"{status.held} removals wait for approval"] if status.held else []
    parts += ["being read now"] if status.running else []
    return f"{status.source} ({status.kind}): {', '.join(parts)}"
