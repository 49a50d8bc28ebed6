"""Two scores a candidate in, one order out. The same for every store."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from connectors.model import Candidate, Vector

KEYWORD_WEIGHT = 0.5
DENSE_WEIGHT = 0.5
"""One setting for all collections (tests/bench/retrieval)."""

CURVE = 0.85
"""The power of a keyword score's share: it keeps one long match of rare words from leaving all others behind."""


def fused(
    candidates: Sequence[Candidate], question_vector: Vector | None, sample: Sequence[Vector]
) -> list[tuple[Candidate, float]]:
    """The candidates with one score each, best first: a weighted mean of both scores, each on a scale of its own.

    Keyword scores are measured against the best of them, on a curve; cosines against the best and the floor, which is
    the question's median positive cosine over the index's fixed sample. A candidate that is not embedded yet counts as
    the median of those that are: neither its luck nor its loss. Scores compare within one answer only.
    """
    words = [share**CURVE for share in _shares([candidate.keyword_score for candidate in candidates], 0.0)]
    known = [candidate.vector_score for candidate in candidates if candidate.vector_score is not None]
    if not known:
        scored = zip(candidates, words, strict=True)
    else:
        near = iter(_shares(known, floor_of(question_vector, sample)))
        dense = [None if candidate.vector_score is None else next(near) for candidate in candidates]
        usual = median(share for share in dense if share is not None)
        scored = zip(
            candidates, map(_weighed, words, (usual if share is None else share for share in dense)), strict=True
        )
    return sorted(scored, key=_order)


def floor_of(question_vector: Vector | None, sample: Sequence[Vector]) -> float:
    """The cosine that says nothing: the median of a question's positive cosines with the sample."""
    if question_vector is None or not len(sample):
        return 0.0
    cosines = np.asarray(sample) @ question_vector
    positive = cosines[cosines > 0]
    return float(np.median(positive)) if len(positive) else 0.0


def _weighed(words: float, dense: float) -> float:
    return KEYWORD_WEIGHT * words + DENSE_WEIGHT * dense


def _shares(scores: Sequence[float], floor: float) -> list[float]:
    """Each score's place between the floor (0) and the best (1)."""
    span = max(scores, default=0.0) - floor
    if span <= 0:
        return [0.0] * len(scores)
    return [(score - floor) / span for score in scores]


def _order(scored: tuple[Candidate, float]) -> tuple[float, str, int, str]:
    candidate, score = scored
    return -score, candidate.chunk.document_id, candidate.chunk.ordinal, candidate.chunk.chunk_id
