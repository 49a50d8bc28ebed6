"""Syncs that are killed with SIGKILL at every boundary, each in a child process of its own.

Run as a script with an empty folder, it leaves a folder for each killed sync, and killed.json: what was killed where.
Each sync is killed once at each kind of boundary; with the word `often` at the first two and the last of each kind.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.ports import KnowledgeStore
from connectors.store.sqlite_store import SqliteStore
from connectors.sync.course import Boundary
from connectors.sync.opening import Index, OpenIndexes
from connectors.sync.reports import SyncReport
from connectors.sync.sync import Sync
from tests.fakes.connectors import JournalConnector
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import spec_of

LONG = "\n\n".join(f"# Part {n}\n\nSentence number {n} of a page that has several parts." for n in range(4))


OLD, NEW = "words-64", "words-64-anew"
"""Two models, for an index each."""


class House:
    """A ledger on disk, an index on disk for each model, and a sync over them. ``model`` is the configured one.

    Another ``store`` may stand in for the indexes on disk.
    """

    def __init__(
        self,
        folder: Path,
        boundary: Callable[[Boundary], None] = lambda _: None,
        store: KnowledgeStore | None = None,
        model: str = OLD,
    ) -> None:
        self._folder = folder
        self._only = store
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}")
        self.ledger.register("fake", "journal", "here")
        self.ledger.indexes.want(spec_of(WordEmbedder(model), name=model))
        self.indexes = OpenIndexes(self.ledger.indexes, self._open)
        self.sync = Sync(self.ledger, self.indexes, folder / "locks", boundary=boundary)

    @property
    def store(self) -> KnowledgeStore:
        """Of the index that answers."""
        return self.indexes.live().store

    def synced(self, source: JournalConnector) -> SyncReport:
        """A sync, and the backfill that follows it."""
        report = self.sync.reconcile(source)
        self.sync.backfill.run()
        return report

    def close(self) -> None:
        self.indexes.close()
        self.ledger.close()

    def _open(self, spec: IndexSpec, stack: ExitStack) -> Index:
        store = self._only or SqliteStore(self._folder / f"index-{spec.name}.sqlite3", spec.fingerprint)
        stack.callback(store.close)
        return Index(spec, store, WordEmbedder(spec.embedder))


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
    model: str = OLD


def prepare_nothing(folder: Path) -> None:
    House(folder).close()


def prepare_first_sync(folder: Path) -> None:
    house = House(folder)
    assert house.synced(before()).status == "ok"
    house.close()


def prepare_debt(folder: Path) -> None:
    prepare_first_sync(folder)
    assert killed_at(folder, after, Boundary.COMMITTED, 1)


def prepare_half_embedded(folder: Path) -> None:
    """The store has vectors that the ledger does not know of."""
    assert killed_at(folder, before, Boundary.EMBEDDED, 1)


def prepare_half_built(folder: Path) -> None:
    """Another model was wanted, and the build died when half of it was put."""
    prepare_first_sync(folder)
    assert killed_at(folder, after, Boundary.PUT, 4, NEW)


SCENARIOS = (
    Scenario("first", prepare_nothing, before),
    Scenario("half-embedded", prepare_half_embedded, before),
    Scenario("change", prepare_first_sync, after),
    Scenario("debt", prepare_debt, after),
    Scenario("emptied", prepare_first_sync, emptied),
    Scenario("build", prepare_first_sync, after, NEW),
    Scenario("half-built", prepare_half_built, after, NEW),
    Scenario("given-up", prepare_half_built, after),
    Scenario("emptied-build", prepare_first_sync, emptied, NEW),
)


def killed_at(
    folder: Path, source: Callable[[], JournalConnector], boundary: Boundary, nth: int, model: str = OLD
) -> bool:
    """Sync in a child that dies at the nth time of this boundary; whether it did."""
    child = os.fork()
    if child == 0:
        left = nth

        def die(at: Boundary) -> None:
            nonlocal left
            left -= at is boundary
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        House(folder, die, model=model).synced(source())
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def boundaries_of(folder: Path, scenario: Scenario) -> list[Boundary]:
    """Every boundary that a sync which nobody kills comes past."""
    passed: list[Boundary] = []
    house = House(folder, passed.append, model=scenario.model)
    house.synced(scenario.source())
    house.close()
    return passed


def main(folder: Path, *, often: bool) -> None:
    killed = []
    for scenario in SCENARIOS:
        start = folder / scenario.name
        start.mkdir()
        scenario.prepare(start)
        rehearsal = folder / f"{scenario.name}-rehearsal"
        shutil.copytree(start, rehearsal)
        passed = boundaries_of(rehearsal, scenario)
        for position, boundary in enumerate(passed):
            nth, left = passed[: position + 1].count(boundary), passed[position + 1 :].count(boundary)
            if nth > (2 if often else 1) and (left or not often):
                continue  # In the midst of many of a kind: like the one before.
            place = folder / f"{scenario.name}-{position}"
            shutil.copytree(start, place)
            assert killed_at(place, scenario.source, boundary, nth, scenario.model), (scenario.name, boundary, nth)
            killed.append({"scenario": scenario.name, "boundary": boundary, "nth": nth, "folder": str(place)})
    (folder / "killed.json").write_text(json.dumps(killed))


if __name__ == "__main__":
    main(Path(sys.argv[1]), often="often" in sys.argv[2:])
