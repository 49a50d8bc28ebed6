"""The house stands on either database, and makes sentences of the failures of what it is built from."""

import asyncio
import threading
from pathlib import Path

import sqlalchemy as sa

from bot.app import Quoth
from bot.rehearsal.company import commit_all
from bot.settings import Environment, GitSource, Settings
from bot.status import status_of
from connectors.errors import TryLater
from connectors.ledger.tables import sources
from connectors.sync.runs import Runs
from tests.databases import database_url

__all__ = ["database_url"]


class FullDisk(Quoth):
    """A house whose ledger has no room for another line."""

    @property
    def runs(self) -> Runs:
        raise TryLater("ledger.db: the disk is full.")


def test_a_run_that_cannot_even_be_written_down_still_has_its_report(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", sources={"docs": GitSource(type="git", url=str(tmp_path))})
    with FullDisk(settings, Environment()) as house:
        report = house.sync_now(house.connector("docs"), full=False, approve_removals=False, verify=False)

    assert (report.source, report.status, report.seen) == ("docs", "failed", 0)
    assert report.error == "ledger.db: the disk is full."


def test_a_house_stands_on_either_database(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "gate.md").write_text("# The gate\n\nThe gate opens at seven.\n")
    commit_all(tmp_path / "docs", "Write it down")
    source = GitSource(type="git", url=str(tmp_path / "docs"))
    database = "sqlite" if database_url.startswith("sqlite") else database_url
    settings = Settings(database=database, data_dir=tmp_path / "data", sources={"docs": source})

    with Quoth(settings, Environment()) as house:
        report = house.sync_now(house.connector("docs"), full=False, approve_removals=False, verify=False)
        assert (report.status, report.added, report.error) == ("ok", 1, None)
        assert status_of(house)["queue"] == {"runs": 0, "questions": 0}
        with house.ledger.database.read() as connection:
            identity = connection.execute(sa.select(sources.c.identity)).scalar_one()
        assert "\0" not in identity  # SQLite would take it, PostgreSQL does not


async def test_a_short_look_does_not_wait_for_searches(tmp_path: Path) -> None:
    finish = threading.Event()
    with Quoth(Settings(data_dir=tmp_path), Environment()) as house:
        for _ in range(50):
            house.pool.submit(finish.wait)
        try:
            assert await asyncio.wait_for(house.look(lambda: "seen"), 10) == "seen"
        finally:
            finish.set()
