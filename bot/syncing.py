"""Syncs while the process serves: runs carried out on threads of their own, vectors on another, watched from Slack."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TypeVar

import structlog

from bot.metrics import HELD, LAST_SUCCESS, RUNS, UNREADABLE
from bot.slack.ports import Requested, RunState
from connectors.errors import Cancelled, QuothError
from connectors.sync.reports import SyncReport
from connectors.sync.runs import Run, Runs

log = structlog.get_logger()

T = TypeVar("T")

Perform = Callable[[threading.Event], SyncReport | None]
"""Carries out the next run of the queue, if there is one; stops when the event is set."""

Fill = Callable[[threading.Event], object]
"""Gives vectors to whatever has none; stops when the event is set."""

_LOOK_SECONDS = 0.5
_DUE_SECONDS = 60.0
_REST_SECONDS = 10.0


class SyncWorkers:
    """A few threads that take runs from the queue. Two sources are synced side by side, no source twice.

    ``done`` is called after each run.
    """

    def __init__(
        self, perform: Perform, stop: threading.Event, threads: int = 2, *, done: Callable[[], None] = lambda: None
    ) -> None:
        self._perform = perform
        self._done = done
        self._stop = stop
        self._threads = [threading.Thread(target=self._work, name=f"sync-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Begin to look for runs."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Cancel what is running and wait for it to end. What it had committed stays; the next start goes on."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():  # one that was never started cannot be joined
                thread.join(timeout_seconds)

    def _work(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(self._one_run())

    def _one_run(self) -> float:
        """Carry out a run if there is one; how long to wait before looking again."""
        try:
            report = self._perform(self._stop)
        except Cancelled:
            return _LOOK_SECONDS
        except QuothError as error:
            log.warning("run.not_carried_out", reason=type(error).__name__)
            return _REST_SECONDS
        except Exception:
            log.exception("run.stumbled")
            return _REST_SECONDS
        if report is None:
            return _LOOK_SECONDS
        _count(report)
        self._done()
        return 0


class BackfillWorker:
    """A thread that gives vectors to whatever has none: at the start, after a sync that left some, and now and then.

    ``fill`` does so until nothing is missing or the event is set; ``is_due`` tells cheaply whether anything is.
    """

    def __init__(self, fill: Fill, is_due: Callable[[], bool], stop: threading.Event) -> None:
        self._fill = fill
        self._is_due = is_due
        self._stop = stop
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._work, name="backfill", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something without a vector now."""
        self._woken.set()

    def stop(self, timeout_seconds: float) -> None:
        """Stop after the few texts at hand. What is embedded stays; the next start goes on."""
        self._stop.set()
        self._woken.set()
        if self._thread.is_alive():  # one that was never started cannot be joined
            self._thread.join(timeout_seconds)

    def _work(self) -> None:
        self._fill_where(lambda: True)
        while not self._stop.is_set():
            self._woken.wait(_DUE_SECONDS)
            self._woken.clear()
            self._fill_where(self._is_due)

    def _fill_where(self, is_due: Callable[[], bool]) -> None:
        try:
            if not self._stop.is_set() and is_due():
                self._fill(self._stop)
        except Cancelled:
            return
        except QuothError as error:
            log.warning("backfill.interrupted", reason=type(error).__name__)
        except Exception:
            log.exception("backfill.stumbled")


def _count(report: SyncReport) -> None:
    RUNS.labels(report.source, report.status).inc()
    HELD.labels(report.source).set(report.held)
    UNREADABLE.labels(report.source).set(report.unreadable)
    if report.status == "ok":
        LAST_SUCCESS.labels(report.source).set_to_current_time()


class IndexWatch:
    """Has a source compared at once of which the index lost something, or holds what it should not.

    ``untrue`` tells which sources those are, each with what the index holds of it. One that stays as it is although it
    was compared is not asked for again and again: its next regular run tries.
    """

    def __init__(self, untrue: Callable[[], Mapping[str, object]], ask: Callable[[str], object]) -> None:
        self._untrue = untrue
        self._ask = ask
        self._seen: Mapping[str, object] = {}

    def look(self) -> None:
        """Look once.

        Raises:
            TryLater: The store or the ledger cannot be asked.
            Misconfigured: A person must act first.
        """
        untrue = self._untrue()
        for source, held in untrue.items():
            if self._seen.get(source) != held:
                log.warning("index.damaged", source=source)
                self._ask(source)
        self._seen = untrue


class QueuedSyncs:
    """Syncs as Slack asks for them: put into the queue, looked at while they run."""

    def __init__(self, runs: Runs, pool: Executor) -> None:
        self._runs = runs
        self._pool = pool

    async def request(self, source: str, asked_by: str) -> Requested:
        """Ask for a sync of a source, or join the one under way."""
        ticket = await self._in_a_thread(lambda: self._runs.request(source))
        log.info("run.requested", source=source, run_id=ticket.run_id, joined=ticket.joined, asked_by=asked_by)
        return Requested(str(ticket.run_id), ticket.joined)

    async def state(self, run: str) -> RunState:
        """How far a run is."""
        return _state_of(await self._in_a_thread(lambda: self._runs.run(int(run))))

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _state_of(run: Run) -> RunState:
    report = run.report
    if report is None:
        return RunState(run.source, finished=False, seen=run.progress.seen)
    return RunState(
        report.source,
        finished=True,
        seen=report.seen,
        added=report.added,
        updated=report.updated,
        removed=report.removed,
        held=report.held,
        unreadable=report.unreadable,
        chunks=report.chunks,
        seconds=report.seconds,
        failure=report.error,
    )
