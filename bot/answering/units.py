"""Citable units: a passage cut into sentences, list items, table rows and code blocks that join to its exact text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "sentence", "item", "step", "head", "row", "code", "markup"]
"""``markup`` shows nothing of its own: a lone tag, what opens or closes an admonition or tab, what includes a file."""

_FENCE = re.compile(r"\s{0,12}(?:[-*+]\s+|\d{1,3}[.)]\s+)?(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_BULLET = re.compile(r"\s*[-*+•]\s+\S")
_NUMBER = re.compile(r"\s*\d{1,3}[.)]\s+\S")
_ROW = re.compile(r"\s{0,3}\|")
_RULE = re.compile(r"\s{0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_INDENTED = re.compile(r"(?: {4}|\t)")
_MARKUP = re.compile(
    r"\s{0,12}(?:(?:/{3,}|:{3,})(?:[ \t].*)?|</?(?:div|details|section|figure|center|p)\b[^<>]*>|> ?\[![A-Z]+\])\s*$"
)
_ADMONITION = re.compile(r"( {0,12})(?:!!!|\?\?\?\+?|===\+?)[ \t]+\S.*$")
"""What opens a box or tab of MkDocs. Its body is indented by four."""
_BOX = 4
_INCLUDE = re.compile(r"\s*(?:\{!.*!\}|\{\*.*\*\}|-+8<-+.*)\s*$")
"""How MkDocs and its relatives put a file into a page."""
_SENTENCE_END = re.compile(r"(?:[.!?…]+[\"'”’)\]*_`]*\s+(?=[\"'“‘(\[*_`]*[A-Z0-9À-ÞА-ЯΑ-Ω])|[。！？]+\s*)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|incl|max|min|no|dr|mr|mrs|ms|st|fig|sec|ver)\.|\b[A-Z]\.)\s+$", re.I
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One citable block. ``text`` keeps its white space, so that a passage's units join to the passage."""

    text: str
    kind: Kind


def units_of(text: str) -> tuple[Unit, ...]:
    """The units of a passage, in order; none for a blank one. No unit is blank, and joined they are ``text``."""
    units: list[Unit] = []
    leading = ""
    for piece, kind in _pieces_of(text):
        if piece.strip():
            units.append(Unit(leading + piece, kind))
            leading = ""
        elif units:
            units[-1] = Unit(units[-1].text + piece, units[-1].kind)
        else:
            leading += piece
    return tuple(units)


def _pieces_of(text: str) -> Iterator[tuple[str, Kind]]:
    written = text.splitlines(keepends=True)
    lines = _outside_boxes(written)
    at = 0
    while at < len(lines):
        kind = _kind_at(lines, at)
        end = _end_of(lines, at, kind)
        block = "".join(written[at:end])
        if kind == "sentence":
            yield from ((sentence, kind) for sentence in _sentences_of(block))
        else:
            yield block, "markup" if kind == "code" and _is_include(lines[at:end]) else kind
        at = end


def _outside_boxes(lines: list[str]) -> list[str]:
    """The lines with what stands inside of MkDocs boxes moved out to where their openings stand."""
    moved: list[str] = []
    inside: list[int] = []
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        while line.strip() and inside and indent < inside[-1]:
            inside.pop()
        moved.append(line[_BOX * len(inside) :] if line.strip() else line)
        if opening := _ADMONITION.match(line):
            inside.append(len(opening.group(1)) + _BOX)
    return moved


def _kind_at(lines: list[str], at: int) -> Kind:  # noqa: PLR0911  # one return a kind reads better than a table
    line = lines[at]
    if _FENCE.match(line):
        return "code"
    if _MARKUP.match(line) or _ADMONITION.match(line) or _INCLUDE.match(line):
        return "markup"
    if _HEADING.match(line):
        return "heading"
    if _ROW.match(line):
        return "head" if at + 1 < len(lines) and _RULE.match(lines[at + 1]) and "-" in lines[at + 1] else "row"
    if _NUMBER.match(line):
        return "step"
    if _BULLET.match(line):
        return "item"
    if _INDENTED.match(line) and line.strip() and (at == 0 or not lines[at - 1].strip()):
        return "code"
    return "sentence"


def _end_of(lines: list[str], at: int, kind: Kind) -> int:
    if kind == "head":
        return at + 2
    if kind in ("heading", "row", "markup"):
        return at + 1
    if kind == "code":
        fence = _FENCE.match(lines[at])
        return _end_of_fence(lines, at, fence.group(1)) if fence else _end_of_indented(lines, at)
    return _end_of_prose(lines, at)


def _end_of_fence(lines: list[str], at: int, fence: str) -> int:
    closing = re.compile(rf"\s*{re.escape(fence[0])}{{{len(fence)},}}\s*$")
    for end in range(at + 1, len(lines)):
        if closing.match(lines[end]):
            return end + 1
    return len(lines)


def _end_of_indented(lines: list[str], at: int) -> int:
    end = at + 1
    while end < len(lines) and (_INDENTED.match(lines[end]) or not lines[end].strip()):
        end += 1
    return end


def _end_of_prose(lines: list[str], at: int) -> int:
    """A paragraph or list item goes on until a blank line or until something else begins."""
    end = at + 1
    if not lines[at].strip():
        return end
    while end < len(lines) and lines[end].strip() and _kind_at(lines, end) == "sentence":
        end += 1
    return end


def _is_include(lines: list[str]) -> bool:
    """Whether a fenced block holds nothing but the place of what it would show."""
    inside = [line for line in lines[1:-1] if line.strip()]
    return bool(inside) and all(_INCLUDE.match(line) for line in inside)


def _sentences_of(paragraph: str) -> Iterator[str]:
    start = 0
    for match in _SENTENCE_END.finditer(paragraph):
        if match.end() < len(paragraph) and not _ABBREVIATION.search(paragraph[start : match.end()]):
            yield paragraph[start : match.end()]
            start = match.end()
    yield paragraph[start:]
