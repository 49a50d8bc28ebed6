from __future__ import annotations

import pytest

from bot.answering.smalltalk import ASK_ME, small_talk_of


@pytest.mark.parametrize(
    "text",
    [
        "thanks!",
        "Thank you so much :pray:",
        "ok great, thank you",
        "ty",
        "Danke!",
        "thx a lot",
        "Perfect, thanks 🙏",
        "great!",
        "that's perfect, thank you",
    ],
)
def test_thanks_get_one_short_line(text: str) -> None:
    assert small_talk_of(text) == "You're welcome!"


@pytest.mark.parametrize("text", ["hi", "Hello there!", "good morning everyone", "hey Quoth", "Hallo"])
def test_greetings_get_one_short_line_that_says_what_to_do(text: str) -> None:
    assert small_talk_of(text) == f"Hello! {ASK_ME}"


@pytest.mark.parametrize("text", ["", "   ", "🙂", ":wave:", "...", "?!", "\u200b", "❤️ :tada:"])
def test_no_words_get_an_invitation_to_ask(text: str) -> None:
    assert small_talk_of(text) == ASK_ME


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, and how do I roll back?",
        "hello world example in Go",
        "How do I say thank you in the handbook?",
        "is it ok?",
        "rollback",
        "a",
        "`$?`",
        "help",
        "cool down period of a deploy",
        "何ですか",
    ],
)
def test_a_question_is_no_small_talk(text: str) -> None:
    assert small_talk_of(text) is None
