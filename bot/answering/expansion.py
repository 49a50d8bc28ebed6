"""How much of a passage is shown around what was picked: whole lists, the code after its words, no gaps."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.spans import Span, end_of_announced, leads_to_markup, lists_of, past_markup, shown, text_of
from bot.answering.units import Unit
from connectors.text.analysis import terms_of

_LONGEST_PARAGRAPH = 500
_LONGEST_SHORT_LIST = 400
_LONGEST_WAY = 400
"""Characters of prose between what was picked and the code it speaks of; what is further away is another matter."""
_LONGEST_GAP = 500
"""Characters between two quotes of one section that are shown, too: else a step may be missing there."""
_LONGEST_JOINED = 1_200


def with_instructions(span: Span, units: Sequence[Unit]) -> Span:
    """The span with the whole list that it is of, or with its paragraph and the code or list that this leads to."""
    if units[span.core].kind in ("step", "item"):
        return next((whole for whole in lists_of(span.passage, units) if whole.overlaps(span)), span)
    if units[span.core].kind != "sentence" or len(span.parts) > 1:
        return span
    start, end = _paragraph_around(units, *span.parts[0])
    return Span(span.passage, ((start, _end_of_instructions(units, end)),), span.core)


def with_paragraph(span: Span, units: Sequence[Unit]) -> Span:
    """A sentence with the rest of its paragraph, and what this announces; an item with its list, when that is short."""
    if units[span.core].kind in ("step", "item"):
        whole = with_instructions(span, units)
        return whole if len(text_of(whole, units)) <= _LONGEST_SHORT_LIST else span
    if units[span.core].kind != "sentence" or len(span.parts) > 1:
        return span
    start, end = _paragraph_around(units, *span.parts[0])
    return Span(span.passage, ((start, end_of_announced(units, end)),), span.core)


def with_rows(span: Span, others: Sequence[Span], question: str, units: Sequence[Unit]) -> Span:
    """A table's row with those others of its table that name something asked for which it does not name."""
    head, *shown_rows = (at for start, end in span.parts for at in range(start, end))
    if units[head].kind != "head" or any(units[row].kind != "row" for row in shown_rows):
        return span
    asked = frozenset(terms_of(question))
    rows = set(shown_rows)
    for other in others:
        named = {term for row in rows for term in terms_of(units[row].text)}
        of_table = other.passage == span.passage and other.parts[0][0] == head and units[other.core].kind == "row"
        if of_table and asked & set(terms_of(units[other.core].text)) - named:
            rows.add(other.core)
    return Span(span.passage, ((head, head + 1), *((row, row + 1) for row in sorted(rows))), span.core)


def joined(span: Span, other: Span, units: Sequence[Unit]) -> Span | None:
    """One span for two of a passage with little between them; nothing when they are better shown apart."""
    if span.passage != other.passage or len(span.parts) > 1 or len(other.parts) > 1:
        return None
    (first, end), (start, last) = sorted((*span.parts, *other.parts))
    between = units[end:start]
    if any(unit.kind == "heading" for unit in between) or len(shown(between)) > _LONGEST_GAP:
        return None
    whole = (first, max(end, last))
    return Span(span.passage, (whole,), span.core) if len(shown(units[slice(*whole)])) <= _LONGEST_JOINED else None


def _paragraph_around(units: Sequence[Unit], start: int, end: int) -> tuple[int, int]:
    first, last = start, end
    while first > 0 and units[first - 1].kind == "sentence" and not _ends_paragraph(units[first - 1]):
        first -= 1
    while last < len(units) and units[last].kind == "sentence" and not _ends_paragraph(units[last - 1]):
        last += 1
    whole = sum(len(unit.text) for unit in units[first:last])
    return (first, last) if whole <= _LONGEST_PARAGRAPH else (start, end)


def _end_of_instructions(units: Sequence[Unit], end: int) -> int:
    if units[end - 1].kind != "sentence":
        return end
    if leads_to_markup(units, end):
        explained = past_markup(units, end)
        return _paragraph_around(units, explained, explained + 1)[1] if _is_prose(units, explained) else end
    at = past_markup(units, _past_prose(units, end))
    if at >= len(units) or units[at].kind not in ("step", "code"):
        return end
    if units[at].kind == "code":
        return at + 1
    return next((whole.parts[-1][1] for whole in lists_of(0, units) if whole.core == at), at + 1)


def _is_prose(units: Sequence[Unit], at: int) -> bool:
    return at < len(units) and units[at].kind == "sentence" and not units[at].text.rstrip().endswith(":")


def _past_prose(units: Sequence[Unit], at: int) -> int:
    """Where the words end that stand before the next code, if they are few and none announces another matter."""
    end = at
    while end < len(units) and units[end].kind in ("sentence", "markup"):
        end += 1
    way = shown(units[at:end])
    return end if len(way) <= _LONGEST_WAY and not way.rstrip().endswith(":") else at


def _ends_paragraph(unit: Unit) -> bool:
    return "\n\n" in unit.text[len(unit.text.rstrip()) :]
