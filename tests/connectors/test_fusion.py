from __future__ import annotations

import numpy as np
import pytest

from connectors.fusion import CURVE, floor_of, fused
from connectors.model import Candidate, Chunk, Vector


def candidate(name: str, words: float, near: float | None) -> Candidate:
    chunk = Chunk("s", f"s:{name}", "1", "p", 0, name, (), name, tags=frozenset({"source:s"}))
    return Candidate(chunk, words, near)


def order(*candidates: Candidate, sample: tuple[Vector, ...] = ()) -> list[str]:
    return [found.chunk.title for found, _ in fused(candidates, np.array([1, 0], np.float32), sample)]


def vector(cosine: float) -> Vector:
    return np.array([cosine, (1 - cosine**2) ** 0.5], np.float32)


def test_both_sides_count_alike() -> None:
    scores = fused([candidate("both", 5, 0.8), candidate("words", 5, 0.0), candidate("near", 0, 0.8)], vector(1), [])
    assert [(c.chunk.title, score) for c, score in scores] == [("both", 1.0), ("near", 0.5), ("words", 0.5)]


def test_cosines_count_from_the_floor_up() -> None:
    sample = (vector(0.5), vector(0.6), vector(0.7), vector(-0.9))
    assert floor_of(np.array([1, 0], np.float32), sample) == pytest.approx(0.6)
    found = {
        c.chunk.title: score
        for c, score in fused([candidate("best", 0, 0.8), candidate("floor", 0, 0.6)], vector(1), sample)
    }
    assert found["best"] == pytest.approx(0.5, abs=1e-3)
    assert found["floor"] == pytest.approx(0.0, abs=1e-3)


def test_a_candidate_without_a_vector_is_neither_favoured_nor_lost() -> None:
    assert order(candidate("embedded", 5, 0.9), candidate("pending", 5, None), candidate("far", 5, 0.1)) == [
        "embedded",
        "pending",
        "far",
    ]


def test_before_anything_is_embedded_words_decide() -> None:
    scored = fused([candidate("less", 1, None), candidate("more", 4, None)], None, [])
    assert [(c.chunk.title, score) for c, score in scored] == [("more", 1.0), ("less", 0.25**CURVE)]


def test_ties_have_one_order() -> None:
    tied = [candidate(name, 1, 0.5) for name in "cab"]
    assert order(*tied) == order(*reversed(tied)) == ["a", "b", "c"]


def test_nothing_is_nothing() -> None:
    assert fused([], vector(1), []) == []
    assert fused([candidate("x", 0, 0.0)], vector(1), [])[0][1] == 0
