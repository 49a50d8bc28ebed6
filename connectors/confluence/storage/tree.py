"""What a page says, freed from how Confluence stores it: the small tree between reading and writing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Mark = Literal["strong", "em", "strike"]
Marks: TypeAlias = frozenset[Mark]
PLAIN: Marks = frozenset()
PANEL_KINDS = {name: name.upper() for name in ("info", "note", "tip", "warning", "error", "success")}
STRONG: Marks = frozenset({"strong"})


@dataclass(frozen=True, slots=True)
class Text:
    """Words as a reader sees them. Escaping is the writer's."""

    text: str
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class Code:
    """Words in a fixed-width face, verbatim."""

    text: str
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class Link:
    """A label, itself without links, that opens a URL, which is absolute and of a safe scheme."""

    label: tuple[Inline, ...]
    url: str
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: what it is said to show, and its file name or URL."""

    alt: str
    target: str
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class Break:
    """A new line within a paragraph."""

    marks: Marks = PLAIN


Inline: TypeAlias = Text | Code | Link | Image | Break


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Inline content that stands by itself."""

    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Fence:
    """Verbatim lines, with the name of their language or nothing."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """Text that is Markdown already."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Quoted content; a panel when it has a kind (``WARNING``) or a title."""

    blocks: tuple[Block, ...]
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list; ``done`` is None where it is no task."""

    blocks: tuple[Block, ...]
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A list. ``start`` is the first number, None for bullets."""

    items: tuple[Item, ...]
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of one field of a table."""

    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal length, spans already expanded; ``headers`` are the rows that name the columns."""

    headers: tuple[tuple[Cell, ...], ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: tuple[Inline, ...] = ()
    cut: str = ""
    """What was left out, as a sentence."""

    def cells(self) -> Iterator[Cell]:
        """Every cell once, wherever it spans."""
        cells = {id(cell): cell for row in (*self.headers, *self.rows) for cell in row}
        return iter(cells.values())


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line."""


Block: TypeAlias = Paragraph | Heading | Fence | Raw | Quote | Items | Table | Rule
Node: TypeAlias = Inline | Block

INLINES = (Text, Code, Link, Image, Break)


def without_links(inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """The same words; of a link only its label."""
    return tuple(inner for inline in inlines for inner in (inline.label if isinstance(inline, Link) else (inline,)))


def plain_of(inlines: tuple[Inline, ...]) -> str:
    """The words of inline content, on one line, without any markup."""
    return " ".join("".join(map(_words_of, inlines)).split())


def _words_of(inline: Inline) -> str:
    match inline:
        case Link(label):
            return plain_of(label)
        case Image(alt):
            return alt
        case Break():
            return " "
        case _:
            return inline.text
