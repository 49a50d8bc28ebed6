"""How well the reference collections are found: pytest -m bench -s tests/bench/store -k ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing

import ir_measures
import pytest
from ir_measures import R, nDCG

from bot.answering.model import Question
from bot.answering.retriever import Search
from connectors.embedding import LocalEmbedder
from connectors.store.weaviate.place import WeaviatePlace
from connectors.text.chunking import chunks_of, embedding_text_of
from tests.bench.retrieval.measuring import SOURCE, Collection, EverythingIsVouchedFor, collection_in, fill
from tests.bench.store.contenders import LangChainContender, name_of
from tests.bench.store.embeddings import KeptEmbedder
from tests.bench.store.places import Places
from tests.bench.store.replicas import Replica
from tests.fakes.indexes import index_of
from tests.fakes.reference_data import reference_path

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7_200)]

PASSAGES = 100
"""Chunks that are asked for; a document ranks by its best one."""
EQUAL = 0.005
"""How far the nDCG@10 of two stores may be apart."""
ALPHAS: Mapping[str, Mapping[str, float]] = {"alpha 0.5": {"alpha": 0.5}, "its own alpha": {}}

Ranking = Callable[[Question], Sequence[str]]


@pytest.fixture(scope="module")
def embedder() -> Iterator[KeptEmbedder]:
    with closing(KeptEmbedder(LocalEmbedder())) as kept:
        yield kept


@pytest.mark.parametrize("name", ["anthropic_docs", "mtrag_threads", "scifact"])
def test_every_store_ranks_alike_and_better_than_langchain_weaviate(
    name: str, real_server: WeaviatePlace, embedder: KeptEmbedder
) -> None:
    collection, places = collection_in(reference_path(f"retrieval/{name}")), Places(real_server, name)
    ours = {store: _ours(places, store, collection, embedder) for store in ("sqlite", "weaviate")}
    theirs = _theirs(places, collection, embedder)

    assert abs(ours["sqlite"] - ours["weaviate"]) <= EQUAL
    assert ours["weaviate"] > max(theirs)


def _ours(places: Places, name: str, collection: Collection, embedder: KeptEmbedder) -> float:
    with closing(places.store(name)) as store:
        fill(store, embedder, collection.documents)
        search = Search(lambda: index_of(store, embedder), EverythingIsVouchedFor(), None)
        return _reported(
            name, collection, lambda asked: [found.document_id for found in search.find(asked, PASSAGES).passages]
        )


def _theirs(places: Places, collection: Collection, embedder: KeptEmbedder) -> list[float]:
    chunks = [chunk for document in collection.documents for chunk in chunks_of(document, "bench")]
    vectors = embedder.embed_texts([embedding_text_of(chunk) for chunk in chunks])
    names = {name_of(document.document_id): document.document_id for document in collection.documents}
    with closing(places.langchain()) as contender:
        contender.write([Replica(chunks, vectors)])
        return [
            _reported(
                f"langchain-weaviate, {alpha}, {said}", collection, _asking(contender, embedder, text_of, way, names)
            )
            for alpha, way in ALPHAS.items()
            for said, text_of in _ways(collection).items()
        ]


def _asking(
    contender: LangChainContender,
    embedder: KeptEmbedder,
    text_of: Callable[[Question], str],
    way: Mapping[str, float],
    names: Mapping[str, str],
) -> Ranking:
    def ranking(question: Question) -> Sequence[str]:
        text = text_of(question)
        found = contender.documents(text, embedder.embed_question(text), PASSAGES, (SOURCE,), **way)
        return [names[document.metadata["document"]] for document in found]

    return ranking


def _ways(collection: Collection) -> Mapping[str, Callable[[Question], str]]:
    """What it can be asked of a thread: it knows of none."""
    last = {"the question": lambda question: question.text}
    if not any(question.turns for question in collection.questions.values()):
        return last
    return {
        **last,
        "the questions joined": lambda question: _joined(question, {"user"}),
        "the whole thread joined": lambda question: _joined(question, {"user", "agent"}),
    }


def _joined(question: Question, speakers: set[str]) -> str:
    return "\n".join([*(turn.text for turn in question.turns if turn.speaker in speakers), question.text])


def _reported(label: str, collection: Collection, ranking: Ranking) -> float:
    run = {key: _scores(ranking(collection.questions[key])) for key in collection.relevant}
    qrels = {key: {one: int(grade) for one, grade in wanted.items()} for key, wanted in collection.relevant.items()}
    figures = ir_measures.calc_aggregate([nDCG @ 10, R @ 10], qrels, run)
    print(f"{label:60} nDCG@10 {100 * figures[nDCG @ 10]:.1f}  recall@10 {100 * figures[R @ 10]:.1f}")  # noqa: T201  # The point of it.
    return float(figures[nDCG @ 10])


def _scores(documents: Sequence[str]) -> dict[str, float]:
    """What ranks each document by its best chunk."""
    return {document: -float(rank) for rank, document in enumerate(dict.fromkeys(documents))}
