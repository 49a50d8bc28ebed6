"""Markdown as rich_text: structure says what is bold or a link, so that words can say nothing of the kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.slack.literal import literal

Element = dict[str, Any]
_MARK = re.compile(r"\[(\d{1,3})\]")
_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
_DEEPEST_LIST = 8


def _parser() -> MarkdownIt:
    # Link targets are read so that they can be left out; reference definitions stay words: nothing hides in them.
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    parser.disable("reference")
    parser.validateLink = _any_target  # type: ignore[method-assign]  # A refused one would stay in the text.
    return parser


def _any_target(url: str) -> bool:  # noqa: ARG001  # The parser asks by this name.
    return True


_PARSER = _parser()


def rich_elements(markdown: str, links: Mapping[int, str]) -> list[Element]:
    """The elements of a rich_text block. Only ``[n]`` can become a link, and only to ``links[n]``."""
    tree = SyntaxTreeNode(_PARSER.parse(markdown))
    elements = [element for child in tree.children for element in _block(child, links)]
    return [_spaced(element, following) for element, following in zip_longest(elements, elements[1:])]


def rich_text(elements: list[Element]) -> Element:
    """A rich_text block."""
    return {"type": "rich_text", "elements": elements}


def section(*elements: Element) -> Element:
    """A paragraph of a rich_text block."""
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str, **style: bool) -> Element:
    """Literal words in a style."""
    element: Element = {"type": "text", "text": literal(text)}
    return element | {"style": style} if style else element


def link(text: str, url: str) -> Element:
    """Literal words that open an address. Only for addresses from the ledger."""
    return {"type": "link", "url": url, "text": literal(text)}


def plain_of(elements: Iterable[Element]) -> str:
    """What a person reads of these elements, for those who hear it."""
    return "\n".join(_plain(element) for element in elements).strip()


def _spaced(element: Element, following: Element | None) -> Element:
    if following is None or element["type"] != "rich_text_section" or following["type"] != "rich_text_section":
        return element
    return section(*element["elements"], {"type": "text", "text": "\n"})


def _block(node: SyntaxTreeNode, links: Mapping[int, str]) -> Iterator[Element]:
    match node.type:
        case "paragraph" | "heading":
            yield from _paragraph(node, links)
        case "bullet_list" | "ordered_list":
            yield from _list(node, links, 0)
        case "fence" | "code_block":
            yield from _code(node.content)
        case "blockquote":
            yield from _quote(node, links)
        case "table":
            yield from _code("\n".join(_rows(node)))
        case "hr":
            yield section(words("———"))


def _paragraph(node: SyntaxTreeNode, links: Mapping[int, str]) -> Iterator[Element]:
    style = frozenset({"bold"}) if node.type == "heading" else frozenset[str]()
    elements = _inline(node, links, style)
    if elements:
        yield section(*elements)


def _code(text: str) -> Iterator[Element]:
    shown = literal(text.rstrip("\n"))
    if shown.strip():
        yield {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]}


def _quote(node: SyntaxTreeNode, links: Mapping[int, str]) -> Iterator[Element]:
    lines = [line for child in node.children for line in _block(child, links)]
    inner: list[Element] = []
    for line in lines:
        inner += [{"type": "text", "text": "\n"}] if inner else []
        inner += _flat(line)
    if inner:
        yield {"type": "rich_text_quote", "elements": inner}


def _flat(element: Element) -> list[Element]:
    if element["type"] in {"rich_text_section", "rich_text_quote"}:
        return list(element["elements"])
    return [{"type": "text", "text": _plain(element)}]


def _list(node: SyntaxTreeNode, links: Mapping[int, str], indent: int) -> Iterator[Element]:
    """Runs of items; what Slack cannot put into an item (code, an inner list) stands between two runs."""
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    run: list[Element] = []
    unbroken = True
    for at, item in enumerate(node.children):
        number = None if first is None else first + at
        texts, others = _item(item, links, indent)
        run.append(section(*(texts or [words(" ")])))
        if others or at == len(node.children) - 1:
            yield from _run(run, indent, None if number is None else number - len(run) + 1, counts=unbroken)
            yield from others
            run, unbroken = [], False


def _item(item: SyntaxTreeNode, links: Mapping[int, str], indent: int) -> tuple[list[Element], list[Element]]:
    texts: list[Element] = []
    others: list[Element] = []
    for child in item.children:
        if child.type == "paragraph" and not others:
            texts += ([{"type": "text", "text": "\n"}] if texts else []) + _inline(child, links, frozenset())
        elif child.type in {"bullet_list", "ordered_list"}:
            others += _list(child, links, min(indent + 1, _DEEPEST_LIST))
        else:
            others += _block(child, links)
    return texts, others


def _run(run: list[Element], indent: int, number: int | None, *, counts: bool) -> Iterator[Element]:
    """Slack numbers every run from 1, so a run that goes on elsewhere carries its numbers as words."""
    if number is not None and not (counts and number == 1):
        for at, item in enumerate(run):
            yield section(words(f"{number + at}. "), *item["elements"])
        return
    yield {
        "type": "rich_text_list",
        "style": "bullet" if number is None else "ordered",
        "indent": indent,
        "elements": run,
    }


def _rows(table: SyntaxTreeNode) -> Iterator[str]:
    rows = [
        [plain_of([section(*_inline(cell, {}, frozenset()))]) for cell in row.children]
        for part in table.children
        for row in part.children
    ]
    widths = [max(len(row[at]) for row in rows if at < len(row)) for at in range(max(map(len, rows)))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()


def _inline(node: SyntaxTreeNode, links: Mapping[int, str], style: frozenset[str]) -> list[Element]:
    runs: list[tuple[str, frozenset[str]]] = []
    for text, how in (piece for child in node.children for piece in _pieces(child, style)):
        if runs and runs[-1][1] == how:
            runs[-1] = (runs[-1][0] + text, how)
        elif text:
            runs.append((text, how))
    elements = [element for text, how in runs for element in _marked(text, how, links)]
    # Slack refuses a block with an empty text, which is what is left of signs that nobody can see.
    return [element for element in elements if element["text"]]


def _pieces(node: SyntaxTreeNode, style: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    match node.type:
        case "text":
            yield node.content, style
        case "code_inline":
            yield node.content, style | {"code"}
        case "softbreak":
            yield " ", style
        case "hardbreak":
            yield "\n", style
        case "image":
            yield node.content, style
        case _:
            inner = style | {_STYLES[node.type]} if node.type in _STYLES else style
            for child in node.children:
                yield from _pieces(child, inner)


def _marked(text: str, style: frozenset[str], links: Mapping[int, str]) -> Iterator[Element]:
    styles = dict.fromkeys(sorted(style), True)
    at = 0
    for mark in [] if "code" in style else _MARK.finditer(text):
        if int(mark[1]) in links:
            if mark.start() > at:
                yield words(text[at : mark.start()], **styles)
            yield link(mark.group(), links[int(mark[1])])
            at = mark.end()
    if text[at:]:
        yield words(text[at:], **styles)


def _plain(element: Element) -> str:
    match element["type"]:
        case "text" | "link":
            return str(element["text"])
        case "rich_text_list":
            return "\n".join(_listed(element))
        case _:
            return "".join(_plain(child) for child in element["elements"])


def _listed(element: Element) -> Iterator[str]:
    for number, item in enumerate(element["elements"], 1):
        sign = f"{number}." if element["style"] == "ordered" else "•"
        yield f"{'  ' * element.get('indent', 0)}{sign} {_plain(item)}"
