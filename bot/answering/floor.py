"""The floor: whether what was found could answer the question. Below it, "I did not find this" is the answer."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.evidence import Evidence, evidence_of
from bot.answering.model import Passage
from bot.answering.prompts import path_of


def is_promising(question: str, passages: Sequence[Passage]) -> bool:
    """Whether it is worth a model's time to read these passages."""
    return bool(passages) and evidence_in(question, passages).is_worth_a_call


def is_quotable(question: str, passages: Sequence[Passage]) -> bool:
    """Whether sentences of these passages, as they stand, are likely to be the answer."""
    return bool(passages) and evidence_in(question, passages).is_worth_quoting


def evidence_in(question: str, passages: Sequence[Passage]) -> Evidence:
    """What speaks for an answer in these passages. A follow-up comes with the question before it."""
    logits = [passage.rerank_score for passage in passages if passage.rerank_score is not None]
    cosines = [passage.vector_score for passage in passages if passage.vector_score is not None]
    texts = [f"{path_of(passage)}\n{passage.text}" for passage in passages]
    return evidence_of(question, texts, max(logits, default=None), max(cosines, default=None))
