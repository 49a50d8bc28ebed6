"""What speaks for a span beside the score that a model gives it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.answering.asking import compared_in, expected_in, is_how_to, subject_of
from bot.answering.spans import Span, is_case, leads_to_markup, text_of
from bot.answering.units import Unit
from connectors.text.analysis import terms_of

_NAMED = 1.5
_WHAT_TO_DO = 1.5
_DEFINED = 2.0
"""For the sentence that says what the thing is: models prefer sentences that merely speak of it."""
_BOTH = 2.0
"""For what names both of the things whose difference is asked for."""
_EXPECTED = 1.0
"""For an amount, a time or a number where one is asked for."""
_NOTHING_NEW = 4.0
"""Taken off what says no more than the titles above it: models like a heading best of all."""
_OPENING = 1.5
"""For the words and the code with which a section begins whose heading is what was asked for."""
_FOLLOWED_UP = 4.0
"""For what a follow-up adds to its thread: “and on staging?” is about staging, whatever the thread was about."""
_TO_BE = re.compile(r"\s(?:is|are|means?|refers? to|to refer to|describes?|represents?|stands? for)\s", re.I)
_LEAST_OF_HEADING = 0.5


def merit_of(span: Span, path: str, units: Sequence[Unit], question: str, added: frozenset[str]) -> float:
    """What speaks for the span: the question's terms, what a follow-up ``added``, what to do, a definition, its place.

    Comparable with the logits of a cross-encoder, to which it is added.
    """
    text = text_of(span, units)
    named = share(frozenset(terms_of(question)), text)
    followed = share(added, f"{path}: {text}")
    return (
        _NAMED * named
        + _FOLLOWED_UP * followed
        + _OPENING * _opens(span, path, units, question)
        + (_EXPECTED if (expected := expected_in(question)) and expected.search(text) else 0.0)
        + (_WHAT_TO_DO if is_how_to(question) and tells_what_to_do(span, units) else 0.0)
        - (_NOTHING_NEW if set(terms_of(text)) <= set(terms_of(path)) else 0.0)
        + (_BOTH if _names_all(text, compared_in(question)) else 0.0)
        + (_DEFINED if _defines(text, subject_of(question)) else 0.0)
    )


def share(terms: frozenset[str], text: str) -> float:
    """How many of the terms a text has, from 0 to 1."""
    return len(terms & set(terms_of(text))) / max(len(terms), 1)


def tells_what_to_do(span: Span, units: Sequence[Unit]) -> bool:
    """Code, a step, or the words that lead to code which is not in the passage."""
    shown = [unit for start, end in span.parts for unit in units[start:end]]
    told = any(unit.kind == "code" or (unit.kind == "step" and not is_case(unit)) for unit in shown)
    return told or leads_to_markup(units, span.parts[-1][1])


def _defines(text: str, subject: frozenset[str]) -> bool:
    """Whether its first verb says what the subject is."""
    verb = _TO_BE.search(text)
    if verb is None or not subject:
        return False
    return subject <= set(terms_of(_last_words(text[: verb.start()], len(subject))))


def _names_all(text: str, things: tuple[frozenset[str], ...]) -> bool:
    terms = set(terms_of(text))
    return bool(things) and all(thing <= terms for thing in things)


def _last_words(text: str, count: int) -> str:
    return " ".join(text.split()[-count:])


def _opens(span: Span, path: str, units: Sequence[Unit], question: str) -> float:
    """How much of the question stands in the heading, when the span is what this section begins with."""
    start = span.parts[0][0]
    if any(unit.kind not in ("heading", "markup") for unit in units[:start]):
        return 0.0
    matched = share(frozenset(terms_of(question)), path.rpartition(" › ")[2])
    return matched if matched >= _LEAST_OF_HEADING else 0.0
