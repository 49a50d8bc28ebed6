"""One run over one source: the steps by which store and ledger come to hold what the source holds.

Between any two steps the process may die. What the store may hold beyond the ledger is owed before it is put there, so
the next run settles it; what the ledger does not know yet still differs from the source, so the next run fetches it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import structlog

from connectors.errors import Cancelled, Misconfigured
from connectors.ledger.records import Records
from connectors.ledger.seals import is_sealed
from connectors.model import Listing
from connectors.ports import Connector, Embedder, KnowledgeStore
from connectors.sync.differences import Books, Plan, is_too_many, plan_of
from connectors.sync.intake import Intake, taken_in
from connectors.sync.reports import Progress, Watcher
from connectors.sync.vectors import embed_missing, embedding_alone

SLICE = 50
"""Documents that are fetched, stored and committed at once; what a crash can cost."""

RETIRED_AT_ONCE = 500

log = structlog.get_logger()


class Boundary(StrEnum):
    """The moments between two effects of a run. A run that dies at any of them is made good by the next one."""

    STARTED = "started"
    DEBT_RETIRED = "debt retired"
    LISTED = "listed"
    FORGOTTEN = "forgotten"
    RETIRED = "retired"
    SETTLED = "settled"
    RELISTED = "relisted"
    FETCHED = "fetched"
    OWED = "owed"
    PUT = "put"
    COMMITTED = "committed"
    SUPERSEDED_RETIRED = "superseded retired"
    SLICE_SETTLED = "slice settled"
    CONFIRMED = "removals confirmed"
    HELD = "held"
    EMBEDDED = "embedded"
    COUNTED = "counted"


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    unreadable: int = 0
    fetched: int = 0
    embedded: int = 0

    @property
    def seen(self) -> int:
        """Documents that the source lists and that were dealt with."""
        return self.added + self.updated + self.unchanged + self.unreadable


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person may ask of a run beyond the ordinary."""

    full: bool = False
    approve_removals: bool = False
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """How a run is watched and stopped."""

    stop: threading.Event
    watcher: Watcher
    boundary: Callable[[Boundary], None]


@dataclass(frozen=True, slots=True)
class House:
    """Where a run puts things: the store, what embeds for it, the sealing key, the folder of locks."""

    store: KnowledgeStore
    embedder: Embedder
    key: bytes
    lock_dir: Path


