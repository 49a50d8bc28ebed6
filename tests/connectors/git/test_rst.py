"""What reStructuredText becomes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from connectors.git.rst import markdown_of_rst


def markdown(text: str) -> str:
    found, lines = markdown_of_rst(text)
    assert len(lines) == found.count("\n") + 1
    assert list(lines) == sorted(lines)
    # How many blank lines stand between blocks means nothing.
    return "\n".join(line for line in found.split("\n") if line.strip())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Title\n=====\n\nPart\n----\n\nMore\n====\n", "# Title\n## Part\n# More"),
        ("=====\nTitle\n=====\n\nPart\n====\n", "# Title\n## Part"),
        ("Use ``x = 1`` and :func:`~os.path`.", "Use `x = 1` and `os.path`."),
        ("See `the guide <https://a.test/b>`_ or :ref:`setup <x>`.", "See [the guide](https://a.test/b) or setup."),
        ("See Guide_.\n\n.. _Guide: https://a.test\n", "See [Guide](https://a.test)."),
        (".. |v| replace:: 2.0\n\nThis is |v|.", "This is 2.0."),
        (".. code-block:: python\n   :linenos:\n\n   x\n\n   y\n\nAfter.", "```python\nx\ny\n```\nAfter."),
        ("Run::\n\n  ls\n\nAfter.", "Run:\n```\nls\n```\nAfter."),
        (".. note:: Mind\n   this.\n\n   - a\n   - b\n", "**Note:**\nMind\nthis.\n- a\n- b"),
        (".. versionadded:: 2.1\n   The flag.\n", "**New in version 2.1**\nThe flag."),
        (".. include:: /etc/passwd\n.. raw:: html\n\n   <b>x</b>\n\nText", "Text"),
        (".. toctree::\n   :maxdepth: 2\n\n   a\n   b\n\nText", "Text"),
        (".. a comment\n   of two lines\n\nText", "Text"),
        (".. confval:: timeout\n   :type: int\n\n   Seconds.\n", "**`timeout`**\nSeconds."),
        ("* a\n  b\n\n  c\n* d\n", "- a\n  b\n  c\n- d"),
        ("#. a\n#. b\n", "1. a\n1. b"),
        ("term\n  What it is.\n", "**term**\nWhat it is."),
        (":Param x: What.\n", "- **Param x**: What."),
        ("Text:\n\n   Said so.\n", "Text:\n> Said so."),
        (">>> 1 + 1\n2\n\nText", "```python\n>>> 1 + 1\n2\n```\nText"),
        ("+---+----+\n| a | b  |\n+===+====+\n| 1 | 2| |\n+---+----+\n", "| a | b |\n| --- | --- |\n| 1 | 2\\| |"),
        ("==  ===\na   b\n==  ===\n1   two\n==  ===\n", "| a | b |\n| --- | --- |\n| 1 | two |"),
        (".. list-table:: T\n   :header-rows: 1\n\n   * - a\n     - b\n   * - 1\n     - 2\n       3\n",
         "**T**\n| a | b |\n| --- | --- |\n| 1 | 2 3 |"),
        (".. csv-table::\n   :header: a, b\n\n   1, \"2, 3\"\n", "| a | b |\n| --- | --- |\n| 1 | 2, 3 |"),
        ("+---+\n| broken\n", "```text\n+---+\n| broken\n```"),
        ("| one\n| two\n", "one\ntwo"),
        ("", ""),
    ],
)  # fmt: skip
def test_blocks_and_words_become_markdown(before: str, after: str) -> None:
    assert markdown(before) == after


def test_every_line_knows_its_line_in_the_file() -> None:
    text = "Title\n=====\n\nRun::\n\n  ls\n\n.. code-block:: sh\n   :linenos:\n\n   make\n\nThe end.\n"
    found, lines = markdown_of_rst(text)
    at = dict(zip(found.split("\n"), lines, strict=True))
    assert {word: at[word] for word in ("# Title", "Run:", "ls", "make", "The end.")} == {
        "# Title": 1, "Run:": 4, "ls": 6, "make": 11, "The end.": 13
    }  # fmt: skip


def test_no_directive_reads_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the canary sings")
    for name in ("include", "literalinclude", "csv-table", "raw", "figure", "image", "table", "list-table"):
        text = f".. {name}:: {secret}\n   :file: {secret}\n   :url: file://{secret}\n\n   body\n"
        assert "canary" not in markdown_of_rst(text)[0]


@pytest.mark.parametrize(
    "bomb",
    ["- ", "* a\n", "`a ", "``", ".. x::\n\n   ", "+--+\n", "==  ==\n", "a\n  ", "|a", "a_ ", ":a:`", "=\n"],
)
def test_odd_texts_cost_little(bomb: str) -> None:
    began = time.monotonic()
    markdown_of_rst(bomb * (100_000 // len(bomb)))
    assert time.monotonic() - began < 10
