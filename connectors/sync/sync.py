"""Syncs: reconcile compares all of a source with the ledger, refresh only what changed recently; vectors follow."""

from __future__ import annotations

import errno
import hashlib
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from connectors.errors import Cancelled, QuothError
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.ports import Connector, Embedder
from connectors.sync.course import Boundary, Course, Wishes, line_of
from connectors.sync.opening import OpenIndexes
from connectors.sync.reconciliation import Reconciliation
from connectors.sync.reports import Progress, SyncReport, Watcher
from connectors.sync.shelves import Shelf, Shelves
from connectors.sync.switching import go_live, tidy
from connectors.sync.vectors import Backfill
from connectors.text import analysis, chunking

log = structlog.get_logger()


def fingerprint_of(embedder: Embedder) -> str:
    """Names an index: chunks of two indexes with one fingerprint can stand side by side."""
    return _digest(analysis.VERSION, chunking.VERSION, embedder.fingerprint)


def pipeline_of(fingerprint: str, conversion: str) -> str:
    """Names the way from a body to the chunks of an index. Where it differs, a document is fetched again."""
    return _digest(fingerprint, conversion)


def _unwatched(progress: Progress) -> None: ...


def _unbroken(boundary: Boundary) -> None: ...


class Sync:
    """Moves documents from sources into the indexes. The only code that writes to a store.

    One source is synced by one caller at a time (runs.py sees to it). Different sources may be synced side by side.
    What a sync has stored is answerable by its words; ``backfill`` gives it vectors, and no sync waits for it.
    ``boundary`` is told every moment between two effects; tests break runs there.
    """

    def __init__(
        self,
        ledger: Ledger,
        indexes: OpenIndexes,
        lock_dir: Path,
        *,
        boundary: Callable[[Boundary], None] = _unbroken,
    ) -> None:
        self._ledger = ledger
        self._indexes = indexes
        self._boundary = boundary
        self.backfill = Backfill(ledger, indexes, lock_dir, complete=self._complete, boundary=boundary)

    def reconcile(
        self,
        connector: Connector,
        *,
        full: bool = False,
        approve_removals: bool = False,
        verify: bool = False,
        progress: Watcher | None = None,
        stop: threading.Event | None = None,
    ) -> SyncReport:
        """Make the indexes hold exactly what the source holds, by comparing its manifest with the ledger.

        Removals are confirmed by id and wait for ``approve_removals`` when they are more than max(10, 15 %) or all of
        the source; what became restricted never waits. ``full`` fetches everything again; ``verify`` puts back what the
        store has lost or somebody altered. What is stored is answerable by its words at once. A failure is a report
        with ``status`` failed and the reason: nothing committed is lost.

        Raises:
            Cancelled: ``stop`` was set. What was committed stays.
        """
        wishes = Wishes(full, approve_removals, verify)
        return self._run(connector, lambda run: run.reconcile(wishes), progress, stop)

    def refresh(
        self,
        connector: Connector,
        since: datetime,
        *,
        progress: Watcher | None = None,
        stop: threading.Event | None = None,
    ) -> SyncReport:
        """Bring in what changed since then, as far as the source tells. Removes nothing but what became restricted.

        Raises:
            Cancelled: ``stop`` was set. What was committed stays.
        """
        return self._run(connector, lambda run: run.refresh(since), progress, stop)

    def last_success(self, source: str) -> datetime | None:
        """When the source was last compared whole, without a failure."""
        return self._ledger.records(source).last_success()

    def _run(
        self,
        connector: Connector,
        trip: Callable[[Reconciliation], None],
        progress: Watcher | None,
        stop: threading.Event | None,
    ) -> SyncReport:
        started = time.monotonic()
        course = Course(connector.source, stop or threading.Event(), progress or _unwatched, self._boundary)
        error = _attempted(connector.source, lambda: self._travel(connector, trip, course))
        report = self._report(course, error, time.monotonic() - started)
        log.info("source.synced", **report.to_json() | {"error": error is not None})
        return report

    def _travel(self, connector: Connector, trip: Callable[[Reconciliation], None], course: Course) -> None:
        tidy(self._ledger, self._indexes, course)
        specs = [spec for spec in (self._ledger.indexes.live(), self._ledger.indexes.building()) if spec is not None]
        pipelines = {spec.name: pipeline_of(spec.fingerprint, connector.conversion) for spec in specs}

        def opened(spec: IndexSpec) -> Shelf:
            holdings = self._ledger.holdings(connector.source, spec.name)
            return Shelf(course, self._indexes.get(spec), holdings, pipelines[spec.name])

        shelves = Shelves(specs, opened)
        records = self._ledger.records(connector.source)
        trip(Reconciliation(connector, pipelines[specs[-1].name], records, shelves, self._ledger.key, course))
        self._complete(course)
        for spec in (self._ledger.indexes.live(), self._ledger.indexes.building()):
            if spec is not None and spec.name in shelves.failures:
                raise shelves.failures[spec.name]

    def _complete(self, course: Course) -> None:
        go_live(self._ledger, self._indexes, course)

    def _report(self, course: Course, error: str | None, seconds: float) -> SyncReport:
        held = chunks = 0
        try:
            records = self._ledger.records(course.source)
            held = records.waiting()
            chunks = self._ledger.holdings(course.source, self._ledger.indexes.live().name).totals().chunks
            if error is not None:
                records.failed(error)
        except QuothError as silent:
            error = error or str(silent)
        tally = course.tally
        return SyncReport(
            source=course.source,
            status="ok" if error is None else "failed",
            seen=tally.seen,
            added=tally.added,
            updated=tally.updated,
            unchanged=tally.unchanged,
            removed=tally.removed,
            held=held,
            unreadable=tally.unreadable,
            chunks=chunks,
            seconds=seconds,
            error=error,
        )


def _attempted(source: str, trip: Callable[[], None]) -> str | None:
    """What the operator should know about why the trip failed; None when it did not."""
    try:
        trip()
    except Cancelled:
        raise
    except QuothError as error:
        return str(error)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"{source}: the disk is full. Free some space and sync again; nothing was half-written."
        return f"{source}: the system refused something ({error.strerror or type(error).__name__}). Sync again later."
    except Exception as error:  # noqa: BLE001  # one source's surprise must never stop the others
        log.error("sync.stumbled", source=source, kind=type(error).__name__, at=line_of(error))
        return f"{source}: the sync met something unexpected ({type(error).__name__}); the log tells where."
    return None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
