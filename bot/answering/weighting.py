"""What a question asks for in the light of its thread, without asking a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.answering.model import MAX_QUESTION, Question
from connectors.model import Vector
from connectors.ports import Embedder
from connectors.text.analysis import terms_of

EARLIER_QUESTIONS = 0.6
"""Shared by the last few of them."""
LAST_ANSWER = 0.1
"""Both measured on conversations (tests/bench/retrieval): little is lost when the last answer was a wrong one."""

MOST_EARLIER = 4
"""Earlier questions that count: older ones were measured to add nothing, and each costs an embedding."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something said in a thread, and how much it counts in what is searched for."""

    text: str
    weight: float
    by_words_only: bool = False
    """An answer is as long as all questions before it: its meaning costs as much time as theirs, and adds little."""


def parts_of(question: Question) -> list[Part]:
    """The question, what its asker said before, and what was last answered; each as much of it as counts."""
    asked = [turn.text for turn in question.turns if turn.speaker == "user" and turn.text.strip()][-MOST_EARLIER:]
    answered = [turn.text for turn in question.turns if turn.speaker == "agent" and turn.text.strip()][-1:]
    said = [
        Part(question.text[:MAX_QUESTION], 1.0),
        *(Part(text[:MAX_QUESTION], EARLIER_QUESTIONS / len(asked)) for text in asked),
        *(Part(text[:MAX_QUESTION], LAST_ANSWER, by_words_only=True) for text in answered),
    ]
    return [part for part in said if part.text.strip()]


def terms_in(parts: Iterable[Part]) -> Mapping[str, float]:
    """The terms to search for, each with the most weight that a part gives it: saying a word twice adds nothing."""
    terms: dict[str, float] = {}
    for part in parts:
        for term in terms_of(part.text):
            terms[term] = max(terms.get(term, 0.0), part.weight)
    return terms


def pairs_in(parts: Iterable[Part]) -> Mapping[tuple[str, str], float]:
    """The terms that stand side by side in a part, weighed as single terms are."""
    pairs: dict[tuple[str, str], float] = {}
    for part in parts:
        for pair in pairwise(terms_of(part.text)):
            pairs[pair] = max(pairs.get(pair, 0.0), part.weight)
    return pairs


def vector_of(parts: Sequence[Part], embedder: Embedder) -> Vector | None:
    """The direction to search in: the weighted sum of the parts' own. ``None`` for a question without parts."""
    meant = [part for part in parts if not part.by_words_only]
    if not meant:
        return None
    total = sum(part.weight * embedder.embed_question(part.text) for part in meant)
    vector: Vector = np.asarray(total, np.float32)
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))
