"""Keeps one document, or one text in many copies, from crowding out all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.answering.model import Passage
from connectors.text.analysis import terms_of

PER_DOCUMENT = 3
"""Passages of one document that a model reads: a stuffed page takes no more."""

_SAME = 0.97
"""Share of their terms that two texts have in common when they say the same."""


def varied(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """The passages in their order, without copies of a better one and with at most three of a document."""
    kept: list[tuple[Passage, frozenset[str]]] = []
    documents: Counter[str] = Counter()
    for passage in passages:
        terms = frozenset(terms_of(passage.text))
        if documents[passage.document_id] < PER_DOCUMENT and not any(_alike(terms, other) for _, other in kept):
            documents[passage.document_id] += 1
            kept.append((passage, terms))
    return tuple(passage for passage, _ in kept)


def _alike(terms: frozenset[str], other: frozenset[str]) -> bool:
    return len(terms & other) >= _SAME * max(len(terms | other), 1)
