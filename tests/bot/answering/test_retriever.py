from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from bot.answering.model import MAX_QUESTION, Question, Scope, Turn
from bot.answering.retriever import PassageRetriever, Search
from bot.answering.weighting import pairs_in, parts_of, terms_in, vector_of
from connectors.errors import Misconfigured, TryLater
from connectors.ledger.ledger import Vouched, Vouching
from connectors.model import Chunk, Vector, source_tag
from connectors.store.sqlite_store import SqliteStore
from connectors.sync.opening import Index
from tests.fakes.embedders import WordEmbedder
from tests.fakes.indexes import index_of, named
from tests.fakes.stores import MemoryStore

SCOPE = Scope("kb", frozenset({"source:wiki"}))


def chunk(document: str, text: str, version: str = "1", ordinal: int = 0, source: str = "wiki") -> Chunk:
    tags = frozenset({source_tag(source)})
    return Chunk(source, f"{source}:{document}", version, "p", ordinal, f"Page {document}", ("H",), text, tags=tags)


def question(text: str, *turns: tuple[str, str]) -> Question:
    said = tuple(Turn("user" if speaker == "user" else "agent", words) for speaker, words in turns)
    return Question(text, SCOPE, said)


@dataclass
class FakeLedger:
    """Vouches for the live version of each document. ``asked`` counts the chunks it was shown."""

    live: dict[str, str] = field(default_factory=dict)
    down: bool = False
    asked: int = 0

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        if self.down:
            raise TryLater("the ledger is down")
        self.asked += len(chunks)
        ids = {c.chunk_id: c for c in chunks}
        seen = {key: c for key, c in ids.items() if self.live.get(c.document_id, "1") == c.version}
        vouched = {
            key: Vouched(f"Ledger {c.title}", f"https://wiki/{c.document_id}#x", "https://wiki", ("Home",), None)
            for key, c in seen.items()
        }
        return Vouching(vouched, {key: "another version" for key in ids if key not in seen})


class BrokenEmbedder(WordEmbedder):
    failure: type[Exception] = TryLater

    def embed_question(self, text: str) -> Vector:
        raise self.failure("the embedding service is down")


@pytest.fixture
def store() -> MemoryStore:
    store, embedder = MemoryStore(), WordEmbedder()
    for document, text in {
        "vpn": "Reset the VPN password in the portal.",
        "holiday": "Holidays are requested in the portal.",
        "deploy": "Deployments run on Tuesdays.",
    }.items():
        put = chunk(document, text)
        store.put([put])
        store.embed({put.chunk_id: embedder.embed_question(text)})
    return store


def search(store: MemoryStore, ledger: FakeLedger | None = None, reranker: object = None) -> Search:
    return Search(lambda: index_of(store, WordEmbedder()), ledger or FakeLedger(), reranker)  # type: ignore[arg-type]


def test_the_best_passage_is_first_and_comes_with_what_the_ledger_says(store: MemoryStore) -> None:
    first, *_ = search(store).find(question("How do I reset my VPN password?"), 5).passages
    assert (first.rank, first.document_id, first.title) == (1, "wiki:vpn", "Ledger Page vpn")
    assert (first.url, first.breadcrumbs, first.headings) == ("https://wiki/wiki:vpn#x", ("Home",), ("H",))
    assert first.keyword_score > 0
    assert first.vector_score is not None


def test_scores_fall_and_ranks_count_from_1(store: MemoryStore) -> None:
    passages = search(store).find(question("portal password"), 5).passages
    assert [passage.rank for passage in passages] == [1, 2, 3]
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)


def test_what_the_ledger_refuses_is_not_found_and_the_reason_is_kept(store: MemoryStore) -> None:
    found = search(store, FakeLedger({"wiki:vpn": "2"})).find(question("vpn password"), 5)
    assert "wiki:vpn" not in {passage.document_id for passage in found.passages}
    assert [(rejected.document_id, rejected.reason) for rejected in found.rejected] == [("wiki:vpn", "another version")]


def test_hundreds_of_superseded_chunks_do_not_hide_the_live_one(store: MemoryStore) -> None:
    for version in range(2, 700):
        store.put([chunk("vpn", "VPN VPN password password reset", version=str(version))])
    store.put([chunk("late", "A VPN is mentioned here among many other words that say nothing at all.")])
    ledger = FakeLedger({"wiki:vpn": "none"})
    found = search(store, ledger).find(question("vpn password reset"), 3)
    assert "wiki:late" in {passage.document_id for passage in found.passages}
    assert ledger.asked <= len(store.chunks)


def test_a_ledger_that_cannot_be_asked_is_an_error_not_a_pass(store: MemoryStore) -> None:
    with pytest.raises(TryLater):
        search(store, FakeLedger(down=True)).find(question("vpn"), 5)


