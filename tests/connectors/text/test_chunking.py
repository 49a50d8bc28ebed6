from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.model import Chunk, Document, Markup
from connectors.text.chunking import LARGEST, chunks_of, embedding_text_of


def document(text: str, title: str = "Title", markup: Markup = "markdown", **fields: object) -> Document:
    return Document("s", "git:s:a", "1", title, text, "u", "l", markup=markup, **fields)  # type: ignore[arg-type]


def cut(text: str, **fields: object) -> list[Chunk]:
    return chunks_of(document(text, **fields), "p")  # type: ignore[arg-type]


def texts(text: str, **fields: object) -> list[str]:
    return [chunk.text for chunk in cut(text, **fields)]


def test_chunks_are_cut_at_headings_and_know_their_path() -> None:
    chunks = cut(
        "# Title\n\nIntro.\n\n## Setup\n\nInstall.\n\n### On *Linux* `apt`\n\nRun it.\n\n## Use {#use}\n\nUse it.\n"
    )
    assert [(chunk.headings, chunk.text) for chunk in chunks] == [
        ((), "Intro."),
        (("Setup",), "Install."),
        (("Setup", "On Linux apt"), "Run it."),
        (("Use",), "Use it."),
    ]
    assert [chunk.ordinal for chunk in chunks] == [0, 1, 2, 3]


def test_a_first_heading_that_is_the_title_is_not_in_the_path_at_any_level() -> None:
    chunks = cut("### Title\n\none\n\n#### Part\n\ntwo\n\n### Title\n\nthree\n")
    assert [chunk.headings for chunk in chunks] == [(), ("Part",), ("Title",)]


def test_a_first_heading_that_is_not_the_title_is_in_the_path() -> None:
    assert [chunk.headings for chunk in cut("# Other\n\nText.\n")] == [("Other",)]
    assert [chunk.headings for chunk in cut("# Title\n\na\n\n# Title\n\nb\n")] == [(), ("Title",)]


def test_headings_count_at_the_top_level_only() -> None:
    text = "> # quoted\n\n- item\n  # in a list\n\n```\n# in code\n```\n\nSetext\n===\n\nbody\n"
    assert [chunk.headings for chunk in cut(text)] == [(), ("Setext",)]


def test_lines_are_those_of_the_file() -> None:
    chunks = cut("---\ntitle: x\n---\n\n# Title\n\none\ntwo\n\n## B\n\nthree\n")
    assert [(chunk.text, chunk.first_line, chunk.last_line) for chunk in chunks] == [
        ("one\ntwo", 7, 8),
        ("three", 12, 12),
    ]


def test_lines_of_a_converted_file_are_mapped() -> None:
    (chunk,) = cut("one\n\ntwo\n", lines=(10, 11, 14))
    assert (chunk.first_line, chunk.last_line) == (10, 14)
    (chunk,) = cut("one\n", lines=())
    assert (chunk.first_line, chunk.last_line) == (None, None)


def test_the_anchor_is_the_nearest_heading_at_or_above() -> None:
    chunks = cut("before\n\n# A\n\na\n\n## B\n\nb\n", anchors={2: "a-1", 6: "b-1"})
    assert [chunk.anchor for chunk in chunks] == [None, "a-1", "b-1"]


def test_a_heading_with_nothing_below_it_can_be_found() -> None:
    assert [(c.text, c.headings) for c in cut("# Title\n\n## One\n\n## Two\n\n### Three\n")] == [
        ("## One", ("One",)),
        ("### Three", ("Two", "Three")),
    ]
    assert texts("# Title") == ["# Title"]


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- secret -->",
        "<!--\nsecret\n\nsecret\n-->",
        "[//]: # (secret)",
        '[x]: https://a.b "secret"',
        "> [//]: # (secret)",
        "{/* secret */}",
        "text <!-- secret --> text",
        "text <!-- secret\nsecret --> text",
        "- item <!-- secret -->",
        "| a | b |\n|---|---|\n| 1 | <!-- secret --> 2 |",
        "## Heading <!-- secret -->",
        "## Heading <!-- secret -->\n\nbody",
        "```python " + "secret " * 30 + "\nx = 1\n```",
    ],
)
def test_what_readers_never_see_is_in_no_chunk(hidden: str) -> None:
    text = f"# Title\n\nbefore\n\n{hidden}\n\nafter\n"
    chunks = cut(text)
    assert "secret" not in str([(chunk.text, chunk.headings) for chunk in chunks])
    assert all(chunk.text in text for chunk in chunks)
    found = " ".join(chunk.text for chunk in chunks)
    assert "before" in found
    assert "after" in found


