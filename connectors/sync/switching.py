"""Lets the index in building answer once it is complete, and drops what it has replaced."""

from __future__ import annotations

import structlog

from connectors.errors import Cancelled, QuothError
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.sync.course import Boundary, Course
from connectors.sync.opening import Index, OpenIndexes

log = structlog.get_logger()


def go_live(ledger: Ledger, indexes: OpenIndexes, course: Course) -> None:
    """Switch to the index in building if it holds everything that can be answered from. Questions see one or the other.

    Raises:
        TryLater: The store or the ledger cannot be asked now. The next run looks again.
        Misconfigured: A person must act first.
    """
    building = ledger.indexes.building()
    if building is None or not ledger.indexes.is_complete(building.name):
        return
    index = indexes.get(building)
    if _is_true(ledger, index) and ledger.indexes.make_live(index.name):
        course.at(Boundary.WENT_LIVE)
        tidy(ledger, indexes, course)


def tidy(ledger: Ledger, indexes: OpenIndexes, course: Course) -> None:
    """Drop the indexes that nobody wants any more. One that cannot be dropped now is dropped by a later run."""
    if unwanted := ledger.indexes.unwanted():
        try:
            # First of all, or who looks for the index by the store's own name would find nothing.
            indexes.live().store.publish()
            course.at(Boundary.PUBLISHED)
            for spec in unwanted:
                _drop(spec, ledger, indexes, course)
        except Cancelled:
            raise
        except QuothError as error:
            log.warning("index.not_dropped", kind=type(error).__name__)
    indexes.keep([spec.name for spec in (ledger.indexes.live(), ledger.indexes.building()) if spec])


def _drop(spec: IndexSpec, ledger: Ledger, indexes: OpenIndexes, course: Course) -> None:
    indexes.get(spec).store.drop()
    course.at(Boundary.DROPPED)
    ledger.indexes.forget(spec.name)
    course.at(Boundary.DISOWNED)


def _is_true(ledger: Ledger, index: Index) -> bool:
    """Whether the store holds what the ledger believes of it, of every source."""
    for figures in ledger.figures():
        stats = index.store.stats(figures.source)
        totals = ledger.holdings(figures.source, index.name).totals()
        if (stats.chunks, stats.digest) != (totals.chunks, totals.digest):
            log.warning("index.not_whole", index=index.name, source=figures.source)
            return False
    return True
