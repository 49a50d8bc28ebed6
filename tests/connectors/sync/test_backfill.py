"""Vectors follow the words: whatever happens on the way, no sync and no question waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.errors import Cancelled, Misconfigured, TryLater
from connectors.ledger.ledger import Ledger
from connectors.locks import FileLock
from connectors.model import Vector
from connectors.patience import Patience
from connectors.sync.course import Boundary, Questions
from connectors.sync.reports import Filled
from connectors.sync.sync import Sync
from tests.chaos import sync_kills
from tests.fakes.connectors import JournalConnector
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import one_open
from tests.fakes.stores import MemoryStore

SECONDS = 20.0


@dataclass
class GatedEmbedder(WordEmbedder):
    """Embeds nothing until it is let."""

    begun: threading.Event = field(default_factory=threading.Event)
    let: threading.Event = field(default_factory=threading.Event)

    def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
        self.begun.set()
        assert self.let.wait(SECONDS)
        return super().embed_texts(texts)


class House:
    """A ledger, a source, a store, and a sync with its backfill over them."""

    def __init__(self, folder: Path, embedder: WordEmbedder) -> None:
        self.ledger, self.folder = Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}"), folder
        self.store, self.embedder, self.source = MemoryStore(), embedder, JournalConnector()
        self.indexes = one_open(self.ledger, self.store, self.embedder)
        self.ledger.register("fake", "journal", "here")
        self.sync = self.another()
        self.backfill = self.sync.backfill

    def another(self, boundary: Callable[[Boundary], None] = lambda _: None) -> Sync:
        sync = Sync(self.ledger, self.indexes, self.folder / "locks", boundary=boundary)
        sync.backfill.patience = Patience(attempts=1)
        return sync

    def read(self, pages: int = 0) -> None:
        for n in range(pages):
            self.source.write(f"p{n}", f"Page number {n}.")
        assert self.sync.reconcile(self.source).status == "ok"

    def embedded(self) -> tuple[int, int]:
        """How many chunks have a vector: what the ledger says, and what is so."""
        return self.ledger.figures()[0].embedded, self.store.stats().embedded

    def killed_at(self, boundary: Boundary) -> None:
        """A backfill that dies there."""

        def die(now: Boundary) -> None:
            if now is boundary:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.another(die).backfill.run()


@contextmanager
def opened(folder: Path, embedder: WordEmbedder) -> Iterator[House]:
    house = House(folder, embedder)
    yield house
    house.ledger.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path, WordEmbedder()) as house:
        yield house


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path, GatedEmbedder()) as house:
        yield house


@contextmanager
def filling(house: House) -> Iterator[GatedEmbedder]:
    """A backfill under way that has its first texts embedded when it is let."""
    embedder = house.embedder
    assert isinstance(embedder, GatedEmbedder)
    thread = threading.Thread(target=house.backfill.run)
    thread.start()
    assert embedder.begun.wait(SECONDS)
    try:
        yield embedder
    finally:
        embedder.let.set()
        thread.join(SECONDS)


def test_a_sync_during_the_backfill_does_not_wait_for_it(gated: House) -> None:
    gated.read(3)
    with filling(gated):
        gated.source.write("p0", "Changed.")
        gated.source.delete("p1")
        gated.source.write("new", "A new page.")
        report = gated.sync.reconcile(gated.source)
        assert (report.status, report.added, report.updated, report.removed) == ("ok", 1, 1, 1)
    assert gated.embedded() == (3, 3)
    assert {chunk.text.strip() for chunk in gated.store.chunks.values()} == {
        "Changed.", "Page number 2.", "A new page.",
    }  # fmt: skip


def test_status_shows_how_far_it_is(gated: House) -> None:
    gated.read(40)
    assert gated.backfill.standing() == Filled(running=False, embedded=0, chunks=40)
    told: list[Filled] = []
    with filling(gated) as embedder:
        assert gated.another().backfill.standing() == Filled(running=True, embedded=0, chunks=40)
        embedder.let.set()
    gated.source.write("more", "One page more.")
    gated.read()
    gated.backfill.run(watch=told.append)
    assert [(filled.embedded, filled.chunks) for filled in told] == [(41, 41)]
    assert told[0].seconds_left == 0
    assert gated.backfill.standing() == Filled(running=False, embedded=41, chunks=41)


def test_what_is_left_is_told_in_seconds() -> None:
    assert Filled(running=True, embedded=100, chunks=400, per_second=20.0).seconds_left == 15
    assert Filled(running=True, embedded=100, chunks=400).seconds_left is None


@pytest.mark.parametrize("boundary", [Boundary.EMBEDDED, Boundary.ADDED])
def test_a_backfill_that_died_is_gone_on_with(house: House, boundary: Boundary) -> None:
    house.read(100)
    house.killed_at(boundary)
    done = house.embedder.embedded
    assert 0 < done < 100
    house.backfill.run()
    assert (house.embedder.embedded, house.embedded()) == (100, (100, 100))


def test_a_count_that_a_crash_left_wrong_is_put_right_where_nothing_else_is_missing(house: House) -> None:
    house.read(3)
    house.killed_at(Boundary.EMBEDDED)
    assert house.embedded() == (0, 3)
    assert house.backfill.is_due()
    assert house.backfill.run() == 0
    assert house.embedded() == (3, 3)
    assert not house.backfill.is_due()


def test_a_backfill_that_is_stopped_keeps_what_is_embedded(house: House) -> None:
    house.read(100)
    stop = threading.Event()
    with pytest.raises(Cancelled):
        house.backfill.run(stop=stop, watch=lambda _: stop.set())
    assert 0 < house.embedded()[0] == house.embedded()[1] < 100
    house.backfill.run()
    assert (house.embedder.embedded, house.embedded()) == (100, (100, 100))


def test_it_is_done_by_one_process_at_a_time(house: House) -> None:
    house.read(3)
    lock = FileLock(house.folder / "locks" / "embedding.lock")
    assert lock.acquire()
    told: list[Filled] = []
    waiting = threading.Thread(target=lambda: house.backfill.run(watch=told.append))
    waiting.start()
    while not told:
        time.sleep(0.01)
    assert house.embedder.embedded == 0
    lock.release()
    waiting.join(SECONDS)
    assert house.embedded() == (3, 3)


def test_who_waits_for_another_process_can_be_stopped(house: House) -> None:
    lock, stop = FileLock(house.folder / "locks" / "embedding.lock"), threading.Event()
    assert lock.acquire()
    with pytest.raises(Cancelled):
        house.backfill.run(stop=stop, watch=lambda _: stop.set())
    lock.release()


def test_an_embedder_that_gives_up_costs_no_sync_and_no_work(house: House) -> None:
    house.embedder.patience = 100
    house.read(130)
    with pytest.raises(TryLater, match="embedder is down"):
        house.backfill.run()
    assert house.embedded()[0] == house.embedded()[1] == house.embedder.embedded > 0
    assert house.backfill.standing().error == "the embedder is down"
    house.embedder.patience = None
    house.backfill.run()
    assert (house.embedder.embedded, house.embedded()) == (130, (130, 130))
    assert house.backfill.standing().error is None


def test_an_embedder_that_fails_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    class Shaky(WordEmbedder):
        failures = 2

        def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
            if self.failures:
                self.failures -= 1
                raise TryLater("the embedder is down")
            return super().embed_texts(texts)

    with opened(tmp_path, Shaky()) as house:
        house.read(3)
        house.backfill.patience = Patience(attempts=3, first_wait=0.01)
        assert house.backfill.run() == 3


def test_a_surprise_of_an_embedder_is_a_sentence_without_anybodys_words(tmp_path: Path) -> None:
    class Buggy(WordEmbedder):
        def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
            raise KeyError(texts[0])

    with opened(tmp_path, Buggy()) as house:
        house.read(1)
        with pytest.raises(TryLater, match="KeyError") as failed:
            house.backfill.run()
        assert "Page number" not in str(failed.value)


def test_a_model_that_was_switched_off_is_told(tmp_path: Path) -> None:
    class Off(WordEmbedder):
        def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
            raise Misconfigured("check its key")

    with opened(tmp_path, Off()) as house:
        house.read(1)
        with pytest.raises(Misconfigured, match="check its key"):
            house.backfill.run()


def test_a_slow_embedder_is_given_few_texts_and_a_fast_one_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    class Timed(WordEmbedder):
        seconds = 0.1

        def embed_texts(self, texts: Sequence[str]) -> list[Vector]:
            clock[0] += len(texts) * self.seconds
            return super().embed_texts(texts)

    monkeypatch.setattr("connectors.sync.vectors.time.monotonic", lambda: clock[0])
    for seconds, usual in ((0.08, 3), (1.0, 1), (0.0001, 64)):
        embedder = Timed()
        embedder.seconds = seconds
        folder = tmp_path / str(seconds)
        folder.mkdir()
        with opened(folder, embedder) as house:
            house.read(200)
            house.backfill.run()
        assert embedder.batches[0] == 4
        assert set(embedder.batches[1:-1]) == {usual}


def test_a_question_is_let_pass_and_never_stops_it_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.sync.course.REST_SECONDS", 0.3)
    here, elsewhere, stop = Questions(tmp_path), Questions(tmp_path), threading.Event()

    def passing() -> float:
        started = time.monotonic()
        here.let_pass(stop)
        return time.monotonic() - started

    assert passing() < 0.2
    elsewhere.asked()
    assert 0.1 < passing() < SECONDS
    monkeypatch.setattr("connectors.sync.course.REST_SECONDS", 1_000.0)
    monkeypatch.setattr("connectors.sync.course.LONGEST_REST_SECONDS", 0.2)
    elsewhere.asked()
    assert 0.15 < passing() < SECONDS
    stop.set()
    with pytest.raises(Cancelled):
        here.let_pass(stop)


@pytest.mark.parametrize("boundary", [Boundary.LISTED, Boundary.FETCHED, Boundary.PUT, Boundary.SUPERSEDED_RETIRED])
def test_a_switch_in_the_midst_of_a_sync_costs_it_nothing(tmp_path: Path, boundary: Boundary) -> None:
    sync_kills.prepare_first_sync(tmp_path)
    house = sync_kills.House(tmp_path, model=sync_kills.NEW)
    source = sync_kills.before()
    assert house.sync.reconcile(source).status == "ok"
    switched: list[int] = []

    def switch(now: Boundary) -> None:
        if now is boundary and not switched:
            switched.append(house.sync.backfill.run())

    source.write("new", "A new page.")
    source.write("edited", "Edited.")
    report = Sync(house.ledger, house.indexes, tmp_path / "locks", boundary=switch).reconcile(source)
    assert (report.status, report.added, report.updated) == ("ok", 1, 1)
    assert house.ledger.indexes.live().name == sync_kills.NEW
    assert house.synced(source).unchanged == 7
    assert not (tmp_path / f"index-{sync_kills.OLD}.sqlite3").exists()
    texts = {entry.chunk.text.strip() for entry in house.store.export("fake")}
    house.close()
    assert {"A new page.", "Edited."} <= texts
