"""What a sync tells: how far it is, and how it ended."""

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

    def as_joined(self) -> SyncReport:
        """The same report for somebody who only waited."""
        return replace(self, joined=True)


def report_from(told: Mapping[str, Any]) -> SyncReport:
    """The report that ``to_json`` told."""
    names = {field.name for field in fields(SyncReport)}
    return SyncReport(**{key: value for key, value in told.items() if key in names})
