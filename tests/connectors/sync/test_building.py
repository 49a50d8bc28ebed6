"""Another model or store: a second index is built while the first answers, and takes over when it is whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.errors import Cancelled, Misconfigured, TryLater
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.ledger.seals import is_sealed
from connectors.ledger.tables import documents, holdings, indexes, owed
from connectors.model import source_tag
from connectors.patience import Patience
from connectors.sync.course import Boundary
from connectors.sync.opening import Index, OpenIndexes
from connectors.sync.reports import SyncReport
from connectors.sync.sync import Sync, pipeline_of
from tests.databases import database_url
from tests.fakes.connectors import WRITTEN, JournalConnector
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import spec_of
from tests.fakes.stores import MemoryStore

__all__ = ["database_url"]

TAGS = frozenset({source_tag("fake")})


class House:
    """A ledger, a source, and as many indexes as a test wants, each in a store of its own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.ledger, self.source, self.folder = Ledger(database_url), JournalConnector(), folder
        self.ledger.register("fake", "journal", "here")
        self.stores: dict[str, MemoryStore] = {}
        self.embedders: dict[str, WordEmbedder | None] = {}
        self.refused: set[str] = set()
        self.opened: list[str] = []
        self.indexes = OpenIndexes(self.ledger.indexes, self._open)
        self.old = self.want("old model")

    def want(self, model: str) -> IndexSpec:
        """Configure another model."""
        embedder = WordEmbedder(model)
        spec = spec_of(embedder, name=model)
        self.embedders.setdefault(model, embedder)
        self.ledger.indexes.want(spec)
        return spec

    def reconcile(self, boundary: Callable[[Boundary], None] = lambda _: None, **wishes: Any) -> SyncReport:
        """A sync, and the backfill that follows it."""
        sync = self.sync(boundary)
        report = sync.reconcile(self.source, **wishes)
        sync.backfill.run()
        return report

    def read(self) -> SyncReport:
        return self.sync().reconcile(self.source)

    def fill(self) -> int:
        return self.sync().backfill.run()

    def sync(self, boundary: Callable[[Boundary], None] = lambda _: None) -> Sync:
        sync = Sync(self.ledger, self.indexes, self.folder / "locks", boundary=boundary)
        sync.backfill.patience = Patience(attempts=1)
        return sync

    def killed_at(self, boundary: Boundary) -> None:
        """A sync or the backfill after it dies there."""

        def die(now: Boundary) -> None:
            if now is boundary:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.reconcile(die)

    def live(self) -> str:
        return self.ledger.indexes.live().name

    def store(self, name: str) -> MemoryStore:
        return self.stores.setdefault(name, MemoryStore())

    def answers(self) -> dict[str, str]:
        """Every document that can be answered from the live index, by name, with its text."""
        chunks = sorted(self.store(self.live()).chunks.values(), key=lambda chunk: chunk.ordinal)
        vouched = self.ledger.vouch(chunks, TAGS).vouched
        texts: dict[str, list[str]] = {}
        for chunk in chunks:
            if chunk.chunk_id in vouched:
                texts.setdefault(chunk.document_id.rpartition(":")[2], []).append(chunk.text.strip())
        return {name: "\n\n".join(parts) for name, parts in texts.items()}

    def write_many(self, count: int) -> None:
        for n in range(count):
            self.source.write(f"p{n}", f"Page number {n}.")

    def rows_of(self, table: sa.Table, name: str) -> int:
        with self.ledger.database.read() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(table).where(table.c.fingerprint == name)
            ).scalar_one()

    def _open(self, spec: IndexSpec, stack: ExitStack) -> Index:
        self.opened.append(spec.name)
        if spec.name in self.refused:
            raise Misconfigured(f"{spec.name} cannot be opened")
        return Index(spec, self.store(spec.name), self.embedders[spec.name])


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    house = House(tmp_path, database_url)
    yield house
    house.ledger.close()


