"""How a run is asked for, watched, stopped and counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.errors import Cancelled
from connectors.sync.reports import Progress, Watcher


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
    embedded: int = 0

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
        self.watcher(Progress(tally.total, tally.seen, tally.fetched, tally.embedded))
