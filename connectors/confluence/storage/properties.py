"""The pairs of a page-properties table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.confluence.storage.reader import inlines_of
from connectors.confluence.storage.tree import Block, Cell, Table, plain_of


def properties_of(blocks: Iterable[Block]) -> dict[str, str]:
    """Key and value of every row, or of every column where the keys stand in a heading row above one row of values."""
    pairs = (pair for block in blocks if isinstance(block, Table) for pair in _pairs_of(block))
    return {key: value for key, value in pairs if key}


def _pairs_of(table: Table) -> Iterator[tuple[str, str]]:
    if table.headers and len(table.rows) == 1:
        yield from zip(map(_words, table.headers[-1]), map(_words, table.rows[0]), strict=True)
        return
    for key, *values in (*table.headers, *table.rows):
        yield _words(key), "; ".join(filter(None, map(_words, values)))


def _words(cell: Cell) -> str:
    return plain_of(inlines_of(cell.blocks))
