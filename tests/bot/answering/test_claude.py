from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from bot.answering.chain import Answerer
from bot.answering.claude import ClaudeModel, claude_of
from bot.answering.failures import ModelUnavailable
from bot.answering.model import Answer, Piece
from bot.answering.patience import Patience
from bot.answering.prompts import messages_with_blocks, sent_of
from bot.answering.quotes import QuoteModel
from bot.rehearsal.claude import RehearsalClaude
from tests.bot.answering.passages import FixedSearch, passage, pool, question

ROLLBACK = passage(
    "Roll back first. A rollback takes about ninety seconds. Tell the team.\n\n```bash\nshipctl rollback\n```"
)
OTHER = passage("Ask the captain for a rollback of the kernel.", document="git:h:other.md", title="Other", rank=2)
ASKED = question("How many seconds does a rollback take?")
FAST = Patience(deadline_seconds=3.0, silence_seconds=0.4, first_pause_seconds=0.01, longest_pause_seconds=0.02)


@asynccontextmanager
async def calling(double: RehearsalClaude, patience: Patience = FAST) -> AsyncIterator[ClaudeModel]:
    model = claude_of("sk-test", double.url, patience=patience)
    yield model
    await model.aclose()


def answerer(model: ClaudeModel, *, fallback: bool = True) -> Answerer:
    return Answerer(
        FixedSearch(ROLLBACK, OTHER),
        model,
        fallback=QuoteModel() if fallback else None,
        model_name="anthropic:claude-sonnet-5-5",
        pool=pool(),
    )


async def answer_in(*scenarios: str, patience: Patience = FAST) -> tuple[Answer, list[Piece], RehearsalClaude]:
    async with RehearsalClaude(*scenarios) as double, calling(double, patience) as model:
        said = [part async for part in answerer(model).stream(ASKED)]
    answer = said[-1]
    assert isinstance(answer, Answer)
    return answer, [piece for piece in said if isinstance(piece, Piece)], double


def messages() -> list[BaseMessage]:
    return messages_with_blocks(ASKED, sent_of((ROLLBACK, OTHER)))


def blocks(message: AIMessage | AIMessageChunk) -> list[dict[str, Any]]:
    content = message.content if isinstance(message.content, list) else [{"type": "text", "text": message.content}]
    kept = ("type", "text", "citations")
    return [{key: block[key] for key in kept if block.get(key)} for block in content if isinstance(block, dict)]


@pytest.mark.parametrize("scenario", ["ok", "text_first", "thinking"])
async def test_a_stream_gives_the_same_blocks_as_one_reply(scenario: str) -> None:
    """Guards the private method that ClaudeModel overrides: without it a stream loses text or citations."""
    async with RehearsalClaude(scenario) as double, calling(double) as model:
        whole = await model.ainvoke(messages())
        parts = [chunk async for chunk in model.astream(messages())]
    streamed = parts[0]
    for part in parts[1:]:
        streamed = streamed + part
    assert isinstance(streamed, AIMessageChunk)
    assert blocks(streamed) == blocks(whole)
    assert any(block.get("citations") for block in blocks(whole))


@pytest.mark.parametrize("scenario", ["ok", "text_first", "thinking"])
async def test_claude_answers_with_sources(scenario: str) -> None:
    answer, pieces, double = await answer_in(scenario)
    assert answer.outcome == "answered"
    assert "A rollback takes about ninety seconds." in answer.text
    assert answer.citations[0].url == ROLLBACK.url
    assert answer.citations[0].quote in ROLLBACK.text
    assert (answer.model, answer.notes, answer.dropped_citations) == ("anthropic:claude-sonnet-5-5", (), 0)
    assert "".join(piece.text for piece in pieces).strip() == answer.text
    assert len(double.requests) == 1


async def test_a_request_keeps_to_its_bounds() -> None:
    _, _, double = await answer_in("ok")
    sent = double.requests[0].body
    assert sent["max_tokens"] == 4096
    assert sent["output_config"] == {"effort": "low"}
    assert sent.keys() == {"model", "max_tokens", "messages", "system", "stream", "output_config"}


HTTP_FAILURES = ("401", "403", "413", "429", "429:spend", "429:3600", "500", "529")
BROKEN_STREAMS = ("mid_overloaded", "cut", "cut_clean", "corrupt", "stall")


