"""How a run is asked for, watched, stopped, put off while somebody asks, and counted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from connectors.errors import Cancelled
from connectors.sync.reports import Progress, Watcher

T = TypeVar("T")

REST_SECONDS = 1.0
"""How long after the last sign of a question the machine is left to it."""

LONGEST_REST_SECONDS = 5.0
"""Where questions never end, a little is done every so often all the same."""

_LOOK_SECONDS = 0.05


class Boundary(StrEnum):
    """The moments between two effects of a run. A run that dies at any of them is made good by the next one."""

    STARTED = "started"
    DEBT_RETIRED = "debt retired"
    LISTED = "listed"
    FORGOTTEN = "forgotten"
    RETIRED = "retired"
    SETTLED = "settled"
    RELISTED = "relisted"
    FETCHED = "fetched"
    OWED = "owed"
    PUT = "put"
    COMMITTED = "committed"
    SUPERSEDED_RETIRED = "superseded retired"
    SLICE_SETTLED = "slice settled"
    CONFIRMED = "removals confirmed"
    HELD = "held"
    CARRIED = "carried over"
    EMBEDDED = "embedded"
    ADDED = "added up"
    COUNTED = "counted"
    WENT_LIVE = "went live"
    PUBLISHED = "published"
    DROPPED = "dropped"
    DISOWNED = "disowned"


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    total: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    unreadable: int = 0
    fetched: int = 0

    @property
    def seen(self) -> int:
        """Documents that the source lists and that were dealt with."""
        return self.added + self.updated + self.unchanged + self.unreadable


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person may ask of a run beyond the ordinary."""

    full: bool = False
    approve_removals: bool = False
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """One run on its way over a source."""

    source: str
    stop: threading.Event
    watcher: Watcher
    boundary: Callable[[Boundary], None]
    tally: Tally = field(default_factory=Tally)

    def at(self, boundary: Boundary) -> None:
        """Come past a boundary.

        Raises:
            Cancelled: The run was asked to stop. What was committed stays.
        """
        self.boundary(boundary)
        if self.stop.is_set():
            raise Cancelled(f"{self.source}: the sync was stopped. What was committed stays.")

    def tell(self) -> None:
        """Say how far the run is."""
        tally = self.tally
        self.watcher(Progress(tally.total, tally.seen, tally.fetched))


class Questions:
    """When a question was last worked on on this machine, in whatever process: heavy work rests meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._mark = folder / "asked"

    def asked(self) -> None:
        """One is being worked on at this very moment. Quick, and never in the way."""
        with suppress(OSError):
            try:
                os.utime(self._mark)
            except FileNotFoundError:
                self._mark.parent.mkdir(parents=True, exist_ok=True)
                self._mark.touch(0o600)

    def before(self, look: Callable[[], T]) -> Callable[[], T]:
        """The same look, told each time as that of a question."""

        def asked() -> T:
            self.asked()
            return look()

        return asked

    def let_pass(self, stop: threading.Event) -> None:
        """Wait until nobody asks, within reason.

        Raises:
            Cancelled: ``stop`` was set.
        """
        end = time.monotonic() + LONGEST_REST_SECONDS
        while self._are_asked() and time.monotonic() < end and not stop.is_set():
            stop.wait(_LOOK_SECONDS)
        if stop.is_set():
            raise Cancelled("The backfill was stopped. What is embedded stays.")

    def _are_asked(self) -> bool:
        try:
            # A clock that was set back would make it look as if somebody asked for hours to come.
            return abs(time.time() - self._mark.stat().st_mtime) < REST_SECONDS
        except OSError:
            return False


def line_of(error: BaseException) -> str:
    """The line that raised, without the words of the error, which may be a page's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
