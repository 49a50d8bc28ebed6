"""Questions proposed from what a knowledge base says, without a model. A person reads and corrects them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.units import Unit, units_of
from bot.evaluation.answers.phrasing import defined, looked_up, procedure, short, spoken, with_command
from bot.evaluation.answers.plain import plain
from connectors.model import Chunk

Shape = Literal["asked heading", "command", "table row", "definition", "procedure", "section"]
SHAPES: tuple[Shape, ...] = ("asked heading", "command", "table row", "definition", "procedure", "section")
"""Best first: how likely the question is one that somebody would ask."""

_SHELLS = re.compile(r"\s*(?:`{3,}|~{3,})\s*(?:bash|sh|shell|zsh|console|shell-session|terminal)\b", re.I)
_PROMPT = re.compile(r"\s*[$%]\s+")
_COMMAND = re.compile(r"[a-z][\w./-]*(?: +\S+)+$", re.I)
_CELLS = re.compile(r"(?<!\\)\|")
_STEP = re.compile(r"^\d{1,3}[.)] ")
_FEW = 3  # Words: a sentence with fewer says little.
_LONGEST_CELL = 60
_LONGEST_COMMAND = 100


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question, words of a passage that answer it, and where the passage stands."""

    shape: Shape
    ask: str
    fact: str
    document_id: str
    place: str


def proposals_in(chunk: Chunk) -> Iterator[Proposal]:
    """What a chunk lets one ask."""
    units = [unit for unit in units_of(chunk.text) if unit.kind != "markup"]
    heading = _Heading(spoken(chunk.headings[-1] if chunk.headings else chunk.title), spoken(chunk.title))
    place = " › ".join((chunk.title, *chunk.headings))
    for shape, ask, fact in (
        *_of_heading(heading, units),
        *_of_code(heading, units),
        *_of_tables(units),
        *_of_sentences(units),
    ):
        if ask and fact:
            yield Proposal(shape, ask, fact, chunk.document_id, place)


@dataclass(frozen=True, slots=True)
class _Heading:
    text: str
    title: str

    def placed(self, ask: str) -> str:
        """A question that names the page, too, where the heading alone is not enough."""
        return f"{ask[:-1]} ({self.title})?" if ask and self.title not in ("", self.text) else ask


def _of_heading(heading: _Heading, units: Sequence[Unit]) -> Iterator[tuple[Shape, str, str]]:
    said = [_STEP.sub("", plain(unit.text)) for unit in units if unit.kind in ("sentence", "step", "item")]
    fact = short(next((text for text in said if len(text.split()) >= _FEW), ""))
    if heading.text.endswith("?"):
        yield "asked heading", heading.text, fact
    elif ask := procedure(heading.text):
        yield "procedure", heading.placed(ask), fact
    elif re.search(r"[^\W\d_]{2}", heading.text):
        yield "section", heading.placed(f"What should I know about {heading.text}?"), fact


def _of_code(heading: _Heading, units: Sequence[Unit]) -> Iterator[tuple[Shape, str, str]]:
    for unit in units:
        if unit.kind == "code" and (command := _command_in(unit.text)):
            yield "command", heading.placed(with_command(heading.text)), command
            return


def _of_tables(units: Sequence[Unit]) -> Iterator[tuple[Shape, str, str]]:
    names: list[str] = []
    for unit in units:
        if unit.kind == "head":
            names = _cells(unit.text.splitlines()[0])
        elif unit.kind == "row" and names:
            cells = _cells(unit.text)
            if len(cells) == len(names) > 1 and all(0 < len(cell) <= _LONGEST_CELL for cell in (*cells[:2], names[1])):
                yield "table row", looked_up(names[1], cells[0]), cells[1]


def _of_sentences(units: Sequence[Unit]) -> Iterator[tuple[Shape, str, str]]:
    for unit in units:
        if unit.kind == "sentence" and (found := defined(plain(unit.text))):
            yield "definition", *found


def _command_in(code: str) -> str:
    """The first command of a shell's code block."""
    lines = code.strip("\n").splitlines()
    is_shell = bool(lines) and bool(_SHELLS.match(lines[0]))
    for line in lines[1:]:
        prompt = _PROMPT.match(line)
        command = line[prompt.end() if prompt else 0 :].strip()
        if (prompt or is_shell) and len(command) <= _LONGEST_COMMAND and _COMMAND.match(command):
            return command.rstrip("\\ ")
    return ""


def _cells(row: str) -> list[str]:
    return [plain(cell) for cell in _CELLS.split(row.strip().strip("|"))]