@pytest.mark.parametrize("scenario", HTTP_FAILURES + BROKEN_STREAMS)
async def test_when_claude_fails_quotes_answer_and_say_so(scenario: str) -> None:
    answer, _, _ = await answer_in(scenario)
    assert answer.outcome == "answered"
    assert answer.model == "quotes"
    assert answer.notes == ("Claude could not be reached; these are quotes from the documents.",)
    assert "A rollback takes about ninety seconds." in answer.text


@pytest.mark.parametrize("scenario", ["cut", "cut_clean"])
async def test_no_stream_that_breaks_is_shown_as_complete(scenario: str) -> None:
    for at in range(10, 2600, 370):
        answer, _, _ = await answer_in(f"{scenario}:{at}")
        assert answer.model == "quotes", at


@pytest.mark.parametrize(
    ("scenarios", "calls"),
    [
        (("529", "529", "ok"), 3),
        (("500", "ok"), 2),
        (("529",), 4),
        (("429:0", "ok"), 2),
        (("429", "ok"), 1),
        (("429:spend", "ok"), 1),
        (("429:3600", "ok"), 1),
        (("401", "ok"), 1),
        (("403", "ok"), 1),
        (("413", "ok"), 1),
        (("cut:10", "ok"), 2),
        (("cut_clean:10", "ok"), 2),
        (("cut_clean:1800", "ok"), 1),
    ],
)
async def test_only_what_may_pass_is_tried_again(scenarios: tuple[str, ...], calls: int) -> None:
    answer, _, double = await answer_in(*scenarios)
    assert len(double.requests) == calls
    assert answer.outcome == "answered"


async def test_one_deadline_holds_for_all_tries_together() -> None:
    started = time.perf_counter()
    await answer_in("slow:2", patience=Patience(deadline_seconds=0.5, silence_seconds=0.2, first_pause_seconds=0.01))
    assert time.perf_counter() - started < 1.5


async def test_a_refusal_is_labelled_as_one() -> None:
    answer, _, _ = await answer_in("refusal")
    assert answer.notes == ("Claude declined to answer; these are quotes from the documents.",)
    assert answer.model == "quotes"


async def test_an_answer_that_was_too_long_says_that_it_was_cut_short() -> None:
    answer, _, _ = await answer_in("max_tokens")
    assert answer.outcome == "answered"
    assert answer.notes == ("This answer was cut short because it became too long.",)


async def test_an_answer_without_citations_is_no_answer() -> None:
    answer, pieces, _ = await answer_in("no_citation")
    assert pieces
    assert (answer.outcome, answer.citations) == ("not_found", ())
    assert [page.title for page in answer.nearest] == ["Deploys", "Other"]


async def test_citations_that_point_at_nothing_are_dropped_and_counted() -> None:
    answer, _, _ = await answer_in("bad_citation")
    assert answer.outcome == "answered"
    assert answer.dropped_citations == 3
    assert {citation.quote in ROLLBACK.text + OTHER.text for citation in answer.citations} == {True}


async def test_what_the_sources_do_not_say_is_declined() -> None:
    async with RehearsalClaude() as double, calling(double) as model:
        answer = await answerer(model).answer(question("Which rollback insurance does the dentist accept?"))
    assert answer.outcome == "not_found"


async def test_without_a_fallback_a_model_that_is_down_is_an_error() -> None:
    async with RehearsalClaude("401") as double, calling(double) as model:
        answer = await answerer(model, fallback=False).answer(ASKED)
    assert answer.failure is not None
    assert (answer.outcome, answer.failure.kind) == ("error", "model_unavailable")


async def test_cancelling_stops_the_call_at_once() -> None:
    async with RehearsalClaude("stall") as double, calling(double, Patience()) as model:
        task = asyncio.create_task(answerer(model).answer(ASKED))
        while not double.requests:
            await asyncio.sleep(0.01)
        started = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert time.perf_counter() - started < 1.0


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with RehearsalClaude() as double:
        gone = double.url
    model = claude_of("sk-test", gone, patience=FAST)
    with pytest.raises(ModelUnavailable):
        await model.ainvoke(messages(), stream=True)
    await model.aclose()
