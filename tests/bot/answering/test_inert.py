from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from bot.answering.inert import inert

ATTACKS = [
    "[click here](https://exfil.invalid/p?d=CANARY)",
    '[x](https://exfil.invalid/p "title")',
    "[`x`](https://exfil.invalid/p) [a `b` c](https://exfil.invalid/q)",
    "![`x`](https://exfil.invalid/p) [`x](https://exfil.invalid/`)",
    "[[`x`](a)](https://exfil.invalid/p)",
    "[x](<https://exfil.invalid/p q>)",
    "![pixel](https://exfil.invalid/i.png)",
    "[![pixel](https://exfil.invalid/i.png)](https://exfil.invalid/l)",
    "[r][]\n\n[r]: https://exfil.invalid/ref",
    "[r]\n\n[r]: https://exfil.invalid/ref",
    "[text][r]\n[r]:\n   https://exfil.invalid/ref\n   'title'",
    "> [r]: https://exfil.invalid/ref\n\n[r]",
    "<https://exfil.invalid/auto>",
    "<mailto:a@exfil.invalid>",
    "<a@exfil.invalid>",
    "https://exfil.invalid/bare",
    "www.exfil.invalid",
    "<a href='https://exfil.invalid'>here</a>",
    '<img src="https://exfil.invalid/i.png" />',
    "<img src=x onerror=alert(1)",
    "[a [b](https://exfil.invalid/in) c](https://exfil.invalid/out)",
    r"\`[x](https://exfil.invalid)\`",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,AAAA)",
    "[x] (https://exfil.invalid) [y](  https://exfil.invalid  )",
    "[multi\nline](https://exfil.invalid)",
    "[par(en)s](https://exfil.invalid/a(b)c)",
    "<https://exfil.invalid|click>",
    "[x](//exfil.invalid)",
    "[x](ftp://exfil.invalid)",
    "*[x](https://exfil.invalid)* **<https://exfil.invalid>**",
    "- [x](https://exfil.invalid)\n- | a | [x](https://exfil.invalid) |",
    "[![a](b)][c]\n\n[c]: https://exfil.invalid",
    "[](https://exfil.invalid)",
    "[x](https://exfil.invalid\n'title')",
    "<!channel> <!here|here> <@U0123> <#C0123>",
    "<div\nonclick=x",
    "<!-- hidden",
    "<?php",
    "</script",
    "<b>bold</b> <blink onclick='x'>",
    "[[[[[[[x](a)](b)](c)](d)](e)](f)](g)",
]


def active_parts(markdown: str) -> list[str]:
    parser = MarkdownIt("commonmark").enable("table")
    tokens = [child for token in parser.parse(markdown) for child in (token, *(token.children or ()))]
    return [token.type for token in tokens if token.type in ("link_open", "image", "html_inline", "html_block")]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("frame", ["{}", "See {} now.", "1. {}", "**{}**"])
def test_no_markdown_reader_finds_a_link_an_image_or_html(attack: str, frame: str) -> None:
    assert active_parts(inert(frame.format(attack))) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Read [the guide](https://x.example/g) first.", "Read the guide first."),
        ("![Diagram](a.png) shows it.", "Diagram shows it."),
        ("Open https://x.example/a_b.", "Open `https://x.example/a_b`."),
        ("Deploy <service> to `https://x.example`.", "Deploy `<service>` to `https://x.example`."),
        ("Use `[a](b)` and a[0].", "Use `[a](b)` and a[0]."),
        ("Use [`a run`](./b.md#c) or [the `d` way](e).", "Use `a run` or the `d` way."),
        ("```\n[`a`](https://x.example)\n```", "```\n[`a`](https://x.example)\n```"),
        ("```\n[a](https://x.example)\n```", "```\n[a](https://x.example)\n```"),
        ("2 * 3 [sic] (really): yes", "2 * 3 [sic] (really): yes"),
        ("at 10:00, see note: this", "at 10:00, see note: this"),
    ],
)
def test_words_stay_and_code_is_left_alone(before: str, after: str) -> None:
    assert inert(before) == after


@pytest.mark.parametrize(
    "text", ["[" * 5000, "](" * 5000, "<" * 5000, "`" * 4999 + "a", "[a](" * 2000, "![" * 3000, "[a]: " * 2000]
)
def test_hostile_length_costs_no_time(text: str) -> None:
    started = time.perf_counter()
    inert(text)
    assert time.perf_counter() - started < 2.0


REFERENCE = Path(os.environ.get("QUOTH_REFERENCE_DATA", "../shared/data")) / "security" / "own"  # noqa: TID251  # A test.
FORMS = REFERENCE / "exfil_markup.jsonl"


@pytest.mark.skipif(not FORMS.exists(), reason="no reference data at QUOTH_REFERENCE_DATA")
def test_no_form_of_the_reference_corpus_stays_active() -> None:
    forms = [json.loads(line) for line in FORMS.read_text().splitlines()]
    active = {form["id"]: parts for form in forms if (parts := active_parts(inert(form["text"])))}
    assert len(forms) > 50
    assert active == {}
