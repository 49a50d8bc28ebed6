"""Lines that know where they come from, and the blocks they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import NamedTuple


class Line(NamedTuple):
    """A line of text and the 1-based line of the file that it comes from."""

    text: str
    number: int


def leading(lines: Sequence[Line], holds: Callable[[Line], bool]) -> list[Line]:
    """The lines at the start for which something holds."""
    return list(takewhile(holds, lines))


def until_blank(lines: Sequence[Line]) -> tuple[list[Line], int]:
    """The lines before the first blank one, and how many they are."""
    found = leading(lines, lambda line: bool(line.text))
    return found, len(found)


def indented(lines: Sequence[Line]) -> tuple[list[Line], int]:
    """The lines at the start that are indented or blank, and how many they are."""
    found = leading(lines, lambda line: not line.text or line.text[0] == " ")
    return found, len(found)


def dedented(lines: Sequence[Line], most: int | None = None) -> list[Line]:
    """The lines without the indentation that all of them share, or ``most`` of it."""
    depths = [len(line.text) - len(line.text.lstrip(" ")) for line in lines if line.text]
    depth = min(depths, default=0) if most is None else min(most, *depths, most)
    return [Line(line.text[depth:], line.number) for line in lines]


def trimmed(lines: Sequence[Line]) -> list[Line]:
    """The lines without blank ones at either end, and without shared indentation."""
    filled = [at for at, line in enumerate(lines) if line.text]
    return dedented(lines[filled[0] : filled[-1] + 1]) if filled else []


def fenced(lines: Sequence[Line], used: int, language: str) -> tuple[list[Line], int]:
    """The lines as a fenced block and a blank line, and how many lines that took: ``used``."""
    body = trimmed(lines)
    if not body:
        return [], used
    ticks = max((len(run) for line in body for run in re.findall("`{3,}", line.text)), default=2) + 1
    fence = "`" * ticks
    last = body[-1].number
    return [Line(fence + language, body[0].number), *body, Line(fence, last), Line("", last)], used
