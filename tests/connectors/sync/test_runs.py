"""At most one run a source at a time; who asks meanwhile joins it; the dead are taken over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import Cancelled, Misconfigured, TryLater
from connectors.ledger.ledger import Ledger
from connectors.locks import place_of
from connectors.model import Listing
from connectors.sync.errands import perform, perform_next
from connectors.sync.reports import Progress, SyncReport
from connectors.sync.runs import DEAD_AFTER, Claim, Runs, Ticket
from connectors.sync.sync import Sync
from tests.databases import database_url
from tests.fakes.connectors import JournalConnector
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import one_open
from tests.fakes.stores import MemoryStore

__all__ = ["database_url"]

DONE = SyncReport("fake", "ok", seen=3, unchanged=3, chunks=3)


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


@pytest.fixture
def runs(ledger: Ledger, tmp_path: Path) -> Runs:
    return Runs(ledger.database, tmp_path / "locks")


class SlowConnector(JournalConnector):
    """Lists only when it is told to, and says when it is about to."""

    def __init__(self) -> None:
        super().__init__()
        self.listing, self.go_on = threading.Event(), threading.Event()

    def manifest(self) -> Iterator[Listing]:
        self.listing.set()
        assert self.go_on.wait(20)
        yield from super().manifest()


@pytest.fixture
def sync(ledger: Ledger, tmp_path: Path) -> Sync:
    embedder = WordEmbedder()
    ledger.register("fake", "journal", "here")
    return Sync(ledger, one_open(ledger, MemoryStore(), embedder), tmp_path / "locks")


def test_a_request_is_queued_and_carried_out(runs: Runs) -> None:
    ticket = runs.request("fake")
    assert (ticket.joined, runs.queued(), runs.active("fake")) == (False, 1, None)
    claim = runs.claim(["fake"])
    assert claim is not None
    assert runs.queued() == 0
    active = runs.active("fake")
    assert active is not None
    assert active.run_id == ticket.run_id
    claim.finish(DONE)
    done = runs.run(ticket.run_id)
    assert (done.report, done.state) == (DONE, "finished")
    assert runs.active("fake") is None


def test_a_second_request_joins_the_queued_run_and_adds_its_wishes(runs: Runs) -> None:
    first = runs.request("fake", kind="refresh")
    second = runs.request("fake", full=True)
    assert second == Ticket(first.run_id, "fake", joined=True)
    run = runs.run(first.run_id)
    assert (run.kind, run.full, run.approve_removals) == ("reconcile", True, False)


def test_a_request_joins_the_running_run(runs: Runs) -> None:
    first = runs.request("fake", full=True)
    runs.claim(["fake"])
    assert runs.request("fake") == Ticket(first.run_id, "fake", joined=True)
    assert runs.queued() == 0


def test_who_asks_for_more_than_the_running_run_does_gets_one_follow_up(runs: Runs) -> None:
    first = runs.request("fake")
    claim = runs.claim(["fake"])
    assert claim is not None
    full = runs.request("fake", full=True)
    approved = runs.request("fake", approve_removals=True)
    assert (full.joined, full.run_id != first.run_id) == (False, True)
    assert approved == Ticket(full.run_id, "fake", joined=True)
    assert runs.claim(["fake"]) is None
    claim.finish(DONE)
    follow_up = runs.claim(["fake"])
    assert follow_up is not None
    assert (follow_up.run.full, follow_up.run.approve_removals) == (True, True)


def test_a_reconcile_does_not_content_itself_with_a_running_refresh(runs: Runs) -> None:
    runs.request("fake", kind="refresh")
    runs.claim(["fake"])
    assert runs.request("fake", kind="refresh").joined
    assert not runs.request("fake").joined


def test_sources_run_side_by_side_and_the_oldest_request_goes_first(runs: Runs) -> None:
    for source in ("b", "a", "c"):
        runs.request(source)
    claims = [runs.claim(["a", "b", "c"]) for _ in range(4)]
    assert [claim and claim.run.source for claim in claims] == ["b", "a", "c", None]


def test_of_many_who_ask_at_once_one_run_comes(runs: Runs) -> None:
    with ThreadPoolExecutor(8) as pool:
        tickets = list(pool.map(lambda _: runs.request("fake"), range(16)))
        claims = list(pool.map(lambda _: runs.claim(["fake"]), range(8)))
    assert len({ticket.run_id for ticket in tickets}) == 1
    assert sum(not ticket.joined for ticket in tickets) == 1
    assert sum(claim is not None for claim in claims) == 1


def test_a_source_may_be_called_anything(runs: Runs) -> None:
    runs.request("../etc/pass wd")
    assert runs.claim(["../etc/pass wd"]) is not None


def test_a_run_that_never_was_is_not_found(runs: Runs) -> None:
    with pytest.raises(LookupError):
        runs.run(99)


def test_a_run_of_a_process_that_was_killed_is_taken_over_at_once(
    runs: Runs, database_url: str, tmp_path: Path
) -> None:
    ticket = runs.request("fake", full=True)
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), database_url], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"claimed\n"
    assert runs.claim(["fake"]) is None
    assert runs.active("fake") is not None
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert runs.active("fake") is None
    claim = runs.claim(["fake"])
    assert claim is not None
    assert (claim.run.run_id, claim.run.full) == (ticket.run_id, True)


HOLDER = """
import sys, time
from pathlib import Path
from connectors.ledger.ledger import Ledger
from connectors.sync.runs import Runs
folder = Path(sys.argv[1])
ledger = Ledger(sys.argv[2])
assert Runs(ledger.database, folder / "locks").claim(["fake"]) is not None
print("claimed", flush=True)
time.sleep(60)
"""


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_a_run_elsewhere_is_taken_over_when_its_heart_stops(ledger: Ledger, tmp_path: Path) -> None:
    clock = Clock()
    here, there = (Runs(ledger.database, tmp_path / name, now=clock) for name in ("here", "there"))
    here.request("fake")
    lost = there.claim(["fake"])
    assert lost is not None
    clock.now += DEAD_AFTER - timedelta(seconds=1)
    assert here.claim(["fake"]) is None
    clock.now += timedelta(seconds=2)
    assert here.active("fake") is None
    taken = here.claim(["fake"])
    assert taken is not None
    lost.finish(SyncReport("fake", "failed", error="too late"))
    assert here.active("fake") is not None
    taken.finish(DONE)
    assert here.run(taken.run.run_id).report == DONE


def test_a_process_that_lost_its_run_stops_at_the_next_step(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sync.runs.TOLD_SECONDS", 0.02)
    monkeypatch.setattr("connectors.sync.runs.BEAT_SECONDS", 0.02)
    clock = Clock()
    here, there = (Runs(ledger.database, tmp_path / name, now=clock) for name in ("here", "there"))
    here.request("fake")
    lost = there.claim(["fake"])
    clock.now += DEAD_AFTER * 2
    assert lost is not None
    assert here.claim(["fake"]) is not None
    with lost.beating(), pytest.raises(Cancelled):
        tell_on_and_on(lost)


def tell_on_and_on(claim: Claim) -> None:
    for _ in range(1000):
        claim.tell(Progress())
        threading.Event().wait(0.01)


def test_progress_can_be_read_by_others(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.sync.runs.TOLD_SECONDS", 0.02)
    ticket = runs.request("fake")
    claim = runs.claim(["fake"])
    assert claim is not None
    with claim.beating():
        claim.tell(Progress(total=10, seen=4, fetched=4, embedded=0))
        assert eventually(lambda: runs.run(ticket.run_id).progress.seen == 4)


def eventually(holds: Callable[[], bool]) -> bool:
    return any(holds() or threading.Event().wait(0.02) for _ in range(500))


def test_two_folders_of_locks_have_two_names_and_each_keeps_its_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: place_of(tmp_path / "a"), range(16)))
    assert len(names) == 1
    assert names != {place_of(tmp_path / "b")}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["place"]


def test_a_folder_that_cannot_hold_locks_is_named(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Misconfigured, match="cannot hold locks"):
        Runs(ledger.database, tmp_path / "file")


def test_old_runs_are_forgotten(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.sync.runs.KEPT_A_SOURCE", 2)
    tickets = []
    for _ in range(5):
        tickets.append(runs.request("fake"))
        claim = runs.claim(["fake"])
        assert claim is not None
        claim.finish(DONE)
    with pytest.raises(LookupError):
        runs.run(tickets[0].run_id)
    assert runs.run(tickets[-2].run_id).report == DONE


def test_performing_a_ticket_syncs_the_source(runs: Runs, sync: Sync) -> None:
    source = JournalConnector()
    source.write("a", "Text.")
    ticket = runs.request("fake")
    report = perform(runs, sync, source, ticket)
    assert (report.status, report.joined, report.added) == ("ok", False, 1)
    written = runs.run(ticket.run_id).report
    assert written is not None
    assert written.added == 1


def test_a_report_that_cannot_be_written_down_is_told_all_the_same(
    runs: Runs, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(claim: Claim, report: SyncReport) -> None:
        claim._lock.release()
        raise TryLater("the disk is full")

    source = JournalConnector()
    source.write("a", "Text.")
    with monkeypatch.context() as patch:
        patch.setattr(Claim, "finish", full)
        assert perform(runs, sync, source, runs.request("fake")).added == 1

    assert perform(runs, sync, source, runs.request("fake")).unchanged == 1


def test_who_comes_while_a_source_is_synced_gets_the_same_report_as_joined(runs: Runs, sync: Sync) -> None:
    source = SlowConnector()
    source.write("a", "Text.")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(perform, runs, sync, source, runs.request("fake"))
        assert source.listing.wait(20)
        told: list[Progress] = []
        second = pool.submit(perform, runs, sync, source, runs.request("fake"), progress=told.append)
        assert eventually(lambda: bool(told))
        source.go_on.set()
        assert (first.result().joined, second.result().joined) == (False, True)
    assert (first.result().added, second.result().added) == (1, 1)
    assert source.calls.count("manifest") == 1


def test_who_wants_more_than_the_running_sync_gets_a_run_of_its_own_afterwards(runs: Runs, sync: Sync) -> None:
    source = SlowConnector()
    source.write("a", "Text.")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(perform, runs, sync, source, runs.request("fake"))
        assert source.listing.wait(20)
        second = pool.submit(perform, runs, sync, source, runs.request("fake", full=True))
        source.go_on.set()
        assert (first.result().added, second.result().updated) == (1, 1)
    assert source.calls.count("manifest") == 2


def test_a_waiting_caller_can_be_stopped_and_the_run_goes_on(runs: Runs, sync: Sync) -> None:
    source, stop = SlowConnector(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(perform, runs, sync, source, runs.request("fake"))
        assert source.listing.wait(20)
        second = pool.submit(perform, runs, sync, source, runs.request("fake"), stop=stop)
        stop.set()
        with pytest.raises(Cancelled):
            second.result()
        source.go_on.set()
        assert first.result().status == "ok"


def test_a_stopped_run_is_over_and_the_source_free(runs: Runs, sync: Sync) -> None:
    stop = threading.Event()
    stop.set()
    source = JournalConnector()
    ticket = runs.request("fake")
    with pytest.raises(Cancelled):
        perform(runs, sync, source, ticket, stop=stop)
    written = runs.run(ticket.run_id).report
    assert written is not None
    assert written.status == "failed"
    assert perform(runs, sync, source, runs.request("fake")).status == "ok"


def test_a_worker_takes_what_is_queued_and_then_nothing(runs: Runs, sync: Sync) -> None:
    source = JournalConnector()
    source.write("a", "Text.")
    runs.request("fake")
    report = perform_next(runs, sync, {"fake": source})
    assert report is not None
    assert report.added == 1
    assert perform_next(runs, sync, {"fake": source}) is None


def test_one_failing_source_does_not_stop_the_next(runs: Runs, sync: Sync, ledger: Ledger) -> None:
    ledger.register("other", "journal", "there")
    broken, fine = JournalConnector(down=True), JournalConnector(source="other")
    for source in ("fake", "other"):
        runs.request(source)
    statuses = [perform_next(runs, sync, {"fake": broken, "other": fine}) for _ in range(2)]
    assert [report and report.status for report in statuses] == ["failed", "ok"]


def test_a_refresh_looks_at_what_is_recent_once_the_whole_was_compared(runs: Runs, sync: Sync) -> None:
    source = JournalConnector()
    perform(runs, sync, source, runs.request("fake", kind="refresh"))
    perform(runs, sync, source, runs.request("fake", kind="refresh"))
    assert source.calls == ["manifest", "recent"]
