"""Three nodes, of which one is dead, slow or behind: nothing acknowledged is lost, and nobody finds less."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from connectors.errors import TryLater
from connectors.store.weaviate import index, nodes
from connectors.store.weaviate.place import Consistency
from connectors.store.weaviate_store import WeaviateStore
from tests.contracts.store_contract import StoreContract, asked, chunks, direction, texts_of
from tests.fakes.weaviate import faults
from tests.fakes.weaviate.server import FakeWeaviate

NODES = range(3)


@pytest.fixture
def fake() -> Iterator[FakeWeaviate]:
    with FakeWeaviate(3) as fake:
        yield fake


@pytest.fixture
def store(fake: FakeWeaviate) -> Iterator[WeaviateStore]:
    store = store_of(fake)
    yield store
    store.close()


def store_of(fake: FakeWeaviate, consistency: Consistency = "quorum") -> WeaviateStore:
    return WeaviateStore(fake.place(consistency), "fingerprint", owner="5f0c1d")


def told_by(store: WeaviateStore) -> dict[str, Any]:
    """All that anybody can learn from a store."""
    found = store.search(asked("vpn", direction(1, 1), limit=10))
    return {
        "found": {one.chunk.text: one.vector_score for one in found},
        "alike": len({round(one.keyword_score, 6) for one in found}) == 1,
        "export": {one.chunk: None if one.vector is None else one.vector.tobytes() for one in store.export("wiki")},
        "contents": {held.document_id: held for held in store.contents("wiki")},
        "unembedded": {chunk.text for chunk in store.unembedded(50)},
        "stats": (store.stats("wiki"), store.stats()),
    }


def fill(store: WeaviateStore) -> None:
    one, two = chunks("a", "vpn one", "vpn two")
    store.put([one, two])
    store.embed({one.chunk_id: direction(1, 1)})


def fill_more(store: WeaviateStore) -> None:
    """One of every kind of write."""
    three, four = chunks("b", "vpn three", "vpn four")
    store.put([three, four])
    store.embed({three.chunk_id: direction(1, 2)})
    store.embed({chunks("a", "vpn one", "vpn two")[1].chunk_id: direction(1, 3)})


class TestWeaviateStoreOverThreeNodes(StoreContract):
    @pytest.fixture
    def store(self, fake: FakeWeaviate) -> Iterator[WeaviateStore]:
        store = store_of(fake)
        yield store
        store.close()


@pytest.mark.parametrize("dead", NODES)
def test_a_dead_node_stops_neither_writes_nor_questions(fake: FakeWeaviate, store: WeaviateStore, dead: int) -> None:
    fill(store)
    fake.kill(dead)
    started = time.monotonic()
    fill_more(store)
    assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two", "vpn three", "vpn four"}
    store.retire("wiki", {"wiki:a": None})
    assert {held.document_id for held in store.contents("wiki")} == {"wiki:b"}
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("call", ["BatchObjects", "BatchDelete"])
def test_a_node_that_dies_in_the_middle_of_a_write_loses_nothing(
    fake: FakeWeaviate, store: WeaviateStore, call: str, *, done: bool
) -> None:
    fill(store)
    fake.faults.plan(call, faults.dies(lambda: fake.kill(0), done=done), node=0)
    fill_more(store)
    store.retire("wiki", {"wiki:a": None})
    assert texts_of(store.search(asked("vpn"))) == {"vpn three", "vpn four"}
    assert store.stats("wiki").embedded == 1


@pytest.mark.parametrize("stale", NODES)
@pytest.mark.parametrize("consistency", ["one", "quorum"])
def test_nobody_finds_less_because_a_node_is_stale(fake: FakeWeaviate, consistency: Consistency, stale: int) -> None:
    store = store_of(fake, consistency)
    fill(store)
    with fake.deaf(stale):
        fill_more(store)
    later = store_of(fake, consistency)
    behind = told_by(later)
    later.close()
    fake.cluster.catch_up(stale)
    even = store_of(fake, consistency)
    assert behind == told_by(even)
    assert (len(behind["found"]), behind["alike"]) == (4, True)
    even.close()
    store.close()


@pytest.mark.parametrize("stale", NODES)
def test_a_word_that_a_stale_node_has_never_seen_is_found(fake: FakeWeaviate, store: WeaviateStore, stale: int) -> None:
    fill(store)
    with fake.deaf(stale):
        store.put(chunks("c", "wholly new words"))
        for _ in range(5):
            assert texts_of(store.search(asked("wholly new words"))) == {"wholly new words"}


@pytest.mark.parametrize("stale", NODES)
def test_a_node_that_was_killed_and_comes_back_stale_is_named_until_it_has_caught_up(
    fake: FakeWeaviate, store: WeaviateStore, stale: int
) -> None:
    fill(store)
    fake.kill(stale)
    fill_more(store)
    assert [(node.ready, node.lagging) for node in store.nodes()] == [(i != stale, False) for i in NODES]
    fake.start(stale)
    assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two", "vpn three", "vpn four"}
    eventually(lambda: [(node.ready, node.lagging) for node in store.nodes()] == [(True, i == stale) for i in NODES])
    fake.cluster.catch_up(stale)
    assert [(node.lagging, node.chunks) for node in store.nodes()] == [(False, 4)] * 3


def test_a_put_over_a_stale_node_brings_that_one_up_to_date(fake: FakeWeaviate, store: WeaviateStore) -> None:
    put = chunks("a", "vpn one", "vpn two")
    with fake.deaf(2):
        store.put(put)
    store.put(put)
    assert {len(shard.objects) for node in fake.cluster.nodes for shard in node.shards.values()} <= {2, 0}
    assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two"}


@pytest.mark.parametrize("slow", NODES)
def test_a_node_that_hangs_is_not_waited_for(fake: FakeWeaviate, store: WeaviateStore, slow: int) -> None:
    fill(store)
    store.search(asked("vpn"))
    with fake.faults.always("Search", faults.slow(6), node=slow):
        started = time.monotonic()
        assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two"}
        assert time.monotonic() - started < 5
    time.sleep(0.1)


def test_without_a_quorum_every_call_says_so(
    fake: FakeWeaviate, store: WeaviateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "WRITE_SECONDS", 1.0)
    monkeypatch.setattr(nodes, "CALL_SECONDS", 1.0)
    monkeypatch.setattr(index, "READ_SECONDS", 1.0)
    fill(store)
    fake.kill(1)
    fake.kill(2)
    with pytest.raises(TryLater, match="quorum"):
        store.search(asked("vpn"))
    with pytest.raises(TryLater):
        fill_more(store)
    with pytest.raises(TryLater, match="quorum"):
        list(store.export("wiki"))
    fake.start(1)
    eventually(lambda: texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two"})
    fill_more(store)
    assert len(store.search(asked("vpn"))) == 4


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until it holds: a node that comes back is found after a moment."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(TryLater):
            if holds():
                return
        time.sleep(0.2)
    pytest.fail("it does not come to hold")
