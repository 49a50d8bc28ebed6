"""What is found for the questions of a file, whatever is answered: their sources are the right documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot import console
from bot.answering.model import Passage, Question, Retrieved, Scope
from bot.evaluation import dataset
from bot.evaluation.answers.questions import Case, Questions
from bot.evaluation.answers.sources import is_meant
from bot.evaluation.answers.standing import Standing, check_synced, knowledge_base_of
from bot.evaluation.intervals import Estimate
from bot.evaluation.measuring import DEPTH, Rank, figures_of, outcomes_of
from connectors.errors import Misconfigured


class Search(Protocol):
    """What :class:`bot.answering.retriever.Search` does."""

    def find(self, question: Question, limit: int) -> Retrieved:
        """The best passages, best first."""


class House(Standing, Protocol):
    """What is needed of :class:`bot.app.Quoth`."""

    @property
    def search(self) -> Search:
        """What finds passages."""

    def scope_of(self, knowledge_base: str) -> Scope:
        """What a knowledge base holds."""

    def warm_up(self) -> None:
        """Load the models."""


@dataclass(frozen=True, slots=True)
class Found:
    """Figures by name, as for a dataset, and on how much of the knowledge bases they were measured."""

    figures: Mapping[str, Estimate]
    documents: int
    chunks: int
    queries: int

    def to_json(self) -> dict[str, Any]:
        """What ``quoth eval FILE --json`` prints."""
        figures = {name: figure.to_json() for name, figure in self.figures.items()}
        return {**figures, "documents": self.documents, "chunks": self.chunks, "queries": self.queries}


def found(house: House, questions: Questions, knowledge_base: str | None = None) -> Found:
    """Search for every question that names its sources, as ``quoth search`` does, and score the documents found.

    Raises:
        Misconfigured: There is no such knowledge base, none is named, or no question names a source.
        TryLater: What would be searched was never synced, or cannot be searched now.
    """
    cases = {case.name: case for case in questions.cases if case.sources}
    if not cases:
        raise Misconfigured(f"{questions.path}: no question names its “sources”, so nothing right can be found.")
    bases = {name: knowledge_base_of(case, questions, house.settings, knowledge_base) for name, case in cases.items()}
    scopes = {base: house.scope_of(base) for base in dict.fromkeys(bases.values())}
    for base in scopes:
        check_synced(house, base)
    house.warm_up()  # Models are loaded by the first question, whoever asks it.

    def rank(query: dataset.Case) -> Sequence[str]:
        asked = Question(query.text, scopes[bases[query.name]], query.turns)
        return _named_alike(house.search.find(asked, DEPTH).passages, cases[query.name].sources)

    return Found(_figures([_query(case) for case in cases.values()], rank), *_held(house, scopes), len(cases))


def _figures(queries: Sequence[dataset.Case], rank: Rank) -> dict[str, Estimate]:
    searched = console.counted(outcomes_of(queries, {"quoth": rank}), len(queries), "questions")
    return figures_of([outcomes["quoth"] for outcomes in searched])


def _query(case: Case) -> dataset.Case:
    return dataset.Case(case.name, case.ask, case.turns, dict.fromkeys(case.sources, 1.0))


def _named_alike(passages: Sequence[Passage], sources: Sequence[str]) -> list[str]:
    """The documents of these passages, best first, each once; those that a source means are called as it is."""
    names: dict[str, str] = {}
    left = list(dict.fromkeys(sources))
    for passage in passages:
        if passage.document_id not in names:
            meant = next((source for source in left if is_meant(passage, source)), None)
            names[passage.document_id] = passage.document_id if meant is None else meant
            left = [source for source in left if source != meant]
    return list(names.values())


def _held(house: House, scopes: Mapping[str, Scope]) -> tuple[int, int]:
    """How many documents and chunks were searched."""
    sources = {name for base in scopes for name in house.settings.knowledge_bases[base].sources}
    standing = [told for told in house.ledger.figures() if told.source in sources]
    return sum(told.documents for told in standing), sum(told.chunks for told in standing)
