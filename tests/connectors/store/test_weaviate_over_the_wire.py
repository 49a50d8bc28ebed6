"""WeaviateStore keeps the contract of stores over a fake server, and its promises when that server fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import Misconfigured, TryLater
from connectors.model import Chunk
from connectors.store.weaviate import connection, index, nodes
from connectors.store.weaviate_store import WeaviateStore
from tests.contracts.store_contract import StoreContract, asked, chunks, direction, texts_of
from tests.fakes.weaviate import faults
from tests.fakes.weaviate.server import FakeWeaviate

OWNER = "5f0c1d"
COLLECTION = "Quoth_fingerprint"


@pytest.fixture
def fake() -> Iterator[FakeWeaviate]:
    with FakeWeaviate() as fake:
        yield fake


@pytest.fixture
def store(fake: FakeWeaviate) -> Iterator[WeaviateStore]:
    store = store_of(fake)
    yield store
    store.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines of a second, where a person would wait for a minute."""
    monkeypatch.setattr(nodes, "WRITE_SECONDS", 1.0)
    monkeypatch.setattr(nodes, "CALL_SECONDS", 1.0)
    monkeypatch.setattr(index, "READ_SECONDS", 1.0)
    monkeypatch.setattr(index, "_LISTING_SECONDS", 1.0)


def store_of(fake: FakeWeaviate, **place: Any) -> WeaviateStore:
    return WeaviateStore(replace(fake.place(), **place), "fingerprint", owner=OWNER)


def held(store: WeaviateStore) -> dict[str, Chunk]:
    return {stored.chunk.chunk_id: stored.chunk for stored in store.export("wiki")}


def put_of(*texts: str) -> dict[str, Chunk]:
    return {chunk.chunk_id: chunk for chunk in chunks("a", *texts)}


def watched(fake: FakeWeaviate, name: str, told: Callable[[Any], Any]) -> list[Any]:
    """Something of every request of this name, as they come."""
    seen: list[Any] = []

    def watch(call: faults.Call) -> Any:
        if call.name == name:
            seen.append(told(call.request))
        return faults.healthy(call)

    fake.faults.around = watch
    return seen


class TestWeaviateStoreOverTheWire(StoreContract):
    @pytest.fixture
    def store(self, fake: FakeWeaviate) -> Iterator[WeaviateStore]:
        store = store_of(fake)
        yield store
        store.close()


def test_an_object_that_failed_is_written_again_with_its_own_id(fake: FakeWeaviate, store: WeaviateStore) -> None:
    put = put_of("vpn one", "vpn two", "vpn three")
    sent = watched(fake, "BatchObjects", lambda request: [one.uuid for one in request.objects])
    fake.faults.plan("BatchObjects", faults.some_objects_refused(1))
    store.put(list(put.values()))
    assert sent == [list(put), [list(put)[1]]]
    assert held(store) == put


@pytest.mark.usefixtures("impatient")
def test_a_put_that_is_refused_in_part_raises_and_the_next_one_completes_it(
    fake: FakeWeaviate, store: WeaviateStore
) -> None:
    put = put_of("vpn one", "vpn two", "vpn three")
    with fake.faults.always("BatchObjects", faults.some_objects_refused(0)), pytest.raises(TryLater):
        store.put(list(put.values()))
    assert len(held(store)) == 2
    store.put(list(put.values()))
    assert held(store) == put


