"""Syncs into a real Weaviate that are killed with SIGKILL at random moments, each in a child process of its own.

Run as a script with a folder and the place of a server as JSON on standard input, it leaves a folder for each killed
sync, and killed.json: what was killed when. Nothing here opens a connection before it forks: gRPC would not survive it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from connectors.ledger.ledger import Ledger
from connectors.store.weaviate.place import Node, WeaviatePlace
from connectors.store.weaviate_store import WeaviateStore
from connectors.sync.reports import SyncReport
from connectors.sync.sync import Sync, fingerprint_of
from tests.chaos.sync_kills import after, before
from tests.fakes.connectors import JournalConnector
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import one_open

EMBEDDER = WordEmbedder()
OWNER = "chaos"
SOURCES: dict[str, Callable[[], JournalConnector]] = {"first": before, "change": after}


class WeaviateHouse:
    """A ledger on disk, an index on a server, and a sync over them."""

    def __init__(self, folder: Path, place: WeaviatePlace) -> None:
        folder.mkdir(exist_ok=True)
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}")
        self.ledger.register("fake", "journal", "here")
        self.store = WeaviateStore(place, fingerprint_of(EMBEDDER), owner=OWNER)
        self.indexes = one_open(self.ledger, self.store, EMBEDDER)
        self.sync = Sync(self.ledger, self.indexes, folder / "locks")

    def synced(self, source: JournalConnector, **wishes: bool) -> SyncReport:
        """A sync, and the backfill that follows it."""
        report = self.sync.reconcile(source, **wishes)
        self.sync.backfill.run()
        return report

    def close(self) -> None:
        self.store.close()
        self.ledger.close()


@contextmanager
def housed(folder: Path, place: WeaviatePlace) -> Iterator[WeaviateHouse]:
    house = WeaviateHouse(folder, place)
    try:
        yield house
    finally:
        house.close()


@dataclass(frozen=True)
class WeaviateKill:
    """A sync that was killed so many seconds after it began, or was done by then."""

    scenario: str
    seconds: float
    folder: str
    collection: str
    done: bool


def synced(folder: Path, place: WeaviatePlace, source: Callable[[], JournalConnector], within: float) -> float | None:
    """Sync in a child, which is killed after so many seconds; how long it took, or None if it was killed."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready)
        with housed(folder, place) as house:
            house.store.stats()
            os.write(tell, b".")
            done = house.synced(source()).status == "ok"
        os._exit(0 if done else 1)
    os.close(tell)
    assert os.read(ready, 1) == b".", "the child did not come to begin"
    os.close(ready)
    began = time.monotonic()
    while time.monotonic() - began < within:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0, "a sync that nobody killed failed"
            return time.monotonic() - began
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def killed_somewhere(folder: Path, place: WeaviatePlace, count: int, seed: int) -> Iterator[WeaviateKill]:
    """So many kills, spread over the time that a whole sync takes."""
    chance = random.Random(seed)
    usual: dict[str, float] = {}
    for i in range(count):
        scenario = ("first", "change")[i % 2]
        mine = replace(place, collection=f"{place.collection}K{i}")
        home = folder / f"kill{i}"
        if scenario == "change":
            assert synced(home, mine, before, 60) is not None
        if scenario not in usual:
            rehearsal = replace(place, collection=f"{place.collection}R{i}")
            if scenario == "change":
                assert synced(folder / f"rehearsal{i}", rehearsal, before, 60) is not None
            usual[scenario] = synced(folder / f"rehearsal{i}", rehearsal, SOURCES[scenario], 60) or 1.0
        seconds = usual[scenario] * (i // 2 + chance.random()) / (count / 2)
        done = synced(home, mine, SOURCES[scenario], seconds) is not None
        yield WeaviateKill(scenario, seconds, str(home), mine.collection, done)


def place_to_json(place: WeaviatePlace) -> str:
    """A place as it travels to the script."""
    return json.dumps(asdict(place))


def place_from_json(text: str) -> WeaviatePlace:
    """A place as it travelled."""
    fields: dict[str, Any] = json.loads(text)
    return WeaviatePlace(**fields | {"nodes": tuple(Node(**node) for node in fields["nodes"])})


def main(folder: Path, count: int, seed: int) -> None:
    kills = list(killed_somewhere(folder, place_from_json(sys.stdin.read()), count, seed))
    (folder / "killed.json").write_text(json.dumps([asdict(kill) for kill in kills]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
