"""A lease is held by one process at a time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.database import Database
from connectors.ledger.leases import LEASE, Lease
from connectors.ledger.ledger import LINEAGE


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> object:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}", LINEAGE)
    yield database
    database.close()


def test_the_first_who_asks_has_it(database: Database) -> None:
    first, second = Lease(database, "timer"), Lease(database, "timer")

    assert first.hold()
    assert not second.hold()
    assert first.hold()


def test_two_names_are_two_leases(database: Database) -> None:
    assert Lease(database, "timer").hold()
    assert Lease(database, "purge").hold()


def test_what_is_not_renewed_is_taken_over(database: Database) -> None:
    clock = Clock()
    dead, heir = Lease(database, "timer", clock=clock), Lease(database, "timer", clock=clock)
    dead.hold()

    clock.now += LEASE - timedelta(seconds=1)
    assert not heir.hold()
    clock.now += timedelta(seconds=2)
    assert heir.hold()
    assert not dead.hold()


def test_a_released_lease_is_free_at_once(database: Database) -> None:
    leaver, heir = Lease(database, "timer"), Lease(database, "timer")
    leaver.hold()
    heir.release()
    assert not heir.hold()

    leaver.release()
    assert heir.hold()
