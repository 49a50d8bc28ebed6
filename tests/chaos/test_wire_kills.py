"""A sync into a Weaviate may be killed between any two calls on the wire: the next one makes good."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.sync_kills import before
from tests.chaos.test_sync_kills import answers_of, state_of, whole, without
from tests.chaos.wire_kills import SOURCES, grown, house_of
from tests.fakes.weaviate.faults import Call, healthy
from tests.fakes.weaviate.refusals import unavailable
from tests.fakes.weaviate.server import FakeWeaviate

ROOT = Path(__file__).parents[2]
IN_EVERY_RUN = 4
"""Kills of each scenario in the default run; all others are by hand: pytest -m chaos."""


@dataclass(frozen=True)
class Mended:
    """What could be answered before a sync and after it, and all that ledger and store say then."""

    found: dict[str, Any]
    answers: dict[str, Any]
    state: dict[str, Any]


@dataclass
class Start:
    """Where a scenario begins: a folder with a ledger, the server's state, and the source to be synced."""

    folder: Path
    restore: Callable[[], None]
    source: str


@dataclass
class Yard:
    """A fake server that outlives the syncs into it, and a process that forks them."""

    fake: FakeWeaviate
    forker: subprocess.Popen[str]
    folder: Path
    starts: dict[str, Start] = field(default_factory=dict)
    truths: dict[str, dict[str, Any]] = field(default_factory=dict)
    _copies: int = 0

    def copy_of(self, start: Start) -> Path:
        """The folder of a scenario to do something to, and the server as it was then."""
        start.restore()
        self._copies += 1
        return Path(shutil.copytree(start.folder, self.folder / f"copy-{self._copies}"))

    def killed(self, folder: Path, source: str, position: int, *, done: bool) -> bool:
        """Sync in a child that dies at a call on the wire: once that is carried out, or before; whether it died."""
        node, dead = self.fake.addresses[0], threading.Event()
        child = self._told({"folder": str(folder), "http": node.http, "grpc": node.grpc, "source": source})
        left = position

        def strike(call: Call) -> Any:
            nonlocal left
            left -= 1
            if left >= 0:
                return healthy(call)
            if done:
                healthy(call)
            os.kill(child, signal.SIGKILL)
            dead.wait(10)
            raise unavailable("nobody waits for this")

        self.fake.faults.around = strike
        was_killed = bool(self._told("go"))
        dead.set()
        self.fake.faults.around = healthy
        return was_killed

    def calls(self, start: Start) -> list[str]:
        """The calls on the wire of a sync that nobody kills."""
        folder = self.copy_of(start)
        first = len(self.fake.faults.calls)
        assert not self.killed(folder, start.source, 1_000_000, done=False)
        return self.fake.faults.calls[first:]

    def next_sync(self, folder: Path, source: str) -> Mended:
        """What the next sync finds and makes of it."""
        house = house_of(folder, self.fake.addresses[0])
        try:
            found = answers_of(house)
            report = house.synced(SOURCES[source]())
            assert report.status == "ok", report.error
            return Mended(found, answers_of(house), state_of(house))
        finally:
            house.close()

    def _told(self, what: object) -> Any:
        assert self.forker.stdin
        assert self.forker.stdout
        self.forker.stdin.write(f"{json.dumps(what)}\n")
        self.forker.stdin.flush()
        return json.loads(self.forker.stdout.readline())


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    command = [sys.executable, "-m", "tests.chaos.wire_kills"]
    folder = tmp_path_factory.mktemp("wire")
    with (
        FakeWeaviate() as fake,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forker,
    ):
        yard = Yard(fake, forker, folder)
        nothing = fake.cluster.snapshot()
        prepare(yard, nothing)
        yield yard
        assert forker.stdin
        forker.stdin.close()


def prepare(yard: Yard, nothing: Callable[[], None]) -> None:
    """Bring about each scenario's start, and what a fresh sync into nothing comes to."""
    for source in ("before", "after", "grown"):
        nothing()
        folder = yard.folder / f"fresh-{source}"
        folder.mkdir()
        yard.truths[source] = yard.next_sync(folder, source).state
        if source == "before":
            synced = Start(folder, yard.fake.cluster.snapshot(), "after")
    empty = yard.folder / "empty"
    empty.mkdir()
    yard.starts["first"] = Start(empty, nothing, "before")
    yard.starts["change"] = synced
    yard.starts["growth"] = Start(synced.folder, synced.restore, "grown")
    yard.starts["emptied"] = Start(synced.folder, synced.restore, "emptied")
    indebted = yard.copy_of(synced)
    calls = yard.calls(synced)
    last_write = len(calls) - 1 - calls[::-1].index("BatchObjects")
    synced.restore()
    assert yard.killed(indebted, "after", last_write, done=True)
    yard.starts["debt"] = Start(indebted, yard.fake.cluster.snapshot(), "after")


def kill_and_mend(yard: Yard, scenario: str, position: int, *, done: bool) -> None:
    """The claim itself, for one kill."""
    start, old, new = yard.starts[scenario], whole(before()), whole(grown())
    folder = yard.copy_of(start)
    assert yard.killed(folder, start.source, position, done=done)
    mended = yard.next_sync(folder, start.source)
    for document_id, chunks in mended.found.items():
        assert chunks in (old.get(document_id), new.get(document_id)), document_id
    if scenario == "emptied":
        assert mended.answers == old
        return
    state, truth = mended.state, yard.truths[start.source]
    if scenario != "first":  # A fresh sync knows nothing of the old version of a page that cannot be read.
        assert mended.answers["fake:fake:broken"] == old["fake:fake:broken"]
        state, truth = without(state, "broken"), without(truth, "broken")
    assert state == truth
    assert state["owed"] == []


def points_of(yard: Yard, scenario: str) -> list[tuple[int, bool]]:
    """Every moment that a sync can be killed at: before a call is carried out, and after it."""
    return [(position, done) for position in range(len(yard.calls(yard.starts[scenario]))) for done in (False, True)]


SCENARIOS = ("first", "change", "growth", "debt", "emptied")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_sync_that_was_killed_between_two_calls_is_made_good_by_the_next(yard: Yard, scenario: str) -> None:
    points = points_of(yard, scenario)
    for position, done in points[:: max(1, len(points) // IN_EVERY_RUN)]:
        kill_and_mend(yard, scenario, position, done=done)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_a_sync_may_be_killed_between_any_two_calls(yard: Yard) -> None:
    points = [(scenario, *point) for scenario in SCENARIOS for point in points_of(yard, scenario)]
    assert len(points) >= 200
    for scenario, position, done in points:
        kill_and_mend(yard, scenario, position, done=done)
