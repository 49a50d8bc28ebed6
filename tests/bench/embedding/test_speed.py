"""How fast chunks are embedded, and how long a question takes meanwhile: ratios within one run."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from bot.answering.model import Question
from bot.app import Quoth
from bot.settings import Environment, GitSource, KnowledgeBase, Settings
from connectors.embedding import LocalEmbedder
from connectors.errors import Cancelled
from connectors.sync.vectors import SIP_SECONDS
from tests.bench.embedding.ways import Pair, Way, chunks
from tests.fakes.git_repository import GitRepository

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

CHUNKS = 48
ROUNDS = 3
QUESTIONS = ("How do I roll back the last release?", "Who approves expenses above 500 euros?", "vpn password reset")


def tell(line: str) -> None:
    sys.stderr.write(f"\n{line}")


def test_a_text_a_core_is_the_fastest_way_and_gives_the_same_vectors() -> None:
    texts, two, one, local = chunks(CHUNKS), Pair(2), Pair(1), LocalEmbedder()
    ways: dict[str, Way] = {
        "two threads a text, one by one": two.one_by_one,
        "two threads a text, spinning": Pair(2, spinning=True).one_by_one,
        "two threads, batches of 4 of one length": two.batched(4),
        "two threads, batches of 16 of one length": two.batched(16),
        "one thread a text, one by one": one.one_by_one,
        "one thread, a model a core": one.model_by_model,
        "one thread, a text a core": one.side_by_side,
        "the product": lambda texts: np.array(local.embed_texts(texts)),
    }
    truth = two.one_by_one(texts)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    drift = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began, used = time.perf_counter(), time.process_time()
            vectors = way(texts)
            seconds[name].append(time.perf_counter() - began)
            cpu[name].append(time.process_time() - used)
            drift[name] = float(1 - np.sum(vectors * truth, axis=1).min())
    tokens = [two.bge.tokens_of(text) for text in texts]
    tell(f"{CHUNKS} chunks of {statistics.mean(tokens):.0f} tokens, best of {ROUNDS} rounds")
    tell("| way | chunks/s | CPU ms a chunk | 1 - cosine with the first, at most |\n|---|--:|--:|--:|")
    for name in ways:
        rate, spent = CHUNKS / min(seconds[name]), 1000 * min(cpu[name]) / CHUNKS
        tell(f"| {name} | {rate:.1f} | {spent:.0f} | {drift[name]:.1e} |")
    assert drift["the product"] < 1e-5
    assert min(seconds["the product"]) < 1.1 * min(seconds["two threads a text, one by one"])


def test_a_question_hardly_waits_for_the_texts_at_hand() -> None:
    local, texts = LocalEmbedder(), chunks(CHUNKS)
    quiet = milliseconds_of(local)
    done = threading.Event()

    def fill() -> None:
        while not done.is_set():
            local.embed_texts(texts[:4])

    filling = threading.Thread(target=fill)
    filling.start()
    time.sleep(SIP_SECONDS)
    busy = milliseconds_of(local)
    done.set()
    filling.join()
    tell(f"embedding a question: {quiet:.1f} ms on a quiet machine, {busy:.1f} ms while texts are embedded (medians)")
    assert busy < quiet + 1000 * SIP_SECONDS


def milliseconds_of(local: LocalEmbedder) -> float:
    return 1000 * statistics.median(_seconds_of(local, QUESTIONS * 10))


def _seconds_of(local: LocalEmbedder, questions: Sequence[str]) -> list[float]:
    taken = []
    for question in questions:
        began = time.perf_counter()
        local.embed_question(question)
        taken.append(time.perf_counter() - began)
    return taken[3:]


def test_a_search_meanwhile_takes_about_as_long(tmp_path: Path) -> None:
    docs = GitRepository(tmp_path / "docs")
    docs.write_all({f"{n}.md": f"# Page {n}\n\n{text}\n" for n, text in enumerate(chunks(400))})
    settings = Settings(
        data_dir=tmp_path / "quoth",
        sources={"docs": GitSource(type="git", url=str(docs.folder))},
        knowledge_bases={"open": KnowledgeBase(sources=("docs",))},
    )
    with Quoth(settings, Environment()) as house:
        house.read_now(house.connector("docs"), full=False, approve_removals=False, verify=False)
        house.warm_up()
        quiet = _searched(house)
        filling = threading.Thread(target=_fill, args=[house])
        filling.start()
        while not house.store.stats().embedded:
            time.sleep(0.1)
        busy = _searched(house)
        was_filling = filling.is_alive()
        house.stopping.set()
        filling.join()
    tell(f"a search, p50 and p95 in ms: {quiet} on a quiet machine, {busy} during the backfill")
    assert was_filling


def _fill(house: Quoth) -> None:
    with suppress(Cancelled):
        house.embed_all()


def _searched(house: Quoth) -> tuple[int, int]:
    taken = []
    for n, question in enumerate(QUESTIONS * 10):
        time.sleep(1.5 if n % 10 == 0 else 0.05)  # Now and then the backfill has come to think that nobody asks.
        began = time.perf_counter()
        house.search.best(Question(question, house.scope_of("open")), 10)
        taken.append(1000 * (time.perf_counter() - began))
    middle, high = statistics.quantiles(taken, n=20)[9], statistics.quantiles(taken, n=20)[18]
    return round(middle), round(high)
