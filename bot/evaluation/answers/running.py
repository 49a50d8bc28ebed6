"""Every question of a file asked as Slack would ask it, timed and judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from bot import console
from bot.answering.model import Answer, Failure, Piece, Question, Scope
from bot.evaluation.answers.judging import Taken, Verdict, judged
from bot.evaluation.answers.questions import Case, Questions
from bot.evaluation.answers.telling import Measured
from bot.settings import Settings
from connectors.errors import Misconfigured, TryLater
from connectors.ledger.ledger import SourceFigures

DEADLINE_SECONDS = 150.0
"""As long as Slack would wait."""

_LATE = Failure("timeout", f"The answer did not come within {DEADLINE_SECONDS:.0f} seconds.", "")


class Answerer(Protocol):
    """What :class:`bot.answering.chain.Answerer` does."""

    def stream(self, question: Question) -> AsyncIterator[Piece | Answer]:
        """Pieces, then the answer."""

    async def aclose(self) -> None:
        """Let go of connections."""


class Books(Protocol):
    """What :class:`connectors.ledger.ledger.Ledger` tells."""

    def figures(self) -> Sequence[SourceFigures]:
        """How every source stands."""


class House(Protocol):
    """What is needed of :class:`bot.app.Quoth`."""

    @property
    def settings(self) -> Settings:
        """What is configured."""

    @property
    def ledger(self) -> Books:
        """What is held."""

    @property
    def answerer(self) -> Answerer:
        """What answers."""

    def scope_of(self, knowledge_base: str) -> Scope:
        """What a knowledge base holds."""

    def check_index(self, sources: Collection[str]) -> None:
        """Make sure that nothing of these sources was lost."""

    def warm_up(self) -> None:
        """Load the models."""


def measured(house: House, questions: Questions, knowledge_base: str | None = None) -> Measured:
    """Ask every question of the product's own chain, one after the other, and judge what it answers.

    Each is asked in ``knowledge_base``, else in the one that the question or its file names, else in the only one there
    is. Progress is shown on stderr where somebody looks.

    Raises:
        Misconfigured: There is no such knowledge base, or none is named.
        TryLater: What would be asked was never synced, the index has lost something, or no question could be answered.
    """
    named = {case.name: _named(house, questions, case, knowledge_base) for case in questions.cases}
    scopes = {name: house.scope_of(name) for name in dict.fromkeys(named.values())}
    for name in scopes:
        check_synced(house, name)
    house.warm_up()  # Models are loaded by the first question, whoever asks it.
    asked = [(case, scopes[named[case.name]]) for case in questions.cases]
    verdicts = asyncio.run(_verdicts(house.answerer, asked))
    failures = [verdict.taken.answer.failure for verdict in verdicts if verdict.outcome == "error"]
    if failures and len(failures) == len(verdicts):
        raise TryLater(f"No question could be answered. {failures[0].message if failures[0] else ''}".strip())
    return Measured(questions, verdicts, tuple(scopes))


def check_synced(house: House, knowledge_base: str) -> None:
    """Make sure that a knowledge base can answer: silence about what was never read would pass for an honest no.

    Raises:
        TryLater: A source of it was never synced, or something of it was lost from the index.
    """
    sources = house.settings.knowledge_bases[knowledge_base].sources
    standing: Mapping[str, SourceFigures] = {told.source: told for told in house.ledger.figures()}
    new = [name for name in sources if name not in standing or standing[name].last_success is None]
    if new:
        raise TryLater(f"Never synced yet: {', '.join(new)}. Run `quoth sync` first.")
    if not any(standing[name].documents for name in sources):
        raise TryLater(f"There is nothing in the knowledge base “{knowledge_base}”. Look at `quoth status`.")
    house.check_index(sources)
    left = sum(standing[name].chunks - standing[name].embedded for name in sources)
    if left > 0:
        console.err.print(f"{left} chunks have no vector yet: they are found by their words only.")


def _named(house: House, questions: Questions, case: Case, knowledge_base: str | None) -> str:
    """Where a question is asked."""
    if name := knowledge_base or case.knowledge_base or questions.knowledge_base:
        return name
    known = list(house.settings.knowledge_bases)
    if len(known) == 1:
        return known[0]
    told = f"one of {', '.join(sorted(known))}" if known else "but none is configured yet"
    raise Misconfigured(f"{questions.path} names no knowledge base. Name one with --kb: {told}.")


async def _verdicts(answerer: Answerer, asked: Sequence[tuple[Case, Scope]]) -> list[Verdict]:
    try:
        return [
            judged(case, await _taken(answerer, Question(case.ask, scope, case.turns)))
            for case, scope in console.counted(asked, len(asked), "questions")
        ]
    finally:
        await answerer.aclose()


async def _taken(answerer: Answerer, question: Question) -> Taken:
    """The answer, and how long it took from outside: to the first text, to the end."""
    began = time.perf_counter()
    first: float | None = None
    answer = Answer("error", "", failure=_LATE)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for said in answerer.stream(question):
                first = time.perf_counter() if first is None else first
                if isinstance(said, Answer):
                    answer = said
    except TimeoutError:
        pass  # It is the failure that it began with.
    ended = time.perf_counter()
    return Taken(answer, 1000 * ((first or ended) - began), 1000 * (ended - began))
