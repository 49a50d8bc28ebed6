"""A sync makes the store hold exactly what the source holds, whatever happens on the way."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from connectors.errors import Cancelled, Misconfigured, TryLater
from connectors.ledger.ledger import Ledger, Vouching
from connectors.ledger.records import Records
from connectors.model import Chunk, Document, Listing, Unreadable, source_tag
from connectors.patience import Patience
from connectors.sync.course import Boundary
from connectors.sync.reports import Progress, SyncReport
from connectors.sync.sync import Sync
from tests.databases import database_url
from tests.fakes.connectors import WRITTEN, JournalConnector
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import one_open
from tests.fakes.stores import MemoryStore

__all__ = ["database_url"]

TAGS = frozenset({source_tag("fake")})


class House:
    """A ledger, a store, a source and a sync, and what the three say."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.ledger = Ledger(database_url)
        self.store, self.embedder, self.source = MemoryStore(), WordEmbedder(), JournalConnector()
        self.indexes = one_open(self.ledger, self.store, self.embedder)
        self.ledger.register("fake", "journal", "here")
        self.sync = Sync(self.ledger, self.indexes, folder / "locks")
        self.sync.backfill.patience = Patience(attempts=1)

    def fill(self) -> int:
        """Give vectors to what was synced; to how many chunks."""
        return self.sync.backfill.run()

    def embedded(self) -> int:
        """How many chunks have a vector, as the ledger says."""
        return self.ledger.figures()[0].embedded

    def reconcile(self, **wishes: Any) -> SyncReport:
        return self.sync.reconcile(self.source, **wishes)

    def vouching(self) -> Vouching:
        return self.ledger.vouch(list(self.store.chunks.values()), TAGS)

    def answers(self) -> dict[str, str]:
        """Every document that can be answered from, by name, with its text."""
        vouched = self.vouching().vouched
        texts: dict[str, list[str]] = {}
        for chunk in sorted(self.store.chunks.values(), key=lambda chunk: chunk.ordinal):
            if chunk.chunk_id in vouched:
                texts.setdefault(chunk.document_id.rpartition(":")[2], []).append(chunk.text.strip())
        return {name: "\n\n".join(parts) for name, parts in texts.items()}

    def write_many(self, count: int) -> None:
        for n in range(count):
            self.source.write(f"p{n}", f"Page number {n}.")


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    house = House(tmp_path, database_url)
    yield house
    house.ledger.close()


def adds_up(report: SyncReport) -> bool:
    return report.seen == report.added + report.updated + report.unchanged + report.unreadable


def test_what_the_source_holds_can_be_answered_from(house: House) -> None:
    house.source.write("a", "The gate opens at seven.")
    house.source.write("b", "The kitchen is on the second floor.")
    report = house.reconcile()
    assert (report.status, report.seen, report.added, report.chunks) == ("ok", 2, 2, 2)
    assert house.answers() == {"a": "The gate opens at seven.", "b": "The kitchen is on the second floor."}
    assert (house.embedder.embedded, house.embedded()) == (0, 0)
    assert (house.fill(), house.embedded()) == (2, 2)


