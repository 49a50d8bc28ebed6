"""Reading sources again because somebody told us to: queued first, acknowledged then, followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.inbox.inbox import Inbox
from bot.slack.background import Background
from bot.slack.gate import Gate
from bot.slack.gateway import Gateway
from bot.slack.literal import escaped
from bot.slack.notices import Notices
from bot.slack.ports import Requested, RunState, Syncs
from bot.slack.rules import SlackRules
from connectors.errors import QuothError

log = structlog.get_logger()
Command = Mapping[str, Any]
_QUEUE_SECONDS = 2.3
"""Slack waits three for the acknowledgement, and the ways there and back take their part."""
_PROGRESS_AFTER_SECONDS = (5.0, 60.0, 600.0)
_LOOK_SECONDS = 0.5
_FORGET_AFTER_SECONDS = 6 * 3600.0
NOT_ADMIN = "Only admins may start a sync. Ask one of them, or wait: every source is read again on its own schedule."
TOO_SLOW = "I could not put this into the queue in time. Please try again in a minute."
FAILED = "Something went wrong on my side. The log of this moment says what."


class NotQueued(Exception):
    """Nothing is read again, for a reason that the person is told in one sentence."""


class Reindex:
    """Has sources read again. What was acknowledged is in the queue, whatever becomes of this process."""

    def __init__(
        self, gateway: Gateway, inbox: Inbox, gate: Gate, rules: SlackRules, syncs: Syncs, background: Background
    ) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._gate = gate
        self._rules = rules
        self._syncs = syncs
        self._background = background

    async def take(self, ack: AsyncAck, command: Command, source: str | None) -> None:
        """Queue one source, or every source of the channel; a no is told in the acknowledgement."""
        try:
            async with asyncio.timeout(_QUEUE_SECONDS):
                requested = await self._requested(command, source)
                is_new = await self._is_new(command)
        except (NotQueued, QuothError) as error:
            await _refuse(ack, str(error))
        except TimeoutError:
            await _refuse(ack, TOO_SLOW)
        except Exception as error:
            log.exception("command.failed", error=type(error).__name__)
            await _refuse(ack, FAILED)
        else:
            await ack()
            if is_new:
                self._background.start(self._follow(requested, Notices(self._gateway, command)), "reindex")

    async def _requested(self, command: Command, source: str | None) -> dict[str, Requested]:
        user = str(command.get("user_id"))
        refusal = await self._gate.refusal_of(user, command.get("user_team_id"))
        if refusal is not None:
            raise NotQueued(refusal.sentence)
        if not await self._gate.is_admin(user):
            raise NotQueued(NOT_ADMIN)
        chosen = self._sources(str(command.get("channel_id")), source)
        log.info("reindex.requested", asked_by=user, sources=list(chosen))
        return {name: await self._syncs.request(name, user) for name in chosen}

    def _sources(self, channel: str, source: str | None) -> tuple[str, ...]:
        known = self._rules.sources
        chosen = self._rules.sources_for(channel) or known if source is None else (source,)
        if chosen and set(chosen) <= set(known):
            return chosen
        names = f"Known sources: {', '.join(known)}." if known else "No source is configured yet."
        raise NotQueued(names if source is None else f"There is no source called {source!r}. {names}")

    async def _is_new(self, command: Command) -> bool:
        """Asked after the queue has it: a command that comes again after a crash joins what it had asked for."""
        trigger = command.get("trigger_id")
        return not trigger or await self._inbox.first_time(f"command:{trigger}")

    async def _follow(self, requested: Mapping[str, Requested], notices: Notices) -> None:
        try:
            await notices.say("\n".join(_begun(name, one) for name, one in requested.items()))
            await self._report([one.run for one in requested.values()], notices)
        except QuothError as error:
            await notices.say(str(error))

    async def _report(self, runs: Sequence[str], notices: Notices) -> None:
        waited, marks = 0.0, list(_PROGRESS_AFTER_SECONDS)
        while waited < _FORGET_AFTER_SECONDS:
            states = [await self._syncs.state(run) for run in runs]
            if all(state.finished for state in states):
                await notices.say("\n".join(_result(state) for state in states))
                return
            if marks and waited >= marks[0]:
                marks.pop(0)
                await notices.progress("\n".join(_progress(state) for state in states))
            await asyncio.sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS


async def _refuse(ack: AsyncAck, sentence: str) -> None:
    await ack({"response_type": "ephemeral", "text": escaped(sentence), "parse": "none"})


def _begun(source: str, requested: Requested) -> str:
    return f"{source}: joined the sync that is under way." if requested.joined else f"{source}: reading it again now."


def _progress(state: RunState) -> str:
    return _result(state) if state.finished else f"{state.source}: {state.seen} documents seen so far …"


def _result(state: RunState) -> str:
    if state.failure is not None:
        return f"{state.source}: failed. {state.failure}"
    counts = {"added": state.added, "updated": state.updated, "removed": state.removed, "held back": state.held,
              "unreadable": state.unreadable}  # fmt: skip
    changes = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing has changed"
    return f"{state.source}: done in {state.seconds:.1f} s. {state.seen} documents seen, {changes}."
