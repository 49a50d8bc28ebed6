"""A seal proves that a chunk is, word for word, what this knowledge base wrote."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.ledger.seals import is_sealed, seal
from connectors.model import Chunk

KEY = b"k" * 32
CHUNK = Chunk(
    "fake", "fake:fake:a", "1", "p", 0, "Title", ("One", "Two"), "Text.", 3, 9, "one-two", frozenset({"source:fake"})
)


def test_a_sealed_chunk_is_recognised() -> None:
    assert is_sealed(KEY, seal(KEY, CHUNK))


def test_another_key_did_not_seal_it() -> None:
    assert not is_sealed(b"x" * 32, seal(KEY, CHUNK))


@pytest.mark.parametrize("nonsense", ["", "abc", "ü" * 64, "\ud800"])
def test_nonsense_is_no_seal(nonsense: str) -> None:
    assert not is_sealed(KEY, replace(CHUNK, seal=nonsense))


@pytest.mark.parametrize(
    "change",
    [
        {"source": "other"},
        {"document_id": "fake:fake:b"},
        {"version": "2"},
        {"pipeline": "q"},
        {"ordinal": 1},
        {"title": "Another"},
        {"headings": ("One",)},
        {"headings": ("OneTwo",)},
        {"text": "Text!"},
        {"first_line": 4},
        {"last_line": None},
        {"anchor": None},
        {"tags": frozenset({"source:fake", "source:other"})},
        {"title": "Title\x00One", "headings": ("Two",)},
    ],
)
def test_whatever_is_changed_breaks_the_seal(change: dict[str, Any]) -> None:
    assert not is_sealed(KEY, replace(seal(KEY, CHUNK), **change))


def test_text_that_no_encoding_takes_can_be_sealed() -> None:
    assert is_sealed(KEY, seal(KEY, replace(CHUNK, text="half \ud83d a pair")))
