"""A file is started from what may be seen, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from bot.evaluation.answers.starting import started
from connectors.errors import Misconfigured, TryLater
from connectors.ledger.ledger import Vouched, Vouching
from connectors.model import Chunk, StoredChunk
from tests.bot.evaluation.answers.scripted import ScriptedAnswerer, ScriptedHouse

TAGS = frozenset({"source:docs"})


def chunk(document: str, heading: str, text: str) -> Chunk:
    return Chunk("docs", document, "1", "p", 0, "A page", (heading,), text, tags=TAGS)


SEEN = chunk("git:docs:open.md", "Roll back a release", "Wait for the train to stop.")
HIDDEN = chunk("git:docs:secret.md", "Raise a salary", "Salesforce says a million euros.")


@dataclass
class StoredHouse(ScriptedHouse):
    """Stores chunks, and vouches for those of open documents."""

    answerer: ScriptedAnswerer = field(default_factory=lambda: ScriptedAnswerer({}))
    chunks: Sequence[Chunk] = (SEEN, HIDDEN)

    @property
    def store(self) -> StoredHouse:
        return self

    def export(self, source: str) -> Iterator[StoredChunk]:
        yield from (StoredChunk(one, None) for one in self.chunks if one.source == source)

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        assert tags == TAGS
        open_ones = {one.chunk_id for one in chunks if "open" in one.document_id}
        told = Vouched("A page", "https://a.example", "https://a.example", (), None)
        return Vouching(dict.fromkeys(open_ones, told), {})


def test_what_may_not_be_seen_is_neither_asked_nor_known() -> None:
    house = StoredHouse()
    text = started(house, house, "company", 40)
    assert "How do I roll back a release (A page)?" in text
    assert "salary" not in text
    assert "“Salesforce” occurs nowhere in company." in text
    assert text == started(house, house, "company", 40)


def test_json_lines_have_no_remarks() -> None:
    house = StoredHouse()
    lines = started(house, house, "company", 1, as_lines=True).splitlines()
    assert lines[0] == '{"knowledge_base": "company"}'
    assert all(line.startswith('{"id": ') for line in lines[1:])


def test_without_anything_to_ask_about_there_is_a_sentence() -> None:
    empty = StoredHouse(chunks=[chunk("git:docs:open.md", "1.0", "…")])
    with pytest.raises(TryLater, match="Nothing in “company” could be made into a question"):
        started(empty, empty, "company", 40)
    with pytest.raises(TryLater, match="Never synced yet: docs"):
        started(StoredHouse(synced={}), empty, "company", 40)
    with pytest.raises(Misconfigured, match="no knowledge base called “none”"):
        started(empty, empty, "none", 40)
