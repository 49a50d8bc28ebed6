"""What a sync and a backfill tell: how far they are, and how a sync ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

Status = Literal["ok", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: documents looked at out of all listed, bodies fetched, chunks given a vector."""

    total: int = 0
    seen: int = 0
    fetched: int = 0
    embedded: int = 0


Watcher = Callable[[Progress], None]
"""Is told how far a run is, often; it must be quick."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How far the vectors are, over the live index and the one in building: chunks that have one, of all chunks.

    ``per_second`` is what a ``running`` backfill of this machine embedded lately. ``error`` is what it met last and has
    not overcome.
    """

    running: bool
    embedded: int
    chunks: int
    per_second: float | None = None
    error: str | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long it will take still at this rate; None where that cannot be told."""
        return (self.chunks - self.embedded) / self.per_second if self.per_second else None


FilledWatcher = Callable[[Filled], None]
"""Is told how far a backfill is, every second or so; it must be quick."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How a run of one source ended.

    ``seen`` = added + updated + unchanged + unreadable. ``removed`` documents went by this run, restricted ones too;
    ``held`` ones wait now for a person, ``chunks`` are in the index now. ``joined``: somebody else's run, waited for.
    """

    source: str
    status: Status
    joined: bool = False
    seen: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    held: int = 0
    unreadable: int = 0
    chunks: int = 0
    seconds: float = 0.0
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as ``quoth sync --json`` prints it; ``error`` only where there is one."""
        told = asdict(self) | {"seconds": round(self.seconds, 3)}
        return told if self.error is not None else {key: told[key] for key in told if key != "error"}

    def progress(self, embedded: int) -> Progress:
        """How far things are once this run is done and so many chunks have a vector."""
        return Progress(self.seen, self.seen, self.added + self.updated, embedded)

    def as_joined(self) -> SyncReport:
        """The same report for somebody who only waited."""
        return replace(self, joined=True)


def report_from(told: Mapping[str, Any]) -> SyncReport:
    """The report that ``to_json`` told."""
    names = {field.name for field in fields(SyncReport)}
    return SyncReport(**{key: value for key, value in told.items() if key in names})
