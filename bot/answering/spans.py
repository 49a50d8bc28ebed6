"""Spans: runs of units that make sense on their own and can be quoted as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answering.units import Kind, Unit

_LISTED = frozenset({"item", "step"})
_FOLLOWING = frozenset({"item", "step", "code", "head"})
_INDENT = re.compile(r"\n[ \t]+(?=\S)")
_CASE = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+[*_]*(?:if|when|in case|for|to|where)\b", re.I)
_CELL = re.compile(r"(?<!\\)\|")
_SIGNS = re.compile(r"[`*]+|(?<=\])\([^()\s]*\)|[\[\]]")
_LONGEST_LIST = 14
_LONGEST_LEAD = 400
_REFERRING = ("it ", "its ", "this ", "that ", "these ", "those ", "they ", "then ", "he ", "she ", "there ", "both ")


@dataclass(frozen=True, slots=True)
class Span:
    """Units ``parts`` of one passage, each part a range, shown one after the other."""

    passage: int
    parts: tuple[tuple[int, int], ...]
    core: int
    """The unit that the span is about."""

    def overlaps(self, other: Span) -> bool:
        """Whether both show one unit."""
        return self.passage == other.passage and any(
            start < other_end and other_start < end
            for start, end in self.parts
            for other_start, other_end in other.parts
        )


def spans_of(passage: int, units: Sequence[Unit]) -> Iterator[Span]:
    """What of a passage can be quoted: each sentence, item, row and code block, with what it needs around it."""
    for at, unit in enumerate(units):
        if unit.kind not in ("heading", "head", "markup"):
            yield Span(passage, _parts_around(units, at), at)


def lists_of(passage: int, units: Sequence[Unit]) -> Iterator[Span]:
    """The whole lists of a passage, each with the sentence that leads into it."""
    at = 0
    while at < len(units):
        end = _end_of_list(units, at) if units[at].kind in _LISTED else at + 1
        if end - at > 1 and not _is_of_cases(units[at:end]):
            yield Span(passage, ((_lead_of(units, at), end),), at)
        at = end


def text_of(span: Span, units: Sequence[Unit]) -> str:
    """The exact text of a span's parts, joined, without what is markup only."""
    return "".join(shown(units[start:end]) for start, end in span.parts)


def prose_of(span: Span, units: Sequence[Unit]) -> str:
    """What a span says, as a model reads it that was taught on prose: a table's row as “head: cell” pairs, no signs."""
    row = units[span.core]
    head = units[span.parts[0][0]]
    if row.kind == "row" and head.kind == "head":
        pairs = zip(_cells_of(head.text), _cells_of(row.text), strict=False)
        return _SIGNS.sub("", ". ".join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell))
    return _SIGNS.sub("", text_of(span, units)).strip()


def _cells_of(line: str) -> list[str]:
    first = line.strip().split("\n", 1)[0]
    return [cell.strip() for cell in _CELL.split(first.strip().strip("|"))]


def shown(units: Sequence[Unit]) -> str:
    """What a reader should see of these units: at the margin, also where it stood in a box."""
    visible = [unit for unit in units if unit.kind != "markup"]
    above = [None, *(unit.kind for unit in visible)]
    return _to_margin("".join(_unwrapped(unit, kind) for unit, kind in zip(visible, above, strict=False)))


def _unwrapped(unit: Unit, above: Kind | None) -> str:
    """In a sentence, how far a line is indented means nothing, unless it goes on with a list's item."""
    if unit.kind != "sentence":
        return unit.text
    text = unit.text if above in _LISTED else unit.text.lstrip(" ")
    return _INDENT.sub("\n", text)


def _to_margin(text: str) -> str:
    """The text without the indentation of its first line."""
    text = text.lstrip("\n")
    indent = text[: len(text) - len(text.lstrip(" "))]
    return re.sub(rf"^{indent}", "", text, flags=re.M) if indent else text


def is_case(unit: Unit) -> bool:
    """Whether a list's item is for some readers only: “If it fails, …”, “To clear it, …”."""
    return unit.kind in _LISTED and bool(_CASE.match(unit.text))


def _is_of_cases(units: Sequence[Unit]) -> bool:
    listed = [unit for unit in units if unit.kind in _LISTED]
    return 2 * sum(map(is_case, listed)) >= len(listed)


def past_markup(units: Sequence[Unit], at: int) -> int:
    """The next unit from here on that shows something."""
    while at < len(units) and units[at].kind == "markup":
        at += 1
    return at


def leads_to_markup(units: Sequence[Unit], at: int) -> bool:
    """Whether the words before this unit announce code that a page includes and a passage does not have."""
    return 0 < at < len(units) and units[at].kind == "markup" and units[at - 1].text.rstrip().endswith(":")


def end_of_announced(units: Sequence[Unit], after: int) -> int:
    """Where the list, table or code ends that the sentence before announces with a colon; ``after`` if it does not."""
    before = units[after - 1]
    announces = before.kind == "sentence" and before.text.rstrip().endswith(":")
    return _end_of_following(units, after) if announces else after


def _parts_around(units: Sequence[Unit], at: int) -> tuple[tuple[int, int], ...]:
    unit = units[at]
    if unit.kind == "row":
        return _row_with_head(units, at)
    if unit.kind == "code":
        return ((_lead_of(units, at), at + 1),)
    if (announced := end_of_announced(units, at + 1)) > at + 1:
        return ((at, announced),)
    if unit.kind in _LISTED and at + 1 < len(units) and units[at + 1].kind == "code":
        return ((at, at + 2),)
    if unit.kind == "sentence" and _refers_back(units, at):
        return ((at - 1, at + 1),)
    return ((at, at + 1),)


def _row_with_head(units: Sequence[Unit], at: int) -> tuple[tuple[int, int], ...]:
    head = next((above for above in range(at - 1, -1, -1) if units[above].kind != "row"), None)
    if head is None or units[head].kind != "head":
        return ((at, at + 1),)
    return ((head, at + 1),) if head + 1 == at else ((head, head + 1), (at, at + 1))


def _lead_of(units: Sequence[Unit], at: int) -> int:
    """The unit before, when it is a sentence that leads here."""
    before = at - 1
    while before >= 0 and units[before].kind == "markup":
        before -= 1
    leads = before >= 0 and units[before].kind == "sentence" and len(units[before].text) <= _LONGEST_LEAD
    return before if leads else at


def _end_of_following(units: Sequence[Unit], after: int) -> int:
    at = past_markup(units, after)
    if at >= len(units) or units[at].kind not in _FOLLOWING:
        return after
    if units[at].kind in _LISTED:
        end = _end_of_list(units, at)
        return after if _is_of_cases(units[at:end]) else end
    end = at + 1
    while units[at].kind == "head" and end < len(units) and units[end].kind == "row" and end - at < _LONGEST_LIST:
        end += 1
    return end


def _end_of_list(units: Sequence[Unit], at: int) -> int:
    """A list goes on over its code blocks; its last unit is an item, or the code of the last item."""
    end = at
    while end < len(units) and end - at < _LONGEST_LIST and units[end].kind in ("item", "step", "code"):
        end += 1
    while end - 1 > at and units[end - 1].kind == "code" and not units[end - 1].text.startswith((" ", "\t")):
        end -= 1
    return end


def _refers_back(units: Sequence[Unit], at: int) -> bool:
    return at > 0 and units[at - 1].kind == "sentence" and units[at].text.lstrip("\n").lower().startswith(_REFERRING)
