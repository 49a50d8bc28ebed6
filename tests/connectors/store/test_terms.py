from __future__ import annotations

import re

from connectors.store.terms import keys_of, repeats_of


def test_a_key_is_one_word_to_any_index_and_tells_its_term() -> None:
    terms = ["vpn", "検索", "a b", "a_b", "_", "naïve", '"', "\0", "a20b", "a_20_b"]
    keys = keys_of(terms)
    assert all(re.fullmatch(r"[a-z0-9_]+", key) for key in keys)
    assert len(set(keys)) == len(terms)
    assert keys[0] == "vpn"


def test_heavier_terms_are_said_more_often() -> None:
    assert repeats_of({"vpn": 1.0, "reset": 0.5, "old": 0.01}) == {"vpn": 4, "reset": 2, "old": 1}


def test_terms_of_about_one_weight_are_said_once() -> None:
    assert repeats_of({"vpn": 1.0, "reset": 0.95}) == {"vpn": 1, "reset": 1}
    assert repeats_of({}) == {}
