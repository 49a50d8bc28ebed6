"""What goes into the jail and comes out of it: JSON behind its length, since nothing that leaves a jail is trusted."""

from __future__ import annotations

import json
import socket
import struct
import time
from dataclasses import asdict
from typing import Any

from connectors.confluence.storage_format import Converted, References

MOST_BYTES = 100_000_000
_LENGTH = struct.Struct(">I")
_PIECE = 1 << 20

Letter = dict[str, Any]


def send(line: socket.socket, letter: Letter) -> None:
    """Write a letter. Raises OSError when the other side is gone or does not read in time."""
    content = json.dumps(letter).encode()
    line.sendall(_LENGTH.pack(len(content)) + content)


def receive(line: socket.socket, deadline: float | None = None) -> Letter:
    """The next letter. Raises TimeoutError past the deadline (of ``time.monotonic``), EOFError when the line ends."""
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size, deadline))
    if length > MOST_BYTES:
        raise EOFError("the letter is too large")
    letter = json.loads(_exactly(line, length, deadline))
    if not isinstance(letter, dict):
        raise EOFError("this is no letter")
    return letter


def page_letter(storage: str, references: References) -> Letter:
    """A page to be converted, with the look-ups that it needs."""
    needed = asdict(references.needed_by(storage))
    needed["pages"] = [[space, title, url] for (space, title), url in needed["pages"].items()]
    return {"storage": storage, "references": needed}


def page_in(letter: Letter) -> tuple[str, References]:
    """The page and the look-ups of a letter."""
    given = letter["references"]
    pages = {(space, title): url for space, title, url in given["pages"]}
    return letter["storage"], References(**{**given, "pages": pages})


def answer_letter(converted: Converted) -> Letter:
    """A converted page."""
    return {
        "markdown": converted.markdown,
        "anchors": list(converted.anchors.items()),
        "properties": dict(converted.properties),
        "unknown_macros": dict(converted.unknown_macros),
        "degraded": converted.degraded,
        "pages": [list(key) for key in converted.references if isinstance(key, tuple)],
        "users": [key for key in converted.references if isinstance(key, str)],
    }


def answer_in(letter: Letter) -> Converted:
    """The converted page of a letter. Raises KeyError, TypeError or ValueError for one that nobody honest wrote."""
    pages = [(str(space), str(title)) for space, title in letter["pages"]]
    return Converted(
        markdown=str(letter["markdown"]),
        anchors={int(line): str(anchor) for line, anchor in letter["anchors"]},
        properties={str(key): str(value) for key, value in letter["properties"].items()},
        unknown_macros={str(name): int(count) for name, count in letter["unknown_macros"].items()},
        degraded=bool(letter["degraded"]),
        references=frozenset([*pages, *map(str, letter["users"])]),
    )


def _exactly(line: socket.socket, size: int, deadline: float | None) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        if deadline is not None:
            line.settimeout(max(deadline - time.monotonic(), 0.001))
        piece = line.recv(min(_PIECE, size - len(pieces)))
        if not piece:
            raise EOFError("the line ended")
        pieces += piece
    return bytes(pieces)
