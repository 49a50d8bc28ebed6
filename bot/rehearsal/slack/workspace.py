"""Who is in the rehearsal workspace, where, and what has been written there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bot.rehearsal.slack.refusals import Refused

Json = dict[str, Any]
Kind = Literal["channel", "group", "im"]

SCOPE_FAMILY: dict[Kind, str] = {"channel": "channels", "group": "groups", "im": "im"}
"""The first half of the scopes that a conversation of this kind needs."""


@dataclass(frozen=True, slots=True)
class App:
    """The bot's identity in the workspace."""

    team_id: str = "T0REHEARSE"
    team_domain: str = "rehearsal"
    app_id: str = "A0QUOTH"
    bot_user_id: str = "U0QUOTH"
    bot_id: str = "B0QUOTH"
    name: str = "quoth"


@dataclass(frozen=True, slots=True)
class User:
    """A person, or another bot."""

    id: str
    name: str
    team: str
    is_admin: bool = False
    is_restricted: bool = False
    is_stranger: bool = False
    bot_id: str = ""
    is_bot: bool = False


@dataclass(slots=True)
class Channel:
    """A conversation: a public channel, a private one (``group``) or a direct message (``im``)."""

    id: str
    name: str
    kind: Kind = "channel"
    ext_shared: bool = False
    archived: bool = False
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it is visible now. ``streaming`` until the stream is stopped; ``only_for`` makes it ephemeral."""

    channel: str
    ts: str
    user: str
    author: str
    team: str
    text: str = ""
    blocks: tuple[Json, ...] = ()
    thread_ts: str = ""
    bot_id: str = ""
    metadata: Json | None = None
    edited_by: str = ""
    edited_ts: str = ""
    streaming: bool = False
    only_for: str = ""
    tombstone: bool = False
    parse: str = "none"
    link_names: bool = False
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    reactions: tuple[tuple[str, str], ...] = ()
    """Name and user of each."""

    @property
    def root_ts(self) -> str:
        """The ts of the thread that this message is in or would start."""
        return self.thread_ts or self.ts

    @property
    def is_finished(self) -> bool:
        """Nothing more will be appended."""
        return not self.streaming


class Workspace:
    """Everything that a Slack workspace remembers. ``renditions`` keeps every state a message was ever seen in."""

    def __init__(self, app: App, clock: Callable[[], float] = time.time) -> None:
        self.app = app
        self.clock = clock
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[Message] = []
        self.renditions: list[Message] = []
        self.sessions: dict[tuple[str, str], str] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.prompts: dict[str, list[Json]] = {}
        self.views: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self._messages: dict[tuple[str, str], Message] = {}
        self._last_tick = 0
        self._ids = 0

    def new_id(self, prefix: str) -> str:
        """An id that nothing else has."""
        self._ids += 1
        return f"{prefix}0REH{self._ids:05d}"

    def new_ts(self) -> str:
        """Now, as a time stamp that no other message has."""
        self._last_tick = max(self._last_tick + 1, int(self.clock() * 1_000_000))
        return f"{self._last_tick // 1_000_000}.{self._last_tick % 1_000_000:06d}"

    def channel(self, channel_id: object) -> Channel:
        """The channel as the bot may know of it: private ones it is not in do not exist.

        Raises:
            Refused: channel_not_found.
        """
        channel = self.channels.get(str(channel_id))
        if channel is None or (channel.kind != "channel" and self.app.bot_user_id not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def direct_message(self, user_id: str) -> Channel:
        """The direct message of the bot with this user, opened when it is not there yet."""
        for channel in self.channels.values():
            if channel.kind == "im" and user_id in channel.members:
                return channel
        channel = Channel(self.new_id("D"), "directmessage", "im", members=[user_id, self.app.bot_user_id])
        self.channels[channel.id] = channel
        return channel

    def find(self, channel_id: str, ts: object) -> Message | None:
        """The message, or None when it is not there or was deleted."""
        message = self._messages.get((channel_id, str(ts)))
        return None if message is None or message.tombstone else message

    def message(self, channel_id: str, ts: object) -> Message:
        """The message. Raises ``message_not_found``."""
        message = self.find(channel_id, ts)
        if message is None:
            raise Refused("message_not_found")
        return message

    def keep(self, message: Message) -> Message:
        """Write a message, or its new state."""
        self.renditions.append(message)
        if message.only_for:
            self.ephemerals = [m for m in self.ephemerals if m.ts != message.ts] + [message]
        else:
            self._messages[(message.channel, message.ts)] = message
        return message

    def remove(self, message: Message) -> None:
        """Delete it. The root of a thread with replies leaves a tombstone, as in Slack."""
        if message.only_for:
            self.ephemerals = [m for m in self.ephemerals if m.ts != message.ts]
        elif any(reply.ts != message.ts for reply in self.thread(message.channel, message.ts)):
            stone = replace(message, text="This message was deleted.", blocks=(), tombstone=True, streaming=False)
            self._messages[(message.channel, message.ts)] = stone
        else:
            del self._messages[(message.channel, message.ts)]

    def thread(self, channel_id: str, root_ts: str) -> list[Message]:
        """The root and its replies, oldest first."""
        return [m for m in self.history(channel_id) if m.root_ts == root_ts]

    def history(self, channel_id: str) -> list[Message]:
        """Every message of a channel, replies too, oldest first."""
        return sorted((m for m in self._messages.values() if m.channel == channel_id), key=lambda m: m.ts)

    def root_to_reply_to(self, channel_id: str, thread_ts: object) -> str:
        """The ts of an existing thread root.

        Raises:
            Refused: thread_not_found, or cannot_reply_to_message where the root was deleted.
        """
        root = self._messages.get((channel_id, str(thread_ts)))
        if root is None:
            raise Refused("thread_not_found")
        if root.tombstone:
            raise Refused("cannot_reply_to_message")
        return root.root_ts

    def conversations_of(self, user_id: str) -> Iterator[Channel]:
        """The channels that a user is in."""
        return (channel for channel in self.channels.values() if user_id in channel.members)

    def name_of(self, user_id: str) -> str:
        """How people see a user: the display name, or the id of somebody unknown."""
        if user_id == self.app.bot_user_id:
            return self.app.name
        return self.users[user_id].name if user_id in self.users else user_id

    def names(self) -> dict[str, str]:
        """Display names of users and channels, by id."""
        users: Iterable[str] = (*self.users, self.app.bot_user_id)
        return {user: self.name_of(user) for user in users} | {c.id: c.name for c in self.channels.values()}
