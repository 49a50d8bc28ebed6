"""Every question of a file asked as Slack would ask it, timed and judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from bot import console
from bot.answering.model import Answer, Failure, Piece, Question, Scope
from bot.evaluation.answers.judging import Taken, Verdict, judged
from bot.evaluation.answers.questions import Case, Questions
from bot.evaluation.answers.standing import Standing, check_synced, knowledge_base_of
from bot.evaluation.answers.telling import Measured
from connectors.errors import TryLater

DEADLINE_SECONDS = 150.0
"""As long as Slack would wait."""

_LATE = Failure("timeout", f"The answer did not come within {DEADLINE_SECONDS:.0f} seconds.", "")


class Answerer(Protocol):
    """What :class:`bot.answering.chain.Answerer` does."""

    def stream(self, question: Question) -> AsyncIterator[Piece | Answer]:
        """Pieces, then the answer."""

    async def aclose(self) -> None:
        """Let go of connections."""


class House(Standing, Protocol):
    """What is needed of :class:`bot.app.Quoth`."""

    @property
    def answerer(self) -> Answerer:
        """What answers."""

    def scope_of(self, knowledge_base: str) -> Scope:
        """What a knowledge base holds."""

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
    bases = [knowledge_base_of(case, questions, house.settings, knowledge_base) for case in questions.cases]
    scopes = {name: house.scope_of(name) for name in dict.fromkeys(bases)}
    for name in scopes:
        check_synced(house, name)
    house.warm_up()  # Models are loaded by the first question, whoever asks it.
    asked = [(case, scopes[base]) for case, base in zip(questions.cases, bases, strict=True)]
    verdicts = asyncio.run(_verdicts(house.answerer, asked))
    failures = [verdict.taken.answer.failure for verdict in verdicts if verdict.outcome == "error"]
    if failures and len(failures) == len(verdicts):
        raise TryLater(f"No question could be answered. {failures[0].message if failures[0] else ''}".strip())
    return Measured(questions, verdicts, tuple(scopes))


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