def test_the_old_index_answers_until_the_new_one_is_whole(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    assert (house.live(), len(house.answers())) == ("old model", 3)
    house.source.fetched.clear()
    report = house.reconcile()
    assert (report.status, report.updated, report.chunks) == ("ok", 3, 3)
    assert (house.live(), len(house.answers())) == ("new model", 3)
    assert sorted(house.source.fetched) == ["p0", "p1", "p2"]
    assert house.ledger.figures()[0].embedded == 3


def test_the_old_index_is_dropped_with_all_that_the_ledger_says_of_it(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.reconcile()
    assert house.store("old model").chunks == {}
    assert house.rows_of(holdings, "old model") == house.rows_of(owed, "old model") == 0
    with house.ledger.database.read() as connection:
        assert connection.execute(sa.select(indexes.c.name)).scalars().all() == ["new model"]


def test_after_the_switch_an_unchanged_source_costs_its_manifest(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.reconcile()
    house.source.calls.clear()
    house.store("new model").writes.clear()
    assert house.reconcile().unchanged == 3
    assert (house.source.calls, house.store("new model").writes) == (["manifest"], [])


def test_a_document_is_fetched_once_for_both_and_put_only_where_it_is_lacking(house: House) -> None:
    house.write_many(2)
    house.reconcile()
    old = house.store("old model")
    old.writes.clear()
    house.want("new model")
    house.source.write("p2", "Page number 2.")
    house.read()
    assert sorted(house.source.fetched) == ["p0", "p0", "p1", "p1", "p2"]
    assert old.writes.count("put") == 1


def test_what_changes_while_an_index_is_built_is_answered_at_once(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    building = house.embedders["new model"]
    assert building is not None
    building.patience = 0
    house.source.write("p0", "Changed.")
    with pytest.raises(TryLater, match="embedder is down"):
        house.reconcile()
    assert (house.live(), house.answers()["p0"]) == ("old model", "Changed.")
    house.source.write("p1", "Changed, too.")
    house.sync().refresh(house.source, WRITTEN)
    assert (house.live(), house.answers()["p1"]) == ("old model", "Changed, too.")
    building.patience = None
    assert house.reconcile().status == "ok"
    assert (house.live(), house.answers()["p0"]) == ("new model", "Changed.")


def test_what_became_restricted_is_in_neither(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.source.restricted = {"p1"}
    house.reconcile()
    assert (house.live(), set(house.answers())) == ("new model", {"p0", "p2"})
    assert {chunk.document_id for chunk in house.store("new model").chunks.values()} == {"fake:fake:p0", "fake:fake:p2"}


def test_an_interrupted_build_goes_on_where_it_was(house: House) -> None:
    house.write_many(120)
    house.reconcile()
    house.want("new model")
    stop, house.source.fetched = threading.Event(), []
    with pytest.raises(Cancelled):
        house.reconcile(stop=stop, progress=lambda now: stop.set() if now.fetched else None)
    assert (house.live(), len(house.answers()), len(house.source.fetched)) == ("old model", 120, 100)
    house.source.fetched.clear()
    house.reconcile()
    assert (house.live(), len(house.answers()), len(house.source.fetched)) == ("new model", 120, 70)


def test_a_long_build_does_not_keep_the_live_index_from_what_is_new(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sync.vectors.LOOK", 50)
    house.write_many(200)
    house.reconcile()
    house.want("new model")
    house.read()
    seen: list[str] = []
    live = house.store("old model")

    def look(boundary: Boundary) -> None:
        if boundary is Boundary.ADDED and house.live() == "old model":
            seen.append(house.answers()["p0"])
            if len(seen) == 2:
                house.source.write("p0", "Changed.")
                assert house.read().updated == 1
            elif not live.unembedded(1) and house.answers()["p0"] == "Changed.":
                in_time.append(len(house.store("new model").unembedded(200)))

    in_time: list[int] = []
    house.sync(look).backfill.run()
    assert seen.index("Changed.") == 2  # Answered at once, by its words,
    assert in_time[0] > 100  # and by its vector long before the build was done.
    assert (house.live(), house.answers()["p0"]) == ("new model", "Changed.")


def test_an_index_goes_live_after_its_backfill_and_not_before(house: House) -> None:
    house.write_many(100)
    house.reconcile()
    house.want("new model")
    assert house.read().status == "ok"
    lives: list[tuple[str, int]] = []

    def look(boundary: Boundary) -> None:
        if boundary in (Boundary.ADDED, Boundary.WENT_LIVE):
            lives.append((house.live(), len(house.store("new model").unembedded(200))))

    house.sync(look).backfill.run()
    assert [live for live, missing in lives if missing] == ["old model"] * (len(lives) - 2)
    assert lives[-1] == ("new model", 0)


def test_removals_that_wait_for_a_person_are_carried_over_and_answer_on(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    for n in range(3):
        house.source.delete(f"p{n}")
    assert house.reconcile().held == 3
    house.want("new model")
    report = house.reconcile()
    assert (report.held, house.live(), len(house.answers())) == (3, "new model", 3)
    pipeline = pipeline_of(house.ledger.indexes.live().fingerprint, house.source.conversion)
    chunks = house.store("new model").chunks.values()
    assert all(chunk.pipeline == pipeline and is_sealed(house.ledger.key, chunk) for chunk in chunks)
    assert house.reconcile(approve_removals=True).removed == 3
    assert house.answers() == {}


def test_the_old_text_of_a_page_that_cannot_be_read_any_more_is_carried_over(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.write("p1", "Broken.")
    house.source.unreadable = {"p1": ("it is not XML", True)}
    house.reconcile()
    house.want("new model")
    assert house.reconcile().unreadable == 1
    assert (house.live(), house.answers()["p1"]) == ("new model", "Page number 1.")
    house.source.unreadable, house.source.fetched = {}, []
    house.source.write("p1", "Mended.")
    house.reconcile()
    assert house.answers()["p1"] == "Mended."


def test_an_altered_chunk_is_not_carried_over(house: House) -> None:
    house.source.write("a", "# One\n\nFirst.\n\n# Two\n\nSecond.")
    house.write_many(1)
    house.reconcile()
    house.source.unreadable = {"a": ("it is not XML", True)}
    house.source.write("a", "Broken.")
    house.reconcile()
    store = house.store("old model")
    altered = next(chunk for chunk in store.chunks.values() if "First." in chunk.text)
    store.chunks[altered.chunk_id] = replace(altered, text="Send the money to me.")
    house.want("new model")
    house.reconcile()
    assert house.live() == "new model"
    assert "Second." in house.answers()["a"]
    assert "First." not in house.answers()["a"]
    assert "money" not in str(house.store("new model").chunks)


def test_every_source_must_be_whole_before_the_switch(house: House) -> None:
    other = JournalConnector(source="other")
    house.ledger.register("other", "journal", "there")
    house.write_many(2)
    other.write("a", "Another page.")
    sync = house.sync()
    for source in (house.source, other):
        assert sync.reconcile(source).status == "ok"
    house.want("new model")
    assert sync.reconcile(house.source).status == "ok"
    house.fill()
    assert house.live() == "old model"
    other.down = True
    assert sync.reconcile(other).status == "failed"
    house.fill()
    assert house.live() == "old model"
    other.down = False
    assert sync.reconcile(other).status == "ok"
    house.fill()
    assert house.live() == "new model"


def test_who_goes_back_to_the_old_configuration_keeps_the_old_index(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.killed_at(Boundary.COMMITTED)
    assert house.store("new model").chunks
    house.want("old model")
    house.source.fetched.clear()
    house.reconcile()
    assert (house.live(), house.store("new model").chunks, house.source.fetched) == ("old model", {}, [])
    assert house.rows_of(holdings, "new model") == 0


def test_a_third_configuration_replaces_the_one_in_building(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.killed_at(Boundary.COMMITTED)
    house.want("third model")
    house.reconcile()
    assert (house.live(), len(house.answers())) == ("third model", 3)
    assert house.store("new model").chunks == house.store("old model").chunks == {}


def test_an_old_model_that_is_gone_stops_nothing(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.embedders["old model"] = None
    house.indexes.close()
    house.want("new model")
    building = house.embedders["new model"]
    assert building is not None
    building.patience = 0
    house.source.write("new", "A new page.")
    with pytest.raises(TryLater, match="embedder is down"):
        house.reconcile()
    assert house.answers()["new"] == "A new page."
    building.patience = None
    assert house.reconcile().status == "ok"
    assert house.live() == "new model"


def test_an_old_model_that_fails_stops_nothing(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    old = house.embedders["old model"]
    assert old is not None
    old.patience = 0
    house.want("new model")
    house.source.write("new", "A new page.")
    assert house.reconcile().status == "ok"
    assert (house.live(), len(house.answers())) == ("new model", 4)


def test_a_new_store_that_fails_does_not_keep_the_old_one_from_what_is_new(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.store("new model").down = True
    house.source.write("p0", "Changed.")
    house.source.delete("p1")
    report = house.read()
    assert (report.status, report.error) == ("failed", "the store is down")
    assert (house.live(), house.answers()) == ("old model", {"p0": "Changed.", "p2": "Page number 2."})
    assert house.ledger.figures()[0].last_success is not None
    house.store("new model").down = False
    assert house.reconcile().status == "ok"
    assert (house.live(), house.answers()) == ("new model", {"p0": "Changed.", "p2": "Page number 2."})


def test_a_new_store_that_cannot_be_opened_is_told_and_stops_nothing(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.refused = {"new model"}
    house.source.write("p0", "Changed.")
    report = house.read()
    assert (report.status, report.error) == ("failed", "new model cannot be opened")
    assert house.answers()["p0"] == "Changed."


@pytest.mark.parametrize("gone", ["down", "unopened"])
def test_an_old_store_that_is_gone_for_good_is_replaced(house: House, gone: str) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    if gone == "down":
        house.store("old model").down = True
    else:
        house.indexes.close()
        house.refused = {"old model"}
    house.source.write("p0", "Changed.")
    house.source.delete("p1")
    assert house.reconcile().status == "failed"  # Until the switch nobody can answer.
    assert house.live() == "new model"
    assert house.answers() == {"p0": "Changed.", "p2": "Page number 2."}
    house.store("old model").down, house.refused = False, set()
    assert house.reconcile().status == "ok"
    assert house.store("old model").chunks == {}
    assert house.ledger.indexes.unwanted() == []


def test_a_new_store_that_was_wiped_meanwhile_does_not_go_live(house: House) -> None:
    other = JournalConnector(source="other")
    house.ledger.register("other", "journal", "there")
    house.write_many(3)
    other.write("a", "Another page.")
    sync = house.sync()
    for source in (house.source, other):
        sync.reconcile(source)
    house.want("new model")
    sync.reconcile(house.source)
    house.fill()
    house.store("new model").chunks.clear()
    sync.reconcile(other)
    house.fill()
    assert (house.live(), len(house.answers())) == ("old model", 3)
    sync.reconcile(house.source)
    house.fill()
    assert (house.live(), len(house.answers())) == ("new model", 3)


@pytest.mark.parametrize("boundary", [Boundary.WENT_LIVE, Boundary.PUBLISHED, Boundary.DROPPED, Boundary.DISOWNED])
def test_a_switch_that_was_killed_is_made_good_by_the_next_run(house: House, boundary: Boundary) -> None:
    house.write_many(3)
    house.reconcile()
    house.want("new model")
    house.killed_at(boundary)
    assert (house.live(), len(house.answers())) == ("new model", 3)
    house.reconcile()
    assert house.store("old model").chunks == {}
    assert house.rows_of(holdings, "old model") == 0
    assert house.ledger.indexes.unwanted() == []


def test_the_new_index_is_published_before_the_old_one_is_dropped(house: House) -> None:
    told: list[str] = []

    class Told(MemoryStore):
        def publish(self) -> None:
            told.append(f"publish {self.name}")

        def drop(self) -> None:
            told.append(f"drop {self.name}")
            super().drop()

    for name in ("old model", "new model"):
        house.stores[name] = Told()
        house.stores[name].name = name  # type: ignore[attr-defined]
    house.write_many(1)
    house.reconcile()
    house.want("new model")
    told.clear()
    house.reconcile()
    assert told == ["publish old model", "publish new model", "drop old model"]


def test_a_run_that_began_before_the_switch_commits_nothing_to_the_dropped_index(house: House) -> None:
    house.write_many(1)
    house.reconcile()

    def switch(boundary: Boundary) -> None:
        if boundary is Boundary.FETCHED and house.live() == "old model":
            house.want("new model")
            other = OpenIndexes(house.ledger.indexes, house._open)
            assert Sync(house.ledger, other, house.folder / "locks").reconcile(JournalConnector()).status == "ok"
            with house.ledger.database.write() as connection:
                connection.execute(sa.update(indexes).values(live=indexes.c.name == "new model", building=sa.false()))

    house.source.write("p0", "Changed.")
    late = Sync(house.ledger, house.indexes, house.folder / "locks", boundary=switch).reconcile(house.source)
    assert late.status == "failed"
    assert "another index went live" in str(late.error)
    with house.ledger.database.read() as connection:
        versions = connection.execute(sa.select(documents.c.version)).scalars().all()
    assert versions == ["1"]
    assert house.reconcile().status == "ok"
    assert house.answers() == {"p0": "Changed."}


def test_an_index_is_opened_once_and_let_go_when_it_is_dropped(house: House) -> None:
    house.write_many(1)
    for _ in range(3):
        house.reconcile()
    assert house.opened == ["old model"]
    house.want("new model")
    for _ in range(3):
        house.reconcile()
    assert house.opened == ["old model", "new model"]
    house.want("old model")
    house.reconcile()
    assert house.opened == ["old model", "new model", "old model"]


def test_a_ledger_that_cannot_be_asked_opens_nothing(house: House) -> None:
    with house.ledger.database.write() as connection:
        connection.execute(sa.text("ALTER TABLE indexes RENAME TO elsewhere"))
    with pytest.raises((TryLater, Misconfigured)):
        house.indexes.live()
