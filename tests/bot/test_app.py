"""What the house makes of the failures of what it is built from."""

from pathlib import Path

from bot.app import Quoth
from bot.settings import Environment, GitSource, Settings
from connectors.errors import TryLater
from connectors.sync.runs import Runs


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
