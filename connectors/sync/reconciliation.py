"""One run over one source: the steps by which stores and ledger come to hold what the source holds.

Between any two steps the process may die. What a store may hold beyond the ledger is owed before it is put there, so
the next run settles it; what the ledger does not know yet still differs from the source, so the next run fetches it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

import structlog

from connectors.errors import Misconfigured
from connectors.ledger.holdings import Holding, holding_of
from connectors.ledger.records import Records
from connectors.model import Listing
from connectors.ports import Connector
from connectors.sync.carrying import carry_over
from connectors.sync.course import Boundary, Course, Wishes
from connectors.sync.differences import Books, IndexBook, Plan, is_too_many, plan_of
from connectors.sync.intake import Intake, taken_in
from connectors.sync.shelves import Shelf, Shelves, parts_of

SLICE = 50
"""Documents that are fetched, stored and committed at once; what a crash can cost."""

log = structlog.get_logger()


class Reconciliation:
    """One run, on its way over the course. Each document is fetched once and put into every index that lacks it."""

    def __init__(
        self, connector: Connector, pipeline: str, records: Records, shelves: Shelves, key: bytes, course: Course
    ) -> None:
        self._connector = connector
        self._pipeline = pipeline
        self._records = records
        self._shelves = shelves
        self._key = key
        self._course = course

    def reconcile(self, wishes: Wishes) -> None:
        """Make stores and ledger hold exactly what the source holds, answerable by its words. Vectors come later.

        Raises:
            Cancelled: It was asked to stop. What was committed stays, as after any other failure.
        """
        self._start()
        listings = list(self._connector.manifest())
        self._course.at(Boundary.LISTED)
        books = self._books(lambda shelf: self._again(shelf, wishes))
        plan = plan_of(listings, books)
        self._bring_in(plan, books)
        self._remove(plan.missing, books, approved=wishes.approve_removals)
        self._carry_over()
        self._shelves.each(self._publish_live)
        if self._shelves.live is not None:
            self._records.succeeded(datetime.now(UTC))

    def refresh(self, since: datetime) -> None:
        """Bring in what the source says has changed since then. Removes only what became restricted."""
        self._start()
        listings = list(self._connector.recent(since))
        self._course.at(Boundary.LISTED)
        books = self._books(lambda _: frozenset())
        plan = plan_of(listings, books)
        plan.readable = [document_id for document_id in plan.readable if document_id in books.known]
        self._bring_in(plan, books)

    def _start(self) -> None:
        if not self._records.is_registered():
            raise Misconfigured(f"{self._connector.source} is not a configured source.")
        self._course.at(Boundary.STARTED)
        self._shelves.each(Shelf.settle_debt)

    def _again(self, shelf: Shelf, wishes: Wishes) -> Collection[str] | None:
        """The documents that an index is to be given anew; None means all."""
        damaged = shelf.damaged(self._key) if wishes.verify or shelf.is_another() else frozenset[str]()
        return None if wishes.full else damaged

    def _books(self, again: Callable[[Shelf], Collection[str] | None]) -> Books:
        indexes: dict[str, IndexBook] = {}

        def look(shelf: Shelf) -> None:
            its = again(shelf)
            indexes[shelf.name] = IndexBook(shelf.pipeline, shelf.holdings.held(), its)

        self._shelves.each(look)
        return Books(self._records.known(), self._records.quarantined(), self._pipeline, indexes)

    def _bring_in(self, plan: Plan, books: Books) -> None:
        tally = self._course.tally
        tally.total = plan.total
        tally.unchanged += plan.unchanged
        tally.unreadable += plan.unreadable
        self._forget(plan.restricted)  # first of all: nothing else is urgent
        tally.removed += sum(document_id in books.known for document_id in plan.restricted)
        self._note(plan)
        for part in parts_of(plan.fetch, SLICE):
            self._bring_in_slice(part, books)

    def _note(self, plan: Plan) -> None:
        """Write what needs no body: places, returns, ended quarantines. An unchanged source has none."""
        if plan.moved:
            self._records.relist(plan.moved)
        if plan.returned:
            self._records.release(plan.returned)
        if plan.readable:
            self._records.clear_quarantine(plan.readable)
        self._course.at(Boundary.RELISTED)

    def _bring_in_slice(self, listings: Sequence[Listing], books: Books) -> None:
        found = taken_in(self._connector, listings, books, self._key)
        self._course.at(Boundary.FETCHED)
        held: dict[str, Mapping[str, Holding]] = {name: {} for name in self._shelves.names}

        def shelve(shelf: Shelf) -> None:
            due = [
                entry.document for entry in found.stored if books.is_due(shelf.name, entry.document, entry.place.title)
            ]
            lot = {document.document_id: found.pieces[document.document_id][shelf.pipeline] for document in due}
            shelf.put(lot)
            held[shelf.name] = {
                document.document_id: holding_of(document.version, shelf.pipeline, lot[document.document_id])
                for document in due
            }

        self._shelves.each(shelve)
        self._records.commit(found.stored, found.unreadable, self._pipeline, held)
        self._course.at(Boundary.COMMITTED)
        self._shelves.each(lambda shelf: shelf.retire_others(held[shelf.name]))
        self._count(listings, found, books)

    def _count(self, listings: Sequence[Listing], found: Intake, books: Books) -> None:
        tally = self._course.tally
        unreadable = {entry.listing.document_id for entry in found.unreadable}
        for listing in listings:
            known = listing.document_id in books.known
            if listing.document_id in found.pieces:
                tally.updated += known
                tally.added += not known
            elif listing.document_id in unreadable:
                tally.unreadable += 1
            elif known:
                tally.unchanged += 1  # a stale answer, or none: as it is until the next run
        tally.fetched += len(listings)
        self._course.tell()

    def _remove(self, missing: Sequence[str], books: Books, *, approved: bool) -> None:
        if not missing:
            return
        gone = sorted(set(self._connector.gone(missing)) & set(missing))
        self._course.at(Boundary.CONFIRMED)
        waiting = [document_id for document_id in missing if books.known[document_id].waits_for_removal]
        there = sorted(set(waiting) - set(gone))
        if there:
            self._records.release(there)
        if is_too_many(len(gone), len(books.known)) and not approved:
            new = sorted(set(gone) - set(waiting))
            if new:
                self._records.hold(new, datetime.now(UTC))
                log.warning("removals.held", source=self._connector.source, documents=len(gone))
            self._course.at(Boundary.HELD)
            return
        self._forget(gone)
        self._course.tally.removed += len(gone)

    def _forget(self, document_ids: Sequence[str]) -> None:
        """Unanswerable with the first step; the rest is tidying up."""
        for part in parts_of(document_ids):
            self._records.forget(part)
            self._course.at(Boundary.FORGOTTEN)
            self._shelves.each(lambda shelf, part=part: shelf.forget(part))  # type: ignore[misc]

    def _carry_over(self) -> None:
        live = self._shelves.live
        if live is not None and self._shelves.building is not None:
            known = self._records.known()
            self._shelves.each(lambda shelf: None if shelf is live else carry_over(live, shelf, known, self._key))

    def _publish_live(self, shelf: Shelf) -> None:
        if shelf is self._shelves.live:
            shelf.store.publish()
