"""Figures of search on the reference collections, by hand: pytest -m bench -s tests/bench/retrieval."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.answering.model import Question
from bot.answering.retriever import Search
from connectors.embedding import LocalEmbedder
from connectors.store.sqlite_store import SqliteStore
from tests.bench.retrieval.measuring import EverythingIsVouchedFor, collection_in, fill, measured
from tests.fakes.indexes import index_of
from tests.fakes.reference_data import reference_path

DEPTH = 30


@pytest.mark.bench
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(("name", "least"), [("anthropic_docs", 0.82), ("mtrag_threads", 0.92), ("scifact", 0.74)])
def test_search_ranks_as_well_as_it_was_measured(name: str, least: float, tmp_path: Path) -> None:
    collection = collection_in(reference_path(f"retrieval/{name}"))
    store, embedder = SqliteStore(tmp_path / "index.db", "bench"), LocalEmbedder()
    fill(store, embedder, collection.documents)
    search = Search(lambda: index_of(store, embedder), EverythingIsVouchedFor(), None)
    with_thread = measured(collection, lambda question: search.find(question, DEPTH))
    alone = measured(collection, lambda question: search.find(Question(question.text, question.scope), DEPTH))
    print(f"\n{name}, {store.stats().chunks} chunks\n  with thread  {with_thread}\n  last turn    {alone}")  # noqa: T201  # The point of it.
    store.close()
    assert with_thread.ndcg_at_10 >= least
