"""Backup and restore, as deploy/README.md says them: on a real server, with the store that Quoth uses."""

from __future__ import annotations

import secrets
import time
import urllib.error
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.model import Candidate, StoreStats
from connectors.store.weaviate.place import WeaviatePlace
from connectors.store.weaviate_store import WeaviateStore
from tests.contracts.store_contract import asked as question
from tests.contracts.store_contract import chunks, direction
from tests.weaviate_servers import WeaviateNodes, asked, why_there_is_no_cluster

BACKUPS = "/v1/backups/filesystem"
SECONDS = 90.0
ROLLBACK = "How is a release rolled back?"


def opened(place: WeaviatePlace) -> WeaviateStore:
    return WeaviateStore(place, "fingerprint", owner="5f0c1d")


def fill(store: WeaviateStore) -> None:
    """Two documents with vectors, found under the alias."""
    written = [
        *chunks("release", "A release is rolled back by hand.", "Ask the one on call."),
        *chunks("desk", "Mice."),
    ]
    for document in {chunk.document_id for chunk in written}:
        store.put([chunk for chunk in written if chunk.document_id == document])
    store.embed({chunk.chunk_id: direction(1, place) for place, chunk in enumerate(written)})
    store.publish()


def known_of(store: WeaviateStore) -> tuple[StoreStats, list[Candidate]]:
    """What a store holds and how it answers."""
    return store.stats(), store.search(question(ROLLBACK, direction(1, 1)))


def finished(place: WeaviatePlace, path: str) -> None:
    """Wait until the server has done what it was asked to begin."""
    ends = time.monotonic() + SECONDS
    while (told := asked(place, "GET", path))["status"] != "SUCCESS":  # type: ignore[index]
        assert told["status"] in ("STARTED", "TRANSFERRING", "TRANSFERRED", "FINALIZING"), told  # type: ignore[index]
        assert time.monotonic() < ends, told
        time.sleep(0.1)


def back_up(place: WeaviatePlace) -> str:
    """A new backup of the place's collections, whose name is returned; a server that can make none is passed over.

    Weaviate names the logs of its graph by the second, and leaves out the one of the present second ([S] v1.39.0,
    adapters/repos/db/vector/hnsw/backup.go): a backup in the second of a collection's birth would find no vector.
    """
    time.sleep(1.1)
    name = f"test-{secrets.token_hex(6)}"
    try:
        asked(place, "POST", BACKUPS, {"id": name, "include": [f"{place.collection}*"]})
    except urllib.error.HTTPError as error:
        error.close()
        pytest.skip("this Weaviate has no backup-filesystem module, or several nodes")
    finished(place, f"{BACKUPS}/{name}")
    return name


def restore(place: WeaviatePlace, name: str) -> None:
    asked(place, "POST", f"{BACKUPS}/{name}/restore", {})
    finished(place, f"{BACKUPS}/{name}/restore")


def aliases_of(place: WeaviatePlace) -> dict[str, str]:
    told = asked(place, "GET", "/v1/aliases")
    assert isinstance(told, dict)
    return {alias["alias"]: alias["class"] for alias in told["aliases"]}


def replace_the_release(store: WeaviateStore) -> None:
    """What a sync does when a page was edited."""
    newer = chunks("release", "A release is rolled back by the pipeline.", version="2")
    store.put(newer)
    store.retire("wiki", {newer[0].document_id: ("2", newer[0].pipeline)})


@pytest.mark.weaviate
def test_what_was_dropped_is_restored_with_its_alias_and_answers_the_same(weaviate_place: WeaviatePlace) -> None:
    with closing(opened(weaviate_place)) as store:
        fill(store)
        before = known_of(store)
        name = back_up(weaviate_place)
        store.drop()

    restore(weaviate_place, name)

    with closing(opened(weaviate_place)) as store:
        assert known_of(store) == before
    assert aliases_of(weaviate_place)[weaviate_place.collection] == f"{weaviate_place.collection}_fingerprint"


@pytest.mark.weaviate
def test_a_server_backs_up_no_alias_by_its_name(weaviate_place: WeaviatePlace) -> None:
    """Why the page says a pattern: the alias is the one name that people know."""
    with closing(opened(weaviate_place)) as store:
        fill(store)
    with pytest.raises(urllib.error.HTTPError, match="422") as refused:
        asked(weaviate_place, "POST", BACKUPS, {"id": "by-alias", "include": [weaviate_place.collection]})
    refused.value.close()


@pytest.mark.weaviate
def test_a_restored_index_that_is_older_takes_up_what_was_written_since(weaviate_place: WeaviatePlace) -> None:
    with closing(opened(weaviate_place)) as store:
        fill(store)
        name = back_up(weaviate_place)
        replace_the_release(store)
        today = known_of(store)
        store.drop()

    restore(weaviate_place, name)

    with closing(opened(weaviate_place)) as store:
        assert store.stats().digest != today[0].digest
        replace_the_release(store)
        assert known_of(store) == today


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[WeaviateNodes]:
    if reason := why_there_is_no_cluster():
        pytest.skip(reason)
    with WeaviateNodes(tmp_path) as nodes:
        yield nodes


@pytest.mark.chaos
@pytest.mark.weaviate
def test_an_empty_server_becomes_what_was_backed_up(own_server: WeaviateNodes) -> None:
    with closing(opened(own_server.place())) as store:
        fill(store)
        before = known_of(store)
    name = back_up(own_server.place())
    own_server.kill()
    own_server.wipe()
    own_server.start()

    restore(own_server.place(), name)

    with closing(opened(own_server.place())) as store:
        assert known_of(store) == before
