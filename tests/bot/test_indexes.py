"""The indexes of a house: one answers while another is built, and what is done to them behind its back is noticed."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.answering.model import Question, Retrieved
from bot.app import Quoth
from bot.settings import Environment, GitSource, KnowledgeBase, Settings
from bot.syncing import IndexWatch
from connectors.errors import TryLater
from tests.fakes.embedders import WordEmbedder
from tests.fakes.git_repository import GitRepository

PAGES = 12
ASKED = "How long does a rollback take?"


@pytest.fixture
def docs(tmp_path: Path) -> GitRepository:
    docs = GitRepository(tmp_path / "docs")
    docs.write_all({f"{n}.md": f"# Rollback {n}\n\nThe rollback takes {n} minutes.\n" for n in range(PAGES)})
    return docs


@pytest.fixture
def opened(tmp_path: Path, docs: GitRepository) -> Iterator[Callable[[str], Quoth]]:
    """Opens the house as a process with this model would."""
    settings = Settings(
        data_dir=tmp_path / "quoth",
        sources={"docs": GitSource(type="git", url=str(docs.folder))},
        knowledge_bases={"open": KnowledgeBase(sources=("docs",))},
        reranker="none",
    )
    houses: list[Quoth] = []

    def house(model: str = "words-64") -> Quoth:
        houses.append(Quoth(settings, Environment()))
        houses[-1].embedder = WordEmbedder(model)
        return houses[-1].__enter__()

    yield house
    for one in houses:
        one.__exit__()


def synced(house: Quoth, *, verify: bool = False) -> None:
    report = house.sync_now(house.connector("docs"), full=False, approve_removals=False, verify=verify)
    assert (report.status, report.error) == ("ok", None)


def found_in(house: Quoth, limit: int = PAGES) -> Retrieved:
    return house.search.find(Question(ASKED, house.scope_of("open")), limit)


def files_of(house: Quoth) -> list[str]:
    return sorted(path.name for path in house.data_dir.glob("index-*.db"))


def file_of(house: Quoth) -> Path:
    return house.data_dir / f"index-{house.ledger.indexes.live().fingerprint}.db"


def alter(house: Quoth, *statements: str) -> None:
    with closing(sqlite3.connect(file_of(house))) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount >= 1


def test_another_model_is_built_into_a_file_of_its_own_while_the_first_answers(
    opened: Callable[[str], Quoth],
) -> None:
    before = opened("words-64")
    synced(before)
    [first] = files_of(before)
    after = opened("another model")
    found = found_in(after)
    assert len(found.passages) == PAGES
    assert {passage.vector_score for passage in found.passages} == {None}  # What embedded for it is gone.
    building = after.ledger.indexes.progress()
    assert building is not None
    assert (building.documents, building.of) == (0, PAGES)
    synced(after)
    [second] = files_of(after)
    assert second != first
    found = found_in(after)
    assert len(found.passages) == PAGES
    assert None not in {passage.vector_score for passage in found.passages}


def test_questions_to_a_process_that_another_one_switches_under_are_all_answered(
    opened: Callable[[str], Quoth],
) -> None:
    serving = opened("words-64")
    synced(serving)
    done, failures, counts = threading.Event(), [], set()

    def ask() -> None:
        try:
            while not done.is_set():
                counts.add(len(found_in(serving).passages))
            counts.add(len(found_in(serving).passages))
        except Exception as failure:  # noqa: BLE001  # A thread's failure is the test's.
            failures.append(failure)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    syncing = opened("another model")
    synced(syncing)
    done.set()
    for asker in askers:
        asker.join(60)
    assert (failures, counts) == ([], {PAGES})
    assert serving.ledger.indexes.live() == syncing.ledger.indexes.live()
    synced(serving)
    assert len(files_of(serving)) == 1


def test_a_whole_index_is_not_lost(opened: Callable[[str], Quoth]) -> None:
    house = opened("words-64")
    assert house.lost() == {}
    synced(house)
    assert house.lost() == {}
    house.check_index(["docs"])


GONE = "DELETE FROM chunks WHERE id = 3"
KEPT = "title, headings, tags, seal, scope, head, body, head_length, body_length, near_length"
FOREIGN = (
    "INSERT INTO versions (source, document_id, version, pipeline) VALUES ('docs', 'git:docs:evil.md', '1', '1')",
    f"INSERT INTO chunks (chunk_id, version_id, ordinal, text, {KEPT}) "
    f"SELECT 'evil', (SELECT max(version_id) FROM versions), 0, 'EVIL', {KEPT} FROM chunks WHERE id = 1",
)


@pytest.mark.parametrize(
    ("statements", "left"), [((GONE,), PAGES - 1), (FOREIGN, PAGES), ((GONE, *FOREIGN), PAGES - 1)]
)
def test_what_somebody_did_to_the_rows_is_noticed_and_mended(
    opened: Callable[[str], Quoth], statements: tuple[str, ...], left: int
) -> None:
    house = opened("words-64")
    synced(house)
    alter(house, *statements)
    assert list(house.lost()) == ["docs"]
    with pytest.raises(TryLater, match="docs"):
        house.check_index(["docs"])
    assert len(found_in(house).passages) == left
    assert "EVIL" not in str(found_in(house).passages)
    synced(house)
    assert (house.lost(), len(found_in(house).passages)) == ({}, PAGES)


def test_a_text_that_somebody_changed_is_mended_by_a_sync_that_verifies(opened: Callable[[str], Quoth]) -> None:
    house = opened("words-64")
    synced(house)
    alter(house, "UPDATE chunks SET text = 'EVIL' WHERE id = 3")
    assert len(found_in(house).passages) == PAGES - 1
    synced(house, verify=True)
    assert len(found_in(house).passages) == PAGES


@pytest.mark.parametrize("running", [True, False])
def test_a_file_that_went_or_was_put_back_is_noticed_and_mended(
    opened: Callable[[str], Quoth], docs: GitRepository, tmp_path: Path, *, running: bool
) -> None:
    house = opened("words-64")
    synced(house)
    with closing(sqlite3.connect(file_of(house))) as connection, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        connection.backup(copy)
    docs.write_all({"0.md": "# Rollback 0\n\nThe rollback takes no time.\n", "new.md": "# Rollback\n\nA new one.\n"})
    synced(house)
    assert len(found_in(house, PAGES + 1).passages) == PAGES + 1
    for put_back in (True, False):
        if not running:
            house.__exit__()
        for file in house.data_dir.glob("index-*"):
            file.unlink()
        if put_back:
            shutil.copy(tmp_path / "copy", file_of(house))
        if not running:
            house = opened("words-64")
        assert list(house.lost()) == ["docs"]
        shown = found_in(house, PAGES + 1).passages
        assert len(shown) == (PAGES - 1 if put_back else 0)
        assert "0 minutes" not in {passage.text for passage in shown}
        synced(house)
        assert (house.lost(), len(found_in(house, PAGES + 1).passages)) == ({}, PAGES + 1)


def test_a_file_that_was_cut_off_is_set_aside_and_filled_again(opened: Callable[[str], Quoth]) -> None:
    house = opened("words-64")
    synced(house)
    path = file_of(house)
    house.__exit__()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    house = opened("words-64")
    synced(house)
    assert (house.lost(), len(found_in(house).passages)) == ({}, PAGES)


def test_a_damage_is_asked_to_be_mended_once_until_it_looks_different() -> None:
    damage: dict[str, object] = {}
    asked: list[str] = []
    watch = IndexWatch(lambda: dict(damage), asked.append)
    watch.look()
    assert asked == []
    damage["docs"] = (3, 7)
    for _ in range(3):
        watch.look()
    assert asked == ["docs"]
    damage["docs"] = (2, 5)
    watch.look()
    damage.clear()
    watch.look()
    damage["docs"] = (2, 5)
    watch.look()
    assert asked == ["docs"] * 3
