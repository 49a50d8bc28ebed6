"""Writes blocks as Markdown that reads well as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from connectors.confluence.storage import escaping
from connectors.confluence.storage.grids import rows_of
from connectors.confluence.storage.references import anchor_of
from connectors.confluence.storage.spans import markdown_of_inlines
from connectors.confluence.storage.tree import (
    Block,
    Fence,
    Heading,
    Item,
    Items,
    Paragraph,
    Quote,
    Raw,
    Rule,
    Table,
    Text,
    plain_of,
)

# Noncharacters that the parser takes out of every page: they stand around a heading's anchor until its line is known.
_OPENS, _CLOSES = "\ufdd0", "\ufdd1"
_ANCHOR = re.compile(f"{_OPENS}(.*?){_CLOSES}")

_HTML_COMMENT = re.compile(r"<!--(?:(?!-->).)*(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://|mailto:)")
_UNSAFE_TARGET = re.compile(r"\]\(\s*<?\s*(?:javascript|vbscript|data):[^)]*\)", re.IGNORECASE)


def markdown_of_blocks(blocks: Iterable[Block]) -> str:
    """The blocks with an empty line between them. Headings carry their anchors until :func:`without_anchors`."""
    return "\n\n".join(filter(None, map(_written, blocks)))


def without_anchors(markdown: str) -> tuple[str, dict[int, str]]:
    """The Markdown, and for each line that is a heading its anchor. A repeated anchor is numbered as Cloud does."""
    lines = markdown.split("\n")
    anchors: dict[int, str] = {}
    seen: dict[str, int] = {}
    for number, line in enumerate(lines):
        found = _ANCHOR.search(line)
        if found is None:
            continue
        anchor, times = found.group(1), seen.get(found.group(1), 0)
        seen[anchor] = times + 1
        anchors[number] = f"{anchor}.{times}" if times else anchor
        lines[number] = _ANCHOR.sub("", line)
    return "\n".join(lines), anchors


def _written(block: Block) -> str:
    return _WRITERS[type(block)](block)


def _paragraph(block: Paragraph) -> str:
    return markdown_of_inlines(block.inlines)


def _fence(block: Fence) -> str:
    fence = escaping.fence_for(block.text)
    return f"{fence}{block.language}\n{block.text}\n{fence}"


def _rule(_block: Rule) -> str:
    return "---"


def _heading(block: Heading) -> str:
    words = " ".join(markdown_of_inlines(block.inlines).split("\n"))
    anchor = anchor_of(plain_of(block.inlines))
    return f"{'#' * block.level} {escaping.heading_end(words)}{_OPENS}{anchor}{_CLOSES}" if words else ""


def _quote(block: Quote) -> str:
    title = f"**{escaping.words(block.title)}**" if block.title else ""
    lead = " ".join(filter(None, (f"[!{block.kind}]" if block.kind else "", title)))
    text = "\n".join(filter(None, (lead, markdown_of_blocks(block.blocks))))
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def _items(block: Items) -> str:
    number = block.start
    entries = []
    for item in block.items:
        marker = "-" if number is None else f"{number}."
        entries.append(_item(item, marker))
        number = None if number is None else number + 1
    return "\n".join(entries)


def _item(item: Item, marker: str) -> str:
    box = "" if item.done is None else "[x] " if item.done else "[ ] "
    first, *rest = (box + _close(item.blocks)).split("\n")
    indent = " " * (len(marker) + 1)
    return "\n".join((f"{marker} {first}", *(indent + line if line else "" for line in rest)))


def _close(blocks: Sequence[Block]) -> str:
    """The blocks of an item, a list or code directly below the words it belongs to."""
    text = ""
    for block in blocks:
        written = _written(block)
        gap = "\n" if isinstance(block, Items | Fence) else "\n\n"
        text += (gap if text and written else "") + written
    return text


def _table(block: Table) -> str:
    caption = markdown_of_inlines(block.caption)
    cut = markdown_of_inlines((Text(block.cut),))
    return "\n\n".join(filter(None, (caption, *rows_of(block), cut)))


def _raw(block: Raw) -> str:
    """Somebody's own Markdown, without HTML and without links that run something."""
    text = _HTML_COMMENT.sub("", block.markdown)
    text = _TAG.sub(r"\\<", text)
    return _UNSAFE_TARGET.sub("]", text).strip()


_WRITERS: dict[type[Block], Callable[[Any], str]] = {
    Paragraph: _paragraph,
    Heading: _heading,
    Fence: _fence,
    Raw: _raw,
    Quote: _quote,
    Items: _items,
    Table: _table,
    Rule: _rule,
}
