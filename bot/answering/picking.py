"""Which spans of the passages answer a question, if any: what quote mode says and when it stays silent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from bot.answering.asking import is_how_to, subject_of
from bot.answering.expansion import joined, with_instructions, with_paragraph
from bot.answering.merits import merit_of, tells_what_to_do
from bot.answering.spans import Span, lists_of, spans_of, text_of
from bot.answering.units import Kind, Unit, units_of
from connectors.text.analysis import terms_of

THRESHOLD = -0.3
"""Logit that a span needs. Calibrated on tests/bot/answering/questions.yaml; rather an honest no than a wrong quote."""

_UNKNOWN_NAME = 6.0
"""Taken off for each name in the question that no passage knows: backups of what we do not run are not our backups."""
_UNKNOWN_WORD = 1.0
"""Taken off for any other word that no passage knows, where the scores are not of words themselves. Twice as much loses
answers that say it in other words."""
_PAIRS = 24
_PASSAGES = 6
_PAIR_CHARACTERS = 700
_CLOSE = 1.5
"""How far behind the best a span of the same passage may be to stand with it."""
_CLOSE_ELSEWHERE = 0.7
"""The same for other passages: what another page says beside an answer is mostly of another matter."""
_CLOSE_WAY = 3.0
"""The same for what says how, on the same page, when what is closer names nothing that can be typed."""
_MOST_SPANS = 3
_MOST_PASSAGES = 2
_REPEATED = 0.6
"""Share of a quote's terms that were quoted before: then it says the same again."""

_REFERRING = re.compile(
    r"^\W*(and|but|or|so|what about|how about|what if|why|then|also|ok|same)\b"
    r"|\b(it|its|that|this|they|them|those|these|there|one|ones|he|she)\b",
    re.I,
)
_NAME = re.compile(r"(?<=[\w,'’:] )(?!I\b)[A-Z][\w-]*|\b[A-Za-z_-]*\d[\w.-]*\b|\b[a-z]+[A-Z]\w*|\b\w+_\w+\b")
_ADDRESS = re.compile(r"\bhttps?://\S+")
"""What stands only in an address is not spoken of."""
_FEW_TERMS = 2
_MOST_CAPITALS = 0.34


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
        return self.path.partition(" › ")[0].partition(" (updated ")[0]


def excerpt_of(path: str, texts: Sequence[str]) -> Excerpt:
    """An excerpt of the text blocks of a search result. Blocks are kept as units one to one.

    What kind a block is shows best where it stands: a line may be indented because a box around it is.
    """
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
    if max(scores) - _taken_off(question, excerpts, _UNKNOWN_WORD if scorer else 0.0) < THRESHOLD:
        return []
    added = frozenset(terms_of(asked)) - frozenset(terms_of(" ".join(earlier))) if question != asked else frozenset()
    merits = [
        merit_of(span, excerpts[span.passage].path, excerpts[span.passage].units, question, added)
        for span in candidates
    ]
    ranked = sorted(
        ((score + merit, score, span) for score, merit, span in zip(scores, merits, candidates, strict=True)),
        key=lambda scored: -scored[0],
    )
    close = _close(ranked, question, excerpts)
    expanded = [_expanded(span, question, excerpts[span.passage].units) for span in close]
    return _few(expanded, excerpts)


def _close(ranked: Sequence[_Ranked], question: str, excerpts: Sequence[Excerpt]) -> list[Span]:
    """The spans that are nearly as good as the best; for a question how, also the way, if none of them names it."""
    best, _, first = ranked[0]
    close = [
        span
        for rank, score, span in ranked
        if score >= THRESHOLD and rank >= best - (_CLOSE if span.passage == first.passage else _CLOSE_ELSEWHERE)
    ]
    if not is_how_to(question) or any("`" in text_of(span, excerpts[span.passage].units) for span in close):
        return close
    page = excerpts[first.passage].page
    ways = (
        span
        for rank, score, span in ranked
        if score >= THRESHOLD and rank >= best - _CLOSE_WAY and excerpts[span.passage].page == page
        if tells_what_to_do(span, excerpts[span.passage].units)
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
    return scorer.scores(question, [_pair_text(span, excerpts[span.passage])[:_PAIR_CHARACTERS] for span in spans])


def _pair_text(span: Span, excerpt: Excerpt) -> str:
    return f"{excerpt.path}: {text_of(span, excerpt.units).strip()}"


def _lexical_scores(question: str, spans: Sequence[Span], excerpts: Sequence[Excerpt]) -> list[float]:
    """The weighted share of the question's terms in each span, stretched to a logit's range."""
    terms = [frozenset(terms_of(_pair_text(span, excerpts[span.passage]))) for span in spans]
    asked = frozenset(terms_of(question))
    frequency = Counter(term for found in terms for term in found & asked)
    weights = {term: 1.0 / (1.0 + frequency[term]) ** 0.5 for term in asked}
    total = sum(weights.values()) or 1.0
    return [10.0 * sum(weights[term] for term in found & asked) / total - 6.0 for found in terms]


def _taken_off(question: str, excerpts: Sequence[Excerpt], for_a_word: float) -> float:
    """What speaks against any answer: names and other words of the question that no passage knows."""
    known = {term for excerpt in excerpts for term in terms_of(_ADDRESS.sub(" ", _whole(excerpt)))}
    names = [terms for name in _names_of(question) if not (terms := set(terms_of(name))) <= known]
    words = set(terms_of(question)).difference(known, *names)
    return _UNKNOWN_NAME * len(names) + for_a_word * len(words)


def _names_of(question: str) -> set[str]:
    """Words that name one thing. Where capitals are everywhere (headlines, German), only codes and identifiers do."""
    names = {match.group() for match in _NAME.finditer(question)}
    capitals = {name for name in names if name.istitle()}
    return names - capitals if len(capitals) > _MOST_CAPITALS * len(question.split()) else names


def _whole(excerpt: Excerpt) -> str:
    return "\n".join((excerpt.path, *(unit.text for unit in excerpt.units)))


def _expanded(span: Span, question: str, units: Sequence[Unit]) -> Span:
    if is_how_to(question):
        return with_instructions(span, units)
    return with_paragraph(span, units) if subject_of(question) else span


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
