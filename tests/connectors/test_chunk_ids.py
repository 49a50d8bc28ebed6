"""A chunk's id is a UUID of version 5, made by hand for speed: it must stay what the standard library makes."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from connectors.model import Chunk

NAMESPACE = uuid.UUID("3f6f7a52-5a43-5b0e-9d3e-6f3f1a2b7c11")
WORDS = st.text(st.characters(exclude_categories=["Cs"]))


@given(WORDS, WORDS, WORDS, WORDS, st.integers(0, 10_000))
def test_a_chunk_id_is_the_uuid_that_the_standard_library_makes(
    source: str, document_id: str, version: str, pipeline: str, ordinal: int
) -> None:
    chunk = Chunk(source, document_id, version, pipeline, ordinal, title="", headings=(), text="")

    name = "\0".join((source, document_id, version, pipeline, str(ordinal)))
    assert chunk.chunk_id == str(uuid.uuid5(NAMESPACE, name))
