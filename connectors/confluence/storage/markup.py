"""What the XHTML elements of a page mean: paragraphs, headings, emphasis, lists, quotes, tasks, time."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.confluence.storage.parse import Element, attribute, child_of, name_of, text_of
from connectors.confluence.storage.reader import Meaning, Reader, blocks_of, inlines_of
from connectors.confluence.storage.tables import table_of
from connectors.confluence.storage.tree import (
    STRONG,
    Block,
    Break,
    Code,
    Fence,
    Heading,
    Image,
    Inline,
    Item,
    Items,
    Link,
    Mark,
    Marks,
    Node,
    Paragraph,
    Quote,
    Rule,
    Text,
    plain_of,
)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HIGHEST_START = 999_999_999


def nothing(_reader: Reader, _element: Element, _marks: Marks) -> Iterable[Node]:
    """What carries no words for a reader."""
    return ()


def container(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    """What stands by itself and holds inline content or blocks."""
    return reader.blocks(element, marks)


def _marked(mark: Mark) -> Meaning:
    def meaning(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
        return reader.flow(element, marks | {mark})

    return meaning


def _heading(level: int) -> Meaning:
    def meaning(reader: Reader, element: Element, _marks: Marks) -> Iterable[Node]:
        inlines = reader.inlines(element)
        words = tuple(map(_in_heading, inlines))
        if not plain_of(words):
            return blocks_of(inlines)
        urls = [Paragraph((Link((Text(link.url),), link.url),)) for link in inlines if isinstance(link, Link)]
        return [Heading(level, words), *urls]

    return meaning


def _in_heading(inline: Inline) -> Inline:
    """Headings are read as breadcrumbs: no emphasis, no URL, no picture, no line end."""
    match inline:
        case Code(text):
            return Code(text)
        case Text(text):
            return Text(text)
        case Break():
            return Text(" ")
        case _:
            return Text(plain_of((inline,)))


def _break(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return [Break(), *reader.flow(element, marks)]


def _code(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    nodes: list[Node] = []
    for inline in inlines_of(reader.flow(element)):
        nodes.append(inline if isinstance(inline, Break | Image) else Code(plain_of_verbatim(inline), marks))
    return nodes


def plain_of_verbatim(inline: Inline) -> str:
    """The words of one inline, white space at its ends kept."""
    return inline.text if isinstance(inline, Text | Code) else plain_of((inline,))


def _pre(_reader: Reader, element: Element, _marks: Marks) -> Iterable[Node]:
    text = _verbatim(element).strip("\n")
    return [Fence(text)] if text.strip() else ()


def _verbatim(element: Element) -> str:
    """The words of an element as they are spaced, without those that are for nobody to read."""
    if ELEMENTS.get(name_of(element)) is nothing:
        return ""
    inner = "".join(_verbatim(child) + (child.tail or "") for child in element)
    return ("\n" if name_of(element) == "br" else "") + (element.text or "") + inner


def _quote(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    blocks = reader.blocks(element, marks)
    return [Quote(tuple(blocks))] if blocks else ()


def _rule(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return [Rule(), *reader.blocks(element, marks)]


def _list(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    items: list[Item] = []
    for child in element:
        is_item = name_of(child) == "li"
        blocks = tuple(reader.blocks(child, marks) if is_item else _stray(reader, child, marks))
        if name_of(child) in ("ul", "ol") and items:
            items[-1] = Item((*items[-1].blocks, *blocks))
        elif blocks:
            items.append(Item(blocks))
    start = _start_of(element) if name_of(element) == "ol" else None
    outside = blocks_of([Text(text) for text in (element.text, *(child.tail for child in element)) if text])
    return [*([Items(tuple(items), start)] if items else ()), *outside]


def _stray(reader: Reader, child: Element, marks: Marks) -> list[Block]:
    """A child that stands where only items should: read as if it stood alone."""
    return blocks_of(reader.meaning_of(child)(reader, child, marks))


def _start_of(element: Element) -> int:
    start = attribute(element, "start")
    return min(int(start), _HIGHEST_START) if start.isascii() and start.isdigit() and len(start) < 12 else 1  # noqa: PLR2004  # int() stays cheap


def _definition(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return reader.blocks(element, marks | STRONG)


def _task_list(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    items = []
    for task in element:
        body = child_of(task, "ac:task-body")
        blocks = tuple(reader.blocks(body if body is not None else task, marks))
        if blocks:
            done = text_of(child_of(task, "ac:task-status")).strip().lower() == "complete"
            items.append(Item(blocks, done if name_of(task) == "ac:task" else None))
    return [Items(tuple(items))] if items else ()


def _time(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    date = _DATE.match(attribute(element, "datetime"))
    words = reader.flow(element, marks)
    if date is None or any(date.group() in plain_of((word,)) for word in inlines_of(words)):
        return words
    text = plain_of(inlines_of(words))
    return [Text(f"{text} ({date.group()})" if text else date.group(), marks)]


def _table(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return table_of(reader, element, marks)


ELEMENTS: dict[str, Meaning] = {
    **dict.fromkeys(("p", "div", "section", "article", "center", "dd", "address", "figure", "caption"), container),
    **dict.fromkeys(("header", "footer", "main", "nav", "aside", "details", "summary", "form"), container),
    **dict.fromkeys(("li", "td", "th", "tr", "figcaption", "fieldset", "body", "dl"), container),
    **dict.fromkeys(("ac:layout", "ac:layout-section", "ac:layout-cell", "ac:rich-text-body"), container),
    **dict.fromkeys(("script", "style", "head", "template", "colgroup", "col", "title"), nothing),
    **dict.fromkeys(("ac:parameter", "ac:default-parameter", "ac:placeholder", "ac:adf-attribute"), nothing),
    **dict.fromkeys(("ac:task-id", "ac:task-uuid", "ac:task-status", "ac:adf-parameter"), nothing),
    **{f"h{level}": _heading(level) for level in range(1, 7)},
    **dict.fromkeys(("strong", "b"), _marked("strong")),
    **dict.fromkeys(("em", "i"), _marked("em")),
    **dict.fromkeys(("del", "s", "strike"), _marked("strike")),
    **dict.fromkeys(("code", "tt", "kbd", "samp"), _code),
    "at:": nothing,
    "br": _break,
    "pre": _pre,
    "hr": _rule,
    "blockquote": _quote,
    "ul": _list,
    "ol": _list,
    "dt": _definition,
    "table": _table,
    "time": _time,
    "ac:task-list": _task_list,
}
