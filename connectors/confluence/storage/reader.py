"""Walks a page's elements and gathers what they say. What an element means stands in tables given to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import TypeAlias

from connectors.confluence.storage.parse import Element, name_of
from connectors.confluence.storage.references import References
from connectors.confluence.storage.tree import (
    INLINES,
    PLAIN,
    Block,
    Break,
    Heading,
    Inline,
    Items,
    Marks,
    Node,
    Paragraph,
    Quote,
    Table,
    Text,
)

_SPACE = re.compile(r"\s+")

Meaning: TypeAlias = "Callable[[Reader, Element, Marks], Iterable[Node]]"


class Reader:
    """Reads one page. What it noticed on the way is in its attributes afterwards."""

    def __init__(self, references: References, elements: Mapping[str, Meaning]) -> None:
        self.references = references
        self.properties: dict[str, str] = {}
        self.unknown_macros: Counter[str] = Counter()
        self.unresolved: set[tuple[str, str] | str] = set()
        self._elements = elements

    def flow(self, element: Element, marks: Marks = PLAIN) -> list[Node]:
        """What an element holds, in order, inline content and blocks mixed as they come."""
        nodes: list[Node] = _words(element.text, marks)
        for child in element:
            nodes += self.meaning_of(child)(self, child, marks)
            nodes += _words(child.tail, marks)
        return nodes

    def meaning_of(self, element: Element) -> Meaning:
        """How to read an element. One that nobody knows is as if only its content were there."""
        name = name_of(element)
        return self._elements.get(name) or self._elements.get(name.partition(":")[0] + ":") or Reader.flow

    def blocks(self, element: Element, marks: Marks = PLAIN) -> list[Block]:
        """What an element holds as blocks: inline content between blocks becomes paragraphs."""
        return blocks_of(self.flow(element, marks))

    def inlines(self, element: Element, marks: Marks = PLAIN) -> tuple[Inline, ...]:
        """What an element holds on one line."""
        return inlines_of(self.flow(element, marks))


def blocks_of(nodes: Iterable[Node]) -> list[Block]:
    """The nodes with every stretch of inline content made a paragraph, blank ones left out."""
    blocks: list[Block] = []
    for is_inline, stretch in groupby(nodes, lambda node: isinstance(node, INLINES)):
        if not is_inline:
            blocks += (node for node in stretch if not isinstance(node, INLINES))
            continue
        inlines = tuple(node for node in stretch if isinstance(node, INLINES))
        if any(map(_is_something, inlines)):
            blocks.append(Paragraph(inlines))
    return blocks


def inlines_of(nodes: Iterable[Node]) -> tuple[Inline, ...]:
    """The nodes with every block flattened to its inline content."""
    flat: list[Inline] = []
    for node in nodes:
        if isinstance(node, INLINES):
            flat.append(node)
        else:
            flat += (Text(" "), *_flattened(node), Text(" "))
    return tuple(flat)


def _flattened(block: Block) -> tuple[Inline, ...]:
    match block:
        case Paragraph(inlines) | Heading(_, inlines):
            return inlines
        case Quote(blocks):
            return inlines_of(blocks)
        case Items(items):
            return inlines_of(inner for item in items for inner in item.blocks)
        case Table():
            return inlines_of(inner for cell in block.cells() for inner in cell.blocks)
        case _:
            return (Text(getattr(block, "text", "") or getattr(block, "markdown", "")),)


def _words(text: str | None, marks: Marks) -> list[Node]:
    return [Text(_SPACE.sub(" ", text), marks)] if text else []


def _is_something(inline: Inline) -> bool:
    return not isinstance(inline, Break) and not (isinstance(inline, Text) and not inline.text.strip())
