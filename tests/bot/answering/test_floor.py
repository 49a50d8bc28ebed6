from __future__ import annotations

from dataclasses import replace

from langchain_core.language_models import FakeListChatModel

from bot.answering.chain import Answerer
from bot.answering.claude import claude_of
from bot.answering.floor import is_promising, is_quotable
from bot.answering.quotes import QuoteModel
from bot.rehearsal.claude import RehearsalClaude
from tests.bot.answering.passages import FixedSearch, passage, pool, question

FAR = passage("Chairs are ordered through the office team.", rerank_score=-10.5)
NEAR = replace(FAR, rerank_score=-8.0)
"""Worth a model's time, and not good enough to be quoted."""
SEATS = "Where do seats for our meetings come from?"


def test_what_the_cross_encoder_finds_unrelated_is_below_the_floor() -> None:
    assert not is_promising("What is the capital of France?", [FAR])
    assert is_promising(SEATS, [replace(FAR, rerank_score=-1.0)])


def test_without_a_cross_encoder_likeness_decides() -> None:
    assert is_promising(SEATS, [replace(FAR, rerank_score=None, vector_score=0.6)])
    assert not is_promising(SEATS, [replace(FAR, rerank_score=None, vector_score=0.3)])


def test_the_words_of_the_question_are_evidence_of_their_own() -> None:
    assert is_promising("office chairs", [FAR])


def test_nothing_found_is_below_the_floor() -> None:
    assert not is_promising("office chairs", [])


def test_quotes_need_more_than_a_model_does() -> None:
    assert is_promising(SEATS, [NEAR])
    assert not is_quotable(SEATS, [NEAR])
    assert is_quotable("How are office chairs ordered?", [replace(FAR, rerank_score=6.0)])


async def test_below_the_floor_no_model_is_asked() -> None:
    async with RehearsalClaude() as double:
        model = claude_of("sk-test", double.url)
        answerer = Answerer(FixedSearch(FAR), model, fallback=None, model_name="anthropic:x", pool=pool())
        answer = await answerer.answer(question("What is the capital of France?"))
        await model.aclose()
    assert (answer.outcome, len(answer.nearest), double.requests) == ("not_found", 1, [])


async def test_a_fallback_quotes_only_what_is_good_enough_to_be_quoted() -> None:
    broken = FakeListChatModel(responses=["It takes"], error_on_chunk_number=1)
    for found, outcome in ((FAR, "not_found"), (replace(FAR, rerank_score=6.0), "answered")):
        asking = Answerer(FixedSearch(found), broken, fallback=QuoteModel(), model_name="ollama:qwen3", pool=pool())
        answer = await asking.answer(question("How do we order chairs for the meetings?"))
        assert (answer.outcome, answer.model, len(answer.notes)) == (outcome, "quotes", 1)
