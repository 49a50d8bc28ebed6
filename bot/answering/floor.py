"""The floor: whether anything was found that could answer the question, before a model is asked."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.model import Passage
from bot.answering.prompts import path_of
from connectors.text.analysis import terms_of

LOGIT = -6.0
"""Cross-encoder: below this, passages of unanswerable questions stand and none of answerable ones."""

COSINE = 0.52
"""Without a cross-encoder: on tests/bot/answering/questions.yaml 95 % of answerable questions find something above
this and 75 % of the others do not. A model that is asked in vain can still decline."""

COVERAGE = 0.6
"""Share of the question's terms in one passage that speaks for it, whatever a model thinks of them."""


def is_promising(question: str, passages: Sequence[Passage]) -> bool:
    """Whether a passage is good enough to ask a model about it. One kind of evidence is enough."""
    asked = frozenset(terms_of(question))
    return any(_is_related(passage) or _coverage(asked, passage) >= COVERAGE for passage in passages)


def _is_related(passage: Passage) -> bool:
    if passage.rerank_score is not None:
        return passage.rerank_score >= LOGIT
    return passage.vector_score is not None and passage.vector_score >= COSINE


def _coverage(asked: frozenset[str], passage: Passage) -> float:
    if not asked:
        return 0.0
    return len(asked & set(terms_of(f"{path_of(passage)}\n{passage.text}"))) / len(asked)