def test_a_store_that_is_down_is_an_error(store: MemoryStore) -> None:
    store.down = True
    with pytest.raises(TryLater):
        search(store).find(question("vpn"), 5)


def test_another_scope_is_never_found(store: MemoryStore) -> None:
    store.put([chunk("x", "VPN password", source="secret")])
    assert {p.source for p in search(store).find(question("vpn password"), 50).passages} == {"wiki"}
    nowhere = Question("vpn", Scope("empty", frozenset()))
    assert search(store).find(nowhere, 5).passages == ()


def test_without_the_embedding_service_words_still_find(store: MemoryStore) -> None:
    found = Search(lambda: index_of(store, BrokenEmbedder()), FakeLedger(), None).find(question("vpn password"), 1)
    assert found.passages[0].document_id == "wiki:vpn"
    assert found.passages[0].vector_score is None
    altered = BrokenEmbedder()
    altered.failure = Misconfigured
    with pytest.raises(Misconfigured):
        Search(lambda: index_of(store, altered), FakeLedger(), None).find(question("vpn password"), 1)


def test_without_what_embedded_for_an_index_words_still_find(store: MemoryStore) -> None:
    found = Search(lambda: index_of(store, None), FakeLedger(), None).find(question("vpn password"), 1)
    assert found.passages[0].document_id == "wiki:vpn"
    assert found.passages[0].vector_score is None


@dataclass
class Switching:
    """Gives the old index so many times, then the new one."""

    old: Index
    new: Index
    times: int
    given: int = 0

    def __call__(self) -> Index:
        self.given += 1
        return self.old if self.given <= self.times else self.new


@pytest.mark.parametrize("times", [0, 1])
def test_a_search_under_which_another_index_goes_live_is_made_again_there(store: MemoryStore, *, times: int) -> None:
    old = replace(index_of(MemoryStore(down=True), WordEmbedder()), spec=named("old"))
    live = Switching(old, index_of(store, WordEmbedder()), times)
    found = Search(live, FakeLedger(), None).find(question("vpn password"), 3)
    assert found.passages[0].document_id == "wiki:vpn"


def test_a_search_of_an_index_that_was_emptied_under_it_finds_nothing_of_the_kind(store: MemoryStore) -> None:
    old = replace(index_of(MemoryStore(), WordEmbedder()), spec=named("old"))
    live = Switching(old, index_of(store, WordEmbedder()), 1)
    assert Search(live, FakeLedger(), None).find(question("vpn password"), 3).passages


def test_thousands_of_chunks_that_nobody_vouches_for_hide_nothing(store: MemoryStore) -> None:
    embedder = WordEmbedder()
    flood = [chunk("flood", "VPN password reset", version="foreign", ordinal=n) for n in range(3_000)]
    store.put(flood)
    store.embed({one.chunk_id: embedder.embed_question("vpn password reset") for one in flood})
    ledger = FakeLedger()
    found = search(store, ledger).find(question("vpn password reset"), 3)
    assert (len(found.passages), found.passages[0].document_id) == (3, "wiki:vpn")
    assert ledger.asked <= len(store.chunks)


@pytest.mark.parametrize("text", ["", "   ", "👍", "the of and", "\0", '" OR *'])
def test_a_question_without_words_is_no_crash(store: MemoryStore, text: str) -> None:
    search(store).best(question(text), 5)


def test_a_follow_up_is_understood_from_its_thread(store: MemoryStore) -> None:
    follow_up = question(
        "And where do I find it?", ("user", "How do I reset the VPN password?"), ("agent", "Reset it.")
    )
    assert search(store).find(follow_up, 1).passages[0].document_id == "wiki:vpn"


def test_a_thread_never_outweighs_the_question(store: MemoryStore) -> None:
    changed = question("When do deployments run?", *[("user", "How do I reset the VPN password?")] * 9)
    assert search(store).find(changed, 1).passages[0].document_id == "wiki:deploy"


def test_a_threads_parts_have_their_measured_weights() -> None:
    asked = question("vpn", ("user", "alpha"), ("agent", "wrong"), ("user", "beta vpn"), ("agent", "gamma"))
    assert [(part.text, part.weight) for part in parts_of(asked)] == [
        ("vpn", 1.0),
        ("alpha", 0.3),
        ("beta vpn", 0.3),
        ("gamma", 0.1),
    ]
    assert terms_in(parts_of(asked)) == {"vpn": 1.0, "alpha": 0.3, "beta": 0.3, "gamma": 0.1}


