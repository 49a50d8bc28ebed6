"""Telling the person who gave a command how it goes on, within what Slack allows a response address."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bot.slack.gateway import Gateway, Refused, SlackError
from bot.slack.literal import escaped
from bot.slack.render import Message, text_within

log = structlog.get_logger()
_MOST_USES = 5
_VALID_SECONDS = 29 * 60.0
"""Slack gives half an hour; a minute is for its way and ours."""


class Notices:
    """Messages that only the person who gave a command sees; the last word always gets through."""

    def __init__(
        self, gateway: Gateway, command: Mapping[str, Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._url = str(command.get("response_url") or "")
        self._channel = str(command.get("channel_id") or "")
        self._user = str(command.get("user_id") or "")
        self._clock = clock
        self._until = clock() + _VALID_SECONDS
        self._uses = 0

    async def say(self, text: str) -> None:
        """Say something, in place of what was said before. ``text`` is plain words."""
        shown = text_within(escaped(text))
        if self._may_respond() and await self._respond(shown):
            return
        try:
            await self._whisper_or_write(shown)
        except SlackError as error:
            log.info("notice.unseen", reason=error.reason)

    async def progress(self, text: str) -> None:
        """Show how far it is, unless that would use up the place of the last word."""
        if self._may_respond() and self._uses < _MOST_USES - 1:
            await self._respond(text_within(escaped(text)))

    async def _whisper_or_write(self, shown: str) -> None:
        """A command works where the bot is not, a whisper does not; then it is a direct message."""
        try:
            await self._gateway.whisper(self._channel, self._user, shown)
        except Refused:
            await self._gateway.post(self._user, None, Message(shown))

    def _may_respond(self) -> bool:
        return bool(self._url) and self._uses < _MOST_USES and self._clock() < self._until

    async def _respond(self, shown: str) -> bool:
        self._uses += 1
        return await self._gateway.respond(self._url, shown, replace=self._uses > 1)
