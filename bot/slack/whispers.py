"""Sentences that one person sees, in the channel or thread where they did something."""

from __future__ import annotations

import structlog

from bot.slack.background import Background
from bot.slack.gateway import Gateway, SlackError
from bot.slack.literal import escaped

log = structlog.get_logger()


class Whispers:
    """Says things beside everything else. One that Slack does not show is logged, and that is all."""

    def __init__(self, gateway: Gateway, background: Background) -> None:
        self._gateway = gateway
        self._background = background

    def start(self, channel: str, user: str, sentence: str, thread_ts: str | None = None) -> None:
        """Say something soon. ``sentence`` is plain words."""
        self._background.start(self.say(channel, user, sentence, thread_ts), "whisper")

    async def say(self, channel: str, user: str, sentence: str, thread_ts: str | None = None) -> None:
        """Say something now."""
        try:
            await self._gateway.whisper(channel, user, escaped(sentence), thread_ts)
        except SlackError as error:
            log.info("whisper.unseen", reason=error.reason)
