"""What the new editor's extensions mean: the node, or its fallback where the node says nothing; never both."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from connectors.confluence.storage.parse import Element, attribute, child_of, name_of, text_of
from connectors.confluence.storage.reader import Meaning, Reader
from connectors.confluence.storage.tree import PANEL_KINDS, Block, Item, Items, Marks, Node, Paragraph, Quote, Text


def _extension(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    nodes = [child for child in element if name_of(child) == "ac:adf-node"]
    said = [block for node in nodes for block in _node(reader, node, marks)]
    fallback = child_of(element, "ac:adf-fallback")
    return said or (reader.blocks(fallback, marks) if fallback is not None else ())


def _node(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    blocks = reader.blocks(element, marks)
    meaning = _NODES.get(attribute(element, "type"))
    return meaning(element, blocks) if meaning and blocks else blocks


def _panel(element: Element, blocks: list[Block]) -> list[Block]:
    return [Quote(tuple(blocks), PANEL_KINDS.get(_value(element, "panel-type").lower(), ""))]


def _decision(element: Element, blocks: list[Block]) -> list[Block]:
    state = _value(element, "state").lower() or "decided"
    lead = Text(f"Decision ({state}): ")
    match blocks:
        case [Paragraph(inlines), *rest]:
            blocks = [Paragraph((lead, *inlines)), *rest]
        case _:
            blocks = [Paragraph((lead,)), *blocks]
    return [Items((Item(tuple(blocks)),))]


def _value(element: Element, key: str) -> str:
    return next(
        (text_of(child) for child in element if name_of(child) == "ac:adf-attribute" and child.get("key") == key), ""
    ).strip()


_NODES: dict[str, Callable[[Element, list[Block]], list[Block]]] = {"panel": _panel, "decision-item": _decision}
ELEMENTS: dict[str, Meaning] = {"ac:adf-extension": _extension, "ac:adf-node": _node}
