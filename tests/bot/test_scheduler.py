"""The scheduler asks for runs when they are due, and only in the process that leads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.scheduler import Plan, Scheduler, first_run
from connectors.database import Database
from connectors.errors import TryLater
from connectors.ledger.leases import Lease
from connectors.ledger.ledger import LINEAGE

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOURLY = Plan(timedelta(hours=1))


class Desk:
    """Where runs are asked for."""

    def __init__(self, *, broken: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self._broken = broken
        self._more = threading.Condition()

    def ask(self, source: str, kind: str) -> None:
        with self._more:
            self.asked.append((source, kind))
            self._more.notify_all()
        if self._broken:
            raise TryLater("the database is away")

    def waits_for(self, count: int) -> bool:
        with self._more:
            return self._more.wait_for(lambda: len(self.asked) >= count, timeout=10)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}", LINEAGE)
    yield database
    database.close()


@contextmanager
def scheduler(database: Database, desk: Desk, plans: dict[str, Plan], **last: datetime) -> Iterator[Scheduler]:
    made = Scheduler(plans, Lease(database, "timer"), desk.ask)
    made.start(last)
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
    desk = Desk(broken=True)
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


def test_the_next_run_is_known(database: Database) -> None:
    with scheduler(database, Desk(), {"wiki": HOURLY}, wiki=datetime.now(UTC)) as made:
        left = made.next_runs()["wiki"] - datetime.now(UTC)
    assert timedelta(minutes=58) < left <= timedelta(hours=1)


def test_a_stopped_leader_lets_another_lead_at_once(database: Database) -> None:
    with scheduler(database, Desk(), {}):
        pass
    assert Lease(database, "timer").hold()
