"""The usual pipelines, with the same models over the same chunks: what somebody has who puts the known parts together.

``bm25`` is textbook BM25 on the chunks' texts; ``dense`` is the cosine of the vectors that the index holds;
``ensemble_rrf`` is LangChain's own ``EnsembleRetriever`` over those two, as it comes; ``weaviate_relative_score`` is
what a Weaviate makes of the same two lists by default. Of a thread they see what such pipelines see: its last message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import bm25s  # type: ignore[import-untyped]  # It ships no types.
import numpy as np
from langchain_classic.retrievers.ensemble import EnsembleRetriever
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, RetrieverLike
from langsmith import tracing_context
from numpy.typing import NDArray
from snowballstemmer import stemmer

from bot.answering.model import MAX_QUESTION
from bot.evaluation.dataset import Case
from bot.evaluation.measuring import DEPTH, Rank
from bot.evaluation.pieces import Pieces
from connectors.ports import Embedder

K1, B = 1.2, 0.75
"""Of BM25, as Lucene, Elasticsearch and Weaviate have them."""

ALPHA = 0.75
"""The share of the vectors in Weaviate's fusion where nobody says another: ``DefaultAlpha`` of the server, 1.39, in
``adapters/handlers/graphql/local/common_filters/hybrid.go``; its Python client sends none of its own."""

logging.getLogger("bm25s").setLevel(logging.WARNING)  # It says at every turn what it does.

Hit = tuple[int, float]
"""A row of the pieces, and its score."""

Scores = NDArray[np.float32]
Places = NDArray[np.int64]

_ROW = "row"


class Keywords:
    """BM25 by the bm25s library: its tokens, its English stop words, the Snowball stemmer, Lucene's formula."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._stem = stemmer("english").stemWords
        tokens = bm25s.tokenize(texts, stopwords="en", stemmer=self._stem, show_progress=False)
        self._count = len(texts)
        self._index = bm25s.BM25(k1=K1, b=B, method="lucene") if tokens.vocab else None
        if self._index is not None:
            self._index.index(tokens, show_progress=False)

    def scores(self, text: str) -> Scores:
        """The score of each text, 0 where no word of the question occurs."""
        if self._index is None:
            return np.zeros(self._count, np.float32)
        (words,) = bm25s.tokenize(text, stopwords="en", stemmer=self._stem, return_ids=False, show_progress=False)
        return np.asarray(self._index.get_scores_from_ids(self._index.get_tokens_ids(words)), np.float32)


class Baselines:
    """The four pipelines over the same pieces. ``rankings`` gives them by name."""

    def __init__(self, pieces: Pieces, embedder: Embedder) -> None:
        self._pieces = pieces
        self._embedder = embedder
        self._keywords = Keywords(pieces.texts)
        lists: list[RetrieverLike] = [
            _Listed(find=self._documents_by(find)) for find in (self.by_words, self.by_meaning)
        ]
        # No weights are its default, even ones; without the key, chunks that say the same would be one.
        self._ensemble = EnsembleRetriever(retrievers=lists, weights=[], id_key=_ROW)

    def rankings(self) -> Mapping[str, Rank]:
        """What ranks documents by their best chunk, by the pipeline's name."""
        return {
            "bm25": self._ranking_by(lambda text: _rows(self.by_words(text))),
            "dense": self._ranking_by(lambda text: _rows(self.by_meaning(text))),
            "ensemble_rrf": self._ranking_by(self.by_ranks),
            "weaviate_relative_score": self._ranking_by(lambda text: _rows(self.by_scores(text))),
        }

    def by_words(self, text: str) -> list[Hit]:
        """The best chunks by BM25; none that has no word of the question."""
        return [hit for hit in _best(self._keywords.scores(text), self._pieces.places) if hit[1] > 0]

    def by_meaning(self, text: str) -> list[Hit]:
        """The best chunks by cosine."""
        return _best(self._pieces.vectors @ self._embedder.embed_question(text), self._pieces.places)

    def by_ranks(self, text: str) -> list[int]:
        """LangChain's reciprocal rank fusion of both lists, with the weights and the constant that are its own."""
        with tracing_context(enabled=False):  # A variable in the environment must not send documents anywhere.
            return [document.metadata[_ROW] for document in self._ensemble.invoke(text)]

    def by_scores(self, text: str) -> list[Hit]:
        """Weaviate's fusion of both lists."""
        return relative_scores(self.by_words(text), self.by_meaning(text), self._pieces.places)

    def _ranking_by(self, find: Callable[[str], Sequence[int]]) -> Rank:
        def rank(case: Case) -> Sequence[str]:
            return list(dict.fromkeys(self._pieces.documents[row] for row in find(case.text[:MAX_QUESTION])))

        return rank

    def _documents_by(self, find: Callable[[str], list[Hit]]) -> Callable[[str], list[Document]]:
        texts = self._pieces.texts
        return lambda text: [Document(page_content=texts[row], metadata={_ROW: row}) for row, _ in find(text)]


class _Listed(BaseRetriever):
    """One list as a LangChain retriever."""

    find: Callable[[str], list[Document]]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return self.find(query)


def relative_scores(words: Sequence[Hit], meaning: Sequence[Hit], places: Places) -> list[Hit]:
    """Weaviate's relative-score fusion of two lists, best first.

    Each list is stretched from 0 (its worst) to 1 (its best), a list of equals counts as 1 throughout, what a list
    lacks counts 0, and the weights are 1 − α and α; equals are told apart by their cosine, or else by their BM25
    (``FusionRelativeScore`` of Weaviate 1.39, ``usecases/traverser/hybrid/hybrid_fusion.go``).
    """
    fused: dict[int, float] = {}
    own: dict[int, float] = {}
    for hits, weight in ((words, 1 - ALPHA), (meaning, ALPHA)):
        low = min((score for _, score in hits), default=0.0)
        span = max((score for _, score in hits), default=0.0) - low
        for row, score in hits:
            share = (score - low) / span if span else 1.0
            fused[row] = fused.get(row, 0.0) + weight * share
            own[row] = score
    return sorted(fused.items(), key=lambda hit: (-hit[1], -own[hit[0]], places[hit[0]]))


def _best(scores: Scores, places: Places) -> list[Hit]:
    """The best rows, equals in the order of their places."""
    least = np.partition(scores, -DEPTH)[-DEPTH] if len(scores) > DEPTH else -np.inf
    rows = np.flatnonzero(scores >= least)
    order = np.lexsort((places[rows], -scores[rows]))[:DEPTH]
    return [(int(row), float(scores[row])) for row in rows[order]]


def _rows(hits: Sequence[Hit]) -> list[int]:
    return [row for row, _ in hits]
