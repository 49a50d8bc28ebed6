"""Lets the index in building answer once it is complete, and drops what it has replaced."""

from __future__ import annotations

import structlog

from connectors.errors import Cancelled, QuothError
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.sync.course import Boundary, Course
from connectors.sync.inspection import untrue_parts
from connectors.sync.opening import OpenIndexes

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
    if untrue := untrue_parts(ledger, index):
        log.warning("index.not_whole", index=index.name, sources=sorted(untrue))
    elif ledger.indexes.make_live(index.name):
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
