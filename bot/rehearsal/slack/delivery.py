"""Getting a payload to the app: one attempt after another, until it is acknowledged or Slack gives up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bot.rehearsal.slack.limits import Pace
from bot.rehearsal.slack.workspace import Json

DeliveryKind = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended. ``reason`` is Slack's word for a failure, such as ``http_timeout``; empty for success."""

    seconds: float
    reason: str = ""
    response: Any = None
    final: bool = False
    """The app asked not to be asked again."""


@dataclass(slots=True)
class Delivery:
    """A payload on its way, and how its attempts ended."""

    kind: DeliveryKind
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_acknowledged(self) -> bool:
        """The app said that it has it."""
        return bool(self.attempts) and not self.attempts[-1].reason

    @property
    def response(self) -> Any:
        """What the app sent along with its acknowledgement."""
        return self.attempts[-1].response if self.is_acknowledged else None

    @property
    def event_type(self) -> str:
        """``app_mention``, ``message`` …; for what is not an event, its kind."""
        return str(self.payload["event"]["type"]) if self.kind == "events_api" else self.kind


class Carrier(Protocol):
    """One way to reach the app."""

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Attempt:
        """Try once; ``number`` counts earlier attempts, ``reason`` says why the last one failed."""


class PostOffice:
    """Sends payloads in the background, with Slack's retry policy. Only events are tried again."""

    def __init__(self, carrier: Carrier, pace: Pace) -> None:
        self.carrier = carrier
        self.sent: list[Delivery] = []
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, kind: DeliveryKind, payload: Json, after_seconds: float = 0.0) -> Delivery:
        """Put a payload on its way, and return at once."""
        delivery = Delivery(kind, payload)
        self.sent.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery, after_seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def settle(self) -> None:
        """Wait until everything sent is acknowledged or given up."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Give up on whatever is on its way."""
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, delivery: Delivery, after_seconds: float) -> None:
        try:
            await asyncio.sleep(after_seconds)
            await self._try(delivery)
        finally:
            delivery.done.set()

    async def _try(self, delivery: Delivery) -> None:
        pauses = self._pace.retry_seconds if delivery.kind == "events_api" else ()
        attempt = await self._attempt(delivery, "")
        for pause in pauses:
            if not attempt.reason or attempt.final:
                return
            await asyncio.sleep(pause)
            attempt = await self._attempt(delivery, attempt.reason)

    async def _attempt(self, delivery: Delivery, reason: str) -> Attempt:
        attempt = await self.carrier.attempt(delivery, len(delivery.attempts), reason)
        delivery.attempts.append(attempt)
        return attempt
