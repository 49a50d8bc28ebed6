from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.tracers.context import collect_runs
from langchain_core.tracers.schemas import Run

from bot.answering.chain import Answerer
from bot.answering.model import Answer, Piece, Question, Retrieved
from bot.answering.quotes import QuoteModel
from tests.bot.answering.passages import FixedSearch, passage, pool, question

ROLLBACK = passage(
    "Roll back first and look for the cause afterwards. To roll back the last release, run:\n\n"
    "```bash\nshipctl rollback payments\n```\n\nA rollback takes about ninety seconds.",
    headings=("Roll back a release",),
)
FREEZE = passage("No deploys happen in the last week of the year.", title="Freeze", document="git:h:freeze.md", rank=2)


def answerer(search: FixedSearch) -> Answerer:
    return Answerer(search, QuoteModel(), fallback=None, model_name="quotes", pool=pool())


async def test_an_answer_is_quoted_word_for_word_with_its_source() -> None:
    answer = await answerer(FixedSearch(ROLLBACK, FREEZE)).answer(question("how long does a rollback take in seconds"))
    assert answer.outcome == "answered"
    assert answer.text == "A rollback takes about ninety seconds. [1]"
    assert [(c.n, c.title, c.url, c.quote) for c in answer.citations] == [
        (1, "Deploys", ROLLBACK.url, "A rollback takes about ninety seconds.")
    ]
    assert answer.model == "quotes"
    assert answer.notes == ("Quotes only: no language model is configured.",)
    assert set(answer.timings) == {"retrieve", "model", "first_text", "total"}


async def test_pieces_join_to_the_answer_and_come_before_it() -> None:
    said = [part async for part in answerer(FixedSearch(ROLLBACK)).stream(question("How do I roll back a release?"))]
    *pieces, answer = said
    assert all(isinstance(piece, Piece) for piece in pieces)
    assert isinstance(answer, Answer)
    assert "".join(piece.text for piece in pieces if isinstance(piece, Piece)).strip() == answer.text
    assert "shipctl rollback payments" in answer.text


async def test_what_is_not_in_the_sources_is_an_honest_no_with_the_nearest_pages() -> None:
    answer = await answerer(FixedSearch(ROLLBACK, FREEZE)).answer(question("Which hotel may I book in Lisbon?"))
    assert answer.outcome == "not_found"
    assert answer.citations == ()
    assert [page.title for page in answer.nearest] == ["Deploys", "Freeze"]


async def test_nothing_found_is_an_honest_no() -> None:
    answer = await answerer(FixedSearch()).answer(question("How do I roll back?"))
    assert (answer.outcome, answer.nearest) == ("not_found", ())


async def test_small_talk_searches_nothing() -> None:
    search = FixedSearch(ROLLBACK)
    answer = await answerer(search).answer(question("thanks a lot!"))
    assert (answer.outcome, answer.text, search.asked) == ("not_found", "You're welcome!", [])


async def test_a_question_that_is_too_long_is_cut_and_says_so() -> None:
    answer = await answerer(FixedSearch(ROLLBACK)).answer(question("How long does a rollback take? " + "x" * 40_000))
    assert "Only the first 4,000 characters of the question were read." in answer.notes


class BrokenSearch(FixedSearch):
    def best(self, question: Question, limit: int) -> Retrieved:
        raise RuntimeError("SELECT secret FROM somewhere")


async def test_a_failing_search_is_an_error_with_a_reference_and_without_its_words() -> None:
    answer = await answerer(BrokenSearch()).answer(question("How do I roll back?"))
    assert answer.outcome == "error"
    assert answer.failure is not None
    assert answer.failure.kind == "search_unavailable"
    assert "secret" not in answer.failure.message
    assert re.fullmatch(r"[0-9a-f]{8}", answer.failure.reference)


async def test_a_fallback_that_fails_too_is_an_error_that_tells_what_was_found() -> None:
    broken = FakeListChatModel(responses=["It takes [1] long"], error_on_chunk_number=1)
    asking = Answerer(FixedSearch(ROLLBACK), broken, fallback=broken, model_name="ollama:qwen3", pool=pool())
    answer = await asking.answer(question("How do I roll back?"))
    assert answer.failure is not None
    assert answer.failure.kind == "internal"
    assert [passage.title for passage in answer.passages] == ["Deploys"]


async def test_it_is_one_langchain_run_from_retriever_to_model() -> None:
    with collect_runs() as collected:
        await answerer(FixedSearch(ROLLBACK)).answer(question("How do I roll back?"))
    [chain] = collected.traced_runs
    assert [run.run_type for run in all_of(chain) if run.run_type != "chain"] == ["retriever", "llm"]


def all_of(run: Run) -> Iterator[Run]:
    yield run
    for child in run.child_runs:
        yield from all_of(child)


@pytest.mark.parametrize(
    "text", ["a", "the of and", "x = [1, 2]", "Wie lange dauert das?", "何ですか", "{question} %s {{7*7}}"]
)
async def test_odd_questions_end_in_an_outcome(text: str) -> None:
    answer = await answerer(FixedSearch(ROLLBACK)).answer(question(text))
    assert answer.outcome in ("answered", "not_found")


async def test_a_follow_up_is_understood_from_the_turn_before() -> None:
    turns = (("user", "How long does a rollback take?"), ("agent", "About ninety seconds. [1]"))
    answer = await answerer(FixedSearch(ROLLBACK)).answer(question("and in seconds?", *turns))
    assert "ninety seconds" in answer.text
