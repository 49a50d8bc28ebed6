"""The metrics agree with trec_eval's own code, and say what they promise where it says nothing."""

import math
import random

import ir_measures
import pytest
from ir_measures import RR, P, R, Success, nDCG

from bot.evaluation.metrics import ndcg, scores_of

TREC = {
    "ndcg@10": nDCG @ 10,
    "recall@3": R @ 3,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "recall@20": R @ 20,
    "precision@3": P @ 3,
    "precision@5": P @ 5,
    "mrr": RR,
    "pass@5": Success @ 5,
    "pass@10": Success @ 10,
    "pass@20": Success @ 20,
}


@pytest.mark.parametrize("seed", range(60))
def test_every_metric_is_the_one_of_trec_eval(seed: int) -> None:
    """Runs with ties, graded judgements, zeros, few results, and relevant documents that were never found."""
    draw = random.Random(seed)
    documents = [f"d{n}" for n in range(60)]
    judged = {name: draw.choice([0, 0, 1, 1, 2, 3]) for name in draw.sample(documents, draw.randint(1, 25))}
    judged[draw.choice(documents)] = 2
    run = {name: float(draw.randint(0, 8)) for name in draw.sample(documents, draw.randint(1, 40))}
    ranked = sorted(run, key=lambda name: (run[name], name), reverse=True)  # how trec_eval breaks its ties

    expected = ir_measures.calc_aggregate(TREC.values(), {"q": judged}, {"q": run})
    first_three = ir_measures.calc_aggregate([RR], {"q": judged}, {"q": {name: run[name] for name in ranked[:3]}})
    assert scores_of(ranked, judged) == pytest.approx(
        {name: expected[metric] for name, metric in TREC.items()} | {"mrr@3": first_three[RR]}
    )


def test_the_metrics_come_in_the_order_of_the_contract() -> None:
    assert " ".join(scores_of(["a"], {"a": 1})) == (
        "ndcg@10 recall@3 recall@5 recall@10 recall@20 precision@3 precision@5 mrr@3 mrr pass@5 pass@10 pass@20"
    )


def test_nothing_found_scores_nothing() -> None:
    assert set(scores_of([], {"a": 1}).values()) == {0.0}


def test_gains_are_linear_and_harm_counts_as_nothing() -> None:
    assert ndcg(["b", "a"], {"a": 3, "b": 1, "c": -2}, 10) == pytest.approx(
        (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    )


def test_what_is_judged_beyond_the_tenth_still_counts_for_recall_but_not_for_the_ideal() -> None:
    judged = {f"d{n}": 1.0 for n in range(20)}
    scores = scores_of([f"d{n}" for n in range(10)], judged)

    assert scores["ndcg@10"] == pytest.approx(1.0)
    assert scores["recall@10"] == 0.5
