"""Writes tables: one line a row, and wide ones a second time as records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Any

from connectors.confluence.storage import escaping
from connectors.confluence.storage.spans import markdown_of_inlines
from connectors.confluence.storage.tree import (
    Block,
    Cell,
    Fence,
    Heading,
    Items,
    Paragraph,
    Quote,
    Raw,
    Rule,
    Table,
)

MOST_CHARACTERS = 2_000_000
_MOST_COLUMNS_READ = 12
_LONGEST_ROW_READ = 1_500
_NEW_LINE = "<br>"

Row = list[str]


def rows_of(table: Table) -> Iterator[str]:
    """The table as Markdown, 2 MB at most, then the records of a wide one.

    A row of more than 12 columns or 1,500 characters is hard to read and to cut: as ``Header: value`` lines it is not.
    """
    written: dict[int, str] = {}
    headers = _joined([_fields(row, written) for row in table.headers])
    rows = _limited(_fields(row, written) for row in table.rows)
    width = len((table.headers or table.rows or ((),))[0])
    if not width:
        return
    yield "\n".join((_line(headers or [""] * width), _line(["---"] * width), *map(_line, rows)))
    if width > _MOST_COLUMNS_READ or any(len(_line(row)) > _LONGEST_ROW_READ for row in rows):
        yield from filter(None, (_record(headers, row) for row in rows))
    if len(rows) < len(table.rows):
        yield f"The table goes on: only its first {len(rows)} rows are kept."


def _limited(rows: Iterable[Row]) -> list[Row]:
    kept, size = [], 0
    for row in rows:
        size += sum(map(len, row))
        if size > MOST_CHARACTERS:
            break
        kept.append(row)
    return kept


def _line(fields: Row) -> str:
    return f"| {' | '.join(fields)} |"


def _record(headers: Row, fields: Row) -> str:
    pairs = zip_longest(headers, fields, fillvalue="")
    return "\n".join(f"{header}: {value}" if header else value for header, value in pairs if value)


def _joined(rows: list[Row]) -> Row:
    """Several rows of headings as one: ``Quota / CPU``, a heading that spans both only once."""
    return [" / ".join(dict.fromkeys(filter(None, column))) for column in zip(*rows, strict=True)]


def _fields(row: Iterable[Cell], written: dict[int, str]) -> Row:
    """The cells as text, one that spans several fields written once for all."""
    for cell in row:
        if id(cell) not in written:
            written[id(cell)] = _NEW_LINE.join(line for line in _lines(cell.blocks) if line)
    return [written[id(cell)] for cell in row]


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    """The lines of a cell, safe between bars."""
    for block in blocks:
        yield from (line.replace("|", "\\|") for line in _lines_of(block))


def _lines_of(block: Block) -> Iterable[str]:
    return _WRITERS[type(block)](block)


def _paragraph(block: Paragraph) -> list[str]:
    return markdown_of_inlines(block.inlines).split("\n")


def _heading(block: Heading) -> list[str]:
    return [f"**{line}**" for line in markdown_of_inlines(block.inlines).split("\n") if line]


def _fence(block: Fence) -> list[str]:
    return [escaping.code_span(line.strip()) for line in block.text.split("\n") if line.strip()]


def _raw(block: Raw) -> list[str]:
    return [escaping.words(line.strip()) for line in block.markdown.split("\n")]


def _quote(block: Quote) -> list[str]:
    title = f"**{escaping.words(block.title)}**" if block.title else ""
    lead = " ".join(filter(None, (f"[!{block.kind}]" if block.kind else "", title)))
    return [lead, *_inner(block.blocks)]


def _table(block: Table) -> list[str]:
    return ["; ".join(filter(None, (" ".join(_inner(cell.blocks)) for cell in block.cells())))]


def _rule(_block: Rule) -> list[str]:
    return []


def _inner(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        yield from _lines_of(block)


def _entries(block: Items) -> Iterator[str]:
    for number, item in enumerate(block.items, start=block.start or 0):
        marker = "-" if block.start is None else f"{number}."
        box = "" if item.done is None else "[x] " if item.done else "[ ] "
        first, *rest = list(_inner(item.blocks)) or [""]
        yield f"{marker} {box}{first}"
        yield from rest


_WRITERS: dict[type[Block], Callable[[Any], Iterable[str]]] = {
    Paragraph: _paragraph,
    Heading: _heading,
    Fence: _fence,
    Raw: _raw,
    Quote: _quote,
    Items: _entries,
    Table: _table,
    Rule: _rule,
}
