"""Writes and questions that go on while nodes come and go, and what became of each."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from connectors.errors import TryLater
from connectors.model import Chunk, Query, Vector, source_tag
from connectors.ports import KnowledgeStore
from connectors.text.analysis import terms_of

DIMENSIONS = 32
CHUNKS = 3
TAGS = frozenset({source_tag("wiki")})


def page(number: int, version: str = "1") -> list[Chunk]:
    """A document with a word of its own in every chunk, and one that all documents share."""
    return [
        Chunk(
            source="wiki",
            document_id=f"wiki:{number}",
            version=version,
            pipeline="p",
            ordinal=ordinal,
            title=f"Page {number}",
            headings=(),
            text=f"common own{number} version{version} part{ordinal}",
            tags=TAGS,
            seal="s",
        )
        for ordinal in range(CHUNKS)
    ]


def vector_of(number: int, ordinal: int = 0) -> Vector:
    """A direction of the document's own, and of its chunks near it: no two are alike."""
    drawn = np.random.default_rng(number).standard_normal(DIMENSIONS)
    turned = drawn + 0.1 * np.random.default_rng((number, ordinal)).standard_normal(DIMENSIONS)
    return (turned / np.linalg.norm(turned)).astype(np.float32)


def query_for(number: int, limit: int = 10) -> Query:
    """The question that a document answers, by its words and by its vector."""
    return Query(dict.fromkeys(terms_of(f"own{number}"), 1.0), vector_of(number), TAGS, limit)


def common_query(limit: int) -> Query:
    """The question that every document answers."""
    return Query(dict.fromkeys(terms_of("common"), 1.0), None, TAGS, limit)


def write(store: KnowledgeStore, number: int, version: str = "1") -> None:
    """Bring a version of a document in, as a sync does: beside the old one, which is retired then."""
    chunks = page(number, version)
    store.put(chunks)
    store.embed({chunk.chunk_id: vector_of(number, chunk.ordinal) for chunk in chunks})
    store.retire("wiki", {f"wiki:{number}": (version, "p")})


@dataclass
class Traffic:
    """What was acknowledged, how long it took, and what was answered wrongly or not at all."""

    versions: dict[int, str] = field(default_factory=dict)
    write_seconds: list[float] = field(default_factory=list)
    question_seconds: list[float] = field(default_factory=list)
    delayed_writes: list[str] = field(default_factory=list)
    failed_questions: list[str] = field(default_factory=list)
    short_answers: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)

    def told(self) -> str:
        """The measured figures in one line."""
        writes, questions = sorted(self.write_seconds), sorted(self.question_seconds)
        return (
            f"{len(writes)} writes p50 {middle(writes):.2f} s max {max(writes, default=0):.2f} s, "
            f"{len(self.delayed_writes)} refused and repeated; {len(questions)} questions p50 "
            f"{middle(questions) * 1000:.0f} ms max {max(questions, default=0):.2f} s, "
            f"{len(self.failed_questions)} failed, {len(self.short_answers)} incomplete"
        )


def middle(values: list[float]) -> float:
    return values[len(values) // 2] if values else 0.0


Work = Callable[[KnowledgeStore, Traffic, threading.Event, random.Random], None]


@contextmanager
def going_on(store: KnowledgeStore, traffic: Traffic, seed: int = 1) -> Iterator[threading.Event]:
    """Keep writing and asking until the end of the context."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_guarded, args=(work, store, traffic, stop, seed)) for work in (_keep_writing, _ask)
    ]
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)


def _guarded(work: Work, store: KnowledgeStore, traffic: Traffic, stop: threading.Event, seed: int) -> None:
    try:
        work(store, traffic, stop, random.Random(seed))
    except Exception as error:  # noqa: BLE001  # the test tells of it; a thread's own end would be silent
        traffic.surprises.append(repr(error))


def _keep_writing(store: KnowledgeStore, traffic: Traffic, stop: threading.Event, chance: random.Random) -> None:
    while not stop.is_set():
        known = len(traffic.versions)
        number = chance.randrange(known) if known > 20 and chance.random() < 0.4 else known
        version = str(int(traffic.versions.get(number, "0")) + 1)
        began = time.monotonic()
        while True:  # The next sync does the same again.
            try:
                write(store, number, version)
                break
            except TryLater as error:
                traffic.delayed_writes.append(str(error))
                if stop.wait(1):
                    return
        traffic.versions[number] = version
        traffic.write_seconds.append(time.monotonic() - began)
        stop.wait(0.02)


def _ask(store: KnowledgeStore, traffic: Traffic, stop: threading.Event, chance: random.Random) -> None:
    while not stop.wait(0.05):
        known = dict(traffic.versions)
        if not known:
            continue
        number = chance.choice(list(known))
        began = time.monotonic()
        try:
            found = store.search(query_for(number))
        except TryLater as error:
            traffic.failed_questions.append(str(error))
            continue
        traffic.question_seconds.append(time.monotonic() - began)
        # A newer version may be on its way, or acknowledged between the two looks: then it is what counts.
        seen: dict[str, set[int]] = {}
        for candidate in found:
            if candidate.chunk.document_id == f"wiki:{number}" and candidate.vector_score is not None:
                seen.setdefault(candidate.chunk.version, set()).add(candidate.chunk.ordinal)
        wanted = {known[number], traffic.versions[number], str(int(traffic.versions[number]) + 1)}
        if not any(len(seen.get(version, ())) == CHUNKS for version in wanted):
            traffic.short_answers.append(f"document {number}, version {known[number]}: {seen}")


def whole(store: KnowledgeStore, traffic: Traffic) -> list[str]:
    """What of the acknowledged is not there, or is there without its vector."""
    held = {(one.document_id, one.version): (one.chunks, one.embedded) for one in store.contents("wiki")}
    return [
        f"{number}@{version}: {held.get((f'wiki:{number}', version))}"
        for number, version in traffic.versions.items()
        if held.get((f"wiki:{number}", version)) != (CHUNKS, CHUNKS)
    ]