@pytest.mark.usefixtures("impatient")
def test_neither_the_log_nor_the_error_shows_what_failed(
    fake: FakeWeaviate,
    store: WeaviateStore,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "The combination is 4711."
    with (
        fake.faults.always("BatchObjects", faults.some_objects_refused(0, said=f"no {secret}")),
        pytest.raises(TryLater) as error,
    ):
        store.put(list(put_of(secret).values()))
    printed = capfd.readouterr()
    assert "4711" not in caplog.text + printed.out + printed.err + str(error.value)


def test_an_answer_that_is_lost_leaves_one_whole_version(fake: FakeWeaviate, store: WeaviateStore) -> None:
    put = put_of("vpn one", "vpn two")
    fake.faults.plan("BatchObjects", faults.answer_lost())
    store.put(list(put.values()))
    assert fake.faults.count("BatchObjects") == 2
    assert held(store) == put
    assert store.stats("wiki").chunks == 2


def test_objects_that_the_server_lost_are_missed_by_the_figures_and_put_again(
    fake: FakeWeaviate, store: WeaviateStore
) -> None:
    put = put_of("vpn one", "vpn two")
    store.put(list(put.values()))
    whole = store.stats("wiki")
    fake.cluster.delete(fake.cluster.schema.find(COLLECTION), [next(iter(put))])
    fake.faults.plan("BatchObjects", faults.some_objects_lost(0))
    store.put(list(put.values()))
    assert (store.stats("wiki").chunks, store.stats("wiki").digest) != (whole.chunks, whole.digest)
    store.put(list(put.values()))
    assert store.stats("wiki") == whole
    assert held(store) == put


def test_deletes_go_on_beyond_the_servers_cap(fake: FakeWeaviate, store: WeaviateStore) -> None:
    fake.cluster.maximum_deleted = 3
    store.put(chunks("a", *(f"vpn {i}" for i in range(10))))
    store.put(chunks("b", "vpn kept"))
    store.retire("wiki", {"wiki:a": None})
    assert fake.faults.count("BatchDelete") == 4
    assert texts_of(store.search(asked("vpn", limit=20))) == {"vpn kept"}


def test_one_hiccup_is_not_noticed(fake: FakeWeaviate, store: WeaviateStore) -> None:
    store.put(chunks("a", "vpn one"))
    for name in ("Search", "Aggregate", "BatchDelete"):
        fake.faults.plan(name, faults.unreachable())
        assert texts_of(store.search(asked("vpn"))) == {"vpn one"}
        assert store.stats().chunks == 1
    store.retire("wiki", {"wiki:a": None})
    assert store.stats().chunks == 0


def test_a_server_that_is_started_again_is_found_again(fake: FakeWeaviate, store: WeaviateStore) -> None:
    store.put(chunks("a", "vpn one"))
    fake.kill(0)
    with pytest.raises(TryLater, match="cannot be reached"):
        store.search(asked("vpn"))
    fake.start(0)
    store.put(chunks("b", "vpn two"))
    assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two"}


@pytest.mark.usefixtures("impatient")
def test_no_call_waits_for_a_server_that_hangs(fake: FakeWeaviate, store: WeaviateStore) -> None:
    store.put(chunks("a", "vpn one"))
    started = time.monotonic()
    with fake.faults.always("Search", faults.slow(1.5)), pytest.raises(TryLater, match="took too long"):
        store.search(asked("vpn"))
    fake.faults.plan("BatchObjects", faults.slow(1.5), times=5)
    with pytest.raises(TryLater, match="took too long"):
        store.put(chunks("b", "vpn two"))
    assert time.monotonic() - started < 30


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("reason", [faults.DISK_FULL, faults.MEMORY_FULL])
def test_a_server_that_takes_no_writes_says_why_and_goes_on_answering(
    fake: FakeWeaviate, store: WeaviateStore, reason: str
) -> None:
    store.put(chunks("a", "vpn one"))
    fake.cluster.read_only = reason
    with pytest.raises(TryLater, match="takes no writes: its disk or memory is too full"):
        store.put(chunks("b", "vpn two"))
    with pytest.raises(TryLater):
        store.retire("wiki", {"wiki:a": None})
    assert texts_of(store.search(asked("vpn"))) == {"vpn one"}
    fake.cluster.read_only = None
    store.put(chunks("b", "vpn two"))
    assert texts_of(store.search(asked("vpn"))) == {"vpn one", "vpn two"}


@pytest.mark.usefixtures("impatient")
def test_too_little_memory_is_named(fake: FakeWeaviate, store: WeaviateStore) -> None:
    with (
        fake.faults.always("BatchObjects", faults.too_little_memory()),
        pytest.raises(TryLater, match="not enough memory"),
    ):
        store.put(chunks("a", "vpn one"))


def test_vectors_of_another_length_are_a_persons_to_settle(fake: FakeWeaviate, store: WeaviateStore) -> None:
    one, two = chunks("a", "vpn one", "vpn two")
    store.put([one, two])
    store.embed({one.chunk_id: direction(1)})
    with pytest.raises(Misconfigured, match="vectors of another length"):
        store.embed({two.chunk_id: direction(1)[:4]})


def test_a_collection_that_somebody_deleted_is_made_again(fake: FakeWeaviate, store: WeaviateStore) -> None:
    store.put(chunks("a", "vpn one"))
    fake.cluster.drop(COLLECTION)
    assert store.search(asked("vpn")) == []
    assert store.stats().chunks == 0
    store.put(chunks("b", "vpn two"))
    assert texts_of(store.search(asked("vpn"))) == {"vpn two"}


def test_foreign_objects_are_nobodys_and_take_nobodys_place(fake: FakeWeaviate, store: WeaviateStore) -> None:
    store.put(chunks("a", "vpn one"))
    (own,) = fake.cluster.nodes[0].shards[COLLECTION].objects.values()
    for i in range(300):
        foreign = replace(own, object_id=f"00000000-0000-4000-8000-000000000{i:03}")
        fake.cluster.put(fake.cluster.schema.find(COLLECTION), foreign, 0)
    assert [found.chunk.text for found in store.search(asked("vpn", limit=1))] == ["vpn one"]
    assert len(held(store)) == 1


def test_a_key_that_is_refused_is_named_by_its_setting() -> None:
    with FakeWeaviate(keys={"root": "admin"}) as fake:
        for key in (None, "wrong"):
            store = store_of(fake, api_key=key)
            with pytest.raises(Misconfigured, match=r"store\.api_key_env"):
                store.search(asked("vpn"))
            store.close()


def test_a_key_that_may_only_read_says_so_when_something_is_written() -> None:
    with FakeWeaviate(keys={"root": "admin", "eyes": "viewer"}) as fake:
        root, eyes = store_of(fake, api_key="root"), store_of(fake, api_key="eyes")
        root.put(chunks("a", "vpn one"))
        assert texts_of(eyes.search(asked("vpn"))) == {"vpn one"}
        with pytest.raises(Misconfigured, match="does not let this API key do that"):
            eyes.put(chunks("b", "vpn two"))
        with pytest.raises(Misconfigured, match="does not let this API key do that"):
            eyes.retire("wiki", {"wiki:a": None})
        root.close()
        eyes.close()


@pytest.mark.parametrize("version", ["1.20.4", "1.36.9", "1.40.0", "2.0.0"])
def test_a_version_that_was_never_tested_is_refused(version: str) -> None:
    with FakeWeaviate(version=version) as fake:
        store = store_of(fake)
        with pytest.raises(Misconfigured, match=r"1\.37 up to, but not with, 1\.40"):
            store.search(asked("vpn"))
        assert fake.faults.count("Search") == 0
        store.close()


@pytest.mark.parametrize(("keys", "allowed", "fine"), [(False, False, False), (False, True, True), (True, False, True)])
def test_a_server_elsewhere_that_answers_anybody_is_refused_unless_that_is_allowed(
    monkeypatch: pytest.MonkeyPatch, *, keys: bool, allowed: bool, fine: bool
) -> None:
    monkeypatch.setattr(connection, "is_loopback", lambda _: False)
    with FakeWeaviate(keys={"root": "admin"} if keys else {}) as fake:
        store = store_of(fake, api_key="root" if keys else None, allow_anonymous=allowed)
        if fine:
            assert store.search(asked("vpn")) == []
        else:
            with pytest.raises(Misconfigured, match="answers without a key"):
                store.search(asked("vpn"))
        store.close()


def test_a_collection_of_another_owner_is_left_alone(fake: FakeWeaviate, store: WeaviateStore) -> None:
    store.put(chunks("a", "vpn one"))
    other = WeaviateStore(fake.place(), "fingerprint", owner="somebody else")
    with pytest.raises(Misconfigured, match="belongs to another Quoth"):
        other.search(asked("vpn"))
    with pytest.raises(Misconfigured, match="belongs to another Quoth"):
        other.put(chunks("b", "vpn two"))
    with pytest.raises(Misconfigured, match="belongs to another Quoth"):
        other.drop()
    other.close()
    assert texts_of(store.search(asked("vpn"))) == {"vpn one"}


def test_giving_chunks_their_vectors_makes_no_word_less_rare(fake: FakeWeaviate, store: WeaviateStore) -> None:
    put = chunks("a", *(f"vpn {'server ' * (i % 3 == 0)}{'router ' * (i % 100 == 0)}number{i}" for i in range(600)))
    store.put(put[:1])
    fake.cluster.nodes[0].shards[COLLECTION].flushes = True
    store.put(put)
    before = scores_of(store_of(fake))
    store.embed({chunk.chunk_id: direction(1, chunk.ordinal) for chunk in put})
    after = scores_of(store_of(fake))
    assert after == pytest.approx(before, rel=0.1)


def scores_of(store: WeaviateStore) -> list[float]:
    """What a common, a less common and a rare word are worth in one chunk that holds them."""
    with closing(store):
        found = (store.search(asked(word, limit=600)) for word in ("vpn", "server", "router"))
        return [next(c.keyword_score for c in some if c.chunk.ordinal == 0) for some in found]
