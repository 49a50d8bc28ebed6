"""Reads the best passages again, each together with the question, and blends what that says into their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import Protocol

from bot.answering.model import MAX_QUESTION, Passage, Question
from bot.answering.picking import standalone

RERANKED = 10
"""Passages that are read again: more cost time and win nothing."""

SHARE = 0.35
"""How much the second reading counts for a question. Alone it ranks worse than what it is to improve."""

_ASKS = re.compile(
    r"\?(?!\w)|^\W*(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|should|would"
    r"|will|has|have|may|any)\b",
    re.I,
)


class Reranker(Protocol):
    """Judges texts against a question."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """One number a text, the higher the better; only their order and distance within one call mean something."""


def share_of(question: str) -> float:
    """How much a second reading counts. The model learnt from questions: for claims, symptoms and code it is worse."""
    return SHARE if _ASKS.search(question) else 0.0


def logits_of(
    reranker: Reranker,
    question: Question,
    passages: Sequence[Passage],
    seconds: float,
    clock: Callable[[], float] = monotonic,
) -> list[float]:
    """What the reranker says of each passage; of the first ones only, where all would take longer than ``seconds``.

    A follow-up that means little alone is read with the question before it.
    """
    began = clock()
    asked = standalone(question.text[:MAX_QUESTION], [turn.text for turn in question.turns if turn.speaker == "user"])
    logits: list[float] = []
    for passage in passages:
        spent = clock() - began
        if spent + spent / max(len(logits), 1) > seconds:
            break
        logits += reranker.scores(asked, [text_of(passage)])
    return logits


def text_of(passage: Passage) -> str:
    """A passage as it is read again: its title and headings in front."""
    return "\n".join((" > ".join((passage.title, *passage.headings)), passage.text))


def blended(passages: Sequence[Passage], logits: Sequence[float], share: float = SHARE) -> tuple[Passage, ...]:
    """The passages in their new order. Those read again stay in front of the others and share out their old scores."""
    front = [replace(passage, rerank_score=logit) for passage, logit in zip(passages, logits, strict=False)]
    rest = tuple(passages[len(front) :])
    old, new = _spread([passage.score for passage in front]), _spread(logits)
    blend = [(1 - share) * before + share * again for before, again in zip(old, new, strict=True)]
    low, high = front[-1].score if front else 0.0, front[0].score if front else 0.0
    scored = [replace(p, score=low + (high - low) * part) for p, part in zip(front, blend, strict=True)]
    return (*sorted(scored, key=lambda passage: -passage.score), *rest)


def numbered(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages with their ranks from 1."""
    return tuple(replace(passage, rank=rank) for rank, passage in enumerate(passages, start=1))


def _spread(scores: Sequence[float]) -> list[float]:
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 0.0 for score in scores]
