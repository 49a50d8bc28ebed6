"""When to sync. APScheduler is a timer in memory, a lease makes one process the leader; it only asks for runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.metrics import MISSED_TIMES
from connectors.errors import QuothError
from connectors.ledger.leases import LEASE, Lease

log = structlog.get_logger()

Kind = Literal["reconcile", "refresh"]
Ask = Callable[[str, Kind], object]
LastSuccesses = Callable[[], Mapping[str, datetime | None]]
"""When each source was last compared whole; None where it never was."""
_SPREAD_SECONDS = 2
"""Between the first runs of overdue sources, so that a start does not ask for all of them in one moment."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How often a source is compared as a whole, and how often its recent changes are looked for in between."""

    every: timedelta
    refresh: timedelta | None = None


def first_run(plan: Plan, last_success: datetime | None, now: datetime, place: int) -> datetime:
    """When a source is due first: at once when it is overdue or was never synced, else an interval after the last."""
    due = last_success + plan.every if last_success is not None else now
    return max(due, now + timedelta(seconds=place * _SPREAD_SECONDS))


class Scheduler:
    """Asks for a run of each source whenever it is due, while this process is the leader.

    Nothing is remembered in here: who comes to lead, at a start or when another leader is gone, plans anew from the
    ledger's last successes. A job that comes late still runs, once.
    """

    def __init__(self, plans: Mapping[str, Plan], lease: Lease, ask: Ask, last_successes: LastSuccesses) -> None:
        self._plans = plans
        self._lease = lease
        self._ask = ask
        self._last_successes = last_successes
        self._leads = threading.Event()
        self._timer = BackgroundScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._timer.add_listener(_note, EVENT_JOB_MISSED | EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)

    @property
    def leads(self) -> bool:
        """Whether this process is the one that asks."""
        return self._leads.is_set()

    def start(self) -> None:
        """Begin. Overdue sources are asked for at once, by whichever process leads."""
        self._renew()
        self._timer.add_job(self._renew, IntervalTrigger(seconds=LEASE.total_seconds() / 3), id="lease")
        self._timer.start()

    def stop(self) -> None:
        """Ask for nothing more, and let another process lead."""
        if self._timer.running:
            self._timer.shutdown(wait=False)
        with suppress(QuothError):  # a lease that cannot be given back ends by itself
            self._lease.release()

    def _renew(self) -> None:
        try:
            if not self._lease.hold():
                self._follow()
            elif not self.leads:
                self._lead(self._last_successes())
        except QuothError:
            self._follow()

    def _lead(self, last_successes: Mapping[str, datetime | None]) -> None:
        log.info("leader.changed", leads=True)
        self._leads.set()
        now = datetime.now(UTC)
        for place, (source, plan) in enumerate(self._plans.items()):
            self._every(source, "reconcile", plan.every, first_run(plan, last_successes.get(source), now, place))
            if plan.refresh is not None:
                self._every(source, "refresh", plan.refresh, now + plan.refresh)

    def _follow(self) -> None:
        if self.leads:
            log.info("leader.changed", leads=False)
            self._leads.clear()

    def _every(self, source: str, kind: Kind, interval: timedelta, first: datetime) -> None:
        trigger = IntervalTrigger(seconds=max(interval.total_seconds(), 1), start_date=first)
        name = f"{kind} {source}"
        self._timer.add_job(self._due, trigger, (source, kind), id=name, next_run_time=first, replace_existing=True)

    def _due(self, source: str, kind: Kind) -> None:
        if not self.leads:
            return
        try:
            self._ask(source, kind)
        except QuothError as error:
            log.warning("run.not_asked_for", source=source, reason=type(error).__name__)


def _note(event: JobEvent) -> None:
    MISSED_TIMES.inc()
    log.warning("timer.stumbled", job=event.job_id, kind=event.code)
