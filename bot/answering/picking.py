"""Which spans of the passages answer a question, if any: what quote mode says and when it stays silent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from bot.answering.asking import expected_in, is_how_to
from bot.answering.evidence import evidence_of
from bot.answering.expansion import joined, with_instructions, with_paragraph, with_rows
from bot.answering.merits import merit_of, share, tells_what_to_do
from bot.answering.spans import Span, lists_of, prose_of, spans_of, text_of
from bot.answering.units import Kind, Unit, units_of
from connectors.text.analysis import terms_of

_PAIRS = 24
_PASSAGES = 6
_PAIR_CHARACTERS = 700
_QUESTION_BEGINNING = 400
_QUESTION_END = 200
_CLOSE = 2.5
"""How far behind the best a span of the same passage may be to stand with it."""
_CLOSE_ELSEWHERE = 2.0
"""The same for other passages: what another page says beside an answer is mostly of another matter."""
_CLOSE_WAY = 9.0
"""The same for what says how, on the same page, when what is closer names nothing that can be typed: models that were
taught on prose think little of code."""
_NAMED_BY_WAY = 0.5
"""Share of the question's terms that such a way names, its titles included."""
_PLACE = 0.25
"""Taken off for each passage before a span's own: what ranks passages knows more of them than of their sentences."""
_MOST_SPANS = 3
_MOST_PASSAGES = 2
_REPEATED = 0.6
"""Share of a quote's terms that were quoted before: then it says the same again."""

_REFERRING = re.compile(
    r"^\W*(and|but|or|so|what about|how about|what if|why|then|also|ok|same)\b"
    r"|\b(it|its|that|this|they|them|those|these|there|one|ones|he|she)\b",
    re.I,
)
_FEW_TERMS = 2


_Ranked = tuple[float, float, Span]
"""A span with its score and merits together, and its score alone, in front."""


class Scorer(Protocol):
    """Says how well texts answer a question: logits of a cross-encoder trained on MS MARCO."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """One logit a text."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage as quote mode sees it: where it stands and its units."""

    path: str
    units: tuple[Unit, ...]

    @property
    def page(self) -> str:
        """What the page is called that the passage is of."""
        return self.path.partition(" › ")[0]


def excerpt_of(path: str, texts: Sequence[str]) -> Excerpt:
    """An excerpt of the text blocks of a search result. Blocks are kept as units one to one.

    What kind a block is shows best where it stands: a line may be indented because a box around it is.
    """
    path = path.partition(" (updated ")[0]
    units = units_of("".join(texts))
    if [unit.text for unit in units] == list(texts):
        return Excerpt(path, units)
    return Excerpt(path, tuple(Unit(text, _kind_of(text)) for text in texts))


def standalone(question: str, earlier: Sequence[str]) -> str:
    """The question with the person's last words in front, when it makes little sense without them."""
    if not earlier or not (_REFERRING.search(question) or len(set(terms_of(question))) <= _FEW_TERMS):
        return question
    return f"{earlier[-1]} {question}"


def picked(asked: str, excerpts: Sequence[Excerpt], scorer: Scorer | None, earlier: Sequence[str] = ()) -> list[Span]:
    """The one to three spans that answer the question, in reading order; none when nothing is good enough.

    ``earlier`` is what its asker said before in the thread.
    """
    excerpts, question = excerpts[:_PASSAGES], standalone(asked, earlier)
    candidates = _candidates(question, excerpts)
    if not candidates:
        return []
    scores = _scores(question, candidates, excerpts, scorer)
    evidence = evidence_of(question, [*map(_whole, excerpts)], max(scores) if scorer else None)
    if not (evidence.is_worth_quoting if scorer else evidence.covered and not evidence.strangers):
        return []
    added = frozenset(terms_of(asked)) - frozenset(terms_of(" ".join(earlier))) if question != asked else frozenset()
    merits = [
        merit_of(span, excerpts[span.passage].path, excerpts[span.passage].units, question, added)
        for span in candidates
    ]
    ranked = sorted(
        (
            (score + merit - _PLACE * span.passage, score, span)
            for score, merit, span in zip(scores, merits, candidates, strict=True)
        ),
        key=lambda scored: -scored[0],
    )
    close = _close(ranked, question, excerpts)
    expanded = [_expanded(span, question, excerpts[span.passage].units) for span in close]
    few = _few(expanded, excerpts)
    rows = [with_rows(span, close, question, excerpts[span.passage].units) for span in few]
    return _if_expected(question, rows, excerpts)


def _if_expected(question: str, spans: list[Span], excerpts: Sequence[Excerpt]) -> list[Span]:
    """The spans, unless an amount, a time or a number is asked for and none of them has one."""
    expected = expected_in(question)
    if expected is None or any(expected.search(text_of(span, excerpts[span.passage].units)) for span in spans):
        return spans
    return []


