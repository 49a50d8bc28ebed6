"""Figures of search on the reference collections, by hand: pytest -m bench -s tests/bench/retrieval.

Vectors are made once and kept in ``QUOTH_BENCH_CACHE``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.answering.model import Question
from bot.answering.retriever import Search
from connectors.embedding import CrossEncoder, LocalEmbedder
from connectors.store.sqlite_store import SqliteStore
from tests.bench.retrieval.measuring import (
    Collection,
    EverythingIsVouchedFor,
    collection_in,
    fill,
    measured,
    with_wrong_answers,
)
from tests.bench.store.embeddings import KeptEmbedder
from tests.fakes.indexes import index_of
from tests.fakes.reference_data import reference_path

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7_200)]

DEPTH = 30


@pytest.fixture
def embedder() -> Iterator[KeptEmbedder]:
    with closing(KeptEmbedder(LocalEmbedder())) as embedder:
        yield embedder


@pytest.mark.parametrize(("name", "least"), [("anthropic_docs", 0.83), ("mtrag_threads", 0.93), ("scifact", 0.745)])
def test_search_ranks_as_well_as_it_was_measured(
    name: str, least: float, tmp_path: Path, embedder: KeptEmbedder
) -> None:
    collection = collection_in(reference_path(f"retrieval/{name}"))
    with closing(filled(tmp_path, embedder, collection)) as store:
        plain = Search(lambda: index_of(store, embedder), EverythingIsVouchedFor(), None)
        again = Search(lambda: index_of(store, embedder), EverythingIsVouchedFor(), CrossEncoder())
        found = measured(collection, lambda question: plain.find(question, DEPTH))
        alone = measured(collection, lambda question: plain.find(Question(question.text, question.scope), DEPTH))
        read = measured(collection, lambda question: again.find(question, DEPTH))
        print(f"\n{name}, {store.stats().chunks} chunks\n  found       {found}")  # noqa: T201  # The point of it.
        print(f"  last turn   {alone}\n  read again  {read}")  # noqa: T201  # The same.
    assert found.ndcg_at_10 >= least


def test_a_wrong_answer_in_the_thread_costs_little(tmp_path: Path, embedder: KeptEmbedder) -> None:
    collection = with_wrong_answers(collection_in(reference_path("retrieval/mtrag_threads")))
    with closing(filled(tmp_path, embedder, collection)) as store:
        search = Search(lambda: index_of(store, embedder), EverythingIsVouchedFor(), None)
        found = measured(collection, lambda question: search.find(question, DEPTH))
        print(f"\nmtrag_threads, the last answer of another thread\n  found       {found}")  # noqa: T201  # The same.
    assert found.ndcg_at_10 >= 0.91


def filled(folder: Path, embedder: KeptEmbedder, collection: Collection) -> SqliteStore:
    store = SqliteStore(folder / "index.db", "bench")
    fill(store, embedder, collection.documents)
    return store