def test_the_last_answer_counts_by_its_words_only() -> None:
    embedder = WordEmbedder()
    answered = parts_of(question("vpn", ("user", "alpha"), ("agent", "gamma delta")))
    unanswered = parts_of(question("vpn", ("user", "alpha")))
    assert "gamma" in terms_in(answered)
    assert np.array_equal(vector_of(answered, embedder), vector_of(unanswered, embedder))  # type: ignore[arg-type]


def test_words_side_by_side_weigh_as_single_ones_do_and_parts_do_not_join() -> None:
    asked = question("reset the vpn password", ("user", "vpn password"), ("agent", "reset"))
    assert pairs_in(parts_of(asked)) == {("reset", "vpn"): 1.0, ("vpn", "password"): 1.0}


def test_words_that_stand_side_by_side_as_in_the_question_rank_higher() -> None:
    store = MemoryStore()
    for document, text in (("a", "a backup of the restore plan"), ("b", "restore the backup of the plan")):
        store.put([chunk(document, text)])
    found = Search(lambda: index_of(store, None), FakeLedger(), None).find(question("restore backup"), 2)
    assert [passage.document_id for passage in found.passages] == ["wiki:b", "wiki:a"]


@pytest.mark.parametrize(
    "asked",
    [
        "Wie setze ich das VPN-Passwort zurück?",
        "如何重置密码？",
        "a",
        "?",
        "🤷",
        "what is it that the and",
        'for (int i = 0; i < n; ++i) { a[i] = "b_c".d(e->fG); }',
        'NEAR(vpn password) AND "x* OR -y"',
        "vpn\x00password",
        "vpn " * 10_000,
        "癌症风险" * 10_000,
        " ".join(f"word{n}" for n in range(8_000)),
    ],
)
def test_whatever_is_asked_is_searched(tmp_path: Path, asked: str) -> None:
    embedder = WordEmbedder()
    with closing(SqliteStore(tmp_path / "index.db", "p")) as store:
        put = chunk("vpn", "Reset the VPN password in the portal.")
        store.put([put])
        store.embed({put.chunk_id: embedder.embed_question(put.text)})
        odd = Search(lambda: index_of(store, embedder), FakeLedger(), LastWord())
        assert len(odd.find(question(asked), 5).passages) == len(odd.best(question(asked), 5).passages) == 1


def test_of_a_very_long_question_the_beginning_counts() -> None:
    (part,) = parts_of(question("x" * 40_000))
    assert len(part.text) == MAX_QUESTION


class LastWord:
    """Finds the last of what it is shown the best, and remembers what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.read += texts
        return [float(len(self.read))] * len(texts)


def test_a_question_is_searched_with_a_second_reading_and_anything_else_without(store: MemoryStore) -> None:
    reranker = LastWord()
    plain = search(store, None, reranker).find(question("vpn password portal"), 2).passages
    assert (reranker.read, [passage.rerank_score for passage in plain]) == ([], [None, None])
    read = search(store, None, reranker).find(question("vpn password portal?"), 2).passages
    assert len(reranker.read) == 3
    assert [passage.rank for passage in read] == [1, 2]
    assert all(passage.rerank_score for passage in read)


def test_a_model_gets_every_passage_read_again(store: MemoryStore) -> None:
    reranker = LastWord()
    search(store, None, reranker).best(question("vpn password portal"), 2)
    assert len(reranker.read) == 3


def test_one_document_gives_at_most_three_passages_to_a_model(store: MemoryStore) -> None:
    stuffed = [chunk("stuffed", f"vpn password reset portal {'word' * n} {n}", ordinal=n) for n in range(12)]
    store.put(stuffed)
    found = search(store).best(question("vpn password reset portal"), 8)
    assert sum(passage.document_id == "wiki:stuffed" for passage in found.passages) == 3
    assert "wiki:vpn" in {passage.document_id for passage in found.passages}
    everything = search(store).find(question("vpn password reset portal"), 50).passages
    assert sum(passage.document_id == "wiki:stuffed" for passage in everything) == 12


def test_copies_of_one_text_are_read_once(store: MemoryStore) -> None:
    for copy in range(5):
        store.put([chunk(f"copy{copy}", "Reset the VPN password in the portal.")])
    found = search(store).best(question("vpn password"), 8)
    assert sum(passage.text == "Reset the VPN password in the portal." for passage in found.passages) == 1


def test_it_is_a_langchain_retriever(store: MemoryStore) -> None:
    retriever = PassageRetriever(search=search(store), question=question("vpn"), limit=2)
    documents = retriever.invoke("vpn password")
    assert documents[0].page_content == "Reset the VPN password in the portal."
    assert documents[0].metadata["passage"].rank == 1
    assert np.isfinite(documents[0].metadata["passage"].score)
