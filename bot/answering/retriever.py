"""Finds the passages that may answer a question: hybrid, in scope, in the light of the thread, vouched for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Protocol

import structlog
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, PrivateAttr

from bot.answering.model import Passage, Question, Rejected, Retrieved
from bot.answering.rerank import RERANKED, SHARE, Reranker, blended, logits_of, numbered, share_of
from bot.answering.variety import varied
from bot.answering.weighting import Part, pairs_in, parts_of, terms_in, vector_of
from connectors.errors import QuothError, TryLater
from connectors.fusion import fused
from connectors.model import Candidate, Chunk, Query, Vector
from connectors.ports import KnowledgeStore
from connectors.sync.opening import Index

log = structlog.get_logger()

DEPTH = 100
"""Candidates asked for at first, on each side: the depth that fusion was measured at."""

_DEEPER = 4
"""How many times more are asked for when the ledger refused too many."""

_LOOKS = 3
"""How often an index is searched at most because another went live meanwhile; more switches in a second are none."""

_PROMPT_SECONDS = 0.6
"""What a search may take with its best passages read again; an answer may take longer."""

_VARIETY = 3
"""How many times more are found than a model reads, so that doubles and crowds can be left out."""


class Vouched(Protocol):
    """What :class:`connectors.ledger.ledger.Vouched` says."""

    @property
    def title(self) -> str:
        """The document's title."""

    @property
    def url(self) -> str:
        """What opens the passage."""

    @property
    def breadcrumbs(self) -> tuple[str, ...]:
        """The titles above the document."""

    @property
    def updated_at(self) -> datetime | None:
        """When the document was last changed."""


class Vouching(Protocol):
    """What :class:`connectors.ledger.ledger.Vouching` says."""

    @property
    def vouched(self) -> Mapping[str, Vouched]:
        """What may be seen, by chunk id."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Why the others may not, by chunk id."""


class Voucher(Protocol):
    """Who knows what may be seen: the ledger."""

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        """Which of these chunks may be seen within these tags; raises when it cannot tell."""


class Search:
    """Finds passages for questions. Safe to use from many threads; no chat model is called.

    ``live`` gives the index that answers at this moment; where another went live during a search, that one is searched.
    Whatever the store offers is checked against the ledger before anybody sees it, and the search goes on until enough
    is vouched for or nothing is left.

    Raises:
        TryLater: The store or the ledger cannot be asked; from both methods.
        Misconfigured: A person must act first; from both methods.
    """

    def __init__(
        self,
        live: Callable[[], Index],
        ledger: Voucher,
        reranker: Reranker | None,
        rerank_seconds: float = 2.0,
    ) -> None:
        self._live = live
        self._ledger = ledger
        self._reranker = reranker
        self._rerank_seconds = rerank_seconds

    def find(self, question: Question, limit: int) -> Retrieved:
        """The best passages by words and meaning together, best first. For a question, the top is read again."""
        share = share_of(question.text) if self._reranker else 0.0
        if not share:
            return self._found(question, limit)
        began = monotonic()
        found = self._found(question, max(limit, RERANKED))
        left = began + _PROMPT_SECONDS - monotonic()
        read = self._read_again(question, found.passages, share, min(self._rerank_seconds, left))
        return Retrieved(numbered(read[:limit]), found.rejected)

    def best(self, question: Question, limit: int) -> Retrieved:
        """What a model should read: no document crowds out the others, and the top is read again with the question.

        What is not read again in time stays behind what is, in the order it had.
        """
        found = self._found(question, _VARIETY * max(limit, RERANKED))
        read = self._read_again(question, varied(found.passages), SHARE, self._rerank_seconds)
        return Retrieved(numbered(read[:limit]), found.rejected)

    def _read_again(
        self, question: Question, passages: Sequence[Passage], share: float, seconds: float
    ) -> tuple[Passage, ...]:
        if self._reranker is None:
            return tuple(passages)
        return blended(passages, logits_of(self._reranker, question, passages[:RERANKED], seconds), share)

    def _found(self, question: Question, limit: int) -> Retrieved:
        if not question.scope.tags:
            return Retrieved(())
        for _ in range(_LOOKS):
            index = self._live()
            try:
                found = self._found_in(index, question, limit)
            except QuothError:
                if self._live().name == index.name:
                    raise
                continue  # It was dropped under our hands.
            if self._live().name == index.name:
                return found
        raise TryLater("The knowledge base moves from one index to another again and again. Ask in a moment.")

    def _found_in(self, index: Index, question: Question, limit: int) -> Retrieved:
        parts = parts_of(question)
        vector = _vector_of(parts, index)
        query = Query(terms_in(parts), vector, question.scope.tags, max(DEPTH, limit), pairs_in(parts))
        offers = self._vouched_for(index.store, query, limit)
        if not offers.candidates:
            return Retrieved(())
        ranked = fused(list(offers.candidates.values()), vector, index.store.sample())
        seen = [(candidate, score) for candidate, score in ranked if candidate.chunk.chunk_id in offers.vouched]
        passages = (
            _passage(rank, score, candidate, offers.vouched[candidate.chunk.chunk_id])
            for rank, (candidate, score) in enumerate(seen[:limit], start=1)
        )
        return Retrieved(tuple(passages), tuple(_rejected(ranked, offers.refused)))

    def _vouched_for(self, store: KnowledgeStore, query: Query, limit: int) -> _Offers:
        offers = _Offers()
        while True:
            offered = store.search(query)
            new = [candidate.chunk for candidate in offered if candidate.chunk.chunk_id not in offers.candidates]
            offers.candidates.update((candidate.chunk.chunk_id, candidate) for candidate in offered)
            if new:
                vouching = self._ledger.vouch(new, query.tags)
                offers.vouched.update(vouching.vouched)
                offers.refused.update(vouching.refused)
            if not new or len(offers.vouched) >= limit or len(offered) < query.limit:
                return offers
            query = replace(query, limit=_DEEPER * query.limit)