def test_front_matter_is_in_no_chunk_and_a_rule_is_not_front_matter() -> None:
    assert texts("---\ntitle: secret\ntags:\n  - a\n---\ntext\n") == ["text"]
    assert texts('+++\ntitle = "secret"\n+++\ntext\n') == ["text"]
    assert "shown" in texts("---\n\nshown\n\n---\n\ntext\n")[0]
    assert "title: open" in texts("---\ntitle: open\n\ntext\n")[0]


def test_code_that_shows_a_comment_is_kept() -> None:
    assert texts("Write `<!-- note -->` there.\n") == ["Write `<!-- note -->` there."]
    assert texts("```html\n<!-- note -->\n```\n") == ["```html\n<!-- note -->\n```"]


def test_a_page_of_nothing_visible_has_no_chunk() -> None:
    assert [texts(text) for text in ("", " \n\n", "<!-- x -->\n", "---\na: b\n---\n")] == [[], [], [], []]
    assert texts("👍") == ["👍"]


def test_code_tables_and_lists_stay_whole_while_they_fit() -> None:
    code = "```\n" + "line of code\n" * 150 + "```"
    table = "| a | b |\n|---|---|\n" + "| one | two |\n" * 120
    items = "- an item of a list\n" * 90
    for block in (code, table.strip(), items.strip()):
        assert block in texts(f"{'Intro. ' * 100}\n\n{block}\n\n{'Outro. ' * 100}\n")


def test_a_lead_in_stays_with_its_code() -> None:
    code = "```\n" + "line of code\n" * 120 + "```"
    assert texts(f"Run this:\n\n{code}\n") == [f"Run this:\n\n{code}"]


def test_what_alone_is_too_large_is_cut_at_items_or_lines() -> None:
    items = "".join(f"- item {i}\n  more of item {i}\n" for i in range(300))
    assert all(chunk.startswith("- item") for chunk in texts(items))
    rows = "| a | b |\n|---|---|\n" + "".join(f"| {i} | {i} |\n" for i in range(600))
    assert all(chunk.startswith("|") and chunk.endswith("|") for chunk in texts(rows))
    code = "```\n" + "".join(f"line {i}\n" for i in range(600)) + "```\n"
    assert "\n".join(texts(code)) == code.strip()


def test_plain_text_is_cut_at_paragraphs() -> None:
    paragraphs = [f"# paragraph {i} " + "word " * 60 for i in range(12)]
    found = cut("\n\n".join(paragraphs), markup="plain")
    assert len(found) > 1
    assert all(chunk.text.startswith("# paragraph") and chunk.headings == () for chunk in found)


def test_title_and_path_stand_in_front_for_embedding() -> None:
    (chunk,) = cut("## A\n\ntext\n")
    assert embedding_text_of(chunk) == "Title > A\ntext"


@pytest.mark.parametrize("markup", ["markdown", "plain"])
@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "abc " * 250_000,
        ">" * 20_000 + "x",
        "- " * 5_000 + "x",
        "[" * 50_000,
        "# " + "[" * 5_000,
        "```\n" + "x\n" * 20_000,
        "\0" * 100_000,
        "<!--\n" * 5_000,
        "x <!-- y\n" * 5_000,
        "x <!-- y -->\n\n" * 3_000,
        "".join("`" * (i % 50) + " <!-- " for i in range(5_000)),
        "# a\n" * 3_000,
        "- a\n\nx\n\n" * 3_000,
        "[a]: b\n" * 3_000,
        "|" + "x" * 5_000 + "|\n|-|\n" + ("|" + "y " * 3_000 + "|\n") * 10,
        "a\r\nb\r\n\r\n# c\r\nd\re\r\n\tf\r\n",
        "\ufeff# x\n\ny\n",
    ],
)
def test_hostile_text_is_cut_in_time(text: str, markup: Markup) -> None:
    began = time.perf_counter()
    chunks = cut(text, markup=markup)
    assert time.perf_counter() - began < 10
    assert all(0 < len(chunk.text) <= LARGEST and chunk.text in text for chunk in chunks)


PIECES = st.sampled_from(
    [
        "# H\n",
        "## S\n",
        "text\n",
        "\n",
        "- item\n",
        "  more\n",
        "```\n",
        "| a | b |\n|---|---|\n",
        "> q\n",
        "---\n",
        "<!--",
        "-->",
        "[x]: y\n",
        "`",
        "\r\n",
        "\t",
        "===\n",
        "    code\n",
        "1. one\n",
        "word " * 300,
        "\x00",
        "é",
        "<div>\n",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_every_chunk_is_a_slice_and_its_lines_say_where(text: str) -> None:
    rows = text.split("\n")
    for chunk in cut(text):
        assert chunk.first_line
        assert chunk.last_line
        assert chunk.text in "\n".join(rows[chunk.first_line - 1 : chunk.last_line])
        assert len(chunk.text) <= LARGEST
