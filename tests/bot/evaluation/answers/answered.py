"""Answers written by hand, and the passages that they cite."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.model import Answer, Citation, Passage

DEPLOYS = (
    "A rollback takes 90 seconds and needs one approval. Rolling back does not undo database migrations.\n\n"
    "```\nshipctl rollback payments\n```\n"
)
LIMITS = "The Team plan allows 600 requests per minute."


def passage(document_id: str, text: str, *, title: str = "A page", rerank: float | None = None) -> Passage:
    url = f"https://git.example/{document_id.rpartition(':')[2]}#L1-L9"
    place = {"title": title, "headings": (), "url": url, "text": text}
    return Passage(
        rank=1, score=1.0, chunk_id=document_id, document_id=document_id, source="docs", version="1",
        vector_score=0.5, rerank_score=rerank, **place,
    )  # fmt: skip


PASSAGES = (
    passage("git:docs:docs/deploys.md", DEPLOYS, title="Deploys", rerank=3.0),
    passage("git:docs:docs/limits.md", LIMITS, title="API limits", rerank=-1.0),
)


def answered(text: str, quotes: Sequence[str] = (DEPLOYS, LIMITS), passages: Sequence[Passage] = PASSAGES) -> Answer:
    """An answer whose [n] cites the nth passage with the nth quote, as far as it uses them."""
    used = [n for n in range(1, len(quotes) + 1) if f"[{n}]" in text]
    citations = tuple(
        Citation(n, passages[n - 1].title, passages[n - 1].url, quotes[n - 1], passages[n - 1].document_id)
        for n in used
    )
    return Answer("answered", text, citations, passages=tuple(passages), model="quotes")
