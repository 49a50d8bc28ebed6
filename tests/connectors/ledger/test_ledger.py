"""The ledger vouches for what may be seen, says why it refuses the rest, and never guesses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from connectors.errors import Misconfigured, TryLater
from connectors.ledger.holdings import holding_of
from connectors.ledger.ledger import Ledger, Vouching
from connectors.ledger.records import Place, Stored
from connectors.ledger.seals import seal
from connectors.model import Chunk, Document, Held, source_tag
from tests.databases import database_url
from tests.fakes.indexes import named

__all__ = ["database_url"]

PIPELINE = "pipeline-1"
TAGS = frozenset({source_tag("wiki")})


def opened(database_url: str) -> Ledger:
    ledger = Ledger(database_url)
    ledger.indexes.want(named("index-1"))
    ledger.register("wiki", "confluence", "https://example.test")
    return ledger


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = opened(database_url)
    yield ledger
    ledger.close()


def document(name: str, version: str = "1", source: str = "wiki") -> Document:
    url = f"https://example.test/{name}"
    return Document(
        source=source,
        document_id=f"confluence:{source}:{name}",
        version=version,
        title=name.title(),
        text="Text.",
        url=url,
        link=url + "#{anchor}",
        breadcrumbs=("Home", "Rules"),
        updated_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        tags=frozenset({source_tag(source)}),
    )


def chunk(ledger: Ledger, of: Document, ordinal: int = 0) -> Chunk:
    cut = Chunk(
        of.source, of.document_id, of.version, PIPELINE, ordinal, of.title, ("Top",), "Text.",
        anchor="Top", tags=of.tags,
    )  # fmt: skip
    return seal(ledger.key, cut)


def hold(ledger: Ledger, *documents: Document, pipeline: str = PIPELINE) -> list[Chunk]:
    """Commit the documents, of one source, as a sync does; their chunks."""
    stored = [Stored(document, Place(document.title, None, ())) for document in documents]
    chunks = [chunk(ledger, document) for document in documents]
    held = {held.document_id: holding_of(held.version, pipeline, [held]) for held in chunks}
    ledger.records(documents[0].source).commit(stored, [], pipeline, {ledger.indexes.live().name: held})
    return chunks


def reason(ledger: Ledger, refused: Chunk, tags: frozenset[str] = TAGS) -> str:
    vouching = ledger.vouch([refused], tags)
    assert vouching.vouched == {}
    return vouching.refused[refused.chunk_id]


def test_a_chunk_of_the_current_version_is_vouched_for_with_the_ledgers_own_links(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    vouched = ledger.vouch([held], TAGS).vouched[held.chunk_id]
    assert vouched.title == "Leave"
    assert vouched.url == "https://example.test/leave#Top"
    assert vouched.document_url == "https://example.test/leave"
    assert vouched.breadcrumbs == ("Home", "Rules")
    assert vouched.updated_at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_of_nothing_nothing_is_vouched_for(ledger: Ledger) -> None:
    assert ledger.vouch([], TAGS) == Vouching({}, {})


def test_an_older_version_is_refused(ledger: Ledger) -> None:
    (old,) = hold(ledger, document("leave"))
    hold(ledger, document("leave", "2"))
    assert reason(ledger, old) == "it belongs to another version of its document"


def test_another_pipeline_is_refused(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"), pipeline="pipeline-2")
    assert reason(ledger, held) == "it belongs to another version of its document"


def test_a_version_that_is_put_but_not_committed_is_refused(ledger: Ledger) -> None:
    hold(ledger, document("leave"))
    assert reason(ledger, chunk(ledger, document("leave", "2"))) == "it belongs to another version of its document"
    assert reason(ledger, chunk(ledger, document("new"))) == "its document is gone, hidden or unknown"


def test_a_forgotten_document_is_refused(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    ledger.records("wiki").forget([held.document_id])
    assert reason(ledger, held) == "its document is gone, hidden or unknown"
    assert ledger.holdings("wiki", "index-1").owed() == {held.document_id: None}


def test_a_changed_chunk_is_refused(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    assert reason(ledger, replace(held, text="Send the money to me.")) == "its seal is broken"


def test_a_chunk_sealed_elsewhere_is_refused(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    assert reason(ledger, seal(b"x" * 32, held)) == "its seal is broken"


def test_two_chunks_with_one_id_cannot_pass_as_each_other(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    forged = replace(held, text="Send the money to me.")
    for both in ([held, forged], [forged, held]):
        assert ledger.vouch(both, TAGS).vouched == {}


def test_a_chunk_outside_the_knowledge_base_is_refused(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    assert reason(ledger, held, frozenset({"source:other"})) == "it is outside the knowledge base"
    assert reason(ledger, held, frozenset()) == "it is outside the knowledge base"


def test_a_chunk_that_lacks_the_tag_of_its_own_source_is_refused(ledger: Ledger) -> None:
    other = replace(document("leave"), tags=frozenset({"source:other"}))
    (held,) = hold(ledger, other)
    assert reason(ledger, held, frozenset({"source:other"})) == "it is outside the knowledge base"


def test_tags_that_the_ledger_has_taken_back_no_longer_let_in(ledger: Ledger) -> None:
    tagged = replace(document("leave"), tags=frozenset({"source:wiki", "label:public"}))
    (held,) = hold(ledger, tagged)
    assert ledger.vouch([held], frozenset({"label:public"})).vouched
    hold(ledger, replace(tagged, tags=frozenset({"source:wiki"})))
    assert reason(ledger, held, frozenset({"label:public"})) == "its document is outside the knowledge base"


def test_a_document_id_under_another_source_is_not_that_document(ledger: Ledger) -> None:
    hold(ledger, document("leave"))
    stranger = seal(ledger.key, replace(chunk(ledger, document("leave")), source="other", tags=TAGS | {"source:other"}))
    assert reason(ledger, stranger) == "its document is gone, hidden or unknown"


def test_only_the_live_index_is_vouched_for(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    ledger.indexes.want(named("index-2"))
    assert ledger.vouch([held], TAGS).vouched
    switch_to(ledger, "index-2", held, pipeline="pipeline-2")
    assert reason(ledger, held) == "it belongs to another version of its document"
    assert ledger.vouch([seal(ledger.key, replace(held, pipeline="pipeline-2"))], TAGS).vouched


def test_another_process_that_switches_the_index_is_heard(ledger: Ledger, database_url: str) -> None:
    (held,) = hold(ledger, document("leave"))
    other = opened(database_url)
    other.indexes.want(named("index-2"))
    switch_to(other, "index-2", held, pipeline="pipeline-2")
    other.close()
    assert ledger.vouch([held], TAGS).vouched == {}


def test_a_live_index_that_is_behind_the_ledger_goes_on_answering(ledger: Ledger) -> None:
    (old,) = hold(ledger, document("leave"))
    ledger.indexes.want(named("index-2"))
    newer = Stored(document("leave", "2"), Place("Leave", None, ()))
    ledger.records("wiki").commit([newer], [], PIPELINE, {"index-1": {}, "index-2": {}})
    assert ledger.vouch([old], TAGS).vouched
    assert ledger.still_stand({old.document_id: "1"}, TAGS)
    assert not ledger.still_stand({old.document_id: "2"}, TAGS)


def switch_to(ledger: Ledger, name: str, *chunks: Chunk, pipeline: str = PIPELINE) -> None:
    """Fill the index in building with these and let it go live."""
    building = ledger.holdings("wiki", name)
    held = {one.document_id: holding_of(one.version, pipeline, [replace(one, pipeline=pipeline)]) for one in chunks}
    building.commit(held)
    building.count_embedded(
        Held(document_id, its.version, its.pipeline, its.chunks, its.chunks) for document_id, its in held.items()
    )
    assert ledger.indexes.make_live(name)


def test_a_source_out_of_the_configuration_is_refused_at_once(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    ledger.keep_sources(["handbook"])
    assert reason(ledger, held) == "its source is not configured, or was not synced since it is again"
    assert ledger.figures() == []


def test_a_source_that_comes_back_answers_after_its_next_success(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    ledger.keep_sources([])
    ledger.register("wiki", "confluence", "https://example.test")
    ledger.keep_sources(["wiki"])
    assert reason(ledger, held) == "its source is not configured, or was not synced since it is again"
    ledger.records("wiki").succeeded(datetime.now(UTC))
    assert ledger.vouch([held], TAGS).vouched


def test_a_late_run_does_not_bring_a_removed_source_back(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    ledger.keep_sources([])
    ledger.records("wiki").succeeded(datetime.now(UTC))
    assert ledger.vouch([held], TAGS).vouched == {}


def test_a_source_with_another_identity_forgets_what_it_was(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    ledger.register("wiki", "confluence", "https://example.test")
    assert ledger.vouch([held], TAGS).vouched
    ledger.register("wiki", "confluence", "https://elsewhere.test")
    assert reason(ledger, held) == "its document is gone, hidden or unknown"
    assert ledger.holdings("wiki", "index-1").owed() == {held.document_id: None}
    assert ledger.records("wiki").known() == {}


def test_held_documents_go_on_answering(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    ledger.records("wiki").hold([held.document_id], datetime.now(UTC))
    assert ledger.vouch([held], TAGS).vouched
    assert ledger.figures()[0].held == 1


def test_a_ledger_that_cannot_be_asked_vouches_for_nothing(ledger: Ledger) -> None:
    (held,) = hold(ledger, document("leave"))
    with ledger.database.write() as connection:
        connection.execute(sa.text("ALTER TABLE documents RENAME TO elsewhere"))
    with pytest.raises((TryLater, Misconfigured)):
        ledger.vouch([held], TAGS)


def test_all_chunks_are_looked_up_with_one_query(ledger: Ledger) -> None:
    held = hold(ledger, *(document(f"page-{n}") for n in range(200)))
    asked = statements_of(ledger)
    assert len(ledger.vouch(held, TAGS).vouched) == 200
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1


def test_figures_of_all_sources_take_one_query(ledger: Ledger) -> None:
    ledger.register("handbook", "git", "https://example.test/handbook.git")
    hold(ledger, document("leave"), document("pay"))
    asked = statements_of(ledger)
    figures = ledger.figures()
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1
    assert [(f.source, f.kind, f.documents, f.chunks, f.embedded) for f in figures] == [
        ("handbook", "git", 0, 0, 0),
        ("wiki", "confluence", 2, 2, 0),
    ]


def test_a_source_is_due_at_once_when_what_answers_was_never_compared(ledger: Ledger) -> None:
    def compared() -> bool:
        return ledger.figures()[0].last_success is not None

    def succeed() -> None:
        ledger.records("wiki").succeeded(datetime(2026, 11, 1, tzinfo=UTC))
        assert compared()

    wiki = ("wiki", "confluence")
    succeed()
    ledger.indexes.want(named("another model"))
    assert not compared()
    succeed()
    ledger.keep_sources([])
    ledger.register(*wiki, "https://example.test")
    assert not compared()
    succeed()
    ledger.register(*wiki, "https://elsewhere.test/wiki")
    assert not compared()


def test_a_ledger_without_an_index_says_what_is_missing(database_url: str) -> None:
    ledger = Ledger(database_url)
    with pytest.raises(Misconfigured, match=r"indexes\.want"):
        ledger.indexes.live()
    ledger.close()


def statements_of(ledger: Ledger) -> Sequence[str]:
    """Every statement from now on."""
    asked: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    with ledger.database.read() as connection:
        sa.event.listen(connection.engine, "before_cursor_execute", note)
    return asked
