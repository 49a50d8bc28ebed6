"""The questions about the sample company are right themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from tests.bot.answering.company import QUESTIONS, Asked, company_documents, plain, questions_in

ASKED = questions_in(QUESTIONS)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    found = company_documents(tmp_path_factory.mktemp("company"))
    return {name: document.text for name, document in found.items()}


def test_there_are_enough_of_each_kind_in_each_half() -> None:
    kinds = Counter((asked.kind, asked.is_fitted_on) for asked in ASKED)
    assert len({asked.id for asked in ASKED}) == len(ASKED) >= 120
    assert sum(not asked.answerable for asked in ASKED) >= 35
    assert all(kinds["answerable", half] >= 60 for half in (True, False))
    assert all(kinds["unanswerable", half] + kinds["out_of_scope", half] >= 15 for half in (True, False))


def test_what_can_be_answered_says_by_which_facts_and_from_where() -> None:
    for asked in ASKED:
        assert bool(asked.facts) == bool(asked.sources) == asked.answerable, asked.id


def test_every_fact_stands_in_its_source(documents: Mapping[str, str]) -> None:
    missing = [
        (asked.id, fact)
        for asked in ASKED
        for fact in asked.facts
        if not any(plain(words) in plain(text) for words in fact for text in texts_of(asked, documents))
    ]
    assert missing == []


def test_every_document_is_asked_about_and_none_that_may_not_be_read(documents: Mapping[str, str]) -> None:
    asked_about = {name for name in documents for asked in ASKED if name.endswith(asked.sources)}
    assert asked_about == set(documents)
    assert not any(name.endswith(":2007") for name in documents)


def texts_of(asked: Asked, documents: Mapping[str, str]) -> list[str]:
    return [text for name, text in documents.items() if name.endswith(tuple(f":{source}" for source in asked.sources))]
