"""How often Slack lets us call: so many calls a minute for each method, one message a second for each channel."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

CALLS_A_MINUTE = {
    "chat.startStream": 20,
    "chat.stopStream": 20,
    "chat.appendStream": 100,
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.replies": 50,
    "users.info": 100,
    "users.conversations": 20,
    "agents.sessions.setStatus": 50,
}
"""Slack's published rate limit tiers, for a workspace and an app together."""
_MESSAGES = (1, 1.0)
_OTHERS = 100


class Limits:
    """Spreads calls so that Slack need not refuse them. One for each workspace. ``sleep`` goes by the same clock."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._calls: dict[str, deque[float]] = {}

    async def turn(self, method: str) -> None:
        """Wait until this method may be called."""
        await self._wait(method, CALLS_A_MINUTE.get(method, _OTHERS), 60.0)

    async def message_turn(self, channel: str) -> None:
        """Wait until a message may be posted in this channel."""
        await self._wait(_key(channel), *_MESSAGES)

    def return_message_turn(self, channel: str) -> None:
        """Slack refused the message: whoever is next need not wait for it."""
        turns = self._calls.get(_key(channel))
        if turns:
            turns.pop()

    def turn_now(self, method: str) -> bool:
        """Take a turn if there is one right now; waiting would be worse than doing without."""
        calls = CALLS_A_MINUTE.get(method, _OTHERS)
        at = self._next(method, calls, 60.0)
        if at > self._clock():
            return False
        self._calls.setdefault(method, deque(maxlen=calls)).append(at)
        return True

    async def _wait(self, key: str, calls: int, seconds: float) -> None:
        at = self._next(key, calls, seconds)
        turns = self._calls.setdefault(key, deque(maxlen=calls))
        turns.append(at)
        await self._sleep(max(0.0, at - self._clock()))

    def _next(self, key: str, calls: int, seconds: float) -> float:
        turns = self._calls.get(key)
        now = self._clock()
        return now if turns is None or len(turns) < calls else max(now, turns[0] + seconds)


def _key(channel: str) -> str:
    return f"channel:{channel}"
