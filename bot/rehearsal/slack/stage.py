"""What the Web API's methods act on, and how a call reads its arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.rehearsal.slack.delivery import Delivery, PostOffice
from bot.rehearsal.slack.faults import Faults
from bot.rehearsal.slack.limits import Pace, RateLimiter
from bot.rehearsal.slack.payloads import event_callback
from bot.rehearsal.slack.refusals import Refused, missing_scope
from bot.rehearsal.slack.response_urls import Invocation
from bot.rehearsal.slack.socket_mode import SocketMode
from bot.rehearsal.slack.streaming import Streams
from bot.rehearsal.slack.workspace import SCOPE_FAMILY, Channel, Json, Workspace

BOT_SCOPES = frozenset(
    (
        *("app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write", "commands"),
        *("groups:history", "groups:read", "im:history", "im:read", "im:write", "mpim:history", "mpim:read"),
        *("reactions:write", "users:read"),
    )
)
"""Those that our manifest asks for."""


@dataclass(slots=True)
class Stage:
    """The workspace, and everything around it that a method may touch."""

    workspace: Workspace
    streams: Streams
    limiter: RateLimiter
    faults: Faults
    pace: Pace
    post_office: PostOffice
    sockets: SocketMode
    triggers: dict[str, Invocation]
    websocket_url: str = ""

    def tell(self, event: Json, channel: Channel | None, after_seconds: float = 0.0) -> Delivery | None:
        """Send the app an event, unless it happened where the bot is not."""
        if channel is not None and self.workspace.app.bot_user_id not in channel.members:
            return None
        payload = event_callback(event, self.workspace, channel)
        return self.post_office.send("events_api", payload, after_seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method: its arguments, and what its token may do."""

    args: Mapping[str, object]
    scopes: frozenset[str]

    def text(self, name: str) -> str:
        """An argument as text, empty when it is not there."""
        value = self.args.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool | None:
        """A yes or no, in any spelling that Slack takes; None when it is not there."""
        value = self.args.get(name)
        return None if value is None else str(value).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.text(name)
        return int(value) if value.isdigit() else default

    def json(self, name: str, error: str = "invalid_arguments") -> object:
        """An argument that is JSON, or is a string of JSON as forms carry it. None when it is not there.

        Raises:
            Refused: With this error, when it is neither.
        """
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            parsed: object = json.loads(value) if value else None
        except ValueError:
            raise Refused(error) from None
        return parsed

    def require(self, *names: str) -> None:
        """Raises ``invalid_arguments`` when one of these is missing."""
        missing = [name for name in names if not self.text(name)]
        if missing:
            messages = [f"[ERROR] missing required field: {name}" for name in missing]
            raise Refused("invalid_arguments", response_metadata={"messages": messages})

    def needs(self, scope: str) -> None:
        """Raises ``missing_scope`` when the token does not have it."""
        if scope not in self.scopes:
            raise missing_scope(scope, self.scopes)

    def needs_for(self, channel: Channel, right: str) -> None:
        """Raises ``missing_scope`` without ``channels:history`` or whatever fits this kind of channel."""
        self.needs(f"{SCOPE_FAMILY[channel.kind]}:{right}")
