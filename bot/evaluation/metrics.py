"""How good one ranking of documents is, given which are relevant. Pure; every figure is between 0 and 1.

Checked against trec_eval's own code in the tests. A document is relevant when its judgement is above 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

NDCG_AT = (10,)
RECALL_AT = (3, 5, 10, 20)
PRECISION_AT = (3, 5)
MRR_AT = (3,)
PASS_AT = (5, 10, 20)


def scores_of(ranked: Sequence[str], judged: Mapping[str, float]) -> dict[str, float]:
    """Every metric of a ranking without doubles, best first, by name. At least one document must be relevant.

    pass@k is whether a relevant document is among the first k, as in Anthropic's guide to contextual retrieval (2024);
    trec_eval calls it success.
    """
    relevant = {document for document, score in judged.items() if score > 0}
    hits = [document in relevant for document in ranked]
    return {
        **{f"ndcg@{k}": ndcg(ranked, judged, k) for k in NDCG_AT},
        **{f"recall@{k}": sum(hits[:k]) / len(relevant) for k in RECALL_AT},
        **{f"precision@{k}": sum(hits[:k]) / k for k in PRECISION_AT},
        **{f"mrr@{k}": reciprocal_rank(hits[:k]) for k in MRR_AT},
        "mrr": reciprocal_rank(hits),
        **{f"pass@{k}": float(any(hits[:k])) for k in PASS_AT},
    }


def ndcg(ranked: Sequence[str], judged: Mapping[str, float], k: int) -> float:
    """Gain discounted by rank, as a share of what the best order of all that is judged would have.

    Gains are the judgements themselves, not powers of two (Järvelin and Kekäläinen 2002; ndcg_cut of trec_eval).
    """
    ideal = sorted(judged.values(), reverse=True)
    return _discounted([judged.get(document, 0.0) for document in ranked[:k]]) / _discounted(ideal[:k])


def reciprocal_rank(hits: Sequence[bool]) -> float:
    """One divided by the rank of the first hit; 0 without one."""
    return next((1 / rank for rank, hit in enumerate(hits, start=1) if hit), 0.0)


def _discounted(gains: Sequence[float]) -> float:
    return sum(max(gain, 0.0) / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
