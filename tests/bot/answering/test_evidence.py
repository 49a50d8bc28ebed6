from __future__ import annotations

import pytest

from bot.answering.evidence import Evidence, evidence_of
from bot.answering.names import names_in, strangers_in

ROOM = "The office\nThe office has a kitchen. Lunch costs 4 euros."
PULL = "Contributing\nOpen a pull request against main. Two reviews are needed. Version 3 ends in June."


@pytest.mark.parametrize(
    ("question", "strangers"),
    [
        ("What does lunch cost in the Oslo office?", ["Oslo"]),
        ("What does lunch cost in the office?", []),
        ("how do I read readings_v2 with SomeClient", ["SomeClient", "readings_v2"]),
        ("do we speak HTTP/3 in version 3", ["HTTP/3"]),
        ("do we speak HTTP/2", []),
        ("What Does Lunch Cost In The Oslo Office", []),
    ],
)
def test_a_stranger_is_a_name_that_nothing_found_knows(question: str, strangers: list[str]) -> None:
    assert strangers_in(question, [ROOM, "We speak HTTP/2 since version 3."]) == strangers


@pytest.mark.parametrize("question", ["how many reviews does a PR need", "when is v3 switched off"])
def test_an_abbreviation_is_known_by_the_words_it_stands_for(question: str) -> None:
    assert names_in(question)
    assert strangers_in(question, [PULL]) == []
    assert strangers_in(question, [ROOM]) != []


def test_a_name_that_stands_only_in_an_address_is_a_stranger() -> None:
    assert evidence_of("can we deploy with Heroku", ["See https://git.example/heroku/deploy."]).strangers == 1


def test_terms_that_everything_found_has_count_least() -> None:
    texts = ["the harbour has an office", "the harbour has a pier", "the harbour has lunch"]
    assert evidence_of("harbour lunch", texts).covered > 0.9
    assert evidence_of("harbour sauna", texts).covered < 0.1


def test_each_kind_of_evidence_speaks_for_itself() -> None:
    weak = Evidence(covered=0.2, strangers=0, logit=-8.0)
    assert weak.odds < Evidence(covered=0.9, strangers=0, logit=-8.0).odds
    assert weak.odds < Evidence(covered=0.2, strangers=0, logit=4.0).odds
    assert weak.odds > Evidence(covered=0.2, strangers=1, logit=-8.0).odds
    assert Evidence(0.2, 0, cosine=0.4).odds < Evidence(0.2, 0, cosine=0.7).odds
    assert Evidence(0.2, 0, 1.0, cosine=0.4).odds < Evidence(0.2, 0, 1.0, cosine=0.7).odds


@pytest.mark.parametrize("kind", [{"logit": -8.0, "cosine": 0.45}, {"logit": -8.0}, {"cosine": 0.48}, {}])
def test_a_model_is_asked_before_quotes_are_trusted(kind: dict[str, float]) -> None:
    shares = [share / 50 for share in range(51)]
    called = [share for share in shares if Evidence(share, 0, **kind).is_worth_a_call]
    quotable = [share for share in shares if Evidence(share, 0, **kind).is_worth_quoting]
    assert set(quotable) < set(called)


def test_no_question_and_nothing_found_are_no_evidence() -> None:
    assert evidence_of("", [ROOM]).covered == evidence_of("lunch", []).covered == 0.0
