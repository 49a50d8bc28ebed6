"""The address that Slack gives with a command or a press: five answers within half an hour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.rehearsal.slack.blocks import accept_blocks
from bot.rehearsal.slack.delivery import Delivery
from bot.rehearsal.slack.refusals import Refused
from bot.rehearsal.slack.workspace import Json, Message, Workspace

MAX_USES = 5


@dataclass(slots=True)
class Invocation:
    """Something a person set off: a command, a press, a shortcut. Collects whatever the app says to it."""

    user: str
    channel: str
    url: str
    trigger_id: str
    started_at: float
    trigger_used: bool = False
    original: Message | None = None
    """The message that ``replace_original`` replaces."""
    posts: list[Json] = field(default_factory=list)
    """What came to the response_url, in order."""
    delivery: Delivery | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ack(self) -> Any:
        """What the app sent with its acknowledgement: a message, a text or nothing."""
        return self.delivery.response if self.delivery else None

    @property
    def ack_text(self) -> str:
        """The text of the acknowledgement."""
        return text_of(self.ack)

    @property
    def texts(self) -> list[str]:
        """Every text the person was shown, in order."""
        return [text for text in (self.ack_text, *map(text_of, self.posts)) if text]

    async def acknowledged(self) -> bool:
        """Wait for the acknowledgement; False when Slack would show `operation_timeout`."""
        if self.delivery is None:
            return False
        await self.delivery.done.wait()
        return self.delivery.is_acknowledged

    async def wait_for_posts(self, count: int, timeout_seconds: float = 10.0) -> list[Json]:
        """The posts, once there are so many. Raises TimeoutError."""
        async with asyncio.timeout(timeout_seconds):
            while len(self.posts) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.posts


def text_of(said: Any) -> str:
    """The text of a response, which may be a bare string."""
    return str(said.get("text", "")) if isinstance(said, dict) else str(said or "")


class ResponseUrls:
    """Every response_url that is out, and what happens to what is posted there."""

    def __init__(self, workspace: Workspace, lifetime_seconds: float, show: Callable[[Message], Message]) -> None:
        self._workspace = workspace
        self._lifetime_seconds = lifetime_seconds
        self._show = show
        self._open: dict[str, Invocation] = {}

    def open(self, key: str, invocation: Invocation) -> None:
        """Let the app answer to this one."""
        self._open[key] = invocation

    def post(self, key: str, body: Any) -> None:
        """Show what the app posts.

        Raises:
            Refused: 404 with used_url or expired_url; 400 with no_text, invalid_payload or invalid_blocks.
        """
        invocation = self._open.get(key)
        if invocation is None:
            raise Refused("no_service", status=404)
        self._ensure_usable(invocation)
        if not isinstance(body, dict):
            raise Refused("invalid_payload", status=400)
        self._show_response(invocation, body)
        invocation.posts.append(body)
        invocation.changed.set()

    def show_ack(self, invocation: Invocation) -> None:
        """Show the message in an acknowledgement, unless a post that replaces it was faster."""
        ack = {"text": invocation.ack} if isinstance(invocation.ack, str) else invocation.ack
        replaced = any(post.get("replace_original") for post in invocation.posts)
        if ack and (ack.get("text") or ack.get("blocks")) and not replaced:
            self._show_response(invocation, ack)

    def _show_response(self, invocation: Invocation, body: Json) -> None:
        if body.get("delete_original"):
            if invocation.original:
                self._workspace.remove(invocation.original)
            return
        message = self._message(invocation, body)
        if body.get("replace_original") and invocation.original:
            old = invocation.original
            message = replace(old, text=message.text, blocks=message.blocks)
        invocation.original = self._show(message)

    def _ensure_usable(self, invocation: Invocation) -> None:
        if len(invocation.posts) >= MAX_USES:
            raise Refused("used_url", status=404)
        if self._workspace.clock() - invocation.started_at > self._lifetime_seconds:
            raise Refused("expired_url", status=404)

    def _message(self, invocation: Invocation, body: Json) -> Message:
        try:
            blocks = accept_blocks(body.get("blocks") or [])
        except Refused as refused:
            raise Refused(refused.error, status=400) from refused
        if not body.get("text") and not blocks:
            raise Refused("no_text", status=400)
        app = self._workspace.app
        seen_by_all = body.get("response_type") == "in_channel"
        return Message(
            channel=invocation.channel,
            ts=self._workspace.new_ts(),
            user=app.bot_user_id,
            author=app.name,
            team=app.team_id,
            text=str(body.get("text") or ""),
            blocks=blocks,
            thread_ts=str(body.get("thread_ts") or ""),
            bot_id=app.bot_id,
            only_for="" if seen_by_all else invocation.user,
        )
