"""Lines of a dataset's files, of bounded length, and the JSON objects in them: every complaint names file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from connectors.errors import Misconfigured

LONGEST = 8 * 1024 * 1024
"""Bytes of a line. A document may have 10 MB on its way into a knowledge base; no known collection comes near that."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 80  # Characters of an id that a complaint quotes.


class BadDataset(Misconfigured):
    """A dataset that cannot be used. ``line`` is 1-based, ``None`` where the file as a whole is meant."""

    def __init__(self, path: Path, line: int | None, text: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path}, line {line}: {text}" if line else f"{path}: {text}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank. ``offset`` is its first byte."""

    path: Path
    number: int
    offset: int
    raw: bytes

    def complaint(self, text: str) -> BadDataset:
        """What is wrong with this line."""
        return BadDataset(self.path, self.number, text)

    def text(self) -> str:
        """The words of the line, without its end.

        Raises:
            BadDataset: It is not UTF-8.
        """
        try:
            return self.raw.removeprefix(_BYTE_ORDER_MARK if self.offset == 0 else b"").decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise self.complaint(f"this is not UTF-8 (byte {error.start + 1} of the line).") from error


@dataclass(frozen=True, slots=True)
class Record:
    """The JSON object of a line."""

    line: Line
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """Its ``_id``, a number's digits included.

        Raises:
            BadDataset: It has none that can be used.
        """
        name = self.fields.get("_id")
        if isinstance(name, int) and not isinstance(name, bool):
            return str(name)
        if not isinstance(name, str) or not name.strip():
            raise self.line.complaint("the record needs an “_id”: a text that is not empty, or a whole number.")
        if name != storable(name):
            raise self.line.complaint("the “_id” holds characters that no database takes.")
        return name

    def words(self, field: str) -> str:
        """A text; none where the field is left out or null.

        Raises:
            BadDataset: It is something else.
        """
        words = self.fields.get(field)
        if words is not None and not isinstance(words, str):
            raise self.line.complaint(f"“{field}” must be a text.")
        return storable(words or "")


def lines_in(path: Path) -> Iterator[Line]:
    """Every line of a file that is not blank. No more than one is in memory.

    Raises:
        BadDataset: The file cannot be read, or a line is longer than ``LONGEST``.
    """
    try:
        with path.open("rb") as file:
            yield from _lines(path, file)
    except OSError as error:
        raise BadDataset(path, None, f"the file cannot be read ({error.strerror}).") from error


def records_in(path: Path) -> Iterator[Record]:
    """Every JSON object of a file, one a line.

    Raises:
        BadDataset: The file cannot be read, or a line is not UTF-8, no JSON object, or too long.
    """
    for line in lines_in(path):
        yield record_of(line)


def record_of(line: Line) -> Record:
    """The JSON object of a line.

    Raises:
        BadDataset: There is none.
    """
    text = line.text()
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise line.complaint(f"this is not JSON ({error.msg}, column {error.colno}).") from error
    except (ValueError, RecursionError) as error:
        raise line.complaint("this is JSON that nobody can read: too deep, or with too long a number.") from error
    if not isinstance(fields, dict):
        raise line.complaint("this is not a JSON object, such as {“_id”: …, “text”: …}.")
    return Record(line, fields)


def storable(text: str) -> str:
    """The text without what no database takes: lone surrogates become �, NUL goes."""
    return text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def quoted(name: str) -> str:
    """An id as a complaint shows it."""
    return f"“{name if len(name) <= _SHOWN else name[:_SHOWN] + '…'}”"


def _lines(path: Path, file: BinaryIO) -> Iterator[Line]:
    number = offset = 0
    while raw := file.readline(LONGEST + 1):
        number += 1
        if len(raw) > LONGEST:
            raise BadDataset(
                path, number, f"the line is longer than {LONGEST // 1024 // 1024} MB. Cut the document up."
            )
        if raw.strip():
            yield Line(path, number, offset, raw)
        offset += len(raw)
