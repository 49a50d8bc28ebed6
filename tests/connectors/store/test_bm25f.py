from __future__ import annotations

import pytest

from connectors.store.bm25f import MAX_TERMS, PAIR, Averages, Words, Worth, pair_score, score, worth_of

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


def test_pairs_count_in_their_order_within_one_field() -> None:
    worth = Worth({}, {("reset", "vpn"): 1.0})
    assert score(Words(["page"], ["reset", "vpn"]), worth, AVERAGES) > 0
    assert score(Words(["reset", "vpn"], []), worth, AVERAGES) > 0
    assert score(Words(["reset"], ["vpn", "reset"], (["reset", "vpn"],)), worth, AVERAGES) == 0


def test_a_score_is_that_of_terms_and_that_of_pairs() -> None:
    words = Words(["vpn", "guide"], ["reset", "vpn", "reset", "vpn"])
    both = Worth({"reset": 3.0, "vpn": 2.0}, {("reset", "vpn"): 1.5})
    pairs = pair_score(words.head, words.body, both, AVERAGES)
    assert pairs == score(words, Worth({}, both.pairs), AVERAGES)
    assert score(words, both, AVERAGES) == pytest.approx(score(words, Worth(both.terms, {}), AVERAGES) + pairs)
