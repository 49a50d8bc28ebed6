from __future__ import annotations

import base64
import random

import pytest

from connectors.store.bm25f import Averages, Worth
from connectors.store.weaviate.bags import averages_of, bag_of, scores_of
from tests.connectors.store.formula import Words, score

VOCABULARY = [f"word{i}" for i in range(40)]


def drawn(dice: random.Random) -> Words:
    head, body, before, after = (dice.choices(VOCABULARY, k=dice.randint(0, most)) for most in (5, 80, 80, 80))
    return Words(head, body, (before, after))


def bagged(words: Words) -> str:
    return bag_of(words.head, words.body, [term for neighbour in words.near for term in neighbour])


@pytest.mark.parametrize("seed", range(10))
def test_many_chunks_at_once_score_as_each_one_does(seed: int) -> None:
    dice = random.Random(seed)
    every = [drawn(dice) for _ in range(50)]
    worth = {term: dice.random() * 5 for term in [*dice.sample(VOCABULARY, 6), "unheard"]}
    averages = Averages(2.5, 40.0, 80.0)
    found = scores_of([bagged(words) for words in every], worth, averages)
    assert found == pytest.approx([score(words, Worth(worth, {}), averages) for words in every])


def test_a_very_long_chunk_scores_as_it_does_alone() -> None:
    words = Words(["a"] * 60, ["b"] * 500 + ["c"] * 20_000, (["a"] * 30_000,))
    averages = Averages(3.0, 50.0, 100.0)
    alone = score(words, Worth({"b": 1.0}, {}), averages)
    assert scores_of([bagged(words)], {"b": 1.0}, averages) == pytest.approx([alone])


def test_mean_lengths_are_those_of_the_chunks() -> None:
    bags = [bag_of(["a"], ["b"] * 2, ["c"] * 6), bag_of(["a"] * 3, ["b"] * 4, [])]
    assert averages_of(bags) == Averages(2.0, 3.0, 3.0)
    assert averages_of([]) == Averages(0.0, 0.0, 0.0)


def test_nothing_to_compare_with_is_no_error() -> None:
    bag = bag_of([], [], [])
    assert list(scores_of([bag], {"a": 1.0}, Averages(0.0, 0.0, 0.0))) == [0.0]
    assert list(scores_of([bag], {}, Averages(1.0, 1.0, 1.0))) == [0.0]
    assert list(scores_of([], {"a": 1.0}, Averages(1.0, 1.0, 1.0))) == []


@pytest.mark.parametrize("spoiled", ["", "?", "abc", "YWJj", "検索", base64.b64encode(b"1234567").decode()])
def test_a_bag_that_somebody_has_spoiled_is_worth_nothing(spoiled: str) -> None:
    whole = bag_of([], ["a"], [])
    found = scores_of([whole, spoiled, whole], {"a": 1.0}, Averages(1.0, 1.0, 1.0))
    assert found[0] == found[2] > 0 == found[1]
