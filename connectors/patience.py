"""How long to wait for a server that asks us to, or that is down, and when to give up."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.errors import Cancelled, TryLater

_FIRST_EPOCH = 1_000_000_000  # X-RateLimit-Reset: a number this large is a moment, a smaller one a span of seconds.


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is tried and how long we wait in between. Seconds, except ``attempts``.

    Waits grow by doubling with full jitter (AWS, "Exponential Backoff And Jitter"). What a server asks for is never
    cut short: a wish above ``longest_wait`` ends the run instead, and so does waiting more than ``budget`` in one run.
    """

    attempts: int = 6
    first_wait: float = 0.5
    first_wait_when_limited: float = 5.0
    shortest_wished_wait: float = 1.0
    longest_wait: float = 120.0
    longest_backoff: float = 60.0
    budget: float = 1800.0

    def backoff(self, attempt: int, *, limited: bool) -> float:
        """A random wait before the next try, after ``attempt`` tries (from 1) that failed."""
        first = self.first_wait_when_limited if limited else self.first_wait
        return random.uniform(0, min(self.longest_backoff, first * 2 ** (attempt - 1)))  # noqa: S311  # Jitter, no secret.


class WaitingRoom:
    """Waits on behalf of all threads of one client: politely, interruptibly, and within the run's budget."""

    def __init__(self, patience: Patience, requests_per_second: float | None, stop: threading.Event | None) -> None:
        self.patience = patience
        self._interval = 1 / requests_per_second if requests_per_second else 0.0
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._next_turn = 0.0
        self._closed_until = 0.0
        self._waited = 0.0

    def start_run(self) -> None:
        """Give the run that begins now the whole budget."""
        with self._lock:
            self._waited = 0.0

    def take_turn(self) -> None:
        """Wait until the next request may be sent.

        Raises:
            Cancelled: The run was asked to stop.
        """
        with self._lock:
            turn = max(time.monotonic(), self._next_turn, self._closed_until)
            self._next_turn = turn + self._interval
        self._sleep(turn - time.monotonic())

    def wait(self, seconds: float, *, everybody: bool = False) -> None:
        """Wait, as a server or a failure makes us. With ``everybody``, other threads' next requests wait as well.

        Raises:
            TryLater: That would be longer than we are willing to wait.
            Cancelled: The run was asked to stop.
        """
        with self._lock:
            self._waited += seconds
            if seconds > self.patience.longest_wait:
                raise TryLater(f"asks us to wait {_spoken(seconds)}. The next run goes on from here.")
            if self._waited > self.patience.budget:
                raise TryLater(f"made us wait {_spoken(self._waited)} in one run. The next run goes on from here.")
            if everybody:
                self._closed_until = max(self._closed_until, time.monotonic() + seconds)
        self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(max(0.0, seconds)):
            raise Cancelled("The run was asked to stop.")


def wished_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that a 429 or 503 asks us to wait; the longest of its wishes, ``None`` where it has none.

    Reads Retry-After (seconds or an HTTP date) and X-RateLimit-Reset (ISO 8601, an epoch, or seconds). What cannot be
    read counts as no wish, what lies in the past as 0.
    """
    wishes = [_retry_after(headers.get("retry-after")), _reset(headers.get("x-ratelimit-reset"))]
    return max((max(0.0, wish) for wish in wishes if wish is not None), default=None)


def _retry_after(text: str | None) -> float | None:
    number = _number(text)
    if number is not None or not text:
        return number
    try:
        return _seconds_until(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def _reset(text: str | None) -> float | None:
    number = _number(text)
    if number is not None:
        return number - time.time() if number >= _FIRST_EPOCH else number
    try:
        return _seconds_until(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(moment: datetime) -> float:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"  # noqa: PLR2004  # Plain words.
