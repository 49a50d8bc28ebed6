"""The backfill: gives vectors to what has none yet, a little at a time, and rests while somebody asks."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from connectors.errors import Cancelled, QuothError, TryLater
from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.locks import FileLock
from connectors.model import Chunk, Vector
from connectors.patience import Patience
from connectors.ports import Embedder
from connectors.sync.course import Boundary, Course, Questions, line_of
from connectors.sync.opening import Index, OpenIndexes
from connectors.sync.reports import Filled, FilledWatcher
from connectors.text.chunking import embedding_text_of

LOOK = 512
"""Chunks that are taken from the store at once, to be sorted: texts of one length cost the least padding."""

STORED_AT_ONCE = 32
"""Chunks whose vectors are stored together; what a crash can cost."""

MOST_AT_ONCE = 64
"""Texts that even a fast embedder is given in one go."""

SIP_SECONDS = 0.3
"""How long embedding in one go may take: what a question may have to share the machine for."""

PATIENCE = Patience(longest_backoff=30.0)
"""With a service that fails: six tries, about a quarter of a minute in all. The next backfill tries again."""

_LOOK_SECONDS = 0.2
_RATE_SECONDS = 60.0

log = structlog.get_logger()


def _unwatched(filled: Filled) -> None: ...


class Backfill:
    """Gives a vector to every chunk that the live index, then the index in building, holds without one.

    One process of a machine does it at a time; two would share the cores, and embed everything twice. What is embedded
    stays, however the process ends. ``complete`` is called when no more is missing: it lets the index in building
    answer. ``boundary`` is told every moment between two effects; tests break backfills there.
    """

    def __init__(
        self,
        ledger: Ledger,
        indexes: OpenIndexes,
        lock_dir: Path,
        *,
        complete: Callable[[Course], None],
        boundary: Callable[[Boundary], None],
    ) -> None:
        self.patience = PATIENCE
        self._ledger = ledger
        self._indexes = indexes
        self._lock = lock_dir / "embedding.lock"
        self._notes = _Notes(lock_dir / "backfill.json")
        self._questions = Questions(lock_dir)
        self._complete = complete
        self._boundary = boundary

    def run(self, *, watch: FilledWatcher | None = None, stop: threading.Event | None = None) -> int:
        """Embed until nothing is missing, and say how many chunks it was. Waits for one that is under way elsewhere.

        A live index that nobody can embed for any more does not keep another from being built.

        Raises:
            Cancelled: ``stop`` was set.
            TryLater: What embeds or keeps an index cannot be reached. What is embedded stays, as after any failure.
            Misconfigured: A person must act first.
        """
        course = Course("embedding", stop or threading.Event(), lambda _: None, self._boundary)
        trip = _Trip(course, watch or _unwatched)
        with self._alone(trip):
            try:
                self._fill(trip)
            except Cancelled:
                raise
            except QuothError as error:
                self._notes.write(None, str(error))
                raise
            except Exception as error:
                log.error("backfill.stumbled", kind=type(error).__name__, at=line_of(error))
                raise TryLater(
                    f"The embedding met something unexpected ({type(error).__name__}); the log tells where."
                ) from error
            self._notes.write(None, None)
        return trip.given

    def is_due(self) -> bool:
        """Whether the ledger knows of chunks without a vector."""
        filled = self._counted()
        return filled.embedded != filled.chunks

    def standing(self) -> Filled:
        """How far it is, whoever does it."""
        lock = FileLock(self._lock)
        running = not lock.acquire()
        lock.release()
        per_second, error = self._notes.read()
        counted = self._counted()
        return Filled(running, counted.embedded, counted.chunks, per_second if running else None, error)

    def _counted(self, per_second: float | None = None) -> Filled:
        counts = [self._ledger.indexes.vectors(spec.name) for spec in self._specs()]
        embedded, chunks = (sum(column) for column in zip(*counts, strict=True))
        return Filled(True, embedded, chunks, per_second)

    def _specs(self) -> list[IndexSpec]:
        return [spec for spec in (self._ledger.indexes.live(), self._ledger.indexes.building()) if spec is not None]

    @contextmanager
    def _alone(self, trip: _Trip) -> Iterator[None]:
        lock = FileLock(self._lock)
        while not lock.acquire():
            trip.watch(self.standing())
            if trip.stop.wait(_LOOK_SECONDS):
                raise Cancelled("Stopped while another process was embedding.")
        try:
            yield
        finally:
            lock.release()

    def _fill(self, trip: _Trip) -> None:
        while self._fill_some(trip):
            pass
        self._complete(trip.course)
        for spec in self._specs():
            if spec.name in trip.failures:
                raise trip.failures[spec.name]
        if trip.given:
            log.info("backfill.done", chunks=trip.given)

    def _fill_some(self, trip: _Trip) -> bool:
        """Embed some for the live index, wherever it lacks any, else for the other; whether there may be more to do."""
        for spec in self._specs():
            if spec.name in trip.failures:
                continue
            try:
                if self._embed_some(self._indexes.get(spec), trip):
                    return True
            except Cancelled:
                raise
            except QuothError as error:
                trip.failures[spec.name] = error
                log.warning("index.not_embedded", index=spec.name, kind=type(error).__name__)
        return False

    def _embed_some(self, index: Index, trip: _Trip) -> bool:
        """Embed what one look at the store finds, if anything."""
        if index.embedder is None:
            return False
        lot = [chunk for chunk in index.store.unembedded(LOOK) if chunk.chunk_id not in trip.tried[index.name]]
        if not lot:
            self._count(index, trip)
            return False
        basket: list[tuple[Chunk, Vector]] = []
        try:
            for sip in trip.pace.sips(sorted(lot, key=lambda chunk: len(chunk.text))):
                self._questions.let_pass(trip.stop)
                basket += zip(sip, self._embedded(index.embedder, sip, trip), strict=True)
                if len(basket) >= STORED_AT_ONCE:
                    full, basket = basket, []
                    self._store(index, full, trip)
        finally:
            self._store(index, basket, trip)  # Also what was done before a failure.
        return True

    def _embedded(self, embedder: Embedder, sip: Sequence[Chunk], trip: _Trip) -> Sequence[Vector]:
        texts = [embedding_text_of(chunk) for chunk in sip]
        attempt = 0
        while True:
            try:
                with trip.pace.timed(len(texts)):
                    return embedder.embed_texts(texts)
            except TryLater as error:
                attempt += 1
                if attempt >= self.patience.attempts:
                    raise
                self._notes.write(trip.rate.per_second, str(error))
                if trip.stop.wait(self.patience.backoff(attempt, limited=False)):
                    raise Cancelled("Stopped while the embedding model did not answer.") from error

    def _store(self, index: Index, basket: Sequence[tuple[Chunk, Vector]], trip: _Trip) -> None:
        if not basket:
            return
        vectors = {chunk.chunk_id: vector for chunk, vector in basket}
        index.store.embed(vectors)
        trip.tried[index.name].update(vectors)
        trip.course.at(Boundary.EMBEDDED)
        for source, its in _by_source(chunk for chunk, _ in basket).items():
            self._ledger.holdings(source, index.name).add_embedded(its)
        trip.course.at(Boundary.ADDED)
        trip.given += len(vectors)
        trip.rate.count(len(vectors))
        self._notes.write(trip.rate.per_second, None)
        trip.watch(self._counted(trip.rate.per_second))

    def _count(self, index: Index, trip: _Trip) -> None:
        """Put the ledger right where it is mistaken: a process died, or what was put anew had kept its vectors."""
        for figures in self._ledger.figures():
            holdings = self._ledger.holdings(figures.source, index.name)
            totals = holdings.totals()
            if totals.embedded != totals.chunks:
                holdings.count_embedded(index.store.contents(figures.source))
                trip.course.at(Boundary.COUNTED)


class _Pace:
    """How many texts are embedded in one go: as many as take a sip's time, whatever embeds them."""

    def __init__(self) -> None:
        self._texts = 4

    def sips(self, chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
        start = 0
        while start < len(chunks):
            end = start + self._texts
            yield chunks[start:end]
            start = end

    @contextmanager
    def timed(self, texts: int) -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds = max(time.monotonic() - started, 1e-6)
        self._texts = max(1, min(MOST_AT_ONCE, int(texts * SIP_SECONDS / seconds)))


class _Rate:
    """How much is done a second, lately."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def count(self, chunks: int) -> None:
        now = time.monotonic()
        while len(self._counts) > 1 and self._counts[0][0] < now - _RATE_SECONDS:
            self._counts.popleft()
        self._counts.append((now, chunks))

    @property
    def per_second(self) -> float | None:
        seconds = self._counts[-1][0] - self._counts[0][0]
        done = sum(chunks for _, chunks in self._counts) - self._counts[0][1]
        return done / seconds if seconds > 0 else None


@dataclass(slots=True)
class _Trip:
    """One backfill on its way: what it did, by index what it need not try again, and which indexes failed."""

    course: Course
    watch: FilledWatcher
    given: int = 0
    pace: _Pace = field(default_factory=_Pace)
    rate: _Rate = field(default_factory=_Rate)
    tried: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    failures: dict[str, QuothError] = field(default_factory=dict)

    @property
    def stop(self) -> threading.Event:
        return self.course.stop


class _Notes:
    """What a backfill leaves for others on the machine to read: its rate, and why it ended early. May be lost."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, per_second: float | None, error: str | None) -> None:
        draft = self._path.with_suffix(".draft")
        with suppress(OSError):
            draft.write_text(json.dumps({"per_second": per_second, "error": error}))
            draft.replace(self._path)

    def read(self) -> tuple[float | None, str | None]:
        try:
            told = json.loads(self._path.read_text())
            return told["per_second"], told["error"]
        except (OSError, ValueError, KeyError, TypeError):
            return None, None


def _by_source(chunks: Iterable[Chunk]) -> dict[str, Counter[tuple[str, str, str]]]:
    """How many of these there are of each document, version and pipeline, by source."""
    found: defaultdict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    for chunk in chunks:
        found[chunk.source][chunk.document_id, chunk.version, chunk.pipeline] += 1
    return dict(found)
