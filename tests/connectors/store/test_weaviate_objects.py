from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from weaviate.proto.v1 import base_pb2, properties_pb2, search_get_pb2

from connectors.store.weaviate.bags import bag_of
from connectors.store.weaviate.objects import EVERYTHING, IDENTITY, fields_of, newest_of, object_of, same, stored_of
from tests.contracts.store_contract import chunks, direction


def given_back(uuid: str, fields: dict[str, Any], updated: int = 1, vector: bytes = b"") -> search_get_pb2.SearchResult:
    """A result as a server sends it."""
    held = properties_pb2.Properties()
    for name, value in fields.items():
        match value:
            case bool():
                held.fields[name].bool_value = value
            case int():
                held.fields[name].int_value = value
            case str():
                held.fields[name].text_value = value
            case list():
                held.fields[name].list_value.text_values.values.extend(value)
            case None:
                held.fields[name].null_value = 0
    vectors = [base_pb2.Vectors(name="default", vector_bytes=vector)] if vector else []
    return search_get_pb2.SearchResult(
        properties=search_get_pb2.PropertiesResult(non_ref_props=held),
        metadata=search_get_pb2.MetadataResult(id=uuid, last_update_time_unix=updated, vectors=vectors),
    )


def stored(*results: search_get_pb2.SearchResult) -> list[Any]:
    return stored_of(search_get_pb2.SearchReply(results=results))


def test_a_chunk_comes_back_from_its_properties() -> None:
    put = chunks("a", "The *first* one.", "Größe & 検索\n\ttabs", tags=["label:x"])
    put.append(replace(put[0], ordinal=2, headings=(), tags=frozenset(), first_line=None, last_line=None, anchor=""))
    rows = stored(*(given_back(uuid, dict(fields)) for uuid, fields in fields_of(put).items()))
    assert [row.chunk for row in rows] == put
    assert [row.chunk.chunk_id for row in rows] == [row.uuid for row in rows]


def test_an_id_needs_no_content() -> None:
    (chunk,) = chunks("a", "one", tags=["label:x"])
    ((uuid, fields),) = fields_of([chunk]).items()
    (row,) = stored(given_back(uuid, {name: fields[name] for name in IDENTITY}))
    assert row.identity.chunk_id == row.chunk.chunk_id == uuid
    assert row.chunk.tags == frozenset()


def test_what_a_server_says_is_null_is_absent() -> None:
    (row,) = stored(given_back("a", {"text": "one", "card": None}))
    assert row.fields == {"text": "one"}
    assert row.text("card") == ""


CARD = ["wiki", "wiki:a", "1", "p", 0, "Page", ["H"], 1, 2, None, ["source:wiki"], "seal"]


@pytest.mark.parametrize(
    "card",
    [
        "",
        "{",
        "[" * 100_000,
        "{}",
        "[]",
        json.dumps([*CARD, 1]),
        *(json.dumps([*CARD[:i], {}, *CARD[i + 1 :]]) for i in range(len(CARD))),
        json.dumps([*CARD[:6], [1], *CARD[7:]]),
    ],
)
def test_a_card_that_somebody_has_spoiled_is_nobodys(card: str) -> None:
    (row,) = stored(given_back("a", {"card": card, "text": "one"}))
    assert row.chunk.chunk_id != row.uuid
    assert row.chunk.tags == frozenset()


def test_the_words_of_the_head_count_twice_among_the_searchable_ones() -> None:
    first, second, third = fields_of(chunks("a", "Zebras cross.", "Reset the VPN.", "Rest.", title="Traffic")).values()
    firsts, seconds, thirds = (str(fields["terms"]).split() for fields in (first, second, third))
    head, body = firsts[:3], seconds[6:]
    assert seconds[:6] == [*head, *head]
    assert second["bag"] == bag_of(head, body, [*firsts[6:], *thirds[6:]])


def test_an_object_has_exactly_the_properties_of_the_collection() -> None:
    (chunk,) = chunks("a", "one", tags=["label:x"])
    full = replace(chunk, anchor="there")
    ((uuid, fields),) = fields_of([full]).items()
    sent = object_of("Quoth_x", uuid, fields, direction(1))
    lists = {one.prop_name for one in sent.properties.text_array_properties}
    assert {*sent.properties.non_ref_properties.fields, *lists} == set(EVERYTHING)
    assert sent.properties.non_ref_properties["embedded"] is True
    assert object_of("Quoth_x", uuid, fields, None).properties.non_ref_properties["embedded"] is False
    assert np.frombuffer(sent.vectors[0].vector_bytes, "<f4").tolist() == direction(1).tolist()


@pytest.mark.parametrize("name", sorted(set(EVERYTHING) - {"embedded"}))
def test_any_change_but_a_vector_makes_another_object(name: str) -> None:
    (fields,) = fields_of([replace(chunks("a", "one")[0], anchor="there", ordinal=3)]).values()
    other = {**fields, name: 99 if isinstance(fields[name], int) else ["x"] if isinstance(fields[name], list) else "x"}
    assert same(fields, {**fields, "embedded": True})
    assert not same(fields, other)


def test_of_two_nodes_the_one_that_was_written_last_is_believed() -> None:
    old = stored(given_back("a", {"text": "old"}, updated=1), given_back("b", {"text": "only"}, updated=1))
    new = stored(given_back("a", {"text": "new"}, updated=2))
    for found in ([old, new], [new, old]):
        assert {uuid: row.text("text") for uuid, row in newest_of(found).items()} == {"a": "new", "b": "only"}