class PassageRetriever(BaseRetriever):
    """A LangChain retriever for one question in its scope and thread. ``metadata["passage"]`` carries the passage."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    search: Search
    question: Question
    limit: int = 8
    _rejected: tuple[Rejected, ...] = PrivateAttr(())

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """What the last search kept out: documents can only tell what was found."""
        return self._rejected

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        found = self.search.best(replace(self.question, text=query), self.limit)
        self._rejected = found.rejected
        return [
            Document(page_content=passage.text, id=passage.chunk_id, metadata={"passage": passage})
            for passage in found.passages
        ]


@dataclass(slots=True)
class _Offers:
    """What the store offered so far, and what the ledger said of it. A chunk it said nothing of is not vouched for."""

    candidates: dict[str, Candidate] = field(default_factory=dict)
    vouched: dict[str, Vouched] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def _vector_of(parts: Sequence[Part], index: Index) -> Vector | None:
    try:
        return None if index.embedder is None else vector_of(parts, index.embedder)
    except TryLater as error:
        log.warning("question.not_embedded", kind=type(error).__name__)
        return None  # Words alone still find most; the thread must not wait for an embedding service.


def _passage(rank: int, score: float, candidate: Candidate, vouched: Vouched) -> Passage:
    chunk = candidate.chunk
    return Passage(
        rank=rank,
        score=score,
        chunk_id=chunk.chunk_id,
        document_id=chunk.document_id,
        source=chunk.source,
        version=chunk.version,
        title=vouched.title,
        headings=chunk.headings,
        url=vouched.url,
        text=chunk.text,
        breadcrumbs=vouched.breadcrumbs,
        updated_at=vouched.updated_at,
        keyword_score=candidate.keyword_score,
        vector_score=candidate.vector_score,
    )


def _rejected(ranked: Sequence[tuple[Candidate, float]], refused: Mapping[str, str]) -> Iterator[Rejected]:
    for candidate, score in ranked:
        chunk = candidate.chunk
        if chunk.chunk_id in refused:
            yield Rejected(chunk.title, chunk.document_id, refused[chunk.chunk_id], score)
