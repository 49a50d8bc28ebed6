"""A sync may be killed between any two effects: the next one makes good, and nothing was ever half answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.ledger.tables import documents, holdings, indexes, owed, quarantine
from connectors.model import source_tag
from connectors.sync.course import Boundary
from connectors.text.chunking import chunks_of
from tests.chaos.sync_kills import SCENARIOS, House, after, before
from tests.fakes.connectors import JournalConnector

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
TAGS = frozenset({source_tag("fake")})
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}

FRESH = {
    "first": "first",
    "half-embedded": "first",
    "change": "change",
    "debt": "change",
    "given-up": "change",
    "build": "build",
    "half-built": "build",
}
"""The scenario whose fresh sync must be equalled; where somebody seems to have emptied the source there is none."""


@dataclass(frozen=True)
class Kill:
    scenario: str
    boundary: str
    nth: int
    folder: str


@pytest.fixture(scope="module", params=["once", pytest.param("often", marks=pytest.mark.chaos)])
def kills(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Kill]:
    folder = tmp_path_factory.mktemp("kills")
    command = [sys.executable, "-m", "tests.chaos.sync_kills", str(folder), request.param]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=400)
    assert told.returncode == 0, told.stderr[-2000:]
    return [Kill(**kill) for kill in json.loads((folder / "killed.json").read_text())]


@pytest.fixture(scope="module")
def truths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a fresh sync into nothing says, by scenario."""
    found = {}
    for name in set(FRESH.values()):
        folder = tmp_path_factory.mktemp(f"truth-{name}")
        house = House(folder, model=BY_NAME[name].model)
        house.synced(BY_NAME[name].source())
        found[name] = state_of(house)
        house.close()
    # A fresh sync knows nothing of the old version of a page that cannot be read, nor of a source that is gone.
    return found


def state_of(house: House) -> dict[str, Any]:
    """All that ledger and store say, but for the key and the times."""
    with house.ledger.database.read() as connection:
        rows = {
            table.name: sorted(
                json.dumps(
                    {k: v for k, v in row._mapping.items() if k not in ("held_since", "updated_at")}, sort_keys=True
                )
                for row in connection.execute(sa.select(table))
            )
            for table in (documents, holdings, quarantine, owed, indexes)
        }
    stored = {
        replace(entry.chunk, seal=""): None if entry.vector is None else entry.vector.tobytes()
        for entry in house.store.export("fake")
    }
    return rows | {"store": stored}


def without(state: dict[str, Any], name: str) -> dict[str, Any]:
    """The state but for one document."""
    document_id = f"fake:fake:{name}"
    rows = {table: [row for row in kept if document_id not in row] for table, kept in state.items() if table != "store"}
    return rows | {"store": {c: v for c, v in state["store"].items() if c.document_id != document_id}}


def answers_of(house: House) -> dict[str, set[tuple[str, int]]]:
    """The version and the ordinals of every chunk that is vouched for, by document."""
    chunks = [entry.chunk for entry in house.store.export("fake")]
    vouched = house.ledger.vouch(chunks, TAGS).vouched
    found: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for chunk in chunks:
        if chunk.chunk_id in vouched:
            found[chunk.document_id].add((chunk.version, chunk.ordinal))
    return dict(found)


def whole(source: JournalConnector) -> dict[str, set[tuple[str, int]]]:
    """What the answers of a source are when every page is there as a whole."""
    return {
        page.document_id: {(page.version, chunk.ordinal) for chunk in chunks_of(page, "any")}
        for name, page in source.pages.items()
        if name not in source.restricted
    }


def test_every_boundary_was_died_at(kills: list[Kill]) -> None:
    assert {kill.boundary for kill in kills} == {boundary.value for boundary in Boundary}
    assert len(kills) >= 50


@pytest.mark.parametrize("boundary", list(Boundary))
def test_a_killed_sync_left_every_answer_whole(boundary: Boundary, kills: list[Kill]) -> None:
    old, new = whole(before()), whole(after())
    for kill in (kill for kill in kills if kill.boundary == boundary):
        house = House(Path(kill.folder), model=BY_NAME[kill.scenario].model)
        answers = answers_of(house)
        house.close()
        for document_id, chunks in answers.items():
            assert chunks in (old.get(document_id), new.get(document_id)), (kill, document_id)
        if kill.scenario.startswith("emptied"):
            assert answers == old, kill
        elif FRESH[kill.scenario] != "first":
            assert {f"fake:fake:{name}" for name in ("edited", "moved", "broken", "same")} <= answers.keys(), kill


@pytest.mark.parametrize("boundary", list(Boundary))
def test_the_next_sync_makes_good(boundary: Boundary, kills: list[Kill], truths: dict[str, Any]) -> None:
    for kill in (kill for kill in kills if kill.boundary == boundary):
        scenario = BY_NAME[kill.scenario]
        house = House(Path(kill.folder), model=scenario.model)
        report = house.synced(scenario.source())
        state, answers = state_of(house), answers_of(house)
        house.close()
        assert report.status == "ok", kill
        assert [path.name for path in Path(kill.folder).glob("index-*")] == [f"index-{scenario.model}.sqlite3"], kill
        assert state["owed"] == [], kill
        if kill.scenario.startswith("emptied"):
            assert (report.held, answers) == (len(whole(before())), whole(before())), kill
            continue
        truth = truths[FRESH[kill.scenario]]
        assert without(state, "broken") == without(truth, "broken"), kill
        if FRESH[kill.scenario] != "first":
            assert answers["fake:fake:broken"] == whole(before())["fake:fake:broken"], kill
