"""The indexes that one run fills with one source: the live one, and the one in building beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from connectors.errors import Cancelled, QuothError
from connectors.ledger.holdings import Holding, Holdings
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.seals import is_sealed
from connectors.model import Chunk, stamp_of
from connectors.ports import KnowledgeStore
from connectors.sync.course import Boundary, Course
from connectors.sync.opening import Index

RETIRED_AT_ONCE = 500

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shelf:
    """One source's part of an index: what its store has, and what the ledger says that it has."""

    course: Course
    index: Index
    holdings: Holdings
    pipeline: str

    @property
    def name(self) -> str:
        """The name of the index."""
        return self.index.name

    @property
    def store(self) -> KnowledgeStore:
        """The store of the index."""
        return self.index.store

    def settle_debt(self) -> None:
        """Retire what earlier runs left behind."""
        debt = self.holdings.owed()
        if debt:
            self.store.retire(self.course.source, debt)
            self.course.at(Boundary.DEBT_RETIRED)
            self.holdings.settle(debt.keys())

    def put(self, lot: Mapping[str, Sequence[Chunk]]) -> None:
        """Store the chunks of these documents beside what is there. The ledger does not know of them yet."""
        if not lot:
            return
        self.holdings.owe(lot.keys())
        self.course.at(Boundary.OWED)
        for chunks in lot.values():
            if chunks:
                self.store.put(chunks)
            self.course.at(Boundary.PUT)

    def retire_others(self, held: Mapping[str, Holding]) -> None:
        """Drop the versions that these have superseded."""
        if not held:
            return
        self.store.retire(self.course.source, {key: (kept.version, kept.pipeline) for key, kept in held.items()})
        self.course.at(Boundary.SUPERSEDED_RETIRED)
        self.holdings.settle(held.keys())
        self.course.at(Boundary.SLICE_SETTLED)

    def forget(self, document_ids: Sequence[str]) -> None:
        """Drop every version of these, of which the ledger knows nothing any more."""
        self.store.retire(self.course.source, dict.fromkeys(document_ids))
        self.course.at(Boundary.RETIRED)
        self.holdings.settle(document_ids)
        self.course.at(Boundary.SETTLED)

    def is_another(self) -> bool:
        """Whether the store visibly holds something else than the ledger says: it was wiped, put back or touched."""
        stats, totals = self.store.stats(self.course.source), self.holdings.totals()
        return (stats.chunks, stats.digest) != (totals.chunks, totals.digest)

    def damaged(self, key: bytes) -> frozenset[str]:
        """Documents of which the store does not hold what the ledger says, word for word. Strays are retired."""
        held = self.holdings.held()
        right = {(key, its.version, its.pipeline): (its.chunks, its.digest) for key, its in held.items()}
        listed = {(its.document_id, its.version, its.pipeline): its.chunks for its in self.store.contents(self._source)}
        for part in parts_of(sorted({version[0] for version in listed.keys() - right.keys()})):
            self.holdings.owe(part)
            self.store.retire(self._source, self.holdings.owed())
            self.holdings.settle(part)
        sound = self._sound(key)
        return frozenset(
            version[0]
            for version, its in right.items()
            if listed.get(version, 0) != its[0] or sound.get(version, (0, 0)) != its
        )

    @property
    def _source(self) -> str:
        return self.course.source

    def _sound(self, key: bytes) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Of each version the chunks whose seals are whole: how many, and the sum of their stamps."""
        found: dict[tuple[str, str, str], tuple[int, int]] = {}
        for stored in self.store.export(self._source):
            chunk = stored.chunk
            if is_sealed(key, chunk):
                version = chunk.document_id, chunk.version, chunk.pipeline
                count, digest = found.get(version, (0, 0))
                found[version] = count + 1, digest + stamp_of(chunk.chunk_id)
        return found


class Shelves:
    """The shelves of a run, the live index's first. One that fails is left out of the rest of the run.

    So a build never keeps the live index from what is new, and a live one whose store is gone is replaced all the same.

    Raises:
        QuothError: None is left.
    """

    def __init__(self, specs: Sequence[IndexSpec], opened: Callable[[IndexSpec], Shelf]) -> None:
        self.names = [spec.name for spec in specs]
        self.standing: list[Shelf] = []
        self.failures: dict[str, QuothError] = {}
        for spec in specs:
            try:
                self.standing.append(opened(spec))
            except QuothError as error:
                self._leave_out(spec.name, error)

    @property
    def live(self) -> Shelf | None:
        """The live index's, unless it failed."""
        return self._named(self.names[0])

    @property
    def building(self) -> Shelf | None:
        """That of the index in building, if there is one that did not fail."""
        return self._named(self.names[1]) if len(self.names) > 1 else None

    def each(self, step: Callable[[Shelf], None]) -> None:
        """Take a step with each."""
        for shelf in tuple(self.standing):
            try:
                step(shelf)
            except Cancelled:
                raise
            except QuothError as error:
                self.standing.remove(shelf)
                self._leave_out(shelf.name, error)

    def _named(self, name: str) -> Shelf | None:
        return next((shelf for shelf in self.standing if shelf.name == name), None)

    def _leave_out(self, name: str, error: QuothError) -> None:
        self.failures[name] = error
        if len(self.failures) == len(self.names):
            raise error
        log.warning("index.left_out", index=name, kind=type(error).__name__)


def parts_of(things: Sequence[T], size: int = RETIRED_AT_ONCE) -> Iterator[Sequence[T]]:
    """Some at a time."""
    for start in range(0, len(things), size):
        yield things[start : start + size]
