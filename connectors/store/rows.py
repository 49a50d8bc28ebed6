"""How chunks, terms and vectors look as rows of the SQLite index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from connectors.model import Chunk
from connectors.store.terms import keys_of
from connectors.text.analysis import terms_of

COLUMNS = (
    "chunk_id, v.source, v.document_id, v.version, v.pipeline, ordinal, title, headings, text, first_line, last_line, "
    "anchor, tags, seal"
)
"""What :func:`chunk_of` takes, from ``chunks JOIN versions v USING (version_id)``."""

_SPOILED = ("\ufffd",)
"""What nobody ever sealed."""

Version = tuple[str, str, str, str]
"""Source, document id, version and pipeline: what a put adds and a retirement drops."""

Row = tuple[str | int | None, ...]

INSERT = """
INSERT INTO chunks (version_id, chunk_id, ordinal, title, headings, text, first_line, last_line, anchor, tags,
    seal, scope, head, body, head_length, body_length, near_length)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
"""Takes a version's own id, then a row of :func:`rows_of`."""


def rows_of(chunks: Sequence[Chunk]) -> list[Row]:
    """The rows of a version's chunks, in order, with their terms and how many there are around each."""
    heads = [keys_of(terms_of(" ".join((chunk.title, *chunk.headings)))) for chunk in chunks]
    bodies = [keys_of(terms_of(chunk.text)) for chunk in chunks]
    sizes = [0, *map(len, bodies), 0]
    return [
        (*_shown(chunk), scope_of(chunk.tags), " ".join(head), " ".join(body), len(head), len(body), before + after)
        for chunk, head, body, before, after in zip(chunks, heads, bodies, sizes, sizes[2:], strict=False)
    ]


def _shown(chunk: Chunk) -> Row:
    return (
        chunk.chunk_id,
        chunk.ordinal,
        chunk.title,
        json.dumps(chunk.headings),
        chunk.text,
        chunk.first_line,
        chunk.last_line,
        chunk.anchor,
        json.dumps(sorted(chunk.tags)),
        chunk.seal,
    )


def chunk_of(row: Sequence[object]) -> Chunk:
    """The chunk of a row that holds ``COLUMNS``, whatever somebody else has written there: the seal tells."""
    (
        _chunk_id,
        source,
        document_id,
        version,
        pipeline,
        ordinal,
        title,
        headings,
        text,
        first,
        last,
        anchor,
        tags,
        seal,
    ) = row
    return Chunk(
        source=str(source),
        document_id=str(document_id),
        version=str(version),
        pipeline=str(pipeline),
        ordinal=ordinal if isinstance(ordinal, int) else -1,
        title=str(title),
        headings=_strings(headings),
        text=str(text),
        first_line=first if isinstance(first, int) else None,
        last_line=last if isinstance(last, int) else None,
        anchor=anchor if isinstance(anchor, str) else None,
        tags=frozenset(_strings(tags)),
        seal=str(seal),
    )


def _strings(value: object) -> tuple[str, ...]:
    """A list of strings in JSON. Anything else is no error, or one spoiled row would end every search."""
    try:
        found = json.loads(str(value))
    except (ValueError, RecursionError):
        return _SPOILED
    return tuple(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else _SPOILED


def scope_of(tags: Iterable[str]) -> str:
    """Tags as one column of keys."""
    return " ".join(sorted(keys_of(tags)))


def match_of(terms: Mapping[str, int], tags: Iterable[str]) -> str:
    """The full-text query for any of these keys within any of these tags. A term counts as often as it is repeated.

    Every key is ours and quoted: nothing that a person writes is syntax.
    """
    repeated = (key for key, times in terms.items() for _ in range(times))
    return f"scope : ({_any(keys_of(sorted(tags)))}) AND {{head body}} : ({_any(repeated)})"


def numbers(connection: sqlite3.Connection, asked: str, ids: Iterable[int]) -> sqlite3.Cursor:
    """Runs a statement whose one parameter is a list of ids, in JSON: there may be more than SQLite takes."""
    return connection.execute(asked, (json.dumps(list(ids)),))


def _any(keys: Iterable[str]) -> str:
    return " OR ".join(f'"{key}"' for key in keys)
