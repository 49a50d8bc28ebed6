"""An index moves to another store as it is, and whatever interrupts it, both ends stay true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from connectors.errors import Cancelled, Misconfigured, TryLater
from connectors.ledger.holdings import holding_of
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.ledger.records import Place, Stored
from connectors.ledger.seals import seal
from connectors.model import Chunk, Document, Listing, Unreadable, source_tag
from connectors.ports import KnowledgeStore
from connectors.store.sqlite_store import SqliteStore
from connectors.sync import moving
from connectors.sync.moving import End, MoveReport, Step, Watched, move
from connectors.text.chunking import chunks_of
from tests.databases import database_url
from tests.fakes.embedders import WordEmbedder
from tests.fakes.stores import MemoryStore

__all__ = ["database_url"]

TAGS = frozenset({source_tag("wiki")})
SYNCED = datetime(2026, 3, 1, tzinfo=UTC)

STORES: dict[str, Callable[[Path], KnowledgeStore]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "target.db", "f1"),
}


class Died(BaseException):
    """What a kill looks like from inside."""


def spec(name: str) -> IndexSpec:
    return IndexSpec(name, "f1", "local", "{}")


class Shelf:
    """A ledger and a store, filled by hand as a sync would."""

    def __init__(self, url: str, store: KnowledgeStore, index: str = "old") -> None:
        self.ledger, self.store, self.index = Ledger(url), store, index
        self.ledger.indexes.want(spec(index))
        self.ledger.register("wiki", "confluence", "https://wiki.example")

    @property
    def end(self) -> End:
        return End(self.ledger, self.index, self.store)

    def write(self, name: str, text: str, version: str = "1", *, embedded: bool = True) -> None:
        document_id = f"wiki:{name}"
        page = Document("wiki", document_id, version, name, text, f"https://wiki.example/{name}", "", tags=TAGS)
        chunks = [seal(self.ledger.key, chunk) for chunk in chunks_of(page, "p1")]
        if chunks:
            self.store.put(chunks)
        held = {self.index: {document_id: holding_of(version, "p1", chunks)}}
        self.ledger.records("wiki").commit([Stored(page, Place(name, None, ()))], [], "p1", held)
        if embedded:
            self.embed(chunks)

    def embed(self, chunks: list[Chunk]) -> None:
        vectors = WordEmbedder().embed_texts([chunk.text for chunk in chunks])
        self.store.embed({chunk.chunk_id: vector for chunk, vector in zip(chunks, vectors, strict=True)})
        self.ledger.holdings("wiki", self.index).count_embedded(self.store.contents("wiki"))

    def forget(self, name: str) -> None:
        self.ledger.records("wiki").forget([f"wiki:{name}"])
        self.store.retire("wiki", {f"wiki:{name}": None})

    def vouched(self, store: KnowledgeStore | None = None) -> dict[str, str]:
        """The text of every chunk that the ledger vouches for, by chunk id."""
        chunks = [stored.chunk for stored in (store or self.store).export("wiki")]
        vouching = self.ledger.vouch(chunks, TAGS)
        return {chunk.chunk_id: chunk.text for chunk in chunks if chunk.chunk_id in vouching.vouched}


def vectors_of(store: KnowledgeStore) -> dict[str, list[float]]:
    """By chunk id, rounded to what a file keeps."""
    vectors = {s.chunk.chunk_id: s.vector for s in store.export("wiki") if s.vector is not None}
    return {key: vector.astype(np.float16).tolist() for key, vector in vectors.items()}


def chunks_in(store: KnowledgeStore) -> set[Chunk]:
    return {stored.chunk for stored in store.export("wiki")}


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit after each document: the more moments there are to die at."""
    monkeypatch.setattr(moving, "DOCUMENTS_A_SLICE", 1)


