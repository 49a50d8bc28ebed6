"""Runs are carried out one after the other, vectors follow, and no surprise ends the workers."""

import queue
import threading

from bot.syncing import BackfillWorker, SyncWorkers
from connectors.errors import Cancelled, TryLater
from connectors.sync.reports import SyncReport


def test_every_run_of_the_queue_is_carried_out() -> None:
    waiting = ["wiki", "docs", "blog"]
    done: queue.Queue[str] = queue.Queue()

    def perform(_: threading.Event) -> SyncReport | None:
        if not waiting:
            return None
        done.put(waiting.pop(0))
        return SyncReport("wiki", "ok")

    workers = SyncWorkers(perform, threading.Event(), threads=1)
    workers.start()
    try:
        assert [done.get(timeout=10) for _ in range(3)] == ["wiki", "docs", "blog"]
    finally:
        workers.stop(10)


def test_a_stop_reaches_the_run_that_is_under_way() -> None:
    begun, ended = threading.Event(), threading.Event()

    def perform(stop: threading.Event) -> SyncReport | None:
        begun.set()
        stop.wait(10)
        ended.set()
        raise Cancelled("stopped")

    workers = SyncWorkers(perform, threading.Event(), threads=1)
    workers.start()
    assert begun.wait(10)
    workers.stop(10)
    assert ended.is_set()


def test_workers_that_never_began_can_be_stopped() -> None:
    SyncWorkers(lambda _: None, threading.Event()).stop(10)


def test_a_finished_run_is_told() -> None:
    waiting, told = ["wiki"], threading.Event()
    workers = SyncWorkers(
        lambda _: SyncReport(waiting.pop(), "ok") if waiting else None, threading.Event(), 1, done=told.set
    )
    workers.start()
    assert told.wait(10)
    workers.stop(10)


def test_vectors_follow_at_the_start_and_whenever_something_is_due() -> None:
    fills: queue.Queue[str] = queue.Queue()
    failures = [TryLater("the embedder is down"), KeyError("a surprise")]
    due: list[str] = []

    def fill(_: threading.Event) -> None:
        fills.put("fill")
        if failures:
            raise failures.pop(0)

    worker = BackfillWorker(fill, lambda: bool(due and due.pop()), threading.Event())
    worker.start()
    assert fills.get(timeout=10) == "fill"
    for _ in range(3):
        due.append("something")
        worker.wake()
        assert fills.get(timeout=10) == "fill"
    worker.wake()
    worker.stop(10)
    assert fills.empty()


def test_a_backfill_that_never_began_can_be_stopped() -> None:
    BackfillWorker(lambda _: None, lambda: False, threading.Event()).stop(10)
