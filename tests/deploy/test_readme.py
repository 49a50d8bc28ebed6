"""The way into a real workspace names only commands and options that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bot.cli import quoth

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "deploy" / "README.md", ROOT / "deploy" / "quoth.example.yaml"]


def typed_in(page: Path) -> Iterator[list[str]]:
    """The words of every `quoth …` on a page, without comments and what stands in quotation marks."""
    for line in re.findall(r"(?<![\w/@.-])(?<!exec )(?:\S*/bin/)?quoth ([a-z][^`#\n]*)", page.read_text()):
        yield re.sub(r'"[^"]*"', "TEXT", line).split()


def unknown(words: list[str]) -> str | None:
    """The first word that is no command, or no option of its command."""
    command: Any = get_command(quoth)
    for word in words:
        options = [name for parameter in command.params for name in parameter.opts]
        if word.startswith("-") and word not in options:
            return word
        if not word.startswith("-") and (commands := getattr(command, "commands", None)) is not None:
            if word not in commands:
                return word
            command = commands[word]
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_command_on_the_page_is_there(page: Path) -> None:
    typed = list(typed_in(page))
    assert typed
    assert {" ".join(words): unknown(words) for words in typed if unknown(words)} == {}