@pytest.fixture
def here(tmp_path: Path, database_url: str) -> Iterator[Shelf]:
    shelf = Shelf(database_url, MemoryStore())
    shelf.write("gate", "# Gate\n\nThe gate opens at seven.\n\n# Keys\n\nThe keys are with Ada.")
    shelf.write("kitchen", "The kitchen is on the second floor.")
    shelf.write("empty", "")
    shelf.ledger.records("wiki").succeeded(SYNCED)
    yield shelf
    shelf.ledger.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KnowledgeStore]:
    store = STORES[request.param](tmp_path)
    yield store
    store.close()


@pytest.fixture
def elsewhere(tmp_path: Path, store: KnowledgeStore) -> Iterator[Shelf]:
    """Another Quoth with a store of its own, and nothing in it yet."""
    shelf = Shelf(f"sqlite:///{tmp_path / 'elsewhere.db'}", store, "new")
    yield shelf
    shelf.ledger.close()


def moved(origin: End, target: End, folder: Path, step: Callable[[Step], None] = lambda _: None) -> MoveReport:
    watched = Watched(lambda *_: None, threading.Event(), step)
    return move(origin, target, ["wiki"], folder, watched=watched)


def dies_at(number: int) -> Callable[[Step], None]:
    """Dies at the so-manieth moment, the first being 0."""
    left = iter(range(number))

    def step(_: Step) -> None:
        if next(left, None) is None:
            raise Died

    return step


def died(origin: End, target: End, folder: Path, number: int) -> bool:
    """Whether a move died at this moment; if not, it got through."""
    try:
        moved(origin, target, folder, dies_at(number))
    except Died:
        return True
    return False


def test_another_store_of_the_same_ledger_comes_to_hold_the_same(
    here: Shelf, store: KnowledgeStore, tmp_path: Path
) -> None:
    report = moved(here.end, End(here.ledger, "new", store), tmp_path)

    assert (report.documents, report.chunks, report.embedded) == (2, 3, 3)
    assert (report.copied, report.left) == (3, 0)
    assert chunks_in(store) == chunks_in(here.store)
    assert vectors_of(store) == vectors_of(here.store)


def test_the_copy_answers_as_soon_as_it_is_configured(here: Shelf, store: KnowledgeStore, tmp_path: Path) -> None:
    before = here.vouched()
    moved(here.end, End(here.ledger, "new", store), tmp_path)

    here.ledger.indexes.want(spec("new"))

    assert here.ledger.indexes.make_live("new")
    assert here.vouched(store) == before
    assert here.ledger.records("wiki").last_success() == SYNCED


def test_another_quoth_comes_to_answer_the_same(here: Shelf, elsewhere: Shelf, tmp_path: Path) -> None:
    page = Listing("wiki:torn", "3", "Torn", "https://wiki.example/torn")
    here.ledger.records("wiki").commit([], [Unreadable(page, "It is torn.")], "p1", {here.index: {}})

    report = moved(here.end, elsewhere.end, tmp_path)

    assert (report.documents, report.copied, report.left) == (2, 3, 0)
    assert elsewhere.vouched() == here.vouched()
    assert vectors_of(elsewhere.store) == vectors_of(here.store)
    assert elsewhere.ledger.figures() == here.ledger.figures()
    assert elsewhere.ledger.records("wiki").quarantined() == here.ledger.records("wiki").quarantined()


def test_copying_again_copies_nothing(here: Shelf, tmp_path: Path) -> None:
    target = End(here.ledger, "new", MemoryStore())
    moved(here.end, target, tmp_path)
    target.store.writes.clear()

    report = moved(here.end, target, tmp_path)

    assert (report.documents, report.copied, report.left) == (2, 0, 0)
    assert target.store.writes == []