class Reconciliation:
    """One run. ``tally`` tells at any time what it has done."""

    def __init__(self, connector: Connector, records: Records, pipeline: str, house: House, course: Course) -> None:
        self._connector = connector
        self._records = records
        self._pipeline = pipeline
        self._house = house
        self._course = course
        self._total = 0
        self.tally = Tally()

    def reconcile(self, wishes: Wishes) -> None:
        """Make store and ledger hold exactly what the source holds.

        Raises:
            Cancelled: It was asked to stop. What was committed stays, as after any other failure.
        """
        self._start()
        listings = list(self._connector.manifest())
        self._at(Boundary.LISTED)
        books = self._books()
        damaged = self._damaged(books) if wishes.verify or self._has_another_store() else frozenset[str]()
        damaged |= self._altered() if wishes.verify else frozenset()
        plan = plan_of(listings, books, None if wishes.full else damaged)
        self._bring_in(plan, books)
        self._remove(plan.missing, books, approved=wishes.approve_removals)
        self._embed()
        self._records.succeeded(datetime.now(UTC))

    def refresh(self, since: datetime) -> None:
        """Bring in what the source says has changed since then. Removes nothing but what became restricted."""
        self._start()
        listings = list(self._connector.recent(since))
        self._at(Boundary.LISTED)
        books = self._books()
        plan = plan_of(listings, books, frozenset())
        plan.readable = [document_id for document_id in plan.readable if document_id in books.known]
        self._bring_in(plan, books)
        self._embed()

    def _start(self) -> None:
        if not self._records.is_registered():
            raise Misconfigured(f"{self._connector.source} is not a configured source.")
        self._at(Boundary.STARTED)
        debt = self._records.owed()
        if debt:
            self._house.store.retire(self._connector.source, debt)
            self._at(Boundary.DEBT_RETIRED)
            self._records.settle(debt.keys())

    def _books(self) -> Books:
        return Books(self._records.known(), self._records.quarantined(), self._pipeline)

    def _bring_in(self, plan: Plan, books: Books) -> None:
        self._total = plan.total
        self.tally.unchanged += plan.unchanged
        self.tally.unreadable += plan.unreadable
        self._forget(plan.restricted)  # first of all: nothing else is urgent
        self.tally.removed += sum(document_id in books.known for document_id in plan.restricted)
        self._note(plan)
        for start in range(0, len(plan.fetch), SLICE):
            self._bring_in_slice(plan.fetch[start : start + SLICE], books)

    def _note(self, plan: Plan) -> None:
        """Write what needs no body: places, returns, ended quarantines. An unchanged source has none."""
        if plan.moved:
            self._records.relist(plan.moved)
        if plan.returned:
            self._records.release(plan.returned)
        if plan.readable:
            self._records.clear_quarantine(plan.readable)
        self._at(Boundary.RELISTED)

    def _bring_in_slice(self, listings: Sequence[Listing], books: Books) -> None:
        found = taken_in(self._connector, listings, books, self._house.key)
        self._at(Boundary.FETCHED)
        new = {entry.document.document_id: (entry.document.version, self._pipeline) for entry in found.stored}
        if new:
            self._records.owe(new.keys())
            self._at(Boundary.OWED)
        for chunks in found.chunks:
            if chunks:
                self._house.store.put(chunks)
            self._at(Boundary.PUT)
        self._records.commit(found.stored, found.unreadable, self._pipeline)
        self._at(Boundary.COMMITTED)
        if new:
            self._house.store.retire(self._connector.source, new)
            self._at(Boundary.SUPERSEDED_RETIRED)
            self._records.settle(new.keys())
            self._at(Boundary.SLICE_SETTLED)
        self._count(listings, found, books)

    def _count(self, listings: Sequence[Listing], found: Intake, books: Books) -> None:
        stored = {entry.document.document_id for entry in found.stored}
        unreadable = {entry.listing.document_id for entry in found.unreadable}
        for listing in listings:
            known = listing.document_id in books.known
            if listing.document_id in stored:
                self.tally.updated += known
                self.tally.added += not known
            elif listing.document_id in unreadable:
                self.tally.unreadable += 1
            elif known:
                self.tally.unchanged += 1  # a stale answer, or none: as it is until the next run
        self.tally.fetched += len(listings)
        self._tell()

    def _remove(self, missing: Sequence[str], books: Books, *, approved: bool) -> None:
        if not missing:
            return
        gone = sorted(set(self._connector.gone(missing)) & set(missing))
        self._at(Boundary.CONFIRMED)
        waiting = [document_id for document_id in missing if books.known[document_id].waits_for_removal]
        there = sorted(set(waiting) - set(gone))
        if there:
            self._records.release(there)
        if is_too_many(len(gone), len(books.known)) and not approved:
            new = sorted(set(gone) - set(waiting))
            if new:
                self._records.hold(new, datetime.now(UTC))
                log.warning("removals.held", source=self._connector.source, documents=len(gone))
            self._at(Boundary.HELD)
            return
        self._forget(gone)
        self.tally.removed += len(gone)

    def _forget(self, document_ids: Sequence[str]) -> None:
        """Unanswerable with the first step; the rest is tidying up."""
        for part in _parts(document_ids):
            self._records.forget(part)
            self._at(Boundary.FORGOTTEN)
            self._house.store.retire(self._connector.source, dict.fromkeys(part))
            self._at(Boundary.RETIRED)
            self._records.settle(part)
            self._at(Boundary.SETTLED)

    def _embed(self) -> None:
        if self._house.store.unembedded(1):
            with embedding_alone(self._house.lock_dir, self._course.stop):
                for count in embed_missing(self._house.store, self._house.embedder):
                    self.tally.embedded += count
                    self._tell()
                    self._at(Boundary.EMBEDDED)
        totals = self._records.totals()
        if totals.embedded != totals.chunks:
            self._records.count_embedded(self._house.store.contents(self._connector.source))
            self._at(Boundary.COUNTED)

    def _has_another_store(self) -> bool:
        """Whether the store holds visibly less or more than the ledger says: its file was moved away, or put back."""
        return self._house.store.stats(self._connector.source).chunks != self._records.totals().chunks

    def _altered(self) -> frozenset[str]:
        """Documents of which a chunk is no longer what was put there: its seal is broken, so nobody is shown it."""
        stored = self._house.store.export(self._connector.source)
        return frozenset(held.chunk.document_id for held in stored if not is_sealed(self._house.key, held.chunk))

    def _damaged(self, books: Books) -> frozenset[str]:
        """Documents of which the store does not hold what the ledger says. What it holds too much of is retired."""
        held = {
            (h.document_id, h.version, h.pipeline): h.chunks for h in self._house.store.contents(self._connector.source)
        }
        right = {
            (document_id, known.held_version, known.held_pipeline): known.chunks
            for document_id, known in books.known.items()
            if known.held_version is not None and known.held_pipeline is not None
        }
        strays = sorted({key[0] for key in held.keys() - right.keys()})
        for part in _parts(strays):
            self._records.owe(part)
            self._house.store.retire(self._connector.source, self._records.owed())
            self._records.settle(part)
        return frozenset(key[0] for key, chunks in right.items() if held.get(key, 0) != chunks)

    def _tell(self) -> None:
        self._course.watcher(Progress(self._total, self.tally.seen, self.tally.fetched, self.tally.embedded))

    def _at(self, boundary: Boundary) -> None:
        self._course.boundary(boundary)
        if self._course.stop.is_set():
            raise Cancelled(f"{self._connector.source}: the sync was stopped. What was committed stays.")


def _parts(document_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(document_ids), RETIRED_AT_ONCE):
        yield document_ids[start : start + RETIRED_AT_ONCE]
