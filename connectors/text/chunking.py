"""Cuts a document into the pieces that are stored, found and quoted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.model import Chunk, Document
from connectors.text.markdown import Block, Lines, Span, outline_of

VERSION = "2"
"""Changes with anything here or in :mod:`connectors.text.markdown` that changes a chunk."""

TARGET = 1_200
"""Characters that a chunk is filled up to: about 300 tokens, in the middle of a range in which size hardly matters."""
LARGEST = 2_400
"""Characters that no chunk exceeds: a code block, a table or a list up to this stays in one piece."""
_SMALL = TARGET // 4  # A lead-in or a left-over of this size stays with its neighbour.


def chunks_of(document: Document, pipeline: str) -> list[Chunk]:
    """The chunks of a document, in order and unsealed; none for a document that shows its readers nothing.

    Each text is an exact slice of the document's. A chunk lies within one section and leaves the section's heading
    line to its ``headings``; a heading with nothing below it is a chunk of its own. Comments, front matter and link
    definitions are in no chunk.
    """
    lines = Lines(document.text)
    pieces = _markdown(document, lines) if document.markup == "markdown" else _plain(lines)
    found = [piece for piece in pieces if lines.text[piece.span.start : piece.span.end].strip()]
    spoken = [piece for piece in found if _says_something(lines.text, piece.span)]
    places = _Places(document, lines)
    return [places.chunk(piece, pipeline, ordinal) for ordinal, piece in enumerate(spoken or found[:1])]


def embedding_text_of(chunk: Chunk) -> str:
    """What is embedded for a chunk: its title and heading path, then its text."""
    return "\n".join((" > ".join((chunk.title, *chunk.headings)), chunk.text))


@dataclass(frozen=True, slots=True)
class _Piece:
    span: Span
    headings: tuple[str, ...]


@dataclass(slots=True)
class _Section:
    heading: Block | None
    headings: tuple[str, ...]
    blocks: list[Block]


class _Places:
    """Gives pieces their lines in the source file and their anchors."""

    def __init__(self, document: Document, lines: Lines) -> None:
        self._document = document
        self._lines = lines
        self._anchored = sorted(document.anchors)

    def chunk(self, piece: _Piece, pipeline: str, ordinal: int) -> Chunk:
        document, (start, end) = self._document, piece.span
        first, last = self._lines.number(start), self._lines.number(end - 1)
        above = bisect_right(self._anchored, first)
        return Chunk(
            source=document.source,
            document_id=document.document_id,
            version=document.version,
            pipeline=pipeline,
            ordinal=ordinal,
            title=document.title,
            headings=piece.headings,
            text=document.text[start:end],
            first_line=self._source_line(first),
            last_line=self._source_line(last),
            anchor=document.anchors[self._anchored[above - 1]] if above else None,
            tags=document.tags,
        )

    def _source_line(self, line: int) -> int | None:
        lines = self._document.lines
        if lines is None:
            return line + 1
        return lines[min(line, len(lines) - 1)] if lines else None


def _markdown(document: Document, lines: Lines) -> Iterator[_Piece]:
    outline = outline_of(lines)
    for section in _sections(outline.blocks, document.title):
        shown = [atom for block in section.blocks for atom in _visible(block, outline.hidden, lines)]
        runs = list(_packed(shown, lines.text))
        if not runs and section.heading:
            runs = [_trimmed(lines.text, atom) for atom in _visible(section.heading, outline.hidden, lines)]
        yield from (_Piece(run, section.headings) for run in runs)


def _plain(lines: Lines) -> Iterator[_Piece]:
    paragraphs: list[Span] = []
    start = 0
    for number in range(len(lines)):
        span = lines.span(number, number + 1)
        if not lines.text[span.start : span.end].strip():
            paragraphs.append(Span(start, span.end))
            start = span.end
    paragraphs.append(Span(start, len(lines.text)))
    atoms = (atom for span in paragraphs for atom in _cut(Block("text", span), lines))
    yield from (_Piece(run, ()) for run in _packed(atoms, lines.text))


def _sections(blocks: Iterable[Block], title: str) -> list[_Section]:
    """The sections that the top-level headings make. The one with the title again is the page itself."""
    sections = [_Section(None, (), [])]
    path: list[Block] = []
    titled = False
    for block in blocks:
        if block.kind != "heading":
            sections[-1].blocks.append(block)
            continue
        path = [above for above in path if above.level < block.level]
        is_first = block.level == 1 or len(sections) == 1  # pages that begin at a deeper level are called by it, too
        is_title = not titled and is_first and _same(block.title, title)
        titled = titled or is_title or block.level == 1
        if not is_title:
            path.append(block)
        sections.append(_Section(block, tuple(above.title for above in path), []))
    return _spoken(sections)


def _spoken(sections: list[_Section]) -> list[_Section]:
    """Without the headings that only lead to deeper ones: those carry them in their path."""
    kept = []
    for section, following in zip(sections, [*sections[1:], None], strict=True):
        leads = following and following.heading and section.heading and following.heading.level > section.heading.level
        kept.append(_Section(None, section.headings, section.blocks) if leads else section)
    return kept


def _same(heading: str, title: str) -> bool:
    return " ".join(heading.casefold().split()) == " ".join(title.casefold().split())


def _visible(block: Block, hidden: tuple[Span, ...], lines: Lines) -> Iterator[Span]:
    for part in _without(block.span, hidden):
        whole = part == block.span
        yield from _cut(block if whole else Block("text", part), lines)


def _without(span: Span, hidden: tuple[Span, ...]) -> Iterator[Span]:
    """The parts of a span that are not hidden."""
    start = span.start
    for index in range(max(0, bisect_left(hidden, span) - 1), len(hidden)):
        if hidden[index].start >= span.end:
            break
        if hidden[index].end > start:
            if hidden[index].start > start:
                yield Span(start, hidden[index].start)
            start = hidden[index].end
    if start < span.end:
        yield Span(start, span.end)


def _cut(block: Block, lines: Lines) -> Iterator[Span]:
    """A block as it is, or in pieces when it is too large: at its items, else its lines, else its words."""
    start, end = block.span
    if end - start <= LARGEST:
        yield block.span
        return
    first, last = bisect_right(lines.starts, start), bisect_left(lines.starts, end)
    places = sorted({*block.items, end} if block.items else {*lines.starts[first:last], end})
    for place in places:
        if place <= start:
            continue
        inner = Block("text", Span(start, place))
        yield from _words(inner.span, lines.text) if not block.items else _cut(inner, lines)
        start = place


def _words(span: Span, text: str) -> Iterator[Span]:
    start = span.start
    while span.end - start > LARGEST:
        space = text.rfind(" ", start + TARGET // 2, start + TARGET)
        place = space + 1 if space > 0 else start + TARGET
        yield Span(start, place)
        start = place
    yield Span(start, span.end)


def _packed(atoms: Iterable[Span], text: str) -> Iterator[Span]:
    """Neighbouring atoms together, up to the target. What is hidden between two of them keeps them apart."""
    held: list[Span] = []
    for atom in atoms:
        if held and not _joins(held[-1], atom, text):
            yield from _finished(held, text)
            held = []
        if held and _fits(held[-1], atom):
            held[-1] = Span(held[-1].start, atom.end)
        else:
            held.append(atom)
    yield from _finished(held, text)


def _joins(held: Span, atom: Span, text: str) -> bool:
    return not text[held.end : atom.start].strip()


def _fits(held: Span, atom: Span) -> bool:
    together = atom.end - held.start
    return together <= TARGET or (held.end - held.start <= _SMALL and together <= LARGEST)


def _finished(held: list[Span], text: str) -> Iterator[Span]:
    """A run of touching chunks; a small last one goes to the one before it."""
    if len(held) > 1 and held[-1].end - held[-1].start <= _SMALL and held[-1].end - held[-2].start <= LARGEST:
        held[-2:] = [Span(held[-2].start, held[-1].end)]
    yield from (_trimmed(text, span) for span in held)


def _trimmed(text: str, span: Span) -> Span:
    """Without blank lines around it; the indentation of its first line stays, for it means something."""
    part = text[span.start : span.end]
    end = span.start + len(part.rstrip())
    blank = len(part) - len(part.lstrip())
    line = part.rfind("\n", 0, blank) + 1
    whole = line or not span.start or text[span.start - 1] == "\n"
    return Span(min(span.start + (line if whole else blank), end), end)


def _says_something(text: str, span: Span) -> bool:
    return any(character.isalnum() for character in text[span.start : span.end])
