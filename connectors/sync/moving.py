"""Moves an index from one store to another, chunks and vectors as they are: nothing is fetched, nothing embedded.

The ledger that answers is only read, or told in its own rows that another index holds the same; so whatever becomes of
a move, the answers stay. What is put is owed first, as in a sync, so that a move that died leaves nothing unnoticed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from connectors.errors import Cancelled, QuothError, TryLater
from connectors.ledger.holdings import Holdings
from connectors.ledger.ledger import Ledger
from connectors.ledger.seals import is_sealed, seal
from connectors.ledger.transfer import Transfer, introduce
from connectors.locks import FileLock
from connectors.model import Chunk, Held, StoredChunk, StoreStats
from connectors.ports import KnowledgeStore
from connectors.store.gathering import Gathering
from connectors.sync.course import Course
from connectors.sync.opening import OpenIndexes
from connectors.sync.switching import go_live

CHUNKS_A_SLICE = 500
"""Chunks after which what was put is committed; what a crash can cost, at one document more."""

DOCUMENTS_A_SLICE = 100

log = structlog.get_logger()


class Step(StrEnum):
    """The moments between two effects of a move. One that dies at any of them is completed by the next."""

    NOTED = "noted"
    OWED = "owed"
    PUT = "put"
    EMBEDDED = "embedded"
    COMMITTED = "committed"
    RETIRED = "retired"
    SETTLED = "settled"
    PRUNED = "pruned"
    SOURCE_TAKEN = "source taken"
    PUBLISHED = "published"


_Parcel = tuple[Held, Sequence[StoredChunk]]
"""A document on its way, with all its chunks."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a move: a ledger, the name of an index in it, and the store that keeps the index."""

    ledger: Ledger
    index: str
    store: KnowledgeStore

    def rows(self, source: str) -> Transfer:
        """The ledger's rows of a source."""
        return Transfer(self.ledger.database, self.index, source)

    def debts(self, source: str) -> Holdings:
        """What the store owes of a source, and what it should hold."""
        return self.ledger.holdings(source, self.index)


def _untold(done: int, of: int) -> None: ...


def _unbroken(step: Step) -> None: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """How a move is followed and stopped. ``tell`` takes documents done and documents in all; it must be quick."""

    tell: Callable[[int, int], None] = _untold
    stop: threading.Event = field(default_factory=threading.Event)
    step: Callable[[Step], None] = _unbroken


@dataclass(frozen=True, slots=True)
class MoveReport:
    """How a move ended. The first three are what the other store holds now, ``copied`` the documents of this very run.

    ``left`` documents changed while it ran, or are not whole where they come from: a sync brings them.
    """

    documents: int
    chunks: int
    embedded: int
    copied: int
    seconds: float
    left: int = 0

    def to_json(self) -> dict[str, Any]:
        """The object that `quoth store copy --json` prints."""
        told = asdict(self) | {"seconds": round(self.seconds, 3)}
        del told["left"]
        return told


def move(
    origin: End, target: End, sources: Sequence[str], folder: Path, *, watched: Watched | None = None
) -> MoveReport:
    """Make the target hold what the origin holds of these sources, and its ledger say so. Copies only what is missing.

    Where both have one ledger, that ledger learns that the target's index holds the same. Where the target has one of
    its own, it learns of the documents too, and chunks are sealed with its key. ``folder`` is ours to keep a lock and
    passing files in. In the end every source is compared, by count and digest.

    Raises:
        Misconfigured: The target's ledger has documents of these sources that did not come from here.
        TryLater: A store or ledger cannot be asked, another move is under way, or not all arrived. What did stays.
        Cancelled: It was asked to stop. What was committed stays.
    """
    started = time.monotonic()
    watched = watched or Watched()
    with _alone(folder / "locks"):
        if origin.ledger is not target.ledger:
            introduce(origin.ledger, target.ledger, sources)
            watched.step(Step.NOTED)
        trips = [_Trip(origin, target, source, watched) for source in sources]
        wanted = sum(trip.wanted for trip in trips)
        for at, trip in enumerate(trips):
            trip.run(folder, partial(_tell, watched, sum(before.wanted for before in trips[:at]), wanted))
        target.store.publish()
        watched.step(Step.PUBLISHED)
        stats = [trip.verified() for trip in trips]
    report = MoveReport(
        documents=sum(held.documents for held in stats),
        chunks=sum(held.chunks for held in stats),
        embedded=sum(held.embedded for held in stats),
        copied=sum(trip.copied for trip in trips),
        left=sum(trip.left() for trip in trips),
        seconds=time.monotonic() - started,
    )
    log.info("index.moved", **asdict(report))
    return report


