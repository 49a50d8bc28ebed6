"""Markdown becomes structure that Slack shows as people expect, and nothing else."""

from __future__ import annotations

import pytest

from bot.slack.render import LONGEST_ANSWER, clipped, text_within
from bot.slack.rich_text import plain_of, rich_elements

LINKS = {1: "https://wiki.acme.example/vpn"}


def kinds(markdown: str) -> list[str]:
    return [element["type"].removeprefix("rich_text_") for element in rich_elements(markdown, LINKS)]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("One.\n\nTwo.", ["section", "section"]),
        ("- a\n- b", ["list"]),
        ("1. a\n2. b", ["list"]),
        ("```sh\nls\n```", ["preformatted"]),
        ("> said", ["quote"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["preformatted"]),
        ("# Head\n\ntext", ["section", "section"]),
        ("- a\n  ```\n  code\n  ```\n- b", ["list", "preformatted", "list"]),
        ("- a\n  - inner\n- b", ["list", "list", "list"]),
        ("", []),
        ("\u200b", []),
    ],
)
def test_a_paragraph_a_list_and_code_are_what_they_are(markdown: str, expected: list[str]) -> None:
    assert kinds(markdown) == expected


def test_a_mark_becomes_a_link_only_where_its_source_may_be_opened() -> None:
    [section] = rich_elements("Known [1], unknown [2], and `code [1]`.", LINKS)
    assert [(e["type"], e["text"]) for e in section["elements"]] == [
        ("text", "Known "), ("link", "[1]"), ("text", ", unknown [2], and "), ("text", "code [1]"), ("text", "."),
    ]  # fmt: skip


def test_styles_are_structure() -> None:
    [section] = rich_elements("**b** *i* ~~s~~ `c` **_both_**", {})
    styles = [sorted(e["style"]) for e in section["elements"] if "style" in e]
    assert styles == [["bold"], ["italic"], ["strike"], ["code"], ["bold", "italic"]]


def test_a_numbered_list_that_goes_on_after_code_keeps_its_numbers() -> None:
    elements = rich_elements("1. One\n   ```\n   x\n   ```\n2. Two\n3. Three", {})
    assert plain_of(elements) == "1. One\nx\n2. Two\n\n3. Three"


def test_what_is_heard_is_what_is_seen() -> None:
    assert (
        plain_of(rich_elements("Do **this** [1]:\n\n- a\n- b\n\n```\nls\n```", LINKS)) == "Do this [1]:\n• a\n• b\nls"
    )


def test_a_long_answer_is_cut_between_paragraphs_and_says_so() -> None:
    shown, notes = clipped("\n\n".join(["word " * 30] * 100), ("first",))
    assert len(shown) <= LONGEST_ANSWER + 3
    assert shown.endswith("word\n\n…") or shown.endswith("word \n\n…")
    assert len(notes) == 2


def test_text_is_never_cut_inside_an_escaped_sign() -> None:
    for limit in range(2, 20):
        cut = text_within("a&amp;b&lt;c&gt;d" * 2, limit)
        assert len(cut) <= limit
        assert cut.count("&") == cut.count(";")
