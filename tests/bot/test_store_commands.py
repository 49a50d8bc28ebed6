"""An index moves between stores by one command, and status and doctor say how a Weaviate stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import console
from bot.app import Quoth
from bot.config_file import settings_of
from bot.doctor import Check, store_checks
from bot.settings import Environment
from bot.status import status_of
from connectors.errors import TryLater
from connectors.store.weaviate import executable as embedded
from tests.bot.test_cli import Run, run
from tests.contracts.store_contract import chunks
from tests.fakes.weaviate.server import FakeWeaviate

__all__ = ["run"]

SOURCES = "sources: {handbook: {type: git, url: ./handbook}}\nknowledge_bases: {eng: {sources: [handbook]}}\n"
COPY = ("store", "copy", "--to", "other.yaml")
QUESTION = ("search", "--kb", "eng", "--json", "How do I roll a deployment back?")


@pytest.fixture
def weaviate() -> Iterator[FakeWeaviate]:
    with FakeWeaviate(3) as fake:
        yield fake


def other(text: str) -> None:
    Path("other.yaml").write_text(SOURCES + text)


def told_of(weaviate: FakeWeaviate) -> str:
    urls, grpcs = ([getattr(node, name) for node in weaviate.addresses] for name in ("http", "grpc"))
    return f"store: {{backend: weaviate, url: {urls}, grpc_url: {grpcs}, replicas: {len(urls)}}}"


def test_a_weaviate_answers_the_same_once_copied_and_so_does_the_file_again(run: Run, weaviate: FakeWeaviate) -> None:
    other(told_of(weaviate))
    run("sync")
    (before,) = run(*QUESTION).objects

    copied = run(*COPY, "--json")
    there = run(*QUESTION, "--config", "other.yaml").objects[0]
    standing = run("status", "--json", "--config", "other.yaml").objects[0]["store"]
    back = run("store", "copy", "--config", "other.yaml", "--to", "quoth.yaml")
    here = run(*QUESTION).objects[0]

    assert copied.code == back.code == 0
    assert set(copied.objects[0]) == {"documents", "chunks", "embedded", "copied", "seconds"}
    assert copied.objects[0]["copied"] == 1
    assert standing["backend"] == "weaviate"
    assert standing["chunks"] == copied.objects[0]["chunks"] == copied.objects[0]["embedded"]
    for after in (there, here):
        assert [one["text"] for one in after["passages"]] == [one["text"] for one in before["passages"]]
    assert "count and digest were compared" in back.out


def test_another_data_dir_answers_the_same_once_copied(run: Run) -> None:
    other("data_dir: elsewhere")
    run("sync")

    assert run(*COPY, "--json").objects[0]["copied"] == 1
    assert run(*COPY, "--json").objects[0]["copied"] == 0
    assert run(*QUESTION, "--config", "other.yaml").objects[0]["passages"] == run(*QUESTION).objects[0]["passages"]
    assert run("sync", "--json", "--config", "other.yaml").objects[0]["unchanged"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names the very store that answers now"),
        ("data_dir: elsewhere\nembeddings: openai:text-embedding-3-small", "A copy keeps the vectors"),
        ("store: {backend: chroma}", "other.yaml: line 3: store: has an unknown backend"),
    ],
)
def test_a_copy_that_cannot_be_is_bad_usage(run: Run, text: str, said: str) -> None:
    other(text)
    run("sync")

    refused = run(*COPY)

    assert refused.code == 2
    assert said in refused.err


def test_a_quoth_with_documents_of_its_own_is_not_overwritten(run: Run) -> None:
    other("data_dir: elsewhere")
    run("sync")
    run("sync", "--config", "other.yaml")

    refused = run(*COPY)

    assert refused.code == 2
    assert "1 documents of handbook that did not come from here" in refused.err


def test_sources_that_the_other_file_does_not_name_are_left_out(run: Run) -> None:
    Path("other.yaml").write_text("data_dir: elsewhere\n")
    run("sync")

    copied = run(*COPY, "--json")

    assert copied.objects[0]["documents"] == 0
    assert "Not named there, so left out: handbook" in copied.err


@pytest.fixture
def house(tmp_path: Path, weaviate: FakeWeaviate) -> Iterator[Quoth]:
    """A Quoth on three nodes that hold one chunk."""
    (tmp_path / "quoth.yaml").write_text(f"reranker: none\n{told_of(weaviate)}")
    with Quoth(settings_of(tmp_path / "quoth.yaml"), Environment()) as house:
        house.store.put(chunks("a", "vpn one"))
        yield house


def checked(house: Quoth) -> dict[str, Check]:
    return {check.check: check for check in store_checks(house)}


def test_the_node_that_is_dead_and_the_one_that_lags_are_named(house: Quoth, weaviate: FakeWeaviate) -> None:
    with weaviate.deaf(2):
        house.store.put(chunks("b", "vpn two"))
    weaviate.kill(1)

    found, told = checked(house), status_of(house)["store"]
    nodes = [found[f"store node {node.http}"] for node in weaviate.addresses]

    assert [check.ok for check in nodes] == [True, False, False]
    assert "version 1.39.0, ready, 2 chunks" in nodes[0].found
    assert "Start it" in (nodes[1].mend or "")
    assert "lags behind" in (nodes[2].mend or "")
    assert [(node["ready"], node["lagging"]) for node in told["nodes"]] == [(True, False), (False, False), (True, True)]
    assert told["building"] is None


def test_a_node_that_takes_no_writes_is_named(house: Quoth, weaviate: FakeWeaviate) -> None:
    weaviate.cluster.read_only = "disk usage too high"

    mends = [check.mend for name, check in checked(house).items() if "node" in name]

    assert len(mends) == 3
    assert all("takes no writes" in (mend or "") for mend in mends)


def test_a_store_that_is_down_is_a_sentence(house: Quoth, weaviate: FakeWeaviate) -> None:
    weaviate.close()

    found = checked(house)

    assert not any(check.ok for check in found.values())
    assert "Weaviate" in (found["store"].mend or "")
    with pytest.raises(TryLater, match="Weaviate"):
        status_of(house)


def test_a_doctor_counts_replicas_and_nodes(tmp_path: Path, weaviate: FakeWeaviate) -> None:
    node = weaviate.addresses[0]
    (tmp_path / "quoth.yaml").write_text(
        f"store: {{backend: weaviate, url: '{node.http}', grpc_url: '{node.grpc}', replicas: 3}}"
    )
    with Quoth(settings_of(tmp_path / "quoth.yaml"), Environment()) as house:
        found = checked(house)["store"]

    assert found.ok
    assert "3 replicas, but url names 1 nodes" in (found.mend or "")


def test_a_doctor_says_where_the_embedded_executable_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "binary_place", lambda: tmp_path / "weaviate-v1")
    (tmp_path / "quoth.yaml").write_text("store: {backend: weaviate, url: embedded}")
    with Quoth(settings_of(tmp_path / "quoth.yaml"), Environment()) as house:
        first = next(store_checks(house))

    assert (first.check, first.ok) == ("store executable", True)
    assert f"put it to {tmp_path / 'weaviate-v1'}" in (first.mend or "")


def test_a_status_says_in_words_how_nodes_stand_and_how_far_another_index_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nodes = [
        {"name": "a", "ready": True, "lagging": False, "chunks": 7},
        {"name": "b", "ready": True, "lagging": True, "chunks": 5},
        {"name": "c", "ready": False, "lagging": False, "chunks": None},
    ]
    building = {"documents": 3, "of": 9, "chunks": 20, "embedded": 4}
    store = {"backend": "weaviate", "chunks": 7, "documents": 2, "nodes": nodes, "building": building}

    backfill = {"running": True, "embedded": 4, "chunks": 27, "per_second": 2.0, "seconds_left": 12, "error": None}
    queue = {"runs": 0, "questions": 0}
    console.show_status({"sources": [], "store": store, "queue": queue, "backfill": backfill, "model": "quotes"})

    said = capsys.readouterr().out
    assert "✓ a: ready, 7 chunks" in said
    assert "✗ b: ready, but lags behind the others, 5 chunks" in said
    assert "✗ c: does not answer" in said
    assert "3 of 9 documents, 4 of 20 chunks embedded" in said
