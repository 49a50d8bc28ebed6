"""A file's sources are the right documents of its questions, in whatever words they are named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.answering.model import Question, Retrieved
from bot.evaluation.answers.finding import found
from bot.evaluation.answers.reading import questions_in
from connectors.errors import Misconfigured, TryLater
from tests.bot.evaluation.answers.answered import passage
from tests.bot.evaluation.answers.scripted import ScriptedAnswerer, ScriptedHouse

FILE = """
knowledge_base: company
questions:
  - {ask: first, facts: [x], sources: [b.md]}
  - {ask: second, facts: [x], sources: [The page, "7"], turns: [[user, before]]}
  - {ask: third, facts: [x]}
  - {ask: fourth, expect: nothing}
"""
PASSAGES = (
    passage("git:docs:a.md", "x"),
    passage("git:docs:b.md", "x"),
    passage("git:docs:b.md", "y"),
    passage("git:docs:sub/b.md", "x"),
    passage("confluence:wiki:7", "x", title="The Page"),
)


@dataclass
class SearchingHouse(ScriptedHouse):
    """Finds the same for every question."""

    answerer: ScriptedAnswerer = field(default_factory=lambda: ScriptedAnswerer({}))
    asked: list[Question] = field(default_factory=list)

    @property
    def search(self) -> SearchingHouse:
        return self

    def find(self, question: Question, limit: int) -> Retrieved:
        self.asked.append(question)
        return Retrieved(PASSAGES[:limit])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.yaml"
    path.write_text(FILE)
    return path


def test_documents_found_are_scored_as_in_a_dataset(file: Path) -> None:
    house = SearchingHouse()
    told = found(house, questions_in(file)).to_json()

    assert [(question.text, len(question.turns)) for question in house.asked] == [("first", 0), ("second", 1)]
    assert told["mrr"]["value"] == pytest.approx((1 / 2 + 1 / 4) / 2)  # one page, under two names, is one document
    assert told["recall@3"]["value"] == pytest.approx((1 + 0) / 2)
    assert told["recall@10"]["value"] == pytest.approx((1 + 1 / 2) / 2)
    assert (told["documents"], told["chunks"], told["queries"]) == (3, 3, 2)


def test_without_sources_or_a_sync_there_is_nothing_to_find(tmp_path: Path, file: Path) -> None:
    with pytest.raises(TryLater, match="Never synced yet: docs"):
        found(SearchingHouse(synced={}), questions_in(file))
    file.write_text("questions:\n  - {ask: who, facts: [x]}\n")
    with pytest.raises(Misconfigured, match="no question names its “sources”"):
        found(SearchingHouse(), questions_in(file))
