"""Passages and questions with only the fields that a test cares about."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from bot.answering.model import Passage, Question, Retrieved, Scope, Turn
from bot.answering.retriever import Search

SCOPE = Scope("engineering", frozenset({"source:handbook"}))


@cache
def pool() -> ThreadPoolExecutor:
    """One pool for all tests of the room."""
    return ThreadPoolExecutor(2, thread_name_prefix="questions")


def passage(
    text: str,
    *,
    document: str = "git:handbook:deploys.md",
    title: str = "Deploys",
    headings: tuple[str, ...] = (),
    rank: int = 1,
    rerank_score: float | None = 5.0,
) -> Passage:
    return Passage(
        rank=rank,
        score=1.0 / rank,
        chunk_id=f"{document}:{rank}",
        document_id=document,
        source="handbook",
        version="1",
        title=title,
        headings=headings,
        url=f"https://git.example/{document.rpartition(':')[2]}#L{rank}",
        text=text,
        rerank_score=rerank_score,
    )


def question(text: str, *turns: tuple[str, str]) -> Question:
    return Question(text, SCOPE, tuple(Turn(speaker, said) for speaker, said in turns))  # type: ignore[arg-type]


class FixedSearch(Search):
    """Finds the same passages for every question, and remembers what was asked."""

    def __init__(self, *passages: Passage) -> None:
        self.passages = passages
        self.asked: list[Question] = []

    def best(self, question: Question, limit: int) -> Retrieved:
        self.asked.append(question)
        return Retrieved(self.passages[:limit])
