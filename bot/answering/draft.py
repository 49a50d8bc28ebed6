"""An answer while it is being written: a model's chunks in, finished pieces of Markdown out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk

from bot.answering.citations import Citations, marked, without_signs
from bot.answering.inert import inert
from bot.answering.model import Piece
from bot.answering.prompts import NO_ANSWER

_FENCE = re.compile(r"[ \t]*(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+)?(`{3,}|~{3,})")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+\S")
_GAP = re.compile(r"\n{3,}")


@dataclass(slots=True)
class Draft:
    """Turns the chunks of one model call into pieces whose texts join to the whole answer.

    A citation belongs to the content block it comes with, before or after the block's words; its mark is set where the
    block ends. So the last paragraph is held back until the next one begins.
    """

    citations: Citations
    native: bool
    declined: bool = False
    """The model said that the sources do not contain the answer."""
    _pieces: list[str] = field(default_factory=list)
    _open: str = ""
    _block: object = None
    _signs: list[str] = field(default_factory=list)

    def take(self, chunk: AIMessageChunk) -> list[Piece]:
        """The pieces that this chunk finishes."""
        content = [{"type": "text", "text": chunk.content}] if isinstance(chunk.content, str) else chunk.content
        for block in content:
            self._take_block({"type": "text", "text": block} if isinstance(block, str) else block)
        return self._released(held=1)

    def finish(self) -> list[Piece]:
        """The last pieces. A code block that was left open is closed."""
        self._set_signs()
        if open_fence := _open_fence(self._open):
            self._open = f"{self._open.rstrip()}\n{open_fence}"
            self._set_signs()
        return self._released(held=0)

    @property
    def text(self) -> str:
        """All that was released, as Markdown with [n]."""
        return "".join(self._pieces).strip()

    def _take_block(self, block: dict[str, Any]) -> None:
        if block.get("type") != "text":
            return
        if block.get("index") != self._block:
            self._set_signs()
            self._block = block.get("index")
        self._open += without_signs(block.get("text") or "")
        self._signs += [self.citations.sign_of(location) for location in block.get("citations") or () if self.native]

    def _set_signs(self) -> None:
        """Put the open block's citations at its end; inside of a code block they wait for its end."""
        signs = [sign for sign in self._signs if sign]
        if signs and not _open_fence(self._open):
            self._open = marked(self._open, signs)
            self._signs = []

    def _released(self, held: int) -> list[Piece]:
        blocks = list(blocks_of(self._open))
        ready = blocks[: len(blocks) - held] if held else blocks
        self._open = "".join(blocks[len(ready) :])
        return [piece for block in ready if (piece := self._piece(block))]

    def _piece(self, block: str) -> Piece | None:
        if NO_ANSWER in block:
            self.declined = True
            return None
        change: Callable[[str], str] = self.citations.without_marks if self.native else self.citations.signs_of_marks
        text, new = self.citations.numbered(inert(change(block)))
        text = _GAP.sub("\n\n", text)
        if not text.strip():
            return None
        self._pieces.append(text)
        return Piece(text, new)


def blocks_of(text: str) -> Iterator[str]:
    """The paragraphs, list items, tables and code blocks of Markdown, with the white space after each.

    The last one may be unfinished. Text that grows at its end never changes the blocks before the last.
    """
    start = at = 0
    fence, gap = "", False
    for line in text.splitlines(keepends=True):
        if not fence and line.strip() and at > start and (gap or _FENCE.match(line) or _ITEM.match(line)):
            yield text[start:at]
            start = at
        closed = bool(fence) and _closes(line, fence)
        fence = "" if closed else fence or _opened_by(line)
        gap = closed or not line.strip() or (gap and not line.strip())
        at += len(line)
    if start < len(text):
        yield text[start:]


def _open_fence(text: str) -> str:
    fence = ""
    for line in text.splitlines(keepends=True):
        fence = "" if fence and _closes(line, fence, whole=False) else fence or _opened_by(line)
    return fence


def _opened_by(line: str) -> str:
    fence = _FENCE.match(line)
    return fence.group(1) if fence else ""


def _closes(line: str, fence: str, *, whole: bool = True) -> bool:
    """Whether the line ends the code block. An unfinished line may still become something else."""
    bare = line.strip()
    return (line.endswith("\n") or not whole) and bare.startswith(fence) and not bare.strip(fence[0])
