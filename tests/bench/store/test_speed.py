"""How fast chunks are written and found: pytest -m bench -s tests/bench/store -k fast.

``QUOTH_BENCH_SIZES`` (20000,200000,1000000) says with how many chunks. What was filled is kept: by Weaviate in a server
of one's own (WEAVIATE_TEST_URL), by SQLite in ``QUOTH_BENCH_CACHE``.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache, partial
from itertools import islice

import pytest

from connectors.embedding import LocalEmbedder
from connectors.store.weaviate.place import WeaviatePlace
from tests.bench.retrieval.measuring import collection_in
from tests.bench.store.contenders import Contender
from tests.bench.store.embeddings import CACHE, KeptEmbedder
from tests.bench.store.places import NAMES, Places, sizes
from tests.bench.store.replicas import CHUNKS_A_DOCUMENT, Replica, Replicas
from tests.fakes.reference_data import reference_path

pytestmark = [pytest.mark.bench, pytest.mark.timeout(14_400)]

LIMIT = 100
WARM, TIMED = 20, 200
"""Questions before and after the clock starts. None is asked twice."""
_MADE_AT_ONCE, _WRITTEN_AT_ONCE = 1_000, 50
"""Documents."""
_WRITERS = {"sqlite": 1, "weaviate": 2, "langchain": 1}
"""Threads that fill. A SQLite file has one writer at a time, and langchain-weaviate has threads of its own."""
_LARGEST_BY_PORT = 20_000
"""Chunks that Weaviate gets document by document, as from a sync; more are written in bulk."""
_CHANGED = 50
"""Documents that are replaced, spread over all."""


@cache
def replicas() -> Replicas:
    names = ("anthropic_docs", "mtrag_threads", "scifact")
    with closing(KeptEmbedder(LocalEmbedder())) as embedder:
        return Replicas([collection_in(reference_path(f"retrieval/{name}")) for name in names], embedder)


@pytest.mark.parametrize("chunks", sizes())
@pytest.mark.parametrize("name", NAMES)
def test_chunks_are_written_and_found_fast(name: str, chunks: int, real_server: WeaviatePlace) -> None:
    made, places = replicas(), Places(real_server, str(chunks))
    with places.opened(name, in_bulk=chunks > _LARGEST_BY_PORT) as contender:
        before = contender.holds()
        if before < chunks:
            assert before == 0, f"{name} holds {before} of {chunks} chunks: delete what an interrupted run left"
            _told(name, chunks, "inserted", _inserted(contender, made, chunks, _WRITERS[name]))
            _told(name, chunks, "replaced", _replaced(contender, made, chunks))
        milliseconds = _searched(contender, made, name, chunks)
        _told(name, chunks, "p50 ms", milliseconds[len(milliseconds) // 2])
        _told(name, chunks, "p95 ms", milliseconds[int(len(milliseconds) * 0.95)])
        print(f"{name:10} {chunks:9,} {places.taken(name)}")  # noqa: T201  # The point of it.


def _inserted(contender: Contender, made: Replicas, chunks: int, writers: int) -> float:
    """Chunks a second, without the time it takes to make them up."""
    documents, seconds = made.documents(chunks), 0.0
    with ThreadPoolExecutor(writers) as pool:
        while some := list(islice(documents, _MADE_AT_ONCE)):
            seconds += _seconds(partial(_written, contender, some, pool))
    return chunks / seconds


def _written(contender: Contender, documents: Sequence[Replica], pool: ThreadPoolExecutor) -> None:
    list(pool.map(contender.write, _slices(documents)))


def _replaced(contender: Contender, made: Replicas, chunks: int) -> float:
    """Chunks a second."""
    documents, version = chunks // CHUNKS_A_DOCUMENT, str(time.time_ns())
    changed = [made.document(number, version) for number in range(0, documents, max(1, documents // _CHANGED))]
    seconds = _seconds(partial(_replace, contender, changed))
    assert contender.holds() == chunks
    return CHUNKS_A_DOCUMENT * len(changed) / seconds


def _replace(contender: Contender, documents: Sequence[Replica]) -> None:
    for some in _slices(documents):
        contender.replace(some)


def _slices(documents: Sequence[Replica]) -> list[Sequence[Replica]]:
    return [documents[start : start + _WRITTEN_AT_ONCE] for start in range(0, len(documents), _WRITTEN_AT_ONCE)]


def _searched(contender: Contender, made: Replicas, name: str, chunks: int) -> list[float]:
    found, milliseconds = [], []
    for asked in made.questions(WARM + TIMED):
        began = time.perf_counter()
        found.append(contender.find(asked, LIMIT))
        milliseconds.append(1000 * (time.perf_counter() - began))
    (CACHE / f"found-{name}-{chunks}.json").write_text(json.dumps(found), encoding="utf-8")
    return sorted(milliseconds[WARM:])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _told(name: str, chunks: int, what: str, figure: float) -> None:
    load = os.getloadavg()[0]
    print(f"{name:10} {chunks:9,} {what:10} {figure:9,.1f}   (load {load:.1f})", flush=True)  # noqa: T201  # The point of it.
