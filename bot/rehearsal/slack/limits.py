"""How fast Slack lets an app go, and how long things live. Both can be compressed for tests."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute, per method, workspace and app (docs.slack.dev/apis/web-api/rate-limits)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Slack's clock, in seconds: when it gives up on an acknowledgement, when it asks again, when things expire."""

    ack_seconds: float = 3.0
    retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    stream_seconds: float = 300.0
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1800.0
    double_event_seconds: float = 0.0
    """Between the two events of one mention."""

    def compressed(self, factor: float) -> Pace:
        """The same clock, so many times faster. The gap of a double event stays as it is."""
        return replace(
            self,
            ack_seconds=self.ack_seconds / factor,
            retry_seconds=tuple(seconds / factor for seconds in self.retry_seconds),
            stream_seconds=self.stream_seconds / factor,
            trigger_seconds=self.trigger_seconds / factor,
            response_url_seconds=self.response_url_seconds / factor,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed: ``scale`` 10 allows ten times as much; ``channel_burst`` posts at once, then 1 a second."""

    scale: float = 1.0
    channel_burst: int = 3


class RateLimiter:
    """Counts calls in sliding windows and says how long to wait. ``None`` for limits lets everything through."""

    def __init__(self, limits: Limits | None, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._calls: dict[tuple[str, ...], deque[float]] = {}

    def wait_for_method(self, team: str, method: str, tier: int) -> int:
        """Seconds until this method may be called again, 0 for now. A call that may go is counted."""
        if self._limits is None:
            return 0
        return self._wait((team, method), max(1, round(TIERS[tier] * self._limits.scale)), 60.0)

    def wait_for_post(self, team: str, channel: str) -> int:
        """Seconds until one more message may be posted in the channel, 0 for now."""
        if self._limits is None:
            return 0
        burst = self._limits.channel_burst
        return self._wait((team, "#", channel), burst, burst / self._limits.scale)

    def _wait(self, key: tuple[str, ...], allowed: int, window_seconds: float) -> int:
        calls, now = self._calls.setdefault(key, deque()), self._clock()
        while calls and calls[0] <= now - window_seconds:
            calls.popleft()
        if len(calls) < allowed:
            calls.append(now)
            return 0
        return max(1, math.ceil(calls[0] + window_seconds - now))
