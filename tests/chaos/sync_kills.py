"""Syncs that are killed with SIGKILL at every boundary, each in a child process of its own.

Run as a script with an empty folder, it leaves a folder for each killed sync, and killed.json: what was killed where.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connectors.ledger.ledger import Ledger
from connectors.ports import KnowledgeStore
from connectors.store.sqlite_store import SqliteStore
from connectors.sync.course import Boundary
from connectors.sync.sync import Sync, fingerprint_of
from tests.fakes.connectors import JournalConnector
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import one_open

LONG = "\n\n".join(f"# Part {n}\n\nSentence number {n} of a page that has several parts." for n in range(4))


class House:
    """A ledger and an index on disk, and a sync over them. Another ``store`` may stand in for the index on disk."""

    def __init__(
        self, folder: Path, boundary: Callable[[Boundary], None] = lambda _: None, store: KnowledgeStore | None = None
    ) -> None:
        embedder = WordEmbedder()
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}")
        self.ledger.register("fake", "journal", "here")
        self.store = store or SqliteStore(folder / "index.sqlite3", fingerprint_of(embedder))
        indexes = one_open(self.ledger, self.store, embedder)
        self.sync = Sync(self.ledger, indexes, folder / "locks", boundary=boundary)

    def close(self) -> None:
        self.store.close()
        self.ledger.close()


def before() -> JournalConnector:
    """The source as it was first."""
    source = JournalConnector()
    for name in ("edited", "deleted", "restricted", "moved", "broken", "same"):
        source.write(name, f"The page {name}.\n\n{LONG}")
    return source


def after() -> JournalConnector:
    """The source with something of every kind changed."""
    source = before()
    source.write("edited", f"The page edited, anew.\n\n{LONG}\n\n# One more\n\nA new part.")
    source.write("new", f"The page new.\n\n{LONG}")
    source.delete("deleted")
    source.restricted = {"restricted"}
    source.move("moved", "attic")
    source.write("broken", "Broken.")
    source.unreadable = {"broken": ("it is not XML", True)}
    return source


def emptied() -> JournalConnector:
    """The source when somebody has deleted everything, or seems to have."""
    return JournalConnector()


@dataclass(frozen=True)
class Scenario:
    """A start, and the sync from there that is killed."""

    name: str
    prepare: Callable[[Path], None]
    source: Callable[[], JournalConnector]


def prepare_nothing(folder: Path) -> None:
    House(folder).close()


def prepare_first_sync(folder: Path) -> None:
    house = House(folder)
    assert house.sync.reconcile(before()).status == "ok"
    house.close()


def prepare_debt(folder: Path) -> None:
    prepare_first_sync(folder)
    assert killed_at(folder, after, Boundary.COMMITTED, 1)


SCENARIOS = (
    Scenario("first", prepare_nothing, before),
    Scenario("change", prepare_first_sync, after),
    Scenario("debt", prepare_debt, after),
    Scenario("emptied", prepare_first_sync, emptied),
)


def killed_at(folder: Path, source: Callable[[], JournalConnector], boundary: Boundary, nth: int) -> bool:
    """Sync in a child that dies at the nth time of this boundary; whether it did."""
    child = os.fork()
    if child == 0:
        left = nth

        def die(at: Boundary) -> None:
            nonlocal left
            left -= at is boundary
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        House(folder, die).sync.reconcile(source())
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def boundaries_of(folder: Path, source: Callable[[], JournalConnector]) -> list[Boundary]:
    """Every boundary that a sync which nobody kills comes past."""
    passed: list[Boundary] = []
    house = House(folder, passed.append)
    house.sync.reconcile(source())
    house.close()
    return passed


def main(folder: Path) -> None:
    killed = []
    for scenario in SCENARIOS:
        start = folder / scenario.name
        start.mkdir()
        scenario.prepare(start)
        rehearsal = folder / f"{scenario.name}-rehearsal"
        shutil.copytree(start, rehearsal)
        passed = boundaries_of(rehearsal, scenario.source)
        for position, boundary in enumerate(passed):
            nth = passed[: position + 1].count(boundary)
            place = folder / f"{scenario.name}-{position}"
            shutil.copytree(start, place)
            assert killed_at(place, scenario.source, boundary, nth), (scenario.name, boundary, nth)
            killed.append({"scenario": scenario.name, "boundary": boundary, "nth": nth, "folder": str(place)})
    (folder / "killed.json").write_text(json.dumps(killed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
