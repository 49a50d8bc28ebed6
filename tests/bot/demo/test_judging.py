"""A scene that came out wrong is called wrong."""

import pytest

from bot.demo.judging import complaint_about
from bot.demo.scenes import Answered, Heard, NotFound
from bot.rehearsal.slack import Message

ROLLBACK = Answered("shipit rollback", ("Runbook",), never=("password",))


def message(*paragraphs: str, button: str = "") -> Message:
    sections = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]} for text in paragraphs]
    blocks = [{"type": "rich_text", "elements": sections}]
    if button:
        label = {"type": "plain_text", "text": "Press"}
        blocks.append({"type": "actions", "elements": [{"type": "button", "action_id": button, "text": label}]})
    return Message(channel="C1", ts="1790000000.000100", user="UBOT", author="quoth", team="T1", blocks=blocks)


def test_an_answer_with_its_source_is_right() -> None:
    assert (
        complaint_about(message("Run shipit rollback. [1]", "Sources", "1. Runbook"), ROLLBACK, word_for_word=True)
        is None
    )


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (message("Run shipit rollback."), "no answer with sources"),
        (message("Ask somebody.", "Sources", "1. Runbook"), "does not say"),
        (message("Run shipit rollback.", "Sources", "1. Another page"), "does not cite"),
        (message("Run shipit rollback. Password: x", "Sources", "1. Runbook"), "must not say"),
        (message("Something went wrong.", button="answer_retry"), "an error"),
    ],
)
def test_an_answer_that_is_wrong_is_called_wrong(said: Message, complaint: str) -> None:
    assert complaint in (complaint_about(said, ROLLBACK, word_for_word=True) or "")


def test_a_language_model_may_use_words_of_its_own() -> None:
    said = message("Roll back with shipit.", "Sources", "1. Runbook")
    assert complaint_about(said, ROLLBACK, word_for_word=False) is None


def test_an_honest_no_has_no_sources() -> None:
    assert complaint_about(message("I did not find this."), NotFound(), word_for_word=True) is None
    assert complaint_about(message("It was France. [1]", "Sources", "1. A page"), NotFound(), word_for_word=True)


def test_anything_but_an_error_is_heard() -> None:
    assert complaint_about(message("I did not find this."), Heard(), word_for_word=True) is None
    assert complaint_about(message("Oh.", button="answer_retry"), Heard(), word_for_word=True)
