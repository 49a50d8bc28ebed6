"""The slash commands. What status, scope and help say is here; reindex has a place of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.inbox.inbox import Inbox
from bot.slack.background import Background
from bot.slack.gate import Gate, Refusal
from bot.slack.gateway import Gateway
from bot.slack.notices import Notices
from bot.slack.ports import SourceStatus, Statuses, Syncs
from bot.slack.reindex import FAILED, Command, Reindex
from bot.slack.rules import SlackRules
from bot.slack.sources import age_of
from bot.slack.why import Why
from connectors.errors import QuothError

log = structlog.get_logger()
HELP = """Ask me by mentioning me in a channel; I answer in the thread with my sources.
{command} scope – what this channel is answered from
{command} status – the sources, when they were last read, and what could not be read
{command} reindex [source] – read the sources again now (admins); {reindex} does the same
{command} why LINK – how the answer in that message came about: its passages, their scores, what was left out
{command} help – this text"""


class Commands:
    """Answers commands to the one person who gave them."""

    def __init__(
        self, gateway: Gateway, inbox: Inbox, gate: Gate, rules: SlackRules, syncs: Syncs, statuses: Statuses
    ) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._gate = gate
        self._rules = rules
        self._statuses = statuses
        self.background = Background()
        """What goes on after an acknowledgement. A sync may take hours, so it is worth no long wait at the end."""
        self._why = Why(inbox, gate, rules.command)
        self._reindex = Reindex(gateway, inbox, gate, rules, syncs, self.background)

    async def on_command(self, ack: AsyncAck, command: Command) -> None:
        """The whole command: its first word says what to do."""
        match str(command.get("text") or "").split():
            case [first] if first.lower() == "reindex":
                await self._reindex.take(ack, command, None)
            case [first, source] if first.lower() == "reindex":
                await self._reindex.take(ack, command, source)
            case words:
                await self._tell(ack, command, words)

    async def on_reindex(self, ack: AsyncAck, command: Command) -> None:
        """The short form: the text is a source."""
        await self.on_command(ack, {**command, "text": f"reindex {command.get('text') or ''}"})

    async def _tell(self, ack: AsyncAck, command: Command, words: Sequence[str]) -> None:
        trigger = command.get("trigger_id")
        is_new = not trigger or await self._inbox.first_time(f"command:{trigger}")
        await ack()
        if is_new:
            self.background.start(self._answer(command, words), "command")

    async def _answer(self, command: Command, words: Sequence[str]) -> None:
        notices = Notices(self._gateway, command)
        refusal = await self._gate.refusal_of(str(command.get("user_id")), command.get("user_team_id"))
        try:
            said = refusal.sentence if refusal is not None else await self._said(command, words)
        except QuothError as error:
            said = str(error)
        except Exception as error:
            log.exception("command.failed", error=type(error).__name__)
            said = FAILED
        await notices.say(said)

    async def _said(self, command: Command, words: Sequence[str]) -> str:
        match [word.lower() for word in words]:
            case ["why", *links]:
                link = words[1] if len(links) == 1 else ""
                return await self._why.said(link, str(command.get("user_id")), str(command.get("channel_id")))
            case ["status"]:
                return await self._for_bases(command, self._status)
            case ["scope"]:
                return await self._for_bases(command, self._scope)
            case _:
                return HELP.format(command=self._rules.command, reindex=self._rules.reindex_command)

    async def _for_bases(self, command: Command, say: Callable[[Sequence[str]], Awaitable[str]]) -> str:
        """What there is to say of the knowledge bases that this person is answered from here."""
        bases = await self._gate.bases_for(str(command.get("channel_id")), str(command.get("user_id")))
        return bases.sentence if isinstance(bases, Refusal) else await say(bases)

    async def _status(self, bases: Sequence[str]) -> str:
        sources = dict.fromkeys(source for base in bases for source in self._rules.sources_of.get(base, ()))
        if not sources:
            return await self._scope(bases)
        now = datetime.now(UTC)
        return "\n".join(_status_line(status, now) for status in await self._statuses(tuple(sources)))

    async def _scope(self, bases: Sequence[str]) -> str:
        return "\n".join(
            f"Answers here come from the knowledge base {base}: "
            f"{', '.join(self._rules.sources_of.get(base, ())) or 'no source yet'}."
            for base in bases
        )


def _status_line(status: SourceStatus, now: datetime) -> str:
    read = "never read yet" if status.last_success is None else f"read {age_of(status.last_success, now)}"
    parts = [f"{status.documents} documents", read]
    parts += [f"{status.unreadable} unreadable"] if status.unreadable else []
    parts += [f"{status.held} removals wait for approval"] if status.held else []
    parts += ["being read now"] if status.running else []
    return f"{status.source} ({status.kind}): {', '.join(parts)}"
