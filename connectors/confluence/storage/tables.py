"""Tables with their spans expanded, so that every row can be read by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.confluence.storage.parse import Element, attribute, child_of, name_of, text_of
from connectors.confluence.storage.reader import Reader
from connectors.confluence.storage.tree import Block, Cell, Marks, Table

MOST_ROWS = 500
MOST_COLUMNS = 100
_LONGEST_REPEATED = 2_000
"""A span repeats its value; a value longer than this many characters is written once."""

_MOST_DIGITS = 9
_SECTIONS = ("thead", "tbody", "tfoot")
_PARTS = (*_SECTIONS, "tr", "caption", "colgroup", "col")
_EMPTY = Cell()


@dataclass(slots=True)
class _Span:
    """A cell that reaches into rows below."""

    cell: Cell
    rows_left: int


def table_of(reader: Reader, element: Element, marks: Marks) -> list[Block]:
    """The table, or nothing where it holds nothing; what stands in it outside of any row follows it."""
    found = list(_rows_in(element))
    grid, headings, widest = _Grid(reader, marks), [], 0
    for row, section_rows_left, is_head in found[:MOST_ROWS]:
        cells = [child for child in row if name_of(child) in ("td", "th")]
        headings.append(bool(cells) and (is_head or all(name_of(cell) == "th" for cell in cells)))
        widest = max(widest, grid.add(cells, section_rows_left))
    headers = _number_of_headers(headings)
    rows = grid.rows()
    caption = child_of(element, "caption")
    table = Table(
        tuple(rows[:headers]),
        tuple(rows[headers:]),
        reader.inlines(caption) if caption is not None else (),
        _cut(len(found), widest),
    )
    outside = [block for child in element if name_of(child) not in _PARTS for block in reader.blocks(child, marks)]
    is_something = table.caption or any(cell.blocks for row in rows for cell in row)
    return [table, *outside] if is_something else outside


class _Grid:
    def __init__(self, reader: Reader, marks: Marks) -> None:
        self._reader = reader
        self._marks = marks
        self._rows: list[list[Cell]] = []
        self._spans: dict[int, _Span] = {}

    def add(self, elements: list[Element], section_rows_left: int) -> int:
        """Append a row; the number of columns that it asks for."""
        row: list[Cell] = []
        too_wide = False
        self._take_spans(row)
        for element in elements:
            if len(row) >= MOST_COLUMNS:
                too_wide = True
                break
            cell = Cell(tuple(self._reader.blocks(element, self._marks)))
            copy = cell if len(text_of(element)) <= _LONGEST_REPEATED else _EMPTY
            columns = min(max(_number(element, "colspan"), 1), MOST_COLUMNS - len(row))
            rows_below = (_number(element, "rowspan") or section_rows_left) - 1
            for number in range(columns):
                if rows_below > 0:
                    self._spans[len(row)] = _Span(copy, min(rows_below, section_rows_left - 1))
                row.append(copy if number else cell)
            self._take_spans(row)
        self._rows.append(row)
        return len(row) + too_wide

    def rows(self) -> list[tuple[Cell, ...]]:
        """All rows, equally long."""
        width = max(map(len, self._rows), default=0)
        return [(*row, *[_EMPTY] * (width - len(row))) for row in self._rows]

    def _take_spans(self, row: list[Cell]) -> None:
        while (span := self._spans.get(len(row))) is not None:
            span.rows_left -= 1
            if span.rows_left <= 0:
                del self._spans[len(row)]
            row.append(span.cell)


def _rows_in(table: Element) -> Iterator[tuple[Element, int, bool]]:
    """Each row with how many rows its section has from it on, and whether that section is the head."""
    loose = [child for child in table if name_of(child) == "tr"]
    yield from _counted(loose, is_head=False)
    for section in table:
        if name_of(section) in _SECTIONS:
            rows = [child for child in section if name_of(child) == "tr"]
            yield from _counted(rows, is_head=name_of(section) == "thead")


def _counted(rows: list[Element], *, is_head: bool) -> Iterator[tuple[Element, int, bool]]:
    return ((row, len(rows) - index, is_head) for index, row in enumerate(rows))


def _number_of_headers(headings: list[bool]) -> int:
    """How many leading rows name the columns; of a table of headings alone only the first does."""
    leading = next((index for index, is_heading in enumerate(headings) if not is_heading), len(headings))
    return min(leading, 1) if leading == len(headings) else leading


def _cut(rows: int, columns: int) -> str:
    if rows <= MOST_ROWS and columns <= MOST_COLUMNS:
        return ""
    return f"The table goes on: only its first {MOST_ROWS} rows and {MOST_COLUMNS} columns are kept."


def _number(element: Element, name: str) -> int:
    text = attribute(element, name)
    if not text:
        return 1
    return min(int(text[:_MOST_DIGITS]), MOST_ROWS) if text.isascii() and text.isdigit() else 1