def _close(ranked: Sequence[_Ranked], question: str, excerpts: Sequence[Excerpt]) -> list[Span]:
    """The spans that are nearly as good as the best; for a question how, also the way, if none of them names it."""
    best, _, first = ranked[0]
    close = [
        span
        for rank, score, span in ranked
        if rank >= best - (_CLOSE if span.passage == first.passage else _CLOSE_ELSEWHERE)
    ]
    if not is_how_to(question) or any("`" in text_of(span, excerpts[span.passage].units) for span in close):
        return close
    page = excerpts[first.passage].page
    terms = frozenset(terms_of(question))
    ways = (
        span
        for rank, _, span in ranked
        if rank >= best - _CLOSE_WAY and excerpts[span.passage].page == page
        if tells_what_to_do(span, excerpts[span.passage].units)
        if share(terms, _pair_text(span, excerpts[span.passage])) >= _NAMED_BY_WAY
    )
    return [*close, *islice(ways, 1)]


def _candidates(question: str, excerpts: Sequence[Excerpt]) -> list[Span]:
    found = [
        span
        for passage, excerpt in enumerate(excerpts)
        for span in (*spans_of(passage, excerpt.units), *lists_of(passage, excerpt.units))
    ]
    spans = _once_each(found)
    if len(spans) <= _PAIRS:
        return spans
    likely = _lexical_scores(question, spans, excerpts)
    order = sorted(range(len(spans)), key=lambda at: spans[at].passage - likely[at])
    return [spans[at] for at in sorted(order[:_PAIRS])]


def _once_each(spans: Sequence[Span]) -> list[Span]:
    """Without those that show the same as one before: a sentence with its code is also a code with its lead."""
    kept: dict[tuple[int, tuple[tuple[int, int], ...]], Span] = {}
    for span in spans:
        kept.setdefault((span.passage, span.parts), span)
    return list(kept.values())


def _scores(question: str, spans: Sequence[Span], excerpts: Sequence[Excerpt], scorer: Scorer | None) -> list[float]:
    if scorer is None:
        return _lexical_scores(question, spans, excerpts)
    return scorer.scores(
        _short(question), [_pair_text(span, excerpts[span.passage])[:_PAIR_CHARACTERS] for span in spans]
    )


def _short(question: str) -> str:
    """A long question's beginning and end: what is asked stands there, around what was pasted."""
    if len(question) <= _QUESTION_BEGINNING + _QUESTION_END:
        return question
    return f"{question[:_QUESTION_BEGINNING]} {question[-_QUESTION_END:]}"


def _pair_text(span: Span, excerpt: Excerpt) -> str:
    return f"{excerpt.path}: {prose_of(span, excerpt.units)}"


def _lexical_scores(question: str, spans: Sequence[Span], excerpts: Sequence[Excerpt]) -> list[float]:
    """The weighted share of the question's terms in each span, stretched to a logit's range."""
    terms = [frozenset(terms_of(_pair_text(span, excerpts[span.passage]))) for span in spans]
    asked = frozenset(terms_of(question))
    frequency = Counter(term for found in terms for term in found & asked)
    weights = {term: 1.0 / (1.0 + frequency[term]) ** 0.5 for term in asked}
    total = sum(weights.values()) or 1.0
    return [10.0 * sum(weights[term] for term in found & asked) / total - 6.0 for found in terms]


def _whole(excerpt: Excerpt) -> str:
    return "\n".join((excerpt.path, *(unit.text for unit in excerpt.units)))


def _expanded(span: Span, question: str, units: Sequence[Unit]) -> Span:
    return with_instructions(span, units) if is_how_to(question) else with_paragraph(span, units)


def _few(spans: Sequence[Span], excerpts: Sequence[Excerpt]) -> list[Span]:
    """The best few that do not overlap, of at most two passages, in reading order with the best passage first."""
    kept: list[Span] = []
    for span in spans:
        if any(map(span.overlaps, kept)):
            continue
        units = excerpts[span.passage].units
        near = [(other, whole) for other in kept if (whole := joined(other, span, units))]
        if near:
            neighbour, whole = near[0]
            kept = [whole if other is neighbour else other for other in kept]
            kept = [other for other in kept if other is whole or not other.overlaps(whole)]
        elif _has_room(kept, span) and not _says_the_same(span, kept, excerpts):
            kept.append(span)
    order = list(dict.fromkeys(span.passage for span in kept))
    return sorted(kept, key=lambda span: (order.index(span.passage), span.parts))


def _has_room(kept: Sequence[Span], span: Span) -> bool:
    return len(kept) < _MOST_SPANS and len({other.passage for other in (*kept, span)}) <= _MOST_PASSAGES


def _says_the_same(span: Span, kept: Sequence[Span], excerpts: Sequence[Excerpt]) -> bool:
    told = {term for other in kept for term in terms_of(text_of(other, excerpts[other.passage].units))}
    terms = frozenset(terms_of(text_of(span, excerpts[span.passage].units)))
    return len(terms & told) >= _REPEATED * len(terms)


def _kind_of(text: str) -> Kind:
    units = units_of(text)
    return units[0].kind if units else "sentence"