def test_what_changed_since_is_brought_by_copying_again(here: Shelf, elsewhere: Shelf, tmp_path: Path) -> None:
    moved(here.end, elsewhere.end, tmp_path)
    here.write("kitchen", "The kitchen has moved to the first floor.", version="2")
    here.store.retire("wiki", {"wiki:kitchen": ("2", "p1")})
    here.forget("gate")
    here.write("garden", "The garden is behind the house.")

    report = moved(here.end, elsewhere.end, tmp_path)

    assert (report.documents, report.copied) == (2, 2)
    assert elsewhere.vouched() == here.vouched()
    assert elsewhere.store.stats().chunks == 2


@pytest.mark.parametrize("kind", STORES)
def test_a_copy_that_is_killed_anywhere_is_completed_by_the_next(here: Shelf, kind: str, tmp_path: Path) -> None:
    before, chunks, vectors = here.vouched(), chunks_in(here.store), vectors_of(here.store)
    for number in count():
        (folder := tmp_path / str(number)).mkdir()
        target = End(here.ledger, f"new {number}", STORES[kind](folder))
        with closing(target.store):
            has_died = died(here.end, target, folder, number)
            assert (here.vouched(), chunks_in(here.store)) == (before, chunks)
            moved(here.end, target, folder)
            assert (chunks_in(target.store), vectors_of(target.store)) == (chunks, vectors)
            totals = [here.ledger.holdings("wiki", index).totals() for index in ("old", target.index)]
            assert totals[0] == totals[1]
            assert not here.ledger.holdings("wiki", target.index).owed()
        if not has_died:
            break

    assert number > 15


def test_a_copy_to_another_quoth_that_is_killed_again_and_again_gets_there(
    here: Shelf, elsewhere: Shelf, tmp_path: Path
) -> None:
    before = here.vouched()

    kills = next(number for number in count() if not died(here.end, elsewhere.end, tmp_path, number))

    assert kills > 7
    assert here.vouched() == elsewhere.vouched() == before
    assert not elsewhere.ledger.holdings("wiki", "new").owed()


@pytest.mark.parametrize("step", [Step.OWED, Step.PUT, Step.EMBEDDED])
def test_what_is_forgotten_while_it_is_copied_is_not_copied(
    here: Shelf, elsewhere: Shelf, tmp_path: Path, step: Step
) -> None:
    def forget(now: Step) -> None:
        if now is step:
            here.forget("kitchen")

    moved(here.end, elsewhere.end, tmp_path, forget)

    assert elsewhere.vouched() == here.vouched()
    assert {stored.chunk.title for stored in elsewhere.store.export("wiki")} == {"gate"}


def test_what_changes_while_it_is_copied_is_left_to_the_next_sync(
    here: Shelf, store: KnowledgeStore, tmp_path: Path
) -> None:
    def change(now: Step) -> None:
        if now is Step.OWED:
            here.write("kitchen", "The kitchen is on the roof.", version="2")

    report = moved(here.end, End(here.ledger, "new", store), tmp_path, change)
    here.ledger.indexes.want(spec("new"))

    assert (report.copied, report.left) == (2, 1)
    assert not here.ledger.indexes.make_live("new")
    assert {stored.chunk.version for stored in store.export("wiki")} == {"1"}


def test_an_altered_chunk_is_not_copied_and_its_document_is_named_as_torn(
    here: Shelf, store: KnowledgeStore, tmp_path: Path
) -> None:
    (chunk,) = (c for c in chunks_in(here.store) if c.title == "kitchen")
    here.store.put([replace(chunk, text="The kitchen is a casino.")])

    with pytest.raises(TryLater, match=r"1 documents are not whole.*quoth sync --verify"):
        moved(here.end, End(here.ledger, "new", store), tmp_path)

    assert {stored.chunk.title for stored in store.export("wiki")} == {"gate"}


def test_what_has_no_vector_yet_is_copied_without(here: Shelf, store: KnowledgeStore, tmp_path: Path) -> None:
    here.write("garden", "The garden is behind the house.", embedded=False)

    report = moved(here.end, End(here.ledger, "new", store), tmp_path)
    here.embed([chunk for chunk in chunks_in(here.store) if chunk.title == "garden"])
    again = moved(here.end, End(here.ledger, "new", store), tmp_path)

    assert (report.chunks, report.embedded, report.copied) == (4, 3, 4)
    assert (again.chunks, again.embedded, again.copied) == (4, 4, 1)


