"""What a question asks for in the light of its thread, without asking a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.answering.model import MAX_QUESTION, Question
from connectors.analysis import terms_of
from connectors.model import Vector
from connectors.ports import Embedder

EARLIER_QUESTIONS = 0.3
LAST_ANSWER = 0.2
"""Measured on conversations (specs/retrieval.md §3); still better than no thread when the last answer was wrong."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something said in a thread, and how much it counts in what is searched for."""

    text: str
    weight: float


def parts_of(question: Question) -> list[Part]:
    """The question, what its asker said before, and what was last answered; each as much of it as counts."""
    earlier = " ".join(turn.text for turn in question.turns if turn.speaker == "user")
    answers = [turn.text for turn in question.turns if turn.speaker == "agent"]
    said = (
        Part(question.text[:MAX_QUESTION], 1.0),
        Part(earlier[-MAX_QUESTION:], EARLIER_QUESTIONS),
        Part(answers[-1][:MAX_QUESTION] if answers else "", LAST_ANSWER),
    )
    return [part for part in said if part.text.strip()]


def terms_in(parts: Iterable[Part]) -> Mapping[str, float]:
    """The terms to search for. Each occurrence adds its part's weight."""
    terms: Counter[str] = Counter()
    for part in parts:
        for term, count in Counter(terms_of(part.text)).items():
            terms[term] += count * part.weight  # type: ignore[assignment]  # A counter of weights, not of whole numbers.
    return terms


def vector_of(parts: Sequence[Part], embedder: Embedder) -> Vector | None:
    """The direction to search in: the weighted sum of the parts' own. ``None`` for a question without parts."""
    if not parts:
        return None
    total = sum(part.weight * embedder.embed_question(part.text) for part in parts)
    vector: Vector = np.asarray(total, np.float32)
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))
