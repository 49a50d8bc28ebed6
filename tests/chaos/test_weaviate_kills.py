"""A sync into a real Weaviate, or the server itself, is killed at any moment: the next sync makes good."""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from connectors.ledger.tables import documents, holdings, owed, quarantine
from connectors.model import Vector
from connectors.store.weaviate.place import WeaviatePlace
from tests.chaos.sync_kills import after, before
from tests.chaos.test_sync_kills import TAGS, answers_of, whole, without
from tests.chaos.weaviate_kills import SOURCES, WeaviateHouse, WeaviateKill, housed, place_to_json
from tests.weaviate_servers import WeaviateNodes, why_there_is_no_cluster

ROOT = Path(__file__).parents[2]
SECONDS = 500


def kills_of(folder: Path, place: WeaviatePlace, count: int, seed: int) -> list[WeaviateKill]:
    command = [sys.executable, "-m", "tests.chaos.weaviate_kills", str(folder), str(count), str(seed)]
    told = subprocess.run(
        command, cwd=ROOT, input=place_to_json(place), capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert told.returncode == 0, told.stderr[-2000:]
    return [WeaviateKill(**kill) for kill in json.loads((folder / "killed.json").read_text())]


def ledger_of(house: WeaviateHouse) -> dict[str, Any]:
    """What the ledger says, but for the times."""
    with house.ledger.database.read() as connection:
        return {
            table.name: sorted(
                json.dumps(
                    {k: v for k, v in row._mapping.items() if k not in ("held_since", "updated_at")}, sort_keys=True
                )
                for row in connection.execute(sa.select(table))
            )
            for table in (documents, holdings, quarantine, owed)
        }


def state_of(house: WeaviateHouse) -> dict[str, Any]:
    """What ledger and store say, in the form in which one document can be left out of it."""
    stored = {replace(entry.chunk, seal=""): None for entry in house.store.export("fake")}
    return ledger_of(house) | {"store": stored}


def vectors_of(house: WeaviateHouse) -> dict[str, Vector | None]:
    return {entry.chunk.chunk_id: entry.vector for entry in house.store.export("fake")}


def assert_equal(one: Mapping[str, Vector | None], other: Mapping[str, Vector | None]) -> None:
    for chunk_id in one.keys() & other.keys():
        here, there = one[chunk_id], other[chunk_id]
        assert here is not None
        assert there is not None
        assert np.allclose(here, there, atol=1e-5)


def assert_made_good(house: WeaviateHouse, scenario: str, truth: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Everything is as after a fresh sync into nothing, and every chunk that is held is vouched for."""
    state, vectors = truth
    # A fresh sync knows nothing of the old version of a page that cannot be read now.
    assert without(state_of(house), "broken") == without(state, "broken")
    assert_equal(vectors_of(house), vectors)
    chunks = [entry.chunk for entry in house.store.export("fake")]
    assert len(house.ledger.vouch(chunks, TAGS).vouched) == len(chunks) == house.store.stats("fake").chunks
    if scenario == "change":
        assert answers_of(house)["fake:fake:broken"] == whole(before())["fake:fake:broken"]  # type: ignore[arg-type]


def truths_of(folder: Path, place: WeaviatePlace) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    found = {}
    for scenario, source in SOURCES.items():
        fresh = replace(place, collection=f"{place.collection}T{scenario}")
        with housed(folder / f"truth-{scenario}", fresh) as house:
            assert house.synced(source()).status == "ok"
            found[scenario] = state_of(house), vectors_of(house)
    return found


def assert_all_made_good(kills: list[WeaviateKill], place: WeaviatePlace, folder: Path) -> None:
    truths = truths_of(folder, place)
    old, new = whole(before()), whole(after())
    for kill in kills:
        with housed(Path(kill.folder), replace(place, collection=kill.collection)) as house:
            for document_id, answer in answers_of(house).items():  # type: ignore[arg-type]
                assert answer in (old.get(document_id), new.get(document_id)), (kill, document_id)
            assert house.synced(SOURCES[kill.scenario]()).status == "ok", kill
            assert_made_good(house, kill.scenario, truths[kill.scenario])


@pytest.mark.weaviate
@pytest.mark.timeout(SECONDS)
def test_the_sync_after_a_killed_one_makes_good(weaviate_place: WeaviatePlace, tmp_path: Path) -> None:
    kills = kills_of(tmp_path, weaviate_place, 4, seed=4)
    assert not all(kill.done for kill in kills)
    assert_all_made_good(kills, weaviate_place, tmp_path)


@pytest.mark.chaos
@pytest.mark.timeout(2 * SECONDS)
def test_the_sync_after_any_of_many_killed_ones_makes_good(weaviate_place: WeaviatePlace, tmp_path: Path) -> None:
    kills = kills_of(tmp_path, weaviate_place, 40, seed=40)
    assert sum(not kill.done for kill in kills) >= 20
    assert_all_made_good(kills, weaviate_place, tmp_path)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_a_server_killed_during_a_sync_loses_nothing_for_good(tmp_path: Path) -> None:
    if reason := why_there_is_no_cluster():
        pytest.skip(reason)
    chance, lost = random.Random(20), 0
    with WeaviateNodes(tmp_path / "server") as server:
        place = replace(server.place(), collection=f"Test{secrets.token_hex(4)}")
        truth = truths_of(tmp_path, place)["change"]
        for i in range(20):
            mine = replace(place, collection=f"{place.collection}S{i}")
            with housed(tmp_path / f"house{i}", mine) as house:
                assert house.synced(before()).status == "ok"
                syncing = threading.Thread(target=house.sync.reconcile, args=[after()])
                syncing.start()
                time.sleep(chance.random() * 0.6)
                server.kill()
                server.start()
                syncing.join(120)
                stats, totals = house.store.stats("fake"), house.ledger.figures()[0]
                lost += stats.chunks != totals.chunks
                assert house.synced(after()).status == "ok"
                assert_made_good(house, "change", truth)
    sys.stderr.write(f"\nin {lost} of 20 the store held something else than the ledger said, the server being back\n")
