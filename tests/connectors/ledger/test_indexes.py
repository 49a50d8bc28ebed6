"""One index answers; another follows it when it is complete; what is left is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from connectors.errors import Misconfigured, TryLater
from connectors.ledger.holdings import Holding
from connectors.ledger.indexes import Building, IndexSpec
from connectors.ledger.ledger import LINEAGE, Ledger
from connectors.ledger.records import Place, Stored
from connectors.ledger.tables import holdings
from connectors.model import Chunk, Document, Held, stamp_of
from tests.databases import database_url
from tests.fakes.indexes import named

__all__ = ["database_url"]

OLD, NEW = named("old"), named("new")


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = Ledger(database_url)
    ledger.register("wiki", "confluence", "here")
    yield ledger
    ledger.close()


def document(name: str, version: str = "1") -> Document:
    return Document("wiki", f"wiki:{name}", version, name, "Text.", "https://example.test", "https://example.test")


def hold(ledger: Ledger, *names: str, version: str = "1", index: str = "old") -> None:
    """Let the ledger know of documents, and one index hold them."""
    stored = [Stored(document(name, version), Place(name, None, ())) for name in names]
    held: dict[str, dict[str, Holding]] = {spec.name: {} for spec in standing(ledger)}
    held[index] = {one.document.document_id: Holding(version, "p", 2, 7) for one in stored}
    ledger.records("wiki").commit(stored, [], "p", held)


def fill(ledger: Ledger, *names: str, version: str = "1", embedded: int = 2, index: str = "new") -> None:
    """Let an index hold documents that the ledger knows."""
    its = ledger.holdings("wiki", index)
    its.commit({f"wiki:{name}": Holding(version, "p", 2, 7) for name in names})
    its.count_embedded(Held(f"wiki:{name}", version, "p", 2, embedded) for name in names)


def standing(ledger: Ledger) -> list[IndexSpec]:
    return [spec for spec in (ledger.indexes.live(), ledger.indexes.building()) if spec is not None]


def test_the_first_index_is_live_at_once(ledger: Ledger) -> None:
    with pytest.raises(Misconfigured):
        ledger.indexes.live()
    ledger.indexes.want(OLD)
    assert (ledger.indexes.live(), ledger.indexes.building(), ledger.indexes.unwanted()) == (OLD, None, [])


def test_an_index_that_holds_nothing_makes_way_at_once(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    ledger.records("wiki").succeeded(datetime.now(UTC))
    ledger.indexes.want(NEW)
    assert (ledger.indexes.live(), ledger.indexes.building(), ledger.indexes.unwanted()) == (NEW, None, [OLD])
    assert ledger.figures()[0].last_success is None


def test_an_index_that_answers_goes_on_until_the_next_is_complete(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a", "b")
    ledger.records("wiki").succeeded(datetime.now(UTC))
    ledger.indexes.want(NEW)
    assert standing(ledger) == [OLD, NEW]
    assert ledger.figures()[0].last_success is not None
    assert not ledger.indexes.make_live("new")
    fill(ledger, "a")
    assert not ledger.indexes.make_live("new")
    fill(ledger, "b", embedded=1)
    assert not ledger.indexes.make_live("new")
    assert ledger.indexes.progress() == Building("new", 2, 2, 4, 3)
    fill(ledger, "b")
    assert ledger.indexes.is_complete("new")
    assert ledger.indexes.make_live("new")
    assert (standing(ledger), ledger.indexes.unwanted()) == ([NEW], [OLD])
    assert ledger.indexes.progress() is None


def test_an_index_that_is_behind_the_live_one_is_not_complete(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a")
    ledger.indexes.want(NEW)
    fill(ledger, "a")
    hold(ledger, "a", version="2")
    assert not ledger.indexes.make_live("new")
    fill(ledger, "a", version="2")
    assert ledger.indexes.make_live("new")


def test_an_index_that_is_ahead_of_a_live_one_that_failed_is_complete(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a")
    ledger.indexes.want(NEW)
    hold(ledger, "a", version="2", index="new")
    fill(ledger, "a", version="2")
    assert ledger.indexes.make_live("new")


def test_a_source_that_does_not_answer_is_not_waited_for(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a")
    ledger.keep_sources([])
    ledger.indexes.want(NEW)
    assert ledger.indexes.make_live("new")


def test_what_is_wanted_no_more_is_dropped_and_nothing_else(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a")
    ledger.indexes.want(NEW)
    fill(ledger, "a")
    third = named("third")
    ledger.indexes.want(third)
    assert (standing(ledger), ledger.indexes.unwanted()) == ([OLD, third], [NEW])
    ledger.indexes.want(OLD)
    assert (standing(ledger), ledger.indexes.unwanted()) == ([OLD], [NEW, third])
    for name in ("old", "new", "third"):
        ledger.indexes.forget(name)
    assert (standing(ledger), ledger.indexes.unwanted()) == ([OLD], [])
    assert (len(ledger.holdings("wiki", "old").held()), len(ledger.holdings("wiki", "new").held())) == (1, 0)


def test_what_is_wanted_again_before_it_was_dropped_is_kept(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a")
    ledger.indexes.want(NEW)
    fill(ledger, "a")
    ledger.indexes.want(OLD)
    ledger.indexes.want(NEW)
    ledger.indexes.forget("new")
    assert standing(ledger) == [OLD, NEW]
    assert len(ledger.holdings("wiki", "new").held()) == 1


def test_how_an_index_is_opened_follows_the_configuration(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    elsewhere = replace(OLD, store='{"backend":"weaviate","url":"http://127.0.0.1:1"}', embedder="words-2")
    ledger.indexes.want(elsewhere)
    assert ledger.indexes.live() == elsewhere


def test_a_sync_that_knows_nothing_of_the_live_index_commits_nothing(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a")
    ledger.indexes.want(NEW)
    fill(ledger, "a")
    assert ledger.indexes.make_live("new")
    late = Stored(document("a", "2"), Place("a", None, ()))
    with pytest.raises(TryLater, match="another index went live"):
        ledger.records("wiki").commit([late], [], "p", {"old": {"wiki:a": Holding("2", "p", 1, 1)}})
    assert ledger.records("wiki").known()["wiki:a"].version == "1"


def test_what_a_late_sync_says_of_a_dropped_index_is_not_written_down(ledger: Ledger) -> None:
    ledger.indexes.want(OLD)
    hold(ledger, "a")
    ledger.indexes.want(NEW)
    fill(ledger, "a")
    assert ledger.indexes.make_live("new")
    ledger.indexes.forget("old")
    both = {name: {"wiki:a": Holding("2", "p", 1, 1)} for name in ("old", "new")}
    ledger.records("wiki").commit([Stored(document("a", "2"), Place("a", None, ()))], [], "p", both)
    assert ledger.holdings("wiki", "old").held() == {}
    assert ledger.holdings("wiki", "new").held()["wiki:a"].version == "2"


def test_an_older_ledger_learns_the_digests_of_what_it_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(LINEAGE.folder))
        config.attributes.update(connection=connection, version_table=LINEAGE.version_table)
        command.upgrade(config, "0002")
        connection.exec_driver_sql("INSERT INTO indexes (fingerprint, live) VALUES ('f00d', true)")
        rows = [("f00d", "wiki", f"wiki:{n}", "1", "p", n, 0) for n in range(1_500)]
        connection.exec_driver_sql(
            "INSERT INTO holdings (fingerprint, source, document_id, version, pipeline, chunks, embedded) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*row[:5], row[5] % 3, 0) for row in rows],
        )
    engine.dispose()
    ledger = Ledger(url)
    with ledger.database.read() as connection:
        found = {row.document_id: row.digest for row in connection.execute(sa.select(holdings))}
    assert ledger.indexes.live() == IndexSpec("f00d", "f00d", "", '{"backend":"sqlite"}')
    ledger.indexes.want(replace(named("f00d"), embeddings="openai:small"))
    assert ledger.indexes.live().embeddings == "openai:small"
    ledger.close()
    for n in range(1_500):
        ids = [Chunk("wiki", f"wiki:{n}", "1", "p", ordinal, "", (), "").chunk_id for ordinal in range(n % 3)]
        assert found[f"wiki:{n}"] == sum(map(stamp_of, ids))
