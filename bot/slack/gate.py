"""Who may ask, and from which knowledge base. Whatever cannot be looked up is a no."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from bot.answering.model import Scope
from bot.inbox.inbox import Asked
from bot.slack.gateway import Gateway, SlackError
from bot.slack.rules import Identity, SlackRules
from connectors.errors import Misconfigured

log = structlog.get_logger()
_REMEMBERED_SECONDS = 300.0
_MOST_PEOPLE = 10_000
_PAGES = 10

UNBOUND = (
    "This channel has no knowledge base yet. Whoever runs Quoth can bind it by adding "
    "`{channel}: {{knowledge_base: NAME}}` under `channels` in quoth.yaml."
)
NO_DIRECT = "I do not answer direct messages here; please ask me in a channel that has a knowledge base."
NO_MEMBER_CHANNEL = "You are in none of the channels that have a knowledge base, so there is nothing I may answer from."
OUTSIDE = "I can only answer members of this workspace here, so I leave this question to them."
ANOTHER_BOT = "I only answer people."
UNKNOWN_PERSON = "I could not check who is asking, so I may not answer. Please try again in a minute."


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and the polite sentence that says why.

    ``passing``: the same question may be allowed later. ``silent``: the sentence is better not said in a thread.
    """

    sentence: str
    passing: bool = False
    silent: bool = False


class Gate:
    """Decides from Slack's own records and the operator's rules, never from what a message says of itself."""

    def __init__(
        self, gateway: Gateway, identity: Identity, rules: SlackRules, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._identity = identity
        self._rules = rules
        self._clock = clock
        self._people: dict[str, tuple[float, dict[str, Any]]] = {}

    @property
    def team(self) -> str:
        """The workspace."""
        return self._identity.team

    async def scope_for(self, asked: Asked) -> Scope | Refusal:
        """What this question may be answered from, or why not."""
        # A shortcut's payload does not say whether its channel is shared with another company.
        shared = asked.shared or (asked.kind == "shortcut" and await self._is_shared(asked.channel))
        refusal = await self.refusal_of(asked.asker, asked.asker_team, shared=shared)
        if refusal is not None:
            return refusal
        bases = await self.bases_for(asked.channel, asked.asker)
        return bases if isinstance(bases, Refusal) else self._scope(bases)

    async def bases_for(self, channel: str, user: str) -> tuple[str, ...] | Refusal:
        """The knowledge bases that a person is answered from in a channel or direct message, or why from none."""
        if channel.startswith("D"):
            return await self._bases_of_person(user)
        base = self._rules.channels.get(channel)
        return Refusal(UNBOUND.format(channel=channel)) if base is None else (base,)

    async def refusal_of(self, user: str, team: str | None = None, *, shared: bool = False) -> Refusal | None:
        """None for a member of this workspace; for guests and strangers only where the rules say so, for bots never."""
        person = await self._person(user)
        if person is not None and person.get("is_bot"):
            # Not every event of a bot's carries its mark, and two bots that are polite to each other never end.
            return Refusal(ANOTHER_BOT, silent=True)
        if (shared or team not in {None, self._identity.team}) and not self._rules.allow_external:
            return Refusal(OUTSIDE)
        if self._rules.allow_external and self._rules.allow_guests:
            return None
        if person is None:
            return Refusal(UNKNOWN_PERSON, passing=True)
        is_stranger = bool(person.get("is_stranger")) or person.get("team_id") not in {None, self._identity.team}
        is_guest = bool(person.get("is_restricted") or person.get("is_ultra_restricted"))
        if (is_stranger and not self._rules.allow_external) or (is_guest and not self._rules.allow_guests):
            return Refusal(OUTSIDE)
        return None

    async def is_admin(self, user: str) -> bool:
        """Whether a person may start syncs: named in the rules, or else an admin of the workspace."""
        if self._rules.admins:
            return user in self._rules.admins
        person = await self._person(user)
        if person is None or person.get("team_id") not in {None, self._identity.team}:
            return False
        return bool(person.get("is_admin") or person.get("is_owner") or person.get("is_primary_owner"))

    async def is_in(self, channel: str, user: str) -> bool:
        """Whether a person is in a channel. Direct messages are nobody else's."""
        try:
            return channel in await self._channels_of(user)
        except SlackError as error:
            log.warning("membership.unknown", reason=error.reason)
            return False

    async def _is_shared(self, channel: str) -> bool:
        if self._rules.allow_external or channel.startswith("D"):
            return False
        try:
            found = (await self._gateway.read("conversations.info", channel=channel)).get("channel") or {}
        except SlackError:
            return True
        return bool(found.get("is_ext_shared") or found.get("is_pending_ext_shared"))

    async def _bases_of_person(self, user: str) -> tuple[str, ...] | Refusal:
        if self._rules.direct_messages is not None:
            return (self._rules.direct_messages,)
        if not self._rules.member_channels:
            return Refusal(NO_DIRECT)
        try:
            joined = await self._channels_of(user)
        except SlackError as error:
            log.warning("membership.unknown", reason=type(error).__name__)
            return Refusal(UNKNOWN_PERSON, passing=True)
        bases = sorted({base for channel, base in self._rules.channels.items() if channel in joined})
        return tuple(bases) if bases else Refusal(NO_MEMBER_CHANNEL)

    def _scope(self, bases: tuple[str, ...]) -> Scope | Refusal:
        try:
            scopes = [self._rules.scope_of(base) for base in bases]
        except Misconfigured:
            log.warning("knowledge_base.missing")
            return Refusal("The knowledge base of this place is not configured any more; please tell whoever runs me.")
        return Scope(" + ".join(bases), frozenset[str]().union(*(scope.tags for scope in scopes)))

    async def _channels_of(self, user: str) -> set[str]:
        found: set[str] = set()
        cursor = ""
        for _ in range(_PAGES):
            page = await self._gateway.read(
                "users.conversations",
                user=user,
                types="public_channel,private_channel",
                limit=200,
                cursor=cursor or None,
            )
            found |= {str(channel["id"]) for channel in page.get("channels", [])}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return found

    async def _person(self, user: str) -> dict[str, Any] | None:
        known = self._people.get(user)
        if known is not None and self._clock() - known[0] < _REMEMBERED_SECONDS:
            return known[1]
        try:
            person = (await self._gateway.read("users.info", user=user)).get("user")
        except SlackError as error:
            log.warning("person.unknown", reason=error.reason)
            return None
        if not isinstance(person, dict):
            return None
        if len(self._people) >= _MOST_PEOPLE:
            self._people.clear()
        self._people[user] = (self._clock(), person)
        return person
