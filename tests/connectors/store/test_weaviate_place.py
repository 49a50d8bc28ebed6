from __future__ import annotations

import pytest

from connectors.store.weaviate.place import Consistency, Node, WeaviatePlace


def place(replicas: int, consistency: Consistency, nodes: int) -> WeaviatePlace:
    found = tuple(Node(f"http://node{i}:8080", f"node{i}:50051") for i in range(nodes))
    return WeaviatePlace(found, "the key", replicas=replicas, consistency=consistency)


@pytest.mark.parametrize("consistency", ["one", "quorum", "all"])
@pytest.mark.parametrize("replicas", [1, 2, 3, 4, 5, 7])
def test_every_read_meets_every_acknowledged_write(replicas: int, consistency: Consistency) -> None:
    asked = place(replicas, consistency, nodes=replicas)
    assert asked.readers + asked.acknowledgements == replicas + 1


def test_no_more_nodes_are_asked_than_are_named() -> None:
    assert place(3, "one", nodes=1).readers == 1
    assert place(3, "one", nodes=2).readers == 2


def test_the_key_is_not_shown() -> None:
    assert "the key" not in repr(place(1, "quorum", nodes=1))


@pytest.mark.parametrize(("nodes", "replicas"), [(0, 1), (1, 0)])
def test_a_place_without_nodes_or_replicas_does_not_exist(nodes: int, replicas: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        place(replicas, "quorum", nodes)
