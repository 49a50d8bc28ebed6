"""One evaluation: the dataset synced, every chunk embedded, every query searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot import console
from bot.answering.model import Question, Retrieved, Scope
from bot.answering.retriever import Vouching
from bot.evaluation.comparison import Contrast, contrast_of
from bot.evaluation.connector import SOURCE, DatasetConnector, name_of
from bot.evaluation.dataset import Case, Dataset
from bot.evaluation.intervals import Estimate
from bot.evaluation.measuring import DEPTH, Outcome, Rank, figures_of, outcomes_of
from bot.evaluation.quarters import KNOWLEDGE_BASE
from connectors.errors import TryLater
from connectors.ledger.ledger import SourceFigures
from connectors.model import Chunk
from connectors.ports import Connector
from connectors.sync.opening import Index
from connectors.sync.reports import FilledWatcher, SyncReport, Watcher

OURS = "quoth"
"""What our own pipeline is called beside others."""


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

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        """Which of these chunks may be seen."""


class Opened(Protocol):
    """What :class:`connectors.sync.opening.OpenIndexes` tells."""

    def live(self) -> Index:
        """The index that answers."""


class House(Protocol):
    """What an evaluation needs of :class:`bot.app.Quoth`, built from the settings that ``quarters.apart`` gives."""

    @property
    def search(self) -> Search:
        """What finds passages."""

    @property
    def ledger(self) -> Books:
        """What is held."""

    @property
    def indexes(self) -> Opened:
        """Where it is held."""

    def scope_of(self, knowledge_base: str) -> Scope:
        """What a knowledge base holds."""

    def warm_up(self) -> None:
        """Load the models."""

    def read_now(
        self, connector: Connector, *, full: bool, approve_removals: bool, verify: bool, watch: Watcher | None = None
    ) -> SyncReport:
        """Bring in a source, to be found by its words."""

    def embed_all(self, watch: FilledWatcher | None = None) -> None:
        """Give vectors to whatever has none."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found, and on how much. Figures by name: 0 to 1, latencies in milliseconds.

    ``contrasts`` are the other pipelines by name, where they were asked for. ``outcomes`` gives for each pipeline, ours
    among them, what every query came to, in the order of the dataset.
    """

    figures: Mapping[str, Estimate]
    documents: int
    chunks: int
    queries: int
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    outcomes: Mapping[str, Sequence[Outcome]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The evaluation as ``quoth eval --json`` prints it."""
        figures = {name: figure.to_json() for name, figure in self.figures.items()}
        told = {**figures, "documents": self.documents, "chunks": self.chunks, "queries": self.queries}
        if self.contrasts:
            told["compare"] = {name: contrast.to_json() for name, contrast in self.contrasts.items()}
        return told


def evaluated(house: House, dataset: Dataset, *, compare: bool = False) -> Evaluation:
    """Measure what the house finds of the dataset, and what the usual pipelines find if they are to be compared.

    Progress is shown on stderr where somebody looks.

    Raises:
        TryLater: The dataset could not be stored and embedded whole, or a query not be searched by words and meaning.
        Misconfigured: A person must act first.
    """
    stock = _stocked(house, dataset)
    pipelines = {OURS: _ranking_by(house.search, house.scope_of(KNOWLEDGE_BASE))}
    if compare:
        pipelines |= _others(house, stock)
    house.warm_up()
    for rank in pipelines.values():
        rank(dataset.cases[0])  # Vectors are loaded by the first question, whoever asks it.
    watched = console.counted(outcomes_of(dataset.cases, pipelines), len(dataset.cases), "queries")
    outcomes = _by_pipeline(watched, list(pipelines))
    ours = outcomes[OURS]
    contrasts = {name: contrast_of(ours, theirs) for name, theirs in outcomes.items() if name != OURS}
    return Evaluation(figures_of(ours), stock.documents, stock.chunks, len(ours), contrasts, outcomes)


def _by_pipeline(rows: Iterable[Mapping[str, Outcome]], names: Sequence[str]) -> dict[str, list[Outcome]]:
    measured = list(rows)
    return {name: [row[name] for row in measured] for name in names}


def _others(house: House, stock: SourceFigures) -> Mapping[str, Rank]:
    """The usual pipelines over what the index holds."""
    from bot.evaluation.baselines import Baselines  # noqa: PLC0415  # of an extra, and slow to import
    from bot.evaluation.pieces import pieces_of  # noqa: PLC0415

    index = house.indexes.live()
    if index.embedder is None:
        raise TryLater("The embedding model of the dataset's index cannot be had now, so there is nothing to compare.")
    size = (stock.chunks, index.embedder.dimensions)
    stored = console.counted(index.store.export(SOURCE), stock.chunks, "chunks")
    pieces = pieces_of(stored, house.ledger, house.scope_of(KNOWLEDGE_BASE), size)
    return Baselines(pieces, index.embedder).rankings()


def _stocked(house: House, dataset: Dataset) -> SourceFigures:
    """Sync the dataset; what is held of it then, all of it embedded."""
    with console.progress_of(SOURCE) as watch:
        report = house.read_now(
            DatasetConnector(dataset.corpus), full=False, approve_removals=True, verify=False, watch=watch
        )
    if report.error is not None:
        raise TryLater(report.error)
    if report.unreadable:
        console.err.print(f"{report.unreadable} documents cannot be read. They count as not found.")
    with console.progress_of_vectors() as filled:
        house.embed_all(filled)
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