def test_what_the_other_store_lost_since_is_put_back(here: Shelf, store: KnowledgeStore, tmp_path: Path) -> None:
    moved(here.end, End(here.ledger, "new", store), tmp_path)
    store.retire("wiki", {"wiki:gate": None})

    assert moved(here.end, End(here.ledger, "new", store), tmp_path).copied == 1
    assert chunks_in(store) == chunks_in(here.store)


def test_a_store_that_does_not_keep_what_it_is_given_is_told_of(here: Shelf, tmp_path: Path) -> None:
    class Leaking(MemoryStore):
        def publish(self) -> None:
            self.chunks.popitem()

    with pytest.raises(TryLater, match="holds 2 chunks, and not just the 3"):
        moved(here.end, End(here.ledger, "new", Leaking()), tmp_path)


def test_documents_that_did_not_come_from_here_are_not_replaced(here: Shelf, elsewhere: Shelf, tmp_path: Path) -> None:
    elsewhere.write("gate", "This gate is our own.")

    with pytest.raises(Misconfigured, match="1 documents of wiki that did not come from here"):
        moved(here.end, elsewhere.end, tmp_path)

    assert list(elsewhere.vouched().values()) == ["This gate is our own."]


def test_a_copy_that_has_synced_by_itself_is_not_set_back(here: Shelf, elsewhere: Shelf, tmp_path: Path) -> None:
    moved(here.end, elsewhere.end, tmp_path)
    elsewhere.ledger.records("wiki").succeeded(datetime.now(UTC))

    with pytest.raises(Misconfigured, match="a copy would set it back"):
        moved(here.end, elsewhere.end, tmp_path)


def test_another_source_under_the_same_name_is_refused(here: Shelf, elsewhere: Shelf, tmp_path: Path) -> None:
    elsewhere.ledger.register("wiki", "confluence", "https://other.example")

    with pytest.raises(Misconfigured, match="reads something else"):
        moved(here.end, elsewhere.end, tmp_path)


def test_chunks_that_an_earlier_quoth_left_in_the_store_are_sealed_anew(
    here: Shelf, elsewhere: Shelf, tmp_path: Path
) -> None:
    for document in ({c for c in chunks_in(here.store) if c.title == t} for t in ("gate", "kitchen")):
        elsewhere.store.put([replace(chunk, seal="another key's") for chunk in document])

    moved(here.end, elsewhere.end, tmp_path)

    assert elsewhere.vouched() == here.vouched()


def test_two_copies_at_once_are_refused(here: Shelf, tmp_path: Path) -> None:
    def again(now: Step) -> None:
        if now is Step.OWED:
            with pytest.raises(TryLater, match="Another copy is under way"):
                moved(here.end, End(here.ledger, "third", MemoryStore()), tmp_path)

    assert moved(here.end, End(here.ledger, "new", MemoryStore()), tmp_path, again).copied == 3


def test_a_copy_can_be_stopped_and_taken_up_again(here: Shelf, tmp_path: Path) -> None:
    stop, told = threading.Event(), list[tuple[int, int]]()
    target = End(here.ledger, "new", MemoryStore())

    def tell(done: int, of: int) -> None:
        told.append((done, of))
        if done == 1:
            stop.set()

    with pytest.raises(Cancelled, match="run the same command again"):
        move(here.end, target, ["wiki"], tmp_path, watched=Watched(tell, stop, lambda _: None))
    stop.clear()
    move(here.end, target, ["wiki"], tmp_path, watched=Watched(lambda *now: told.append(now), stop, lambda _: None))

    assert told == [(0, 3), (1, 3), (1, 3), (2, 3), (3, 3)]