def _tell(watched: Watched, before: int, wanted: int, done: int) -> None:
    watched.tell(before + done, wanted)


def settle_in(ledger: Ledger, indexes: OpenIndexes) -> None:
    """Let the index in building answer now if it is whole already, as it is after a move. Never stands in the way."""
    course = Course("", threading.Event(), lambda _: None, lambda _: None)
    try:
        go_live(ledger, indexes, course)
    except QuothError as error:
        log.warning("index.not_live_yet", kind=type(error).__name__)


class _Trip:
    """One source on its way."""

    def __init__(self, origin: End, target: End, source: str, watched: Watched) -> None:
        self._origin = origin
        self._target = target
        self._source = source
        self._watched = watched
        self._from = origin.rows(source)
        self._to = target.rows(source)
        self._debts = target.debts(source)
        self._shared = origin.ledger is target.ledger
        self._held = self._from.held()
        self._missed: dict[str, Held] = {}
        self.copied = 0

    @property
    def wanted(self) -> int:
        """Documents that the origin holds."""
        return len(self._held)

    def run(self, folder: Path, tell: Callable[[int], None]) -> None:
        """Bring what is missing, then drop what is too much."""
        self._pay()
        there = list(self._target.store.contents(self._source))
        self._missed = self._missing(there)
        before = {held.document_id for held in there}
        tell(self.wanted - len(self._missed))
        with Gathering(folder) as gathering:
            for part in _slices(self._whole(gathering)):
                self._bring(part, before)
                tell(self.wanted - len(self._missed))
        self._prune(before)
        if not self._shared:
            self._take_source()

    def verified(self) -> StoreStats:
        """What the target holds now.

        Raises:
            TryLater: It is not what was put there, or not all could be.
        """
        due = self._debts.totals()
        found = self._target.store.stats(self._source)
        if (found.chunks, found.digest) != (due.chunks, due.digest):
            raise TryLater(
                f"{self._source}: the other store holds {found.chunks} chunks, and not just the {due.chunks} that "
                "belong there. Run the same copy again."
            )
        held = self._from.held()
        if torn := [key for key, missed in self._missed.items() if held.get(key) == missed]:
            raise TryLater(
                f"{self._source}: {len(torn)} documents are not whole in the store that answers now. "
                "`quoth sync --verify` puts them right; then run the same copy again."
            )
        return found

    def left(self) -> int:
        """Documents that the origin holds by now and the target does not."""
        there = self._to.held()
        return sum(not _is_as_much(there.get(key), held) for key, held in self._from.held().items())

    def _missing(self, there: Sequence[Held]) -> dict[str, Held]:
        """What the target's store does not hold, or its ledger does not know of."""
        known = self._to.held()
        stored = {(held.document_id, held.version, held.pipeline): held for held in there}

        def is_there(held: Held) -> bool:
            copy = stored.get((held.document_id, held.version, held.pipeline), None if held.chunks else held)
            return _is_as_much(known.get(held.document_id), held) and _is_as_much(copy, held)

        return {key: held for key, held in self._held.items() if not is_there(held)}

    def _whole(self, gathering: Gathering) -> Iterator[_Parcel]:
        """Each missing document as soon as all its chunks were told. An altered chunk is none."""
        yield from [(held, ()) for held in self._missed.values() if not held.chunks]
        if not self._missed:
            return
        for stored in self._origin.store.export(self._source):
            held = self._missed.get(stored.chunk.document_id)
            if held is None or (held.version, held.pipeline) != (stored.chunk.version, stored.chunk.pipeline):
                continue
            if is_sealed(self._origin.ledger.key, stored.chunk) and (whole := gathering.add(stored, held.chunks)):
                yield replace(held, embedded=sum(chunk.vector is not None for chunk in whole)), whole

    def _bring(self, parcels: Sequence[_Parcel], before: Collection[str]) -> None:
        carried = {held.document_id: held for held, _ in parcels}
        self._debts.owe(carried.keys())
        self._at(Step.OWED)
        for _, chunks in parcels:
            if chunks:
                self._target.store.put([self._resealed(stored.chunk) for stored in chunks])
            self._at(Step.PUT)
        vectors = {s.chunk.chunk_id: s.vector for _, chunks in parcels for s in chunks if s.vector is not None}
        if vectors:
            self._target.store.embed(vectors)
        self._at(Step.EMBEDDED)
        taken = self._commit(list(carried.values()))
        self._at(Step.COMMITTED)
        self._pay({key for key in carried if key in before or key not in taken})
        self._debts.settle(carried.keys())
        self._at(Step.SETTLED)
        self.copied += len(taken)
        for key in carried:
            del self._missed[key]

    def _commit(self, carried: Sequence[Held]) -> set[str]:
        """Tell the target's ledger; the ids of those that the origin holds at this version still."""
        if self._shared:
            return self._to.take_holdings(self._origin.index, carried)
        entries = self._from.entries(carried)
        self._to.take_documents(entries)
        return {entry.document["document_id"] for entry in entries}

    def _pay(self, only: Collection[str] | None = None) -> None:
        """Drop from the target what its ledger says it must not keep."""
        debt = self._debts.owed()
        due = {key: kept for key, kept in debt.items() if only is None or key in only}
        if due:
            self._target.store.retire(self._source, due)
            self._at(Step.RETIRED)
            self._debts.settle(due.keys())

    def _prune(self, before: Collection[str]) -> None:
        """Forget what an earlier move brought and the origin no longer has."""
        if not self._shared and (gone := self._to.known() - self._from.known()):
            self._target.ledger.records(self._source).forget(gone)
        if strays := set(before) - self._to.held().keys():
            self._debts.owe(strays)
        self._pay()
        self._at(Step.PRUNED)

    def _take_source(self) -> None:
        row = self._from.source_row()
        if row is not None:
            self._to.take_source(row, self._from.quarantine())
        self._at(Step.SOURCE_TAKEN)

    def _resealed(self, chunk: Chunk) -> Chunk:
        return chunk if self._shared else seal(self._target.ledger.key, chunk)

    def _at(self, step: Step) -> None:
        self._watched.step(step)
        if self._watched.stop.is_set():
            raise Cancelled("The copy was stopped. What was copied stays: run the same command again to go on.")


def _slices(parcels: Iterator[_Parcel]) -> Iterator[list[_Parcel]]:
    part: list[_Parcel] = []
    for parcel in parcels:
        part.append(parcel)
        if len(part) >= DOCUMENTS_A_SLICE or sum(held.chunks for held, _ in part) >= CHUNKS_A_SLICE:
            yield part
            part = []
    if part:
        yield part


def _is_as_much(there: Held | None, held: Held) -> bool:
    """Whether this is the same version, whole, with no vector less."""
    return there is not None and replace(there, embedded=held.embedded) == held and there.embedded >= held.embedded


@contextmanager
def _alone(lock_dir: Path) -> Iterator[None]:
    lock = FileLock(lock_dir / "moving.lock")
    if not lock.acquire():
        raise TryLater("Another copy is under way. Let it finish.")
    try:
        yield
    finally:
        lock.release()
