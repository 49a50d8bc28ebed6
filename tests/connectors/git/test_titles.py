"""What a file is called, and what its bytes say."""

from __future__ import annotations

import codecs

import pytest

from connectors.errors import CannotRead
from connectors.git.files import format_of, name_title_of, text_of
from connectors.git.titles import title_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: How we deploy\n---\n# Other\n", "How we deploy"),
        ('---\nlayout: x\ntitle: "Quoted: yes"\n---\n', "Quoted: yes"),
        ("---\ntitle: >-\n  Two\n  lines\n---\n", "Two lines"),
        ('+++\ntitle = "In TOML"\n+++\n', "In TOML"),
        ("---\ntitle: [not, words]\n---\n# Heading\n", "Heading"),
        ("---\ntitle: {{ page.title }\n---\n", "{{ page.title }"),
        ("---\nother: x\n---\n\nText\n\n## Second level\n", "Second level"),
        ("# Plain ##\n", "Plain"),
        ("# The `code` and [a link](https://x.test) {#anchor}\n", "The code and a link"),
        ("# ![badge](x.svg)\n\n# Real\n", "Real"),
        ("# **Bold** snake_case &amp; more\n", "Bold snake_case & more"),
        ("Setext\n======\n", "Setext"),
        ("Setext two\n---\n", "Setext two"),
        ("```\n# not this\n```\n# This\n", "This"),
        ("~~~~\n# no\n~~~\n# no\n~~~~\n# This\n", "This"),
        ("- item\n---\n", None),
        ("#hashtag\n", None),
        ("    # code\n", None),
        ("", None),
    ],
)
def test_a_text_names_itself(text: str, title: str | None) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("docs/getting-started.md", "Getting started"),
        ("setup/README.md", "Setup"),
        ("README", "README"),
        ("docs/01-intro_to it.rst", "Intro to it"),
        ("2024.md", "2024"),
        ("new\nline.md", "New line"),
        (".hidden", ".hidden"),
    ],
)
def test_a_path_gives_a_readable_title(path: str, title: str) -> None:
    assert name_title_of(path) == title


def test_formats_are_known_by_name() -> None:
    names = ["a.md", "b.MDX", "c.rst", "d.ipynb", "e.txt", "LICENSE", "f.png", "Makefile", ".md"]
    expected = ["markdown", "mdx", "rst", "notebook", "plain", "plain", None, None, None]
    assert [format_of(f"docs/{name}") for name in names] == expected


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (codecs.BOM_UTF8 + "é".encode(), "é"),
        (codecs.BOM_UTF16_LE + "é\r\n".encode("utf-16-le"), "é\n"),
        (codecs.BOM_UTF16_BE + "é".encode("utf-16-be"), "é"),
        ("naïve – “so”".encode("cp1252"), "naïve – “so”"),
        (b"\x81 latin", "\x81 latin"),
        (b"x" * 1_000 + b"\0", "x" * 1_000 + "\ufffd"),
        (b"", ""),
    ],
)
def test_bytes_become_text_with_one_kind_of_line_end(body: bytes, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize("body", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "text".encode("utf-16-le"), bytes(100)])
def test_what_is_no_text_is_unreadable(body: bytes) -> None:
    with pytest.raises(CannotRead, match="not text"):
        text_of(body)
