"""Carries runs out: the one place where a run meets its sync and its connector."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from connectors.errors import Cancelled, TryLater
from connectors.ports import Connector
from connectors.sync.reports import Progress, SyncReport, Watcher
from connectors.sync.runs import Claim, Runs, Ticket, pause
from connectors.sync.sync import Sync

OVERLAP = timedelta(minutes=10)
"""How far a refresh looks back beyond the last comparison of the whole: clocks differ and feeds are late."""


def perform(
    runs: Runs,
    sync: Sync,
    connector: Connector,
    ticket: Ticket,
    *,
    progress: Watcher | None = None,
    stop: threading.Event | None = None,
) -> SyncReport:
    """The report of the ticket's run: carried out here if nobody else does it, else waited for and told as joined.

    Raises:
        Cancelled: ``stop`` was set. What was committed stays; somebody else's run goes on.
    """
    while True:
        claim = runs.claim([connector.source])
        if claim is not None:
            report = _carry_out(claim, sync, connector, progress, stop)
            if claim.run.run_id != ticket.run_id:
                claim.finish(report)
                continue
            with suppress(TryLater):  # a full disk: who asked is told all the same; the next run takes over
                claim.finish(report)
            return report
        run = runs.run(ticket.run_id)
        if run.report is not None:
            return run.report.as_joined()
        if progress is not None:
            progress(run.progress)
        pause(stop)


def perform_next(
    runs: Runs, sync: Sync, connectors: Mapping[str, Connector], stop: threading.Event | None = None
) -> SyncReport | None:
    """Carry out the next run of the queue, if there is one that nobody does. What a worker calls in a loop.

    Raises:
        Cancelled: ``stop`` was set. What was committed stays.
    """
    claim = runs.claim(connectors.keys())
    if claim is None:
        return None
    report = _carry_out(claim, sync, connectors[claim.run.source], None, stop)
    claim.finish(report)
    return report


def _carry_out(
    claim: Claim, sync: Sync, connector: Connector, progress: Watcher | None, stop: threading.Event | None
) -> SyncReport:
    def watch(now: Progress) -> None:
        claim.tell(now)
        if progress is not None:
            progress(now)

    try:
        with claim.beating():
            return _synced(claim, sync, connector, watch, stop)
    except BaseException as error:
        claim.fail(str(error) if isinstance(error, Cancelled) else "The process was asked to end.")
        raise


def _synced(claim: Claim, sync: Sync, connector: Connector, watch: Watcher, stop: threading.Event | None) -> SyncReport:
    run = claim.run
    compared = sync.last_success(run.source)
    if run.kind == "refresh" and compared is not None:
        return sync.refresh(connector, compared - OVERLAP, progress=watch, stop=stop)
    return sync.reconcile(
        connector,
        full=run.full,
        approve_removals=run.approve_removals,
        verify=run.verify,
        progress=watch,
        stop=stop,
    )
