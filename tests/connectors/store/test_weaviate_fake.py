"""The fake is held to what a real Weaviate said, with the real client, and does wrong what it is told to do wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import weaviate
from weaviate.classes.config import Configure, ConsistencyLevel, DataType, Property
from weaviate.classes.data import DataObject
from weaviate.classes.init import AdditionalConfig, Auth, Timeout
from weaviate.classes.query import Filter
from weaviate.exceptions import (
    InsufficientPermissionsError,
    UnexpectedStatusCodeError,
    WeaviateBatchError,
    WeaviateInsertManyAllFailedError,
    WeaviateQueryError,
)

from connectors.store.weaviate.place import WeaviatePlace
from tests.fakes.weaviate import faults
from tests.fakes.weaviate.likeness import RECORDED, conversation
from tests.fakes.weaviate.probes import id_of
from tests.fakes.weaviate.server import FakeWeaviate

SAID = json.loads(RECORDED.read_text())


@contextmanager
def client_of(fake: FakeWeaviate, node: int = 0, key: str | None = None) -> Iterator[weaviate.WeaviateClient]:
    http, (host, port) = httpx.URL(fake.addresses[node].http), fake.addresses[node].grpc.split(":")
    with weaviate.connect_to_custom(
        http.host,
        http.port or 80,
        False,
        host,
        int(port),
        False,
        auth_credentials=Auth.api_key(key) if key else None,
        additional_config=AdditionalConfig(timeout=Timeout(query=2, insert=2, init=2)),
        skip_init_checks=True,
    ) as client:
        yield client


def things_of(client: weaviate.WeaviateClient, factor: int = 1) -> Any:
    return client.collections.create(
        "Things",
        vector_config=Configure.Vectors.self_provided(),
        replication_config=Configure.replication(factor=factor),
        properties=[Property(name="n", data_type=DataType.INT)],
    )


def put(things: Any, *numbers: int) -> list[int]:
    """The positions that were refused."""
    objects = [DataObject(uuid=id_of(n + 1), properties={"n": n}) for n in numbers]
    return sorted(things.data.insert_many(objects).errors)


def numbers_of(things: Any) -> list[int]:
    return sorted(one.properties["n"] for one in things.query.fetch_objects(limit=100).objects)


@pytest.fixture
def fake() -> Iterator[FakeWeaviate]:
    with FakeWeaviate() as fake:
        yield fake


@pytest.fixture
def three() -> Iterator[FakeWeaviate]:
    with FakeWeaviate(3) as fake:
        yield fake


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    with FakeWeaviate() as fake:
        return conversation(fake.addresses[0].http, fake.addresses[0].grpc)


@pytest.mark.parametrize("question", SAID)
def test_the_fake_says_what_a_real_server_said(question: str, told: dict[str, Any]) -> None:
    assert told[question] == SAID[question]


@pytest.mark.weaviate
def test_a_real_server_still_says_it(real_server: WeaviatePlace) -> None:
    node = real_server.nodes[0]
    told = conversation(node.http, node.grpc, real_server.api_key)
    assert {question: told[question] for question in SAID if told[question] != SAID[question]} == {}


def test_without_a_key_only_readiness_is_told() -> None:
    with FakeWeaviate(keys={"root": "admin"}) as fake:
        url = fake.addresses[0].http
        assert httpx.get(f"{url}/v1/.well-known/ready").status_code == 200
        answer = httpx.get(f"{url}/v1/schema")
        assert answer.status_code == 401
        assert "anonymous access not enabled" in answer.json()["message"]
        with pytest.raises(UnexpectedStatusCodeError, match="invalid api key"), client_of(fake, key="wrong"):
            pass


def test_a_key_for_reading_does_not_write() -> None:
    with FakeWeaviate(keys={"root": "admin", "eyes": "viewer"}) as fake:
        with client_of(fake, key="root") as root:
            put(things_of(root), 1)
        with client_of(fake, key="eyes") as eyes:
            things = eyes.collections.get("Things")
            assert numbers_of(things) == [1]
            with pytest.raises(WeaviateInsertManyAllFailedError, match="forbidden action: user 'reader'"):
                put(things, 2)
            with pytest.raises(InsufficientPermissionsError, match="forbidden action"):
                things.data.delete_many(where=Filter.by_id().equal(id_of(1)))
            with pytest.raises(InsufficientPermissionsError):
                eyes.collections.create("Other")


def test_a_delete_stops_at_the_servers_cap(fake: FakeWeaviate) -> None:
    fake.cluster.maximum_deleted = 4
    with client_of(fake) as client:
        things = things_of(client)
        put(things, *range(10))
        answers = [things.data.delete_many(where=Filter.by_property("n").greater_than(-1)) for _ in range(4)]
        assert [(one.matches, one.successful) for one in answers] == [(10, 4), (6, 4), (2, 2), (0, 0)]


def test_a_full_disk_takes_nothing_and_tells_why(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        put(things, 1)
        fake.cluster.read_only = faults.DISK_FULL
        with pytest.raises(WeaviateInsertManyAllFailedError, match="store is read-only due to: disk usage too high"):
            put(things, 2)
        fake.cluster.read_only = None
        put(things, 3)
        assert numbers_of(things) == [1, 3]


def test_some_objects_are_refused_and_the_others_taken(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        fake.faults.plan("BatchObjects", faults.some_objects_refused(0, 2), skip=1)
        assert [put(things, 1), put(things, 2, 3, 4), put(things, 5)] == [[], [0, 2], []]
        assert numbers_of(things) == [1, 3, 5]


def test_some_objects_are_acknowledged_and_lost(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        fake.faults.plan("BatchObjects", faults.some_objects_lost(1))
        assert put(things, 1, 2, 3) == []
        assert numbers_of(things) == [1, 3]


def test_an_answer_is_lost_after_the_work_is_done(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        fake.faults.plan("BatchObjects", faults.answer_lost())
        assert put(things, 1) == []
        assert fake.faults.count("BatchObjects") == 2
        assert numbers_of(things) == [1]


def test_a_slow_call_runs_into_the_clients_deadline(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        things.query.fetch_objects()
        fake.faults.plan("Search", faults.slow(2.2))
        with pytest.raises(WeaviateQueryError, match="Deadline Exceeded"):
            things.query.fetch_objects()


def test_too_little_memory_fails_the_whole_batch(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        fake.faults.plan("BatchObjects", faults.too_little_memory())
        with pytest.raises(WeaviateBatchError, match="cannot process batch: not enough memory"):
            put(things, 1)


def test_a_killed_node_cuts_its_connections_and_misses_what_is_written_meanwhile(three: FakeWeaviate) -> None:
    with client_of(three) as client, client_of(three, 2) as third:
        things = things_of(client, 3)
        put(things, 1)
        assert numbers_of(third.collections.get("Things")) == [1]
        three.kill(2)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{three.addresses[2].http}/v1/meta")
        put(things, 2)
        three.start(2)
        put(things, 3)
        with client_of(three, 2) as third_again:
            stale = third_again.collections.get("Things")
            assert httpx.get(f"{three.addresses[2].http}/v1/.well-known/ready").status_code == 200
            assert numbers_of(stale) == [1, 3]
            three.cluster.catch_up(2)
            assert numbers_of(stale) == numbers_of(things) == [1, 2, 3]


def test_too_few_nodes_take_no_write_and_know_no_leader(three: FakeWeaviate) -> None:
    with client_of(three) as client:
        things = things_of(client, 3)
        three.kill(1)
        assert put(things.with_consistency_level(ConsistencyLevel.QUORUM), 1) == []
        three.kill(2)
        with pytest.raises(WeaviateInsertManyAllFailedError, match="cannot reach enough replicas: required 2 replicas"):
            put(things.with_consistency_level(ConsistencyLevel.QUORUM), 2)
        assert put(things.with_consistency_level(ConsistencyLevel.ONE), 3) == []
        assert numbers_of(things) == [1, 3]
        assert httpx.get(f"{three.addresses[0].http}/v1/.well-known/ready").status_code == 503
        with pytest.raises(UnexpectedStatusCodeError, match="leader not found"):
            client.collections.create("More")


def test_each_node_tells_how_many_objects_it_has_on_disk(three: FakeWeaviate) -> None:
    with client_of(three) as client:
        things = things_of(client, 3)
        with three.deaf(1):
            put(things, 1, 2)
        assert [node.stats.object_count for node in client.cluster.nodes(output="verbose")] == [0, 0, 0]
        three.cluster.compact()
        assert [node.stats.object_count for node in client.cluster.nodes(output="verbose")] == [2, 0, 2]


def test_all_that_there_is_can_be_brought_back(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        put(things, 1)
        restore = fake.cluster.snapshot()
        put(things, 2)
        client.collections.delete("Things")
        restore()
        assert numbers_of(client.collections.get("Things")) == [1]


def test_writes_of_many_threads_are_all_kept(fake: FakeWeaviate) -> None:
    with client_of(fake) as client:
        things = things_of(client)
        threads = [threading.Thread(target=put, args=(things, n)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert numbers_of(things) == list(range(20))
