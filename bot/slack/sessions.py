"""Slack's own sign that an answer is being prepared. It is shown beside the work and never in its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from bot.inbox.inbox import Asked
from bot.slack.abilities import Abilities
from bot.slack.background import Background
from bot.slack.gateway import Gateway, SlackError

log = structlog.get_logger()
Status = Literal["processing", "active"]
_METHOD = "agents.sessions.setStatus"
_OLDER_METHOD = "assistant.threads.setStatus"
_WORKING = "is looking it up …"


@dataclass(frozen=True, slots=True)
class Place:
    """A thread, and who asked in it."""

    channel: str
    thread_ts: str
    asker: str | None = None


class Sessions:
    """Sets the status of threads. Slack may not have that; then nothing is shown, and nothing is missed."""

    def __init__(self, gateway: Gateway, abilities: Abilities, background: Background) -> None:
        self._gateway = gateway
        self._abilities = abilities
        self._background = background

    @contextmanager
    def working(self, asked: Asked, is_ended_by_stream: Callable[[], bool]) -> Iterator[None]:
        """Show that we work on a question inside. Nobody waits for it, neither at its beginning nor at its end.

        A stream sets its session to active when it is stopped; where there was none, that is up to us.
        """
        place = Place(asked.channel, asked.thread_ts, asked.asker)
        showing = self._background.start(self._set(place, "processing"), "session")
        try:
            yield
        finally:
            # One that is still on its way may land later than the stream's own word.
            if showing.cancel() or not is_ended_by_stream():
                self.end(place)

    def end(self, place: Place) -> None:
        """Show that nobody works there any more."""
        self._background.start(self._set(place, "active"), "session")

    async def _set(self, place: Place, status: Status) -> None:
        """Never both methods: the older one only where Slack does not have the newer."""
        if await self._is_called(_METHOD, **_words(place, status)):
            return
        words = _WORKING if status == "processing" else ""
        await self._is_called(_OLDER_METHOD, channel_id=place.channel, thread_ts=place.thread_ts, status=words)

    async def _is_called(self, method: str, **args: Any) -> bool:
        """False where Slack does not have the method."""
        if not self._abilities.has(method):
            return False
        try:
            await self._gateway.write(method, **args)
        except SlackError as error:
            log.info("session.unset", method=method, reason=error.reason)
            self._abilities.learn(method, error.reason)
        return self._abilities.has(method)


def _words(place: Place, status: Status) -> dict[str, Any]:
    return {
        "channel_id": place.channel,
        "thread_ts": place.thread_ts,
        "status": status,
        "initiator_user_id": place.asker if status == "processing" else None,
    }
