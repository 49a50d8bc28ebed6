from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from connectors.store.bm25f import MAX_TERMS, PAIR, Averages, Worth, occurrences_in, pair_scores, worth_of
from tests.connectors.store.formula import Words, score

AVERAGES = Averages(2.0, 4.0, 8.0)


def test_a_pair_is_worth_a_share_of_its_rarer_term() -> None:
    worth = worth_of({"reset": 1.0, "vpn": 1.0}, {("reset", "vpn"): 0.5}, {"reset": 2.0, "vpn": 6.0})
    assert worth == Worth({"vpn": 6.0, "reset": 2.0}, {("reset", "vpn"): PAIR * 0.5 * 6.0})


def test_a_pair_with_a_term_that_nobody_holds_is_worth_nothing() -> None:
    assert worth_of({"reset": 1.0, "vpn": 1.0}, {("reset", "vpn"): 1.0}, {"vpn": 6.0}).pairs == {}


def test_as_many_pairs_count_as_terms() -> None:
    terms = [f"t{n}" for n in range(MAX_TERMS + 9)]
    pairs = {(one, "t0"): n + 1.0 for n, one in enumerate(terms)}
    worth = worth_of(dict.fromkeys(terms, 1.0), pairs, dict.fromkeys(terms, 2.0))
    assert len(worth.terms) == len(worth.pairs) == MAX_TERMS
    assert ("t0", "t0") not in worth.pairs


@pytest.mark.parametrize("seed", range(10))
def test_pairs_of_many_chunks_at_once_score_as_each_one_does(seed: int) -> None:
    dice = random.Random(seed)
    every = [Words(dice.choices("abcd", k=dice.randint(0, 4)), dice.choices("abcdef", k=40)) for _ in range(30)]
    pairs = {(one, other): dice.random() for one in "abc" for other in "abcd" if one != other}
    found = pair_scores(*texts_of(every), Worth({}, pairs), AVERAGES)
    assert found == pytest.approx([score(words, Worth({}, pairs), AVERAGES) for words in every])


def test_pairs_count_in_their_order_within_one_field() -> None:
    every = [Words(["page"], ["reset", "vpn"]), Words(["reset", "vpn"], []), Words(["reset"], ["vpn", "reset"])]
    body, head, apart = pair_scores(*texts_of(every), Worth({}, {("reset", "vpn"): 1.0}), AVERAGES)
    assert min(body, head) > 0 == apart


def test_terms_are_counted_whole_and_one_by_one() -> None:
    found = occurrences_in(["a a a b ab", "", "ab"], ["a", "b"])
    assert found.counts.tolist() == [[3, 1], [0, 0], [0, 0]]
    assert found.lengths.tolist() == [5, 0, 1]


def texts_of(every: Sequence[Words]) -> tuple[list[str], list[str]]:
    return [" ".join(words.head) for words in every], [" ".join(words.body) for words in every]
