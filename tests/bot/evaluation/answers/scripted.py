"""A house whose answers are written beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.answering.model import Answer, Failure, Piece, Question, Scope
from bot.settings import GitSource, KnowledgeBase, Settings
from connectors.errors import TryLater
from connectors.ledger.ledger import SourceFigures

NO = Answer("not_found", "I could not find an answer to this in the documentation.", model="quotes")
BROKEN = Answer("error", "", failure=Failure("internal", "Something went wrong.", "abc"))


@dataclass
class ScriptedAnswerer:
    """Gives each question its answer, in one piece first where it is one; remembers what it was asked."""

    answers: Mapping[str, Answer]
    seconds: float = 0.0
    asked: list[Question] = field(default_factory=list)
    is_closed: bool = False

    async def stream(self, question: Question) -> AsyncIterator[Piece | Answer]:
        self.asked.append(question)
        answer = self.answers.get(question.text, NO)
        if answer.outcome == "answered":
            yield Piece(answer.text, answer.citations)
        await asyncio.sleep(self.seconds)
        yield answer

    async def aclose(self) -> None:
        self.is_closed = True


@dataclass
class Books:
    """A ledger of one line a source."""

    synced: Mapping[str, int]
    embedded: int = 0

    def figures(self) -> Sequence[SourceFigures]:
        moment = datetime(2026, 11, 21, tzinfo=UTC)
        return [
            SourceFigures(name, "git", moment if chunks >= 0 else None, None, max(chunks, 0), max(chunks, 0), 0, 0, 0)
            for name, chunks in self.synced.items()
        ]


@dataclass
class ScriptedHouse:
    """Two knowledge bases of one source each, both synced."""

    answerer: ScriptedAnswerer
    synced: Mapping[str, int] = field(default_factory=lambda: {"docs": 3, "sport": 3})
    lost: Collection[str] = ()
    names: Sequence[str] = ("company", "sport")

    @property
    def settings(self) -> Settings:
        sources = {name: GitSource(type="git", url=f"https://git.example/{name}") for name in ("docs", "sport")}
        bases = {"company": KnowledgeBase(sources=("docs",)), "sport": KnowledgeBase(sources=("sport",))}
        return Settings(sources=sources, knowledge_bases={name: bases[name] for name in self.names})

    @property
    def ledger(self) -> Books:
        return Books(self.synced)

    def scope_of(self, knowledge_base: str) -> Scope:
        return Scope(knowledge_base, self.settings.tags_of(knowledge_base))

    def check_index(self, sources: Collection[str]) -> None:
        if set(sources) & set(self.lost):
            raise TryLater("The index has lost chunks.")

    def warm_up(self) -> None:
        """Nothing to load."""
