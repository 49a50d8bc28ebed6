"""Where the blocks of a Markdown text stand, which of it readers never see, and what its headings say."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["heading", "list", "table", "code", "rule", "text"]

MAX_HEADING = 300
"""Characters of a heading that count."""

_FRONT_MATTER = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\r?\n")
_FIELD = re.compile(r"\s*(#|\[|[\w\"'.-][^:=]*[:=])")
_HEADING_ID = re.compile(r"\s*\{#[^{}\s]*\}\s*$")
_MARK = re.compile(r"`+|<!--|-->|\{/\*|\*/\}")
_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")
_INLINE = MarkdownIt("commonmark")
_CLOSING = {"<!--": "-->", "{/*": "*/}"}
_KINDS: dict[str, Kind] = {
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "hr": "rule",
}
_MAX_INFO = 80  # Characters after a fence's opening marks. They are not shown, so what is longer is hidden text.


class Span(NamedTuple):
    """A part of a text: offsets of its first character and of the one after its last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block at the top level of a text, in whole lines. ``items`` are where a list's own items begin."""

    kind: Kind
    span: Span
    level: int = 0
    title: str = ""
    items: tuple[int, ...] = ()


class Lines:
    """The lines of a text as everybody counts them: only a line feed ends one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self.starts[-1] = len(text)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def number(self, offset: int) -> int:
        """The 0-based line that an offset falls on."""
        return min(bisect_right(self.starts, offset) - 1, len(self) - 1)

    def span(self, first: int, after: int) -> Span:
        """The lines from one to before another."""
        return Span(self.starts[first], self.starts[min(after, len(self))])


@dataclass(frozen=True, slots=True)
class Outline:
    """A Markdown text's blocks in order, and the spans that a reader of the page never sees, in order."""

    blocks: tuple[Block, ...]
    hidden: tuple[Span, ...]


def outline_of(lines: Lines) -> Outline:
    """The blocks of a Markdown text (CommonMark with tables), and what is hidden in it.

    Hidden are front matter, HTML comments, link definitions (``[//]: # (…)`` is a popular comment) and what stands
    after a fence's language. Takes time that grows with the length of the text, whatever is in it.
    """
    front = _front_matter(lines)
    parsed = _parsed(lines, front)
    hidden = [lines.span(0, front)] if front else []
    hidden += [lines.span(*reference) for reference in parsed.references]
    for token in parsed.tokens:
        hidden += _hidden_in(token, lines)
    return Outline(tuple(_blocks(parsed.tokens, lines, front)), tuple(sorted(set(hidden))))


@dataclass(frozen=True, slots=True)
class _Parsed:
    tokens: Sequence[Token]
    references: tuple[tuple[int, int], ...]


def _parsed(lines: Lines, front: int) -> _Parsed:
    # A lone carriage return ends a line for the parser and for nobody else; front matter would be a rule and text.
    source = "\n" * front + re.sub(r"\r(?!\n)|\ufeff", " ", lines.text[lines.starts[front] :])
    environment: dict[str, object] = {}
    tokens = _BLOCKS.parse(source, environment)
    references = environment.get("references", {})
    repeated = environment.get("duplicate_refs", [])
    assert isinstance(references, dict)  # noqa: S101  # The parser's own shape.
    assert isinstance(repeated, list)  # noqa: S101  # The parser's own shape.
    maps = [(*reference["map"],) for reference in (*references.values(), *repeated)]
    return _Parsed(tokens, tuple(maps))


def _front_matter(lines: Lines) -> int:
    """How many lines of metadata a text begins with. A page that begins with a rule has none."""
    opening = _FRONT_MATTER.match(lines.text)
    if not opening:
        return 0
    rows = lines.text.split("\n")
    said = next((row for row in rows[1:] if row.strip()), "")
    if not _FIELD.match(said) and said.rstrip() != opening[1]:
        return 0
    return next((i + 1 for i in range(1, len(rows)) if rows[i].rstrip() == opening[1]), 0)


def _blocks(tokens: Sequence[Token], lines: Lines, front: int) -> Iterator[Block]:
    """Every line that is not blank, in a block: what the parser leaves out as text."""
    after = front
    for index, token in enumerate(tokens):
        if token.level or token.map is None:
            continue
        first, end = token.map
        yield from _between(lines, after, first)
        yield _block(tokens, index, lines)
        after = end
    yield from _between(lines, after, len(lines))


def _between(lines: Lines, after: int, first: int) -> Iterator[Block]:
    span = lines.span(after, first)
    if lines.text[span.start : span.end].strip():
        yield Block("text", span)


def _block(tokens: Sequence[Token], index: int, lines: Lines) -> Block:
    token = tokens[index]
    first, after = token.map or (0, 0)
    kind = _KINDS.get(token.type, "text")
    span = lines.span(first, after)
    if kind == "heading":
        return Block(kind, span, int(token.tag[1]), plain_of(tokens[index + 1].content))
    if kind == "list":
        return Block(kind, span, items=tuple(_items(tokens, index, lines)))
    return Block(kind, span)


def _items(tokens: Sequence[Token], index: int, lines: Lines) -> Iterator[int]:
    for following in range(index + 1, len(tokens)):
        token = tokens[following]
        if not token.level:
            return
        if token.level == 1 and token.type == "list_item_open" and token.map:
            yield lines.starts[token.map[0]]


def plain_of(heading: str) -> str:
    """The words of a heading, without the marks around them."""
    content = _HEADING_ID.sub("", heading)[:MAX_HEADING]
    (inline,) = _INLINE.parseInline(content)
    words = (child.content if child.type != "softbreak" else " " for child in inline.children or ())
    visible = "".join(word for word in words if not word.startswith("<"))
    return " ".join(visible.split()) or content.strip()


def _hidden_in(token: Token, lines: Lines) -> Iterator[Span]:
    if token.map is None:
        return
    span = lines.span(*token.map)
    if token.type == "fence" and len(token.info) > _MAX_INFO:
        yield lines.span(token.map[0], token.map[0] + 1)
    elif token.type == "html_block" and "<!--" in token.content:
        yield from _comments(lines.text, span, code=False)
    elif token.type == "inline" and ("<!--" in token.content or "{/*" in token.content):
        yield from _comments(lines.text, span, code=True)


def _comments(text: str, span: Span, *, code: bool) -> Iterator[Span]:
    """The comments within a span, those in code spans left out. One that is never closed hides the rest."""
    marks = [mark for mark in _MARK.finditer(text, *span) if code or mark[0][0] != "`"]
    last = {mark[0]: index for index, mark in enumerate(marks)}
    index = 0
    while index < len(marks):
        mark = marks[index]
        closing = _CLOSING.get(mark[0], mark[0] if mark[0][0] == "`" else "")
        closed = last.get(closing, -1) > index
        index += 1
        if closed:
            while marks[index][0] != closing:
                index += 1
        if mark[0] in _CLOSING and (closed or not code):
            yield Span(mark.start(), marks[index].end() if closed else span.end)
        index += closed