def test_an_unchanged_source_costs_its_manifest_and_nothing_else(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.fill()
    house.source.calls.clear()
    house.store.writes.clear()
    embedded = house.embedder.embedded
    report = house.reconcile()
    house.fill()
    assert (report.unchanged, report.added, report.updated, report.seen) == (3, 0, 0, 3)
    assert house.source.calls == ["manifest"]
    assert house.store.writes == []
    assert house.embedder.embedded == embedded


def test_an_edit_replaces_the_answer_and_leaves_nothing_of_the_old_one(house: House) -> None:
    house.source.write("a", "Old text.\n\n# More\n\nA second part.")
    house.source.write("b", "Another page.")
    house.reconcile()
    house.source.fetched.clear()
    house.source.write("a", "New text.")
    report = house.reconcile()
    assert (report.updated, report.unchanged, house.source.fetched) == (1, 1, ["a"])
    assert house.answers()["a"] == "New text."
    assert {chunk.version for chunk in house.store.chunks.values() if chunk.document_id.endswith(":a")} == {"2"}


def test_a_new_title_alone_is_fetched(house: House) -> None:
    house.source.write("a", "Some text.")
    house.reconcile()
    house.source.pages["a"] = replace(house.source.pages["a"], title="Another name")
    assert house.reconcile().updated == 1
    assert [vouched.title for vouched in house.vouching().vouched.values()] == ["Another name"]


def test_a_new_place_alone_is_noted_without_a_fetch(house: House) -> None:
    house.source.write("a", "# Top\n\nSome text.")
    house.reconcile()
    house.source.fetched.clear()
    house.source.move("a", "attic")
    report = house.reconcile()
    assert (report.unchanged, house.source.fetched) == (1, [])
    vouched = next(iter(house.vouching().vouched.values()))
    assert vouched.breadcrumbs == ("attic",)
    assert vouched.document_url == "https://example.test/fake/attic/a"
    assert vouched.url.startswith("https://example.test/fake/attic/a")


def test_a_deleted_document_is_removed(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.delete("p1")
    report = house.reconcile()
    assert (report.removed, report.held, report.seen) == (1, 0, 2)
    assert set(house.answers()) == {"p0", "p2"}
    assert not any(chunk.document_id.endswith(":p1") for chunk in house.store.chunks.values())


def test_a_document_that_is_only_not_listed_stays(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.unlisted = {"p1"}
    report = house.reconcile()
    assert (report.removed, report.held) == (0, 0)
    assert set(house.answers()) == {"p0", "p1", "p2"}


def test_ten_removals_happen_and_eleven_wait_for_a_person(house: House) -> None:
    house.write_many(40)
    house.reconcile()
    for n in range(10):
        house.source.delete(f"p{n}")
    assert house.reconcile().removed == 10
    for n in range(10, 21):
        house.source.delete(f"p{n}")
    report = house.reconcile()
    assert (report.status, report.removed, report.held) == ("ok", 0, 11)
    assert len(house.answers()) == 30
    approved = house.reconcile(approve_removals=True)
    assert (approved.removed, approved.held) == (11, 0)
    assert len(house.answers()) == 19


def test_fifteen_percent_of_a_large_source_may_go(house: House) -> None:
    house.write_many(100)
    house.reconcile()
    for n in range(15):
        house.source.delete(f"p{n}")
    assert house.reconcile().removed == 15


def test_a_source_that_lists_nothing_is_not_believed(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.pages.clear()
    report = house.reconcile()
    assert (report.removed, report.held, len(house.answers())) == (0, 3, 3)
    assert house.ledger.figures()[0].held == 3


def test_a_source_that_lists_only_strangers_is_not_believed(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.pages.clear()
    house.source.write("stranger", "From another site.")
    report = house.reconcile()
    assert (report.added, report.removed, report.held) == (1, 0, 3)


def test_a_held_document_that_comes_back_waits_no_more(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    pages = dict(house.source.pages)
    house.source.pages.clear()
    house.reconcile()
    house.source.pages.update(pages)
    report = house.reconcile()
    assert (report.held, report.unchanged) == (0, 3)


def test_a_held_document_that_turns_out_to_be_there_waits_no_more(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    pages = dict(house.source.pages)
    house.source.pages.clear()
    house.reconcile()
    house.source.pages.update(pages)
    house.source.unlisted = set(pages)
    assert house.reconcile().held == 0


def test_waiting_removals_are_not_written_down_again(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.pages.clear()
    house.reconcile()
    house.store.writes.clear()
    assert house.reconcile().held == 3
    assert house.store.writes == []


def test_a_restricted_document_is_hidden_at_once_and_never_held(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.restricted = {"p0", "p1", "p2"}
    report = house.reconcile()
    assert (report.removed, report.held, house.answers(), house.store.chunks) == (3, 0, {}, {})
    assert report.seen == 0


def test_a_restricted_document_is_hidden_before_anything_is_fetched(house: House) -> None:
    house.write_many(2)
    house.reconcile()
    house.source.restricted = {"p0"}
    house.source.write("p1", "Changed.")
    answers_at_fetch: list[set[str]] = []

    class Watched(JournalConnector):
        def fetch(self, listings: Sequence[Listing]) -> Iterator[Document | Unreadable]:
            answers_at_fetch.append(set(house.answers()))
            return house.source.fetch(listings)

        def manifest(self) -> Iterator[Listing]:
            return house.source.manifest()

    house.sync.reconcile(Watched())
    assert answers_at_fetch == [{"p1"}]


def test_a_document_that_is_open_again_is_added_again(house: House) -> None:
    house.write_many(2)
    house.reconcile()
    house.source.restricted = {"p0"}
    house.reconcile()
    house.source.restricted = set()
    assert house.reconcile().added == 1
    assert set(house.answers()) == {"p0", "p1"}


def test_an_error_while_listing_removes_nothing(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.pages.clear()
    house.source.down = True
    report = house.reconcile()
    assert (report.status, report.removed, report.held, report.chunks) == ("failed", 0, 0, 3)
    assert report.error == "fake: the source is down"
    assert len(house.answers()) == 3
    assert house.ledger.figures()[0].last_error == report.error


def test_a_listing_that_breaks_half_way_removes_nothing(house: House) -> None:
    house.write_many(30)
    house.reconcile()

    class Broken(JournalConnector):
        def manifest(self) -> Iterator[Listing]:
            yield next(house.source.manifest())
            raise OSError(errno.ECONNRESET, "Connection reset by peer")

    report = house.sync.reconcile(Broken())
    assert (report.status, report.removed, len(house.answers())) == ("failed", 0, 30)
    assert "Connection reset by peer" in str(report.error)


def test_a_source_that_cannot_confirm_removals_removes_nothing(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.delete("p0")
    house.source.write("p1", "Changed all the same.")

    class Unsure(JournalConnector):
        def gone(self, document_ids: object) -> list[str]:
            raise Misconfigured("fake: the token may not look")

    unsure = Unsure(pages=house.source.pages)
    report = house.sync.reconcile(unsure)
    assert (report.status, report.removed, report.updated) == ("failed", 0, 1)
    assert house.answers()["p1"] == "Changed all the same."
    assert "p0" in house.answers()


def test_a_document_that_cannot_be_read_keeps_its_old_answer(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.write("p0", "Broken.")
    house.source.unreadable = {"p0": ("it is not XML", True)}
    house.source.write("p1", "Changed.")
    report = house.reconcile()
    assert (report.status, report.unreadable, report.updated, report.unchanged) == ("ok", 1, 1, 1)
    assert adds_up(report)
    assert house.answers()["p0"] == "Page number 0."
    assert house.ledger.figures()[0].unreadable == 1


def test_the_log_names_what_cannot_be_read_and_why(house: House) -> None:
    house.source.write("p0", "Secret words.")
    house.source.unreadable = {"p0": ("it is not XML", True)}
    with structlog.testing.capture_logs() as lines:
        house.reconcile()
    (line,) = [line for line in lines if line["event"] == "document.unreadable"]
    assert (line["log_level"], line["document_id"], line["reason"]) == ("warning", "fake:fake:p0", "it is not XML")
    assert "Secret" not in str(lines)


def test_a_lasting_fault_is_not_read_again_until_something_changes(house: House) -> None:
    house.source.write("a", "Broken.")
    house.source.unreadable = {"a": ("it is not XML", True)}
    house.reconcile()
    house.source.fetched.clear()
    assert house.reconcile().unreadable == 1
    assert house.source.fetched == []
    assert house.reconcile(full=True).unreadable == 1
    assert house.source.fetched == ["a"]
    house.source.conversion = "journal-2"
    assert house.reconcile().unreadable == 1
    assert house.source.fetched == ["a", "a"]
    house.source.unreadable = {}
    house.source.write("a", "Mended.")
    assert house.reconcile().added == 1
    assert house.answers() == {"a": "Mended."}
    assert house.ledger.figures()[0].unreadable == 0


def test_a_passing_fault_is_tried_again_by_every_run(house: House) -> None:
    house.source.write("a", "Slow.")
    house.source.unreadable = {"a": ("it took too long", False)}
    assert house.reconcile().unreadable == 1
    house.source.unreadable = {}
    assert house.reconcile().added == 1
    assert house.ledger.figures()[0].unreadable == 0


def test_an_unreadable_edit_that_is_taken_back_is_forgiven(house: House) -> None:
    house.source.write("a", "Good.")
    house.reconcile()
    good = house.source.pages["a"]
    house.source.write("a", "Bad.")
    house.source.unreadable = {"a": ("it is not XML", True)}
    house.reconcile()
    house.source.pages["a"] = good
    report = house.reconcile()
    assert (report.unchanged, report.unreadable) == (1, 0)
    assert house.ledger.figures()[0].unreadable == 0


def test_an_unreadable_document_that_is_deleted_leaves_quarantine(house: House) -> None:
    house.source.write("a", "Broken.")
    house.source.unreadable = {"a": ("it is not XML", True)}
    house.reconcile()
    house.source.delete("a")
    assert house.reconcile().status == "ok"
    assert house.ledger.figures()[0].unreadable == 0


def test_a_body_is_stored_under_its_own_version(house: House) -> None:
    house.source.write("a", "First.")
    house.source.write("a", "Second.")
    house.source.ahead = {"a": "1"}
    house.reconcile()
    house.source.ahead = {}
    assert house.reconcile().unchanged == 1
    assert house.answers() == {"a": "Second."}


def test_a_body_older_than_ours_is_not_taken(house: House) -> None:
    for text in ("One.", "Two.", "Three."):
        house.source.write("a", text)
    house.reconcile()
    newest = house.source.pages["a"]
    house.source.pages["a"] = replace(newest, version="2", text="Two.")
    house.source.ahead = {"a": "4"}
    report = house.reconcile()
    assert (report.unchanged, report.updated, house.answers()) == (1, 0, {"a": "Three."})
    house.source.pages["a"] = replace(newest, version="4", text="Four.")
    assert house.reconcile().updated == 1
    assert house.answers() == {"a": "Four."}


def test_versions_may_be_counted_anew(house: House) -> None:
    for text in ("One.", "Two.", "Three."):
        house.source.write("a", text)
    house.reconcile()
    house.source.pages["a"] = replace(house.source.pages["a"], version="1", text="One again.")
    assert house.reconcile().updated == 1
    assert house.answers() == {"a": "One again."}


def test_a_document_that_goes_between_listing_and_fetching_stays_until_the_next_run(house: House) -> None:
    house.source.write("known", "Known.")
    house.reconcile()
    house.source.write("known", "Known and changed.")
    house.source.write("new", "New.")
    house.source.vanishing = {"known", "new"}
    report = house.reconcile()
    assert (report.seen, report.unchanged, report.added) == (1, 1, 0)
    assert adds_up(report)
    assert house.answers() == {"known": "Known."}


def test_a_document_listed_twice_counts_once(house: House) -> None:
    house.source.write("a", "Text.")

    class Twice(JournalConnector):
        def manifest(self) -> Iterator[Listing]:
            yield replace(next(house.source.manifest()), version="0")
            yield from house.source.manifest()

    report = house.sync.reconcile(Twice(pages=house.source.pages))
    assert (report.seen, report.added) == (1, 1)
    assert house.reconcile().unchanged == 1


def test_full_fetches_everything_again(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.fetched.clear()
    report = house.reconcile(full=True)
    assert (report.updated, report.unchanged, len(house.source.fetched), report.chunks) == (3, 0, 3, 3)
    assert len(house.answers()) == 3
    house.fill()
    assert house.embedded() == 3


def test_another_conversion_fetches_everything_again(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.source.conversion = "journal-2"
    assert house.reconcile().updated == 3
    assert len(house.store.chunks) == 3


def test_an_empty_document_is_held_in_no_chunks_and_not_fetched_again(house: House) -> None:
    house.source.write("a", "  \n")
    assert house.reconcile().added == 1
    assert house.reconcile().unchanged == 1


def test_a_page_that_breaks_the_cutting_is_quarantined(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.source.write("good", "Good.")
    house.source.write("poison", "Poison.")

    def fussy(document: Document, pipeline: str) -> list[Chunk]:
        if document.text == "Poison.":
            raise RecursionError
        return [Chunk("fake", document.document_id, document.version, pipeline, 0, "T", (), "Good.", tags=TAGS)]

    monkeypatch.setattr("connectors.sync.intake.chunks_of", fussy)
    report = house.reconcile()
    assert (report.status, report.added, report.unreadable) == ("ok", 1, 1)


def test_what_no_database_takes_is_stored_without_it(house: House) -> None:
    house.source.write("a", "Half a pair \ud83d and a nul \x00.", title="T\x00 \udce9")
    assert house.reconcile().added == 1
    text = house.answers()["a"]
    assert "Half a pair" in text
    assert not {"\ud83d", "\x00"} & set(text)


def test_a_store_that_is_down_loses_nothing(house: House) -> None:
    house.write_many(2)
    house.store.down = True
    report = house.reconcile()
    assert (report.status, report.added) == ("failed", 0)
    house.store.down = False
    assert house.reconcile().added == 2


def test_a_chunk_that_was_swapped_for_another_is_noticed_without_being_asked(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    lost, kept = (chunk for chunk in house.store.chunks.values() if not chunk.document_id.endswith(":p2"))
    del house.store.chunks[lost.chunk_id]
    house.store.put([replace(kept, version="0")])
    assert len(house.answers()) == 2
    report = house.reconcile()
    assert (report.updated, report.unchanged) == (1, 2)
    assert len(house.store.chunks) == len(house.answers()) == 3


def test_verify_puts_back_what_was_altered_in_the_store(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    altered = next(iter(house.store.chunks.values()))
    house.store.chunks[altered.chunk_id] = replace(altered, text="Page number nine.")
    assert len(house.answers()) == 2
    report = house.reconcile(verify=True)
    assert (report.updated, report.unchanged) == (1, 2)
    assert house.answers() == {f"p{n}": f"Page number {n}." for n in range(3)}


def test_a_store_that_was_moved_away_is_filled_again_without_being_asked(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    house.store.chunks.clear()
    house.store.vectors.clear()
    assert house.reconcile().updated == 3
    assert len(house.answers()) == 3
    house.fill()
    assert house.embedded() == 3


def test_an_older_store_that_was_put_back_loses_what_nobody_vouches_for(house: House) -> None:
    house.write_many(3)
    house.reconcile()
    before = dict(house.store.chunks)
    house.source.write("p0", "Changed.")
    house.source.delete("p1")
    house.reconcile()
    house.store.chunks = before
    report = house.reconcile()
    assert (report.updated, report.unchanged) == (1, 1)
    assert set(house.store.chunks) == set(house.vouching().vouched)


def test_a_refresh_brings_in_what_is_recent_and_removes_only_what_is_restricted(house: House) -> None:
    house.write_many(4)
    house.reconcile()
    house.source.write("p0", "Changed.")
    house.source.delete("p1")
    house.source.restricted = {"p2"}
    report = house.sync.refresh(house.source, WRITTEN - timedelta(minutes=1))
    assert (report.updated, report.unchanged, report.removed) == (1, 1, 1)
    assert set(house.answers()) == {"p0", "p1", "p3"}
    assert house.answers()["p0"] == "Changed."


def test_a_refresh_settles_what_a_dead_run_left_in_the_store(house: House) -> None:
    house.write_many(2)
    house.reconcile()
    house.source.write("p0", "Changed.")

    def die(boundary: Boundary) -> None:
        if boundary is Boundary.COMMITTED:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sync(house.ledger, house.indexes, house.folder / "locks", boundary=die).reconcile(house.source)
    assert len(house.store.chunks) == 3
    house.sync.refresh(house.source, datetime(2030, 1, 1, tzinfo=UTC))
    assert set(house.store.chunks) == set(house.vouching().vouched)


def test_fewer_chunks_at_the_same_version_leave_none_behind(house: House) -> None:
    house.source.write("a", "# One\n\nFirst.\n\n# Two\n\nSecond.")
    house.reconcile()
    house.source.pages["a"] = replace(house.source.pages["a"], text="# One\n\nFirst.")
    report = house.reconcile(full=True)
    assert (report.updated, report.chunks, len(house.store.chunks)) == (1, 1, 1)


def test_a_failure_that_cannot_be_written_down_is_reported_with_what_is_held(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(records: Records, error: str) -> None:
        raise TryLater("the disk is full")

    house.write_many(3)
    house.reconcile()
    monkeypatch.setattr(Records, "failed", full)
    house.source.down = True
    report = house.reconcile()
    assert (report.status, report.error, report.chunks) == ("failed", "fake: the source is down", 3)


def test_a_ledger_on_a_full_disk_is_a_failed_run_that_space_mends(tmp_path: Path) -> None:
    house = House(tmp_path, f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    house.reconcile()
    with house.ledger.database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite's own way to be out of space
    house.write_many(400)
    report = house.reconcile()
    assert report.status == "failed"
    assert "disk is full" in str(report.error)
    assert len(house.answers()) in range(0, 400, 50)
    with house.ledger.database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert house.reconcile().status == "ok"
    assert len(house.answers()) == 400
    house.ledger.close()


def test_a_refresh_without_news_forgets_nothing(house: House) -> None:
    house.source.write("a", "Broken.")
    house.source.write("b", "Fine.")
    house.source.unreadable = {"a": ("it is not XML", True)}
    house.reconcile()
    assert house.sync.refresh(house.source, datetime(2030, 1, 1, tzinfo=UTC)).seen == 0
    assert set(house.answers()) == {"b"}
    assert house.ledger.figures()[0].unreadable == 1


def test_a_stopped_run_keeps_what_it_committed(house: House) -> None:
    house.write_many(120)
    stop = threading.Event()

    def watch(progress: Progress) -> None:
        if progress.fetched >= 50:
            stop.set()

    with pytest.raises(Cancelled):
        house.reconcile(progress=watch, stop=stop)
    assert len(house.answers()) == 50
    house.source.fetched.clear()
    assert house.reconcile().added == 70
    assert len(house.source.fetched) == 70


def test_progress_tells_how_far_a_run_is(house: House) -> None:
    house.write_many(60)
    told: list[Progress] = []
    house.reconcile(progress=told.append)
    assert [progress.fetched for progress in told][:2] == [50, 60]
    assert told[-1] == Progress(total=60, seen=60, fetched=60)


def test_a_source_that_is_not_configured_is_not_synced(house: House) -> None:
    report = house.sync.reconcile(JournalConnector(source="other"))
    assert report.status == "failed"
    assert "other" in str(report.error)


def test_a_full_disk_is_named_and_mended_by_space(house: House) -> None:
    house.write_many(2)

    def full(boundary: Boundary) -> None:
        if boundary is Boundary.PUT:
            raise OSError(errno.ENOSPC, "No space left on device")

    sync = Sync(house.ledger, house.indexes, house.folder / "locks", boundary=full)
    report = sync.reconcile(house.source)
    assert report.status == "failed"
    assert "disk is full" in str(report.error)
    assert house.answers() == {}
    assert house.reconcile().added == 2


def test_a_bug_in_a_connector_is_a_failed_run_without_its_words(house: House) -> None:
    class Buggy(JournalConnector):
        def manifest(self) -> Iterator[Listing]:
            raise KeyError("somebody's secret page")

    report = house.sync.reconcile(Buggy())
    assert report.status == "failed"
    assert "KeyError" in str(report.error)
    assert "secret" not in str(report.error)


def test_a_report_reads_as_the_contract_says(house: House) -> None:
    house.write_many(1)
    told = house.reconcile().to_json()
    assert list(told) == [
        "source", "status", "joined", "seen", "added", "updated", "unchanged", "removed", "held", "unreadable",
        "chunks", "seconds",
    ]  # fmt: skip
    house.source.down = True
    assert list(house.reconcile().to_json())[-1] == "error"
