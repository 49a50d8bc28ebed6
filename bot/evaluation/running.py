"""One evaluation: the dataset synced, every chunk embedded, every query searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from bot import console
from bot.answering.model import Question, Retrieved, Scope
from bot.evaluation.connector import SOURCE, DatasetConnector, name_of
from bot.evaluation.dataset import Case, Dataset
from bot.evaluation.intervals import Estimate
from bot.evaluation.measuring import Rank, figures_of, outcomes_of
from bot.evaluation.quarters import KNOWLEDGE_BASE
from connectors.errors import TryLater
from connectors.ledger.ledger import SourceFigures
from connectors.ports import Connector
from connectors.sync.reports import SyncReport, Watcher

DEPTH = 100
"""Passages found for a query: as many as ``quoth search`` finds at most."""

_DIGITS = 6


class Search(Protocol):
    """What :class:`bot.answering.retriever.Search` does."""

    def find(self, question: Question, limit: int) -> Retrieved:
        """The best passages, best first."""


class Standing(Protocol):
    """What :class:`connectors.ledger.indexes.Indexes` tells."""

    def building(self) -> object | None:
        """The index that is to answer once it is complete."""


class Books(Protocol):
    """What :class:`connectors.ledger.ledger.Ledger` tells."""

    @property
    def indexes(self) -> Standing:
        """Which index answers."""

    def figures(self) -> Sequence[SourceFigures]:
        """How every source stands."""


class House(Protocol):
    """What an evaluation needs of :class:`bot.app.Quoth`, built from the settings that ``quarters.apart`` gives."""

    @property
    def search(self) -> Search:
        """What finds passages."""

    @property
    def ledger(self) -> Books:
        """What is held."""

    def scope_of(self, knowledge_base: str) -> Scope:
        """What a knowledge base holds."""

    def sync_now(
        self, connector: Connector, *, full: bool, approve_removals: bool, verify: bool, watch: Watcher | None = None
    ) -> SyncReport:
        """Sync a source."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found, and on how much. Figures by name: 0 to 1, latencies in milliseconds."""

    figures: Mapping[str, Estimate]
    documents: int
    chunks: int
    queries: int

    def to_json(self) -> dict[str, Any]:
        """The evaluation as ``quoth eval --json`` prints it."""
        figures = {name: _rounded(figure) for name, figure in self.figures.items()}
        return {**figures, "documents": self.documents, "chunks": self.chunks, "queries": self.queries}


def evaluated(house: House, dataset: Dataset) -> Evaluation:
    """Measure what the house finds of the dataset. Progress is shown on stderr where somebody looks.

    Raises:
        TryLater: The dataset could not be stored and embedded whole, or a query not be searched by words and meaning.
        Misconfigured: A person must act first.
    """
    stock = _stocked(house, dataset)
    rank = _ranking_by(house.search, house.scope_of(KNOWLEDGE_BASE))
    rank(dataset.cases[0])  # Models and vectors are loaded by the first question, whoever asks it.
    watched = console.counted(outcomes_of(dataset.cases, rank), len(dataset.cases), "queries")
    figures = figures_of(list(watched))
    return Evaluation(figures, stock.documents, stock.chunks, len(dataset.cases))


def _stocked(house: House, dataset: Dataset) -> SourceFigures:
    """Sync the dataset; what is held of it then, all of it embedded."""
    with console.progress_of(SOURCE) as watch:
        report = house.sync_now(
            DatasetConnector(dataset.corpus), full=False, approve_removals=True, verify=False, watch=watch
        )
    if report.error is not None:
        raise TryLater(report.error)
    if report.unreadable:
        console.err.print(f"{report.unreadable} documents cannot be read. They count as not found.")
    (stock,) = (figures for figures in house.ledger.figures() if figures.source == SOURCE)
    if stock.embedded != stock.chunks or house.ledger.indexes.building() is not None:
        raise TryLater("Some chunks have no vector yet. Run the same command again: it goes on where this one ended.")
    return stock


def _ranking_by(search: Search, scope: Scope) -> Rank:
    """Documents in the order of their best chunks."""

    def rank(case: Case) -> Sequence[str]:
        passages = search.find(Question(case.text, scope, case.turns), DEPTH).passages
        if passages and all(passage.vector_score is None for passage in passages):
            raise TryLater("The embedding model did not answer. Figures of words alone would pass for the whole.")
        return list(dict.fromkeys(name_of(passage.document_id) for passage in passages))

    return rank


def _rounded(figure: Estimate) -> dict[str, float]:
    return {name: round(number, _DIGITS) for name, number in asdict(figure).items()}
