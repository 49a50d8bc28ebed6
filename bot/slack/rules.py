"""What an operator decided for Slack, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.answering.model import Scope


@dataclass(frozen=True, slots=True)
class SlackRules:
    """Who may ask what where. ``channels`` binds a channel's id to a knowledge base."""

    channels: Mapping[str, str]
    scope_of: Callable[[str], Scope]
    """A knowledge base, resolved to tags when it is asked."""
    sources_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The sources of every knowledge base."""
    sources: tuple[str, ...] = ()
    """Every source, whether or not a knowledge base has it."""
    direct_messages: str | None = None
    """The knowledge base of direct messages."""
    member_channels: bool = False
    """Direct messages see what the bound channels that their writer is in may see."""
    command: str = "/quoth"
    reindex_command: str = "/reindex"
    admins: tuple[str, ...] = ()
    """User ids. None: the workspace's own admins."""
    allow_guests: bool = False
    allow_external: bool = False

    def sources_for(self, channel: str) -> tuple[str, ...]:
        """The sources that a channel is answered from."""
        base = self.channels.get(channel)
        return self.sources_of.get(base, ()) if base is not None else ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in this workspace."""

    team: str
    bot_user: str
    bot: str
