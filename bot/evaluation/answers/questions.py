"""The values of a question file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.answering.model import Turn
from bot.evaluation.answers.facts import Fact

Kind = Literal["answerable", "unanswerable", "out_of_scope"]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what is right to answer: ``facts`` that the answer holds, or nothing at all where there are none.

    ``sources`` are documents that it should cite, in the words of the file.
    """

    name: str
    line: int | None
    ask: str
    kind: Kind
    facts: tuple[Fact, ...]
    answer: str | None
    sources: tuple[str, ...]
    turns: tuple[Turn, ...]
    knowledge_base: str | None

    @property
    def is_answerable(self) -> bool:
        """Whether an answer is right; else an honest no is."""
        return self.kind == "answerable"


@dataclass(frozen=True, slots=True)
class Questions:
    """The cases of a file in its order. ``waiting`` counts the questions that a person has to look at first."""

    path: Path
    knowledge_base: str | None
    cases: Sequence[Case]
    waiting: int = 0
