"""Tables of reStructuredText, as rows of cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from docutils.parsers.rst.tableparser import GridTableParser, SimpleTableParser, TableMarkupError
from docutils.statemachine import StringList

MAX_LINES = 1_000
MAX_WIDTH = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row as text, and the line of the table that it starts at, from 0."""

    cells: tuple[str, ...]
    offset: int


def drawn_table(lines: Sequence[str]) -> list[Row] | None:
    """The rows of a table that is drawn with lines: a grid or a simple one; ``None`` where it is not well drawn."""
    if len(lines) > MAX_LINES or any(len(line) > MAX_WIDTH for line in lines):
        return None
    parser = GridTableParser() if lines[0].startswith("+") else SimpleTableParser()
    try:
        _, head, body = parser.parse(StringList(list(lines), source="table"))
    except (TableMarkupError, IndexError, ValueError, AssertionError):
        return None
    return [_row_of(cells) for cells in [*head, *body]]


def listed_table(lines: Sequence[str]) -> list[Row]:
    """The rows of a table that is written as a list of lists: ``* - first cell``, ``- second cell``."""
    starts = [number for number, line in enumerate(lines) if re.match(r"[*-]\s+[*-](?:\s|$)", line)]
    return [
        Row(_listed_cells(lines[start:end]), start) for start, end in pairwise([*starts, len(lines)])
    ]  # fmt: skip


def comma_table(lines: Iterable[str], header: str | None) -> list[Row]:
    """The rows of a table of comma-separated values."""
    reader = csv.reader(lines, skipinitialspace=True)
    rows = [Row(tuple(next(csv.reader([header], skipinitialspace=True))), 0)] if header else []
    try:
        rows += [Row(tuple(cells), reader.line_num - 1) for cells in reader if cells]
    except csv.Error:
        return rows
    return rows


def _row_of(cells: Sequence[Any]) -> Row:
    """docutils gives a cell as (rows it spans, columns it spans, offset, lines), and None where another one spans."""
    offsets = [cell[2] for cell in cells if cell is not None]
    texts = tuple("" if cell is None else " ".join(" ".join(cell[3]).split()) for cell in cells)
    return Row(texts, max(0, min(offsets, default=0) - 1))


def _listed_cells(lines: Sequence[str]) -> tuple[str, ...]:
    column = re.match(r"[*-]\s+", lines[0])
    width = column.end() if column else 0
    cells: list[list[str]] = []
    for line in lines:
        rest = line[width:]
        if re.match(r"[*-](?:\s|$)", rest) and (not line[:width].strip() or not cells):
            cells.append([rest[1:]])
        elif cells:
            cells[-1].append(line)
    return tuple(" ".join(" ".join(cell).split()) for cell in cells)
