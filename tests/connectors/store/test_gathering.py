"""Chunks that come in any order are whole documents again in the end, however few of them fit into memory."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from connectors.model import Chunk, StoredChunk
from connectors.store.gathering import Gathering

SIZES = {f"d{n}": n % 7 + 1 for n in range(40)}


def stored(document_id: str, ordinal: int) -> StoredChunk:
    vector = np.array([ordinal, 1], np.float32) if ordinal % 2 else None
    return StoredChunk(Chunk("wiki", document_id, "1", "p", ordinal, "T", (), f"{document_id} {ordinal}"), vector)


@pytest.mark.parametrize("in_memory", [1, 5, 1_000])
def test_whole_documents_come_out_in_order(tmp_path: Path, in_memory: int) -> None:
    told = [stored(document_id, ordinal) for document_id, size in SIZES.items() for ordinal in range(size)]
    random.Random(7).shuffle(told)

    with Gathering(tmp_path, in_memory) as gathering:
        whole = [chunks for one in told if (chunks := gathering.add(one, SIZES[one.chunk.document_id]))]

    assert {chunks[0].chunk.document_id: len(chunks) for chunks in whole} == SIZES
    for chunks in whole:
        assert [one.chunk for one in chunks] == [stored(c.chunk.document_id, n).chunk for n, c in enumerate(chunks)]
        assert [one.vector is not None for one in chunks] == [bool(n % 2) for n in range(len(chunks))]


def test_a_chunk_told_twice_counts_once(tmp_path: Path) -> None:
    with Gathering(tmp_path, in_memory=1) as gathering:
        assert not gathering.add(stored("d", 0), 2)
        assert not gathering.add(stored("d", 0), 2)
        assert len(gathering.add(stored("d", 1), 2)) == 2


def test_nothing_stays_in_the_folder(tmp_path: Path) -> None:
    with Gathering(tmp_path, in_memory=1) as gathering:
        gathering.add(stored("d", 0), 2)

        assert list(tmp_path.iterdir()) == []
