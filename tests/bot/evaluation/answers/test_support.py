"""What an answer cites is held against what it says."""

import pytest

from bot.answering.model import Citation
from bot.evaluation.answers.sources import is_meant, sources_of
from bot.evaluation.answers.support import Marked, Support, altered_quotes, groups_in, support_in, without_marks
from tests.bot.evaluation.answers.answered import DEPLOYS, LIMITS, answered


@pytest.mark.parametrize(
    ("text", "recall", "precision"),
    [
        ("A rollback takes 90 seconds. [1]", 1, 1),
        ("A rollback takes 90 minutes and one approval. [1]", 1, 1),  # “minutes”: one foreign word in five is let pass
        ("A rollback takes 60 seconds. [1]", 0, 0),
        ("A rollback takes 90 seconds. [2]", 0, 0),
        ("A rollback takes 90 seconds. [1] The Team plan allows 600 requests. [2]", 1, 1),
        ("A rollback takes 90 seconds. [1] The Team plan allows 600 requests. [1]", 1 / 2, 1 / 2),
        ("A rollback takes 90 seconds. [1] Everybody loves penguins.", 1 / 2, 1),
        ("Everybody loves penguins. A rollback takes 90 seconds. [1]", 1 / 2, 1),  # a mark stands for all before it
        ("A rollback takes 90 seconds. [1][2]", 1, 1 / 2),  # the second adds nothing
        ("A rollback takes 90 seconds, the Team plan allows 600 requests. [1][2]", 1, 1),  # only both together do
        ("Run this: [1]\n\n```\nshipctl rollback payments\n```", 1, 1),
        ("Run this:\n\n```\nshipctl rollback payments\n```\n\n[1]", 1, 1),
        ("```\nshipctl rollback payments\n```\n\n[1] It needs one approval. [1]", 1, 1),
        ("The Team plan has limits. [2]\n\n```\nshipctl rollback payments\n```\n\n[1]", 1, 1),
        ("- takes 90 seconds [1]\n- needs one approval [1]\n- undoes nothing else [1]", 2 / 3, 2 / 3),
        ("| Plan | Requests |\n|---|---|\n| Team | 600 [2] |", 1, 1),
        ("Just text.", 0, None),
    ],
)
def test_recall_and_precision_as_counted_by_hand(text: str, recall: float, precision: float | None) -> None:
    assert support_in(answered(text)) == Support(pytest.approx(recall), precision and pytest.approx(precision))


def test_a_mark_stands_for_what_was_said_since_the_one_before() -> None:
    text = "First e.g. this. Second [1]. Third, [2] fourth! [1] [2]\n\nFifth. Sixth `x[1]`"
    assert groups_in(text, {1, 2}) == [
        Marked((1,), ("First e.g. this. ", "Second. ")),
        Marked((2, 1), ("Third, fourth!\n\n",)),
        Marked((), ("Fifth. ", "Sixth `x[1]`")),
    ]


def test_marks_are_no_words_of_the_answer_but_other_brackets_are() -> None:
    text = "Takes 90 seconds. [1] See a[2] and `b[1]`.\n\n```\nc[1]\n```"
    assert (
        without_marks(answered(text, quotes=(DEPLOYS,))) == "Takes 90 seconds. See a[2] and `b[1]`.\n\n```\nc[1]\n```"
    )


def test_a_quote_that_differs_by_one_character_is_altered() -> None:
    assert altered_quotes(answered("x [1] y [2]")) == ()
    assert altered_quotes(answered("x [1] y [2]", quotes=(DEPLOYS, LIMITS.replace("600", "700")))) == (2,)
    assert altered_quotes(answered("x [1]", quotes=("",))) == (1,)


@pytest.mark.parametrize(
    ("expected", "is_it"),
    [
        ("git:docs:docs/deploys.md", True),
        ("docs/deploys.md", True),
        ("deploys.md", True),
        ("ploys.md", False),
        ("docs/limits.md", False),
        ("The Deploy Guide", True),
        ("the deploy guide", True),
        ("https://git.example/docs/deploys.md", True),
        ("https://git.example/docs/deploys.md#L1-L9", True),
        ("https://git.example/docs/deploys.md#L1-L10", False),
        ("https://git.example/docs", False),
    ],
)
def test_a_source_is_named_by_id_end_url_or_title(expected: str, is_it: bool) -> None:
    url = "https://git.example/docs/deploys.md#L1-L9"
    assert is_meant(Citation(1, "The deploy guide", url, "x", "git:docs:docs/deploys.md"), expected) is is_it


def test_cited_documents_are_counted_once() -> None:
    url = "https://a.example"
    cited = [
        Citation(n, "T", url, "q", name)
        for n, name in enumerate(("confluence:wiki:12", "confluence:wiki:12", "git:docs:a.md"))
    ]
    told = sources_of(cited, ["12", "b.md"])
    assert (told.missing, told.cited, told.unexpected) == (
        ("b.md",),
        ("confluence:wiki:12", "git:docs:a.md"),
        ("git:docs:a.md",),
    )
