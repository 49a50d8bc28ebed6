"""A fact stands in an answer when its words do, however they are written; numbers must be the same."""

import pytest

from bot.evaluation.answers.facts import missing_from, said_in
from bot.evaluation.answers.plain import plain


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("A rollback takes **90 seconds**.", "90 seconds"),
        ("It takes *Ninety\nSeconds*", "ninety seconds"),
        (
            "Run this:\n\n```bash\nshipctl rollback payments --to previous\n```",
            "shipctl rollback payments --to previous",
        ),
        ("Set `SEARCH_TIMEOUT_MS` to 800.", "SEARCH_TIMEOUT_MS"),
        ("| Plan | Limit |\n|---|---:|\n| Team | 600 |", "Team 600"),
        ("- take leave\n- tell your lead", "take leave tell your lead"),
        ("Coverage of 80 % is required", "80%"),
        ("up to 2GB", "2 GB"),
        ("1,900 euros", "1900 euros"),
        ("1\u202f900 euros", "1 900 euros"),
        ("between 20 December and 2 January", "20 December"),
        ("between 5–10 minutes", "5-10 minutes"),
        ("5 – 10 minutes", "5-10 minutes"),
        ("don’t “merge”", 'don\'t "merge"'),
        ("See [the runbook](https://a.example/x).", "the runbook."),
        ("on\u2011call", "on-call"),
        ("a\\_b", "a_b"),
        ("Card 4111 1111 1111 1111 works.", "4111 1111 1111 1111"),
        ("数据库备份保留35天", "备份保留35天"),
        ("It is −5 °C", "-5 °C"),
        ("from lantern_flags import flag", "import flag"),
        ("| viewer | ✓ |", "viewer ✓"),
        ("Settings > **Billing**", "Settings → Billing"),
        ("x >= 5", "x >= 5"),
        ("Call `__init__` first", "__init__"),
        ("a _private matter", "_private"),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_writing_does_not_matter(text: str, fact: str) -> None:
    assert missing_from(text, [(fact,)]) == ()


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("It takes 190 seconds", "90 seconds"),
        ("It takes 90.5 seconds", "90"),
        ("It takes 90 to 120 seconds", "120 sec"),
        ("It takes 1,090 seconds", "90 seconds"),
        ("at most 90k requests", "90"),
        ("It is 5 °C", "-5 °C"),
        ("E4017", "4017"),
        ("version 1.2.3", "1.2"),
        ("on 2026-11-21", "11"),
        ("10-20 connections", "20 connections"),
        ("concatenate", "cat"),
        ("nothing is lost", "no"),
        ("1 20 minutes", "120 minutes"),
        ("x <= 5", "x >= 5"),
        ("| viewer | ✗ |", "viewer ✓"),
        ("", "x"),
    ],
)
def test_another_number_or_word_is_another(text: str, fact: str) -> None:
    assert missing_from(text, [(fact,)]) == ((fact,),)


def test_one_of_several_ways_is_enough() -> None:
    facts = [("90 seconds", "ninety seconds"), ("shipctl",)]
    assert missing_from("ninety seconds", facts) == (("shipctl",),)
    assert said_in("ninety seconds", facts) == "ninety seconds shipctl"


def test_markdown_gives_its_words() -> None:
    steps = "## Roll back\n\n> 1. Run `a_b | c`:\n\n```bash\nls *.md\n```\n"
    text = steps + "\n| A | B |\n|:--|--:|\n| x | **y** |\n- [ ] ~~old~~ [new](u)"
    assert plain(text) == "Roll back 1. Run a_b c: ls .md A B x y old new"
