"""Syncs asked for, running and done: one at a time a source, joined by whoever asks meanwhile, across processes."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import sqlalchemy as sa
import structlog

from connectors.database import Database
from connectors.errors import Cancelled, QuothError
from connectors.ledger.tables import runs
from connectors.locks import FileLock, place_of
from connectors.sync.reports import Progress, SyncReport, report_from

Kind = Literal["reconcile", "refresh"]
State = Literal["queued", "running", "finished"]

BEAT_SECONDS = 5.0
TOLD_SECONDS = 1.0
"""How often progress is written down at most."""

DEAD_AFTER = timedelta(seconds=30)
"""Without a heartbeat for this long, a run on another machine is taken for dead. On this one a lock tells at once."""

KEPT_A_SOURCE = 100
_POLL_SECONDS = 0.2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ticket:
    """The run that will answer a request. ``joined``: it had been asked for, or was running, already."""

    run_id: int
    source: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the database knows it. ``report`` is there once it is finished."""

    run_id: int
    source: str
    kind: Kind
    full: bool
    approve_removals: bool
    verify: bool
    state: State
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: Progress
    report: SyncReport | None


def _now() -> datetime:
    return datetime.now(UTC)


class Runs:
    """The queue of runs. Several processes share it through the database; those of one machine also through locks."""

    def __init__(self, database: Database, lock_dir: Path, *, now: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._lock_dir = lock_dir
        self._place = place_of(lock_dir)
        self._now = now

    def request(
        self,
        source: str,
        *,
        full: bool = False,
        approve_removals: bool = False,
        verify: bool = False,
        kind: Kind = "reconcile",
    ) -> Ticket:
        """Ask for a run. What is running or queued is joined, unless more is asked for than the running one does.

        Then one queued follow-up carries what all its requests want.
        """
        wants = {"full_fetch": full, "approve_removals": approve_removals, "verify": verify, "kind": kind}
        try:
            return self._request(source, wants)
        except sa.exc.IntegrityError:
            return self._request(source, wants)  # another process asked first; now there is a run to join

    def claim(self, sources: Collection[str]) -> Claim | None:
        """The next run of these sources to carry out: one whose process died, or the oldest in the queue.

        None when there is nothing to do, or somebody does it.
        """
        waiting = sa.select(runs.c.source).where(runs.c.state != "finished", runs.c.source.in_(list(sources)))
        with self._database.read() as connection:
            names = dict.fromkeys(connection.execute(waiting.order_by(runs.c.run_id)).scalars())
        claims = (self._claim_source(name) for name in names)
        return next((claim for claim in claims if claim is not None), None)

    def run(self, run_id: int) -> Run:
        """The run as it stands.

        Raises:
            LookupError: There is no such run, or it is long over.
        """
        found = self._first(runs.c.run_id == run_id)
        if found is None:
            raise LookupError(f"there is no run {run_id}")
        return found

    def active(self, source: str) -> Run | None:
        """The run that is being carried out for a source; one whose process died is not."""
        with self._database.read() as connection:
            row = connection.execute(_of(source, "running")).one_or_none()
        return _run_of(row) if row is not None and not self._is_dead(row) else None

    def queued(self) -> int:
        """How many runs wait for somebody to carry them out."""
        asked = sa.select(sa.func.count()).where(runs.c.state == "queued")
        with self._database.read() as connection:
            return connection.execute(asked).scalar_one()

    def _request(self, source: str, wants: dict[str, Any]) -> Ticket:
        with self._database.write() as connection:
            running = connection.execute(_of(source, "running")).one_or_none()
            if running is not None and not _is_more(wants, running):
                return Ticket(running.run_id, source, joined=True)
            queued = connection.execute(_of(source, "queued")).one_or_none()
            if queued is not None:
                connection.execute(sa.update(runs).where(runs.c.run_id == queued.run_id).values(_merged(wants, queued)))
                return Ticket(queued.run_id, source, joined=True)
            values = wants | {"source": source, "state": "queued", "requested_at": self._now()}
            run_id = connection.execute(sa.insert(runs).values(values).returning(runs.c.run_id)).scalar_one()
            return Ticket(run_id, source, joined=False)

    def _claim_source(self, source: str) -> Claim | None:
        lock = self._lock_of(source)
        if not lock.acquire():
            return None
        try:
            claim = self._claim_locked(source, lock)
        except sa.exc.IntegrityError:
            claim = None  # another machine was first
        except BaseException:
            lock.release()
            raise
        if claim is None:
            lock.release()
        return claim

    def _claim_locked(self, source: str, lock: FileLock) -> Claim | None:
        owner, now = secrets.token_hex(8), self._now()
        with self._database.write() as connection:
            row = connection.execute(_of(source, "running")).one_or_none()
            if row is not None and row.place != self._place and row.heartbeat_at > now - DEAD_AFTER:
                return None
            if row is not None:
                log.warning("run.taken_over", source=source, run_id=row.run_id)
            row = row or connection.execute(_of(source, "queued")).one_or_none()
            if row is None:
                return None
            mine = {"state": "running", "owner": owner, "place": self._place, "started_at": now, "heartbeat_at": now}
            same = sa.and_(runs.c.run_id == row.run_id, runs.c.owner.is_not_distinct_from(row.owner))
            if connection.execute(sa.update(runs).where(same).values(mine)).rowcount == 0:
                return None
        return Claim(self._database, lock, owner, self.run(row.run_id), self._now)

    def _is_dead(self, row: Any) -> bool:
        if row.place != self._place:
            return bool(row.heartbeat_at <= self._now() - DEAD_AFTER)
        lock = self._lock_of(row.source)
        free = lock.acquire()
        lock.release()
        return free

    def _lock_of(self, source: str) -> FileLock:
        return FileLock(self._lock_dir / f"run-{quote(source, safe='')}.lock")

    def _first(self, *where: sa.ColumnElement[bool]) -> Run | None:
        asked = sa.select(runs).where(*where).order_by(runs.c.run_id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(asked).one_or_none()
        return None if row is None else _run_of(row)


class Claim:
    """A run that is ours to carry out. Its lock is held, and its heart beats inside :meth:`beating`."""

    def __init__(self, database: Database, lock: FileLock, owner: str, run: Run, now: Callable[[], datetime]) -> None:
        self.run = run
        self._database = database
        self._lock = lock
        self._owner = owner
        self._now = now
        self._progress = Progress()
        self._lost = threading.Event()

    def tell(self, progress: Progress) -> None:
        """Note how far the run is; others can read it a second later.

        Raises:
            Cancelled: Another machine took the run over because we had not been heard of.
        """
        if self._lost.is_set():
            raise Cancelled(f"{self.run.source}: another process took this run over.")
        self._progress = progress

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Show that the run is alive, and how far it is, for as long as the block lasts."""
        done = threading.Event()
        heart = threading.Thread(target=self._beat, args=(done,), name=f"run-{self.run.run_id}", daemon=True)
        heart.start()
        try:
            yield
        finally:
            done.set()
            heart.join()

    def finish(self, report: SyncReport) -> None:
        """Write the report down and let others have the source."""
        try:
            with self._database.write() as connection:
                done = {"state": "finished", "finished_at": self._now(), "report": report.to_json()}
                connection.execute(sa.update(runs).where(self._mine()).values(done | self._told()))
                connection.execute(_old_runs_of(self.run.source, self.run.run_id))
        finally:
            self._lock.release()

    def fail(self, error: str) -> None:
        """Write down that the run came to nothing, and why."""
        self.finish(SyncReport(self.run.source, "failed", error=error))

    def _beat(self, done: threading.Event) -> None:
        told, beaten = self._progress, time.monotonic()
        while not done.wait(TOLD_SECONDS):
            if self._progress is told and time.monotonic() - beaten < BEAT_SECONDS:
                continue
            told, beaten = self._progress, time.monotonic()
            try:
                self._show()
            except QuothError:
                log.warning("run.unheard", run_id=self.run.run_id)  # the next beat may get through

    def _show(self) -> None:
        with self._database.write() as connection:
            shown = sa.update(runs).where(self._mine()).values({"heartbeat_at": self._now()} | self._told())
            if connection.execute(shown).rowcount == 0:
                self._lost.set()

    def _told(self) -> dict[str, Any]:
        return {"progress": asdict(self._progress)}

    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(runs.c.run_id == self.run.run_id, runs.c.owner == self._owner, runs.c.state == "running")


def pause(stop: threading.Event | None, seconds: float = _POLL_SECONDS) -> None:
    """Wait a moment.

    Raises:
        Cancelled: ``stop`` was set meanwhile.
    """
    if (stop or threading.Event()).wait(seconds):
        raise Cancelled("Stopped while waiting for another run. That run goes on.")


def _of(source: str, state: State) -> sa.Select[Any]:
    return sa.select(runs).where(runs.c.source == source, runs.c.state == state)


def _is_more(wants: dict[str, Any], running: Any) -> bool:
    """Whether a request asks for something that the running run does not do."""
    flags = any(wants[flag] and not getattr(running, flag) for flag in ("full_fetch", "approve_removals", "verify"))
    return flags or (wants["kind"] == "reconcile" and running.kind == "refresh")


def _merged(wants: dict[str, Any], queued: Any) -> dict[str, Any]:
    flags = ("full_fetch", "approve_removals", "verify")
    kind = "reconcile" if "reconcile" in (wants["kind"], queued.kind) else "refresh"
    return {flag: wants[flag] or getattr(queued, flag) for flag in flags} | {"kind": kind}


def _old_runs_of(source: str, latest: int) -> sa.Delete:
    done = sa.and_(runs.c.source == source, runs.c.state == "finished", runs.c.run_id < latest)
    kept = sa.select(runs.c.run_id).where(done).order_by(runs.c.run_id.desc()).limit(KEPT_A_SOURCE)
    return sa.delete(runs).where(done, runs.c.run_id.not_in(sa.select(kept.subquery().c.run_id)))


def _run_of(row: Any) -> Run:
    return Run(
        run_id=row.run_id,
        source=row.source,
        kind=row.kind,
        full=row.full_fetch,
        approve_removals=row.approve_removals,
        verify=row.verify,
        state=row.state,
        requested_at=row.requested_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        progress=Progress(**(row.progress or {})),
        report=None if row.report is None else report_from(row.report),
    )
