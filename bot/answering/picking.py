"""Which spans of the passages answer a question, if any: what quote mode says and when it stays silent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.answering.spans import Span, lists_of, past_markup, spans_of, text_of
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
_CLOSE_SECOND = 1.5
_NAMED = 1.5
_WHAT_TO_DO = 1.5
_FOLLOWED_UP = 4.0
"""For what a follow-up adds to its thread: “and on staging?” is about staging, whatever the thread was about."""
_MOST_SPANS = 3
_MOST_PASSAGES = 2
_LONGEST_PARAGRAPH = 500

_HOW_TO = re.compile(
    r"\b(how (do|can|could|should|would|to|does one)|steps?|procedure|instructions?|guide|set ?up"
    r"|what (now|next)|what (do|should|can) (i|we) do)\b",
    re.I,
)
_REFERRING = re.compile(
    r"^\W*(and|but|or|so|what about|how about|what if|why|then|also|ok|same)\b"
    r"|\b(it|its|that|this|they|them|those|these|there|one|ones|he|she)\b",
    re.I,
)
_NAME = re.compile(r"(?<=[\w,'’:] )[A-Z][\w-]*|\b[A-Za-z_-]*\d[\w.-]*\b|\b[a-z]+[A-Z]\w*|\b\w+_\w+\b")
_FEW_TERMS = 2
_MOST_CAPITALS = 0.34


class Scorer(Protocol):
    """Says how well texts answer a question: logits of a cross-encoder trained on MS MARCO."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """One logit a text."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage as quote mode sees it: where it stands and its units."""

    path: str
    units: tuple[Unit, ...]


def excerpt_of(path: str, texts: Sequence[str]) -> Excerpt:
    """An excerpt of the text blocks of a search result. Blocks are kept as units one to one."""
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
    merits = _merits(question, added, candidates, excerpts)
    ranked = sorted(
        ((score + merit, score, span) for score, merit, span in zip(scores, merits, candidates, strict=True)),
        key=lambda scored: -scored[0],
    )
    least = ranked[0][0] - _CLOSE_SECOND
    close = [span for rank, score, span in ranked if rank >= least and score >= THRESHOLD]
    expanded = [_expanded(span, question, excerpts[span.passage].units) for span in close]
    return _few(expanded)


def _candidates(question: str, excerpts: Sequence[Excerpt]) -> list[Span]:
    spans = [
        span
        for passage, excerpt in enumerate(excerpts)
        for span in (*spans_of(passage, excerpt.units), *lists_of(passage, excerpt.units))
    ]
    if len(spans) <= _PAIRS:
        return spans
    likely = _lexical_scores(question, spans, excerpts)
    order = sorted(range(len(spans)), key=lambda at: spans[at].passage - likely[at])
    return [spans[at] for at in sorted(order[:_PAIRS])]


def _scores(question: str, spans: Sequence[Span], excerpts: Sequence[Excerpt], scorer: Scorer | None) -> list[float]:
    if scorer is None:
        return _lexical_scores(question, spans, excerpts)
    return scorer.scores(question, [_pair_text(span, excerpts[span.passage])[:_PAIR_CHARACTERS] for span in spans])


def _merits(question: str, added: frozenset[str], spans: Sequence[Span], excerpts: Sequence[Excerpt]) -> list[float]:
    """What speaks for a span beside its score: the terms of the question, what a follow-up added, what to do."""
    asked, how = frozenset(terms_of(question)), bool(_HOW_TO.search(question))
    merits = []
    for span in spans:
        units = excerpts[span.passage].units
        named = _share(asked, text_of(span, units))
        followed = _share(added, _pair_text(span, excerpts[span.passage]))
        kinds = {unit.kind for start, end in span.parts for unit in units[start:end]}
        what_to_do = _WHAT_TO_DO if how and kinds & {"code", "step"} else 0.0
        merits.append(_NAMED * named + _FOLLOWED_UP * followed + what_to_do)
    return merits


def _share(terms: frozenset[str], text: str) -> float:
    """How many of the terms a text has, from 0 to 1."""
    return len(terms & set(terms_of(text))) / max(len(terms), 1)


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
    known = {term for excerpt in excerpts for term in terms_of(_whole(excerpt))}
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
    """For a question about how: the whole list, or the paragraph and the code or list that follows it."""
    if not _HOW_TO.search(question):
        return span
    if units[span.core].kind in ("step", "item"):
        return next((whole for whole in lists_of(span.passage, units) if whole.overlaps(span)), span)
    if units[span.core].kind != "sentence" or len(span.parts) > 1:
        return span
    start, end = _paragraph_around(units, *span.parts[0])
    return Span(span.passage, ((start, _end_of_instructions(units, end)),), span.core)


def _paragraph_around(units: Sequence[Unit], start: int, end: int) -> tuple[int, int]:
    first, last = start, end
    while first > 0 and units[first - 1].kind == "sentence" and not _ends_paragraph(units[first - 1]):
        first -= 1
    while last < len(units) and units[last].kind == "sentence" and not _ends_paragraph(units[last - 1]):
        last += 1
    whole = sum(len(unit.text) for unit in units[first:last])
    return (first, last) if whole <= _LONGEST_PARAGRAPH else (start, end)


def _end_of_instructions(units: Sequence[Unit], end: int) -> int:
    at = past_markup(units, end)
    if at >= len(units) or units[at].kind not in ("step", "code"):
        return end
    if units[at].kind == "code":
        return at + 1
    return next((whole.parts[-1][1] for whole in lists_of(0, units) if whole.core == at), at + 1)


def _ends_paragraph(unit: Unit) -> bool:
    return "\n\n" in unit.text[len(unit.text.rstrip()) :]


def _few(spans: Sequence[Span]) -> list[Span]:
    """The best few that do not overlap, of at most two passages, in reading order with the best passage first."""
    kept: list[Span] = []
    for span in spans:
        passages = {other.passage for other in kept} | {span.passage}
        if len(kept) < _MOST_SPANS and len(passages) <= _MOST_PASSAGES and not any(map(span.overlaps, kept)):
            kept.append(span)
    order = list(dict.fromkeys(span.passage for span in kept))
    return sorted(kept, key=lambda span: (order.index(span.passage), span.parts))


def _kind_of(text: str) -> Kind:
    units = units_of(text)
    return units[0].kind if units else "sentence"
