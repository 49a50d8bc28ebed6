from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.answering.model import MAX_QUESTION, Passage, Question, Scope, Turn
from bot.answering.rerank import RERANKED, SHARE, blended, logits_of, numbered, share_of

SCOPE = Scope("kb", frozenset({"source:s"}))


def passages(*scores: float) -> tuple[Passage, ...]:
    return tuple(
        Passage(rank, score, f"c{rank}", f"d{rank}", "s", "1", f"T{rank}", ("H",), "u", f"text {rank}")
        for rank, score in enumerate(scores, start=1)
    )


class Scripted:
    """Gives the numbers it was given, and remembers what it was asked."""

    def __init__(self, *logits: float) -> None:
        self.logits = list(logits)
        self.asked: list[tuple[str, str]] = []

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.asked += [(question, text) for text in texts]
        return [self.logits.pop(0) for _ in texts]


def test_a_second_reading_moves_a_passage_up_and_scores_keep_falling() -> None:
    found = blended(passages(0.9, 0.8, 0.7), [-9.0, 4.0, 3.0])
    assert [passage.chunk_id for passage in found] == ["c2", "c1", "c3"]
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert [p.rerank_score for p in found] == [4.0, -9.0, 3.0]


def test_only_the_front_is_read_again_and_stays_in_front() -> None:
    many = passages(*(1 - n / 100 for n in range(15)))
    found = blended(many, [float(n) for n in range(RERANKED)])
    assert {p.chunk_id for p in found[:RERANKED]} == {p.chunk_id for p in many[:RERANKED]}
    assert found[RERANKED:] == many[RERANKED:]
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_what_is_not_read_in_time_stays_behind_what_is() -> None:
    ticks = iter([0.0, 0.0, 0.5, 1.0, 1.6])  # The fourth would take until 2.1.
    reranker = Scripted(1.0, -9.0, 9.0)
    read = passages(0.9, 0.8, 0.7, 0.6)
    logits = logits_of(reranker, Question("q", SCOPE), read, seconds=2.0, clock=lambda: next(ticks))
    assert logits == [1.0, -9.0, 9.0]
    found = blended(read, logits)
    assert [passage.chunk_id for passage in found] == ["c1", "c3", "c2", "c4"]
    assert [passage.rerank_score for passage in found] == [1.0, 9.0, -9.0, None]


@pytest.mark.parametrize(
    "asked",
    ["How do I reset it", "vpn password?", "is it up", '"Can I?" he said', "It fails. What now? Thanks"],
)
def test_a_question_is_read_again(asked: str) -> None:
    assert share_of(asked) == SHARE


@pytest.mark.parametrize(
    "asked", ["Aspirin whatever the dose lowers the risk", "reset vpn password", "GET /a?b=1 fails", "", "何"]
)
def test_what_is_no_question_keeps_its_order(asked: str) -> None:
    assert share_of(asked) == 0
    found = blended(passages(0.9, 0.8, 0.7), [-9.0, 4.0, 3.0], share_of(asked))
    assert [passage.chunk_id for passage in found] == ["c1", "c2", "c3"]
    assert [passage.rerank_score for passage in found] == [-9.0, 4.0, 3.0]


def test_a_passage_is_read_with_its_title_and_headings() -> None:
    reranker = Scripted(1.0)
    logits_of(reranker, Question("reset the vpn password", SCOPE), passages(1.0), 9)
    assert reranker.asked == [("reset the vpn password", "T1 > H\ntext 1")]


def test_of_a_very_long_question_the_beginning_is_read() -> None:
    reranker = Scripted(1.0)
    logits_of(reranker, Question("vpn password portal " * 2_000, SCOPE), passages(1.0), 9)
    assert len(reranker.asked[0][0]) <= MAX_QUESTION


def test_a_follow_up_is_read_with_the_question_before_it() -> None:
    reranker = Scripted(1.0)
    thread = (Turn("user", "How do I reset the VPN password?"), Turn("agent", "In the portal."))
    logits_of(reranker, Question("And where is it?", SCOPE, thread), passages(1.0), 9)
    assert reranker.asked[0][0] == "How do I reset the VPN password? And where is it?"


def test_nothing_found_is_nothing_to_read() -> None:
    assert blended((), []) == ()
    assert numbered(()) == ()
