"""Writes inline content: emphasis whose markers touch words, and never stand around white space."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from connectors.confluence.storage import escaping
from connectors.confluence.storage.tree import PLAIN, Break, Code, Image, Inline, Link, Mark, Marks, Text, plain_of

_ORDER: tuple[Mark, ...] = ("strong", "em", "strike")
_MARKERS = {"strong": "**", "em": "*", "strike": "~~"}
_PUNCTUATION = re.compile(r"[^\w\s]+")


@dataclass(frozen=True, slots=True)
class _Span:
    """A piece of a line: Markdown already, or words still to be escaped."""

    text: str
    marks: Marks
    is_words: bool = False
    follows: bool = False
    """It takes the emphasis that its neighbours share: white space, code, pictures."""


def markdown_of_inlines(inlines: Iterable[Inline]) -> str:
    """One paragraph of Markdown. It has several lines where the page breaks them."""
    spans = _settled(_touching(_merged(span for inline in inlines for span in _spans_of(inline))))
    text = _emitted(_merged(spans))
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _spans_of(inline: Inline) -> list[_Span]:
    match inline:
        case Text(text, marks):
            before, core, after = _split(text)
            spans = [_Span(before and " ", marks, follows=True), _Span(core, marks, is_words=True)]
            return [span for span in (*spans, _Span(after and " ", marks, follows=True)) if span.text]
        case Code(text, marks):
            return _code_spans(text, marks)
        case Link(label, url, marks):
            return [_Span(_link(label, url), marks)]
        case Image(alt, target, marks):
            return [_Span(f"![{_label(alt)}]({escaping.file_name(target)})", marks, follows=True)]
        case Break():
            return [_Span("\n", PLAIN)]


def _split(text: str) -> tuple[str, str, str]:
    core = text.strip()
    if not core:
        return " " if text else "", "", ""
    start = text.index(core[0])
    return text[:start], core, text[start + len(core) :]


def _code_spans(text: str, marks: Marks) -> list[_Span]:
    if not text.strip():
        return [_Span(" ", marks, follows=True)] if text else []
    before, core, after = _split(text)
    spans = [_Span(before and " ", marks, follows=True), _Span(escaping.code_span(core), marks, follows=True)]
    return [span for span in (*spans, _Span(after and " ", marks, follows=True)) if span.text]


def _link(label: tuple[Inline, ...], url: str) -> str:
    words, address = plain_of(label), escaping.url(url)
    if words in (url, url.removeprefix("mailto:")) and ":" in address and not any(isinstance(i, Image) for i in label):
        return f"<{address.removeprefix('mailto:')}>"
    text = " ".join(markdown_of_inlines(label).split("\n"))
    return f"[{text if text.count('[') == text.count(']') else _label(words)}]({address})" if text else ""


def _label(text: str) -> str:
    return escaping.words(" ".join(text.split())).replace("]", "\\]").replace("[", "\\[")


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    """Adjacent words of the same emphasis become one, so that coloured letters are read as a word."""
    merged: list[_Span] = []
    for span in spans:
        last = merged[-1] if merged else None
        if last and span.is_words and last.is_words and span.marks == last.marks:
            merged[-1] = replace(last, text=last.text + span.text)
        elif not (last and span.text == " " and last.text in (" ", "\n")):
            merged.append(span)
    return merged


def _touching(spans: list[_Span]) -> list[_Span]:
    """Punctuation moves out of emphasis that ends or starts within a word: markers would not be seen there."""
    touched: list[_Span] = []
    for index, span in enumerate(spans):
        before = spans[index - 1] if index else None
        after = spans[index + 1] if index + 1 < len(spans) else None
        head, tail = "", ""
        if span.is_words and span.marks:
            head = _loose(span, before, at_start=True)
            tail = _loose(span, after, at_start=False) if head != span.text else ""
        core = span.text[len(head) : len(span.text) - len(tail)]
        if head and before:
            touched.append(replace(span, text=head, marks=span.marks & before.marks))
        if core:
            touched.append(replace(span, text=core))
        if tail and after:
            touched.append(replace(span, text=tail, marks=span.marks & after.marks))
    return touched


def _loose(span: _Span, neighbour: _Span | None, *, at_start: bool) -> str:
    if neighbour is None or not neighbour.is_words or not span.marks - neighbour.marks:
        return ""
    if not neighbour.text[-1 if at_start else 0].isalnum():
        return ""
    found = _PUNCTUATION.match(span.text) if at_start else None
    if at_start:
        return found.group() if found else ""
    end = len(span.text)
    while end and not span.text[end - 1].isalnum() and not span.text[end - 1].isspace() and span.text[end - 1] != "_":
        end -= 1
    return span.text[end:]


def _settled(spans: list[_Span]) -> list[_Span]:
    """White space and code take the emphasis that the words on both sides share."""
    after: list[Marks] = []
    marks = PLAIN
    for span in reversed(spans):
        marks = marks if span.follows else span.marks
        after.append(marks)
    settled, before = [], PLAIN
    for span, following in zip(spans, reversed(after), strict=True):
        if span.follows:
            settled.append(replace(span, marks=before & following))
        else:
            settled.append(span)
            before = span.marks
    return settled


def _emitted(spans: list[_Span]) -> str:
    pieces: list[str] = []
    open_marks: list[Mark] = []
    for span in (*spans, _Span("", PLAIN)):
        while any(mark not in span.marks for mark in open_marks):
            pieces.append(_MARKERS[open_marks.pop()])
        for mark in _ORDER:
            if mark in span.marks and mark not in open_marks and span.text != " ":
                open_marks.append(mark)
                pieces.append(_MARKERS[mark])
        at_line_start = not pieces or pieces[-1] == "\n"
        if at_line_start and span.text == " ":
            continue
        text = escaping.words(span.text) if span.is_words else span.text
        if span.is_words and span.marks:
            text = escaping.markers(text)
        pieces.append(escaping.line_start(text) if at_line_start and span.is_words else text)
    return "".join(pieces)
