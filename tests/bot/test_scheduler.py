"""The scheduler asks for runs when they are due, and only in the process that leads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.metrics import MISSED_TIMES
from bot.scheduler import Plan, Scheduler, first_run
from connectors.database import Database
from connectors.errors import TryLater
from connectors.ledger.leases import LEASE, Lease
from connectors.ledger.ledger import LINEAGE

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOURLY = Plan(timedelta(hours=1))


class Desk:
    """Where runs are asked for."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._trouble = trouble
        self._more = threading.Condition()

    def ask(self, source: str, kind: str) -> None:
        with self._more:
            self.asked.append((source, kind))
            self._more.notify_all()
        if self._trouble is not None:
            raise self._trouble

    def waits_for(self, count: int) -> bool:
        with self._more:
            return self._more.wait_for(lambda: len(self.asked) >= count, timeout=10)


class AwayLease(Lease):
    """A lease in a database that cannot be asked."""

    def hold(self) -> bool:
        raise TryLater("the database is away")

    def release(self) -> None:
        raise TryLater("the database is away")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}", LINEAGE)
    yield database
    database.close()


@contextmanager
def scheduler(database: Database, desk: Desk, plans: dict[str, Plan], **last: datetime) -> Iterator[Scheduler]:
    made = Scheduler(plans, Lease(database, "timer"), desk.ask, lambda: last)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize(
    ("last_success", "due"),
    [
        (None, NOW),
        (NOW - timedelta(hours=5), NOW),
        (NOW - timedelta(minutes=20), NOW + timedelta(minutes=40)),
        (NOW + timedelta(days=1), NOW + timedelta(days=1, hours=1)),
    ],
)
def test_a_source_is_due_an_interval_after_its_last_success(last_success: datetime | None, due: datetime) -> None:
    assert first_run(HOURLY, last_success, NOW, 0) == due


def test_overdue_sources_are_asked_for_at_the_start(database: Database) -> None:
    desk = Desk()
    with scheduler(database, desk, {"wiki": HOURLY, "docs": HOURLY}, docs=datetime.now(UTC)):
        assert desk.waits_for(1)
    assert desk.asked == [("wiki", "reconcile")]


def test_a_source_is_asked_for_again_and_again(database: Database) -> None:
    desk = Desk(TryLater("the database is away"))
    with scheduler(database, desk, {"wiki": Plan(timedelta(seconds=1), timedelta(seconds=1))}):
        assert desk.waits_for(4)
    assert set(desk.asked) == {("wiki", "reconcile"), ("wiki", "refresh")}


def test_only_the_leader_asks(database: Database) -> None:
    leading, following = Desk(), Desk()
    with (
        scheduler(database, leading, {"wiki": HOURLY}) as first,
        scheduler(database, following, {"wiki": HOURLY}) as second,
    ):
        assert (first.leads, second.leads) == (True, False)
        assert leading.waits_for(1)
    assert following.asked == []


def test_what_fell_due_while_nobody_led_is_asked_for_by_the_next_leader(database: Database) -> None:
    dead = Lease(database, "timer", clock=lambda: datetime.now(UTC) - LEASE + timedelta(seconds=2))
    assert dead.hold()  # killed eight seconds ago: nobody released it
    desk = Desk()
    with scheduler(database, desk, {"wiki": HOURLY}) as heir:
        assert not heir.leads
        assert desk.waits_for(1)
    assert desk.asked == [("wiki", "reconcile")]


def test_a_leader_that_cannot_read_what_is_due_leaves_it_to_a_later_try(database: Database) -> None:
    def away() -> dict[str, datetime | None]:
        raise TryLater("the database is away")

    made = Scheduler({"wiki": HOURLY}, Lease(database, "timer"), Desk().ask, away)
    made.start()
    assert not made.leads
    made.stop()
    assert Lease(database, "timer").hold()


def test_a_database_that_is_away_does_not_keep_the_timer_from_stopping(database: Database) -> None:
    made = Scheduler({}, AwayLease(database, "timer"), Desk().ask, dict)
    made.start()
    made.stop()
    assert not made.leads


def test_a_job_that_stumbles_is_counted_and_comes_again(database: Database) -> None:
    desk = Desk(RuntimeError("a bug"))
    before = MISSED_TIMES._value.get()
    with scheduler(database, desk, {"wiki": Plan(timedelta(seconds=1))}):
        assert desk.waits_for(2)
    assert MISSED_TIMES._value.get() > before


def test_a_stopped_leader_lets_another_lead_at_once(database: Database) -> None:
    with scheduler(database, Desk(), {}):
        pass
    assert Lease(database, "timer").hold()
