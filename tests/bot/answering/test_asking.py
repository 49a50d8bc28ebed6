from __future__ import annotations

import pytest

from bot.answering.asking import compared_in, is_how_to, subject_of
from connectors.text.analysis import terms_of


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("What is a workspace?", "workspace"),
        ("what's the application context", "application context"),
        ("What does backpressure mean?", "backpressure"),
    ],
)
def test_a_question_what_something_is_has_a_subject(question: str, thing: str) -> None:
    assert subject_of(question) == frozenset(terms_of(thing))


@pytest.mark.parametrize(
    "question",
    ["What is the rate limit on the Team plan?", "What is the capital of France?", "How do I deploy?", "What now?"],
)
def test_a_question_for_a_value_or_a_way_has_none(question: str) -> None:
    assert subject_of(question) == frozenset()


def test_a_question_for_a_difference_names_two_things() -> None:
    sides = (frozenset(terms_of("tool run")), frozenset(terms_of("toolx")))
    assert compared_in("What is the difference between tool run and toolx?") == sides
    assert compared_in("How does tool run differ from toolx?") == sides
    assert compared_in("What is toolx?") == ()


@pytest.mark.parametrize("question", ["How do I deploy?", "I lost my key, what now?", "steps of the handover"])
def test_a_question_what_to_do_is_told_from_others(question: str) -> None:
    assert is_how_to(question)
    assert not is_how_to("When is the freeze?")
