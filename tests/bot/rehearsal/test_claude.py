from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from bot.rehearsal.claude import RehearsalClaude
from bot.rehearsal.claude.server import SCENARIOS

KEY = {"x-api-key": "sk-test", "anthropic-version": "2026-10-21"}
BEARER = {"authorization": "Bearer sk-test", "anthropic-version": "2026-10-21"}


def body(**changes: Any) -> dict[str, Any]:
    result = {
        "type": "search_result",
        "source": "s1",
        "title": "Rollback",
        "content": [
            {"type": "text", "text": "A rollback takes ninety seconds. "},
            {"type": "text", "text": "Tell the team."},
        ],
        "citations": {"enabled": True},
    }
    question = {"type": "text", "text": "How many seconds does a rollback take?"}
    whole = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [result, question]}],
    }
    return {**whole, **changes}


async def post(
    claude: RehearsalClaude, sent: dict[str, Any], headers: dict[str, str] = KEY
) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{claude.url}/v1/messages", json=sent, headers=headers) as response,
    ):
        return response.status, await response.json()


async def events(claude: RehearsalClaude, sent: dict[str, Any]) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{claude.url}/v1/messages", json={**sent, "stream": True}, headers=KEY) as response,
    ):
        lines = (await response.text()).splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


@pytest.mark.parametrize("headers", [KEY, BEARER])
async def test_it_cites_the_sentence_that_answers(headers: dict[str, str]) -> None:
    async with RehearsalClaude() as claude:
        status, message = await post(claude, body(), headers)
    cited = [block for block in message["content"] if block.get("citations")]
    assert (status, message["stop_reason"]) == (200, "end_turn")
    assert cited[0]["citations"][0]["cited_text"] == "A rollback takes ninety seconds. "


async def test_citations_come_before_their_words_in_a_stream_and_there_are_pings() -> None:
    async with RehearsalClaude() as claude:
        heard = await events(claude, body())
    kinds = [
        event["delta"]["type"] for event in heard if event["type"] == "content_block_delta" and event["index"] == 1
    ]
    assert kinds[0] == "citations_delta"
    assert set(kinds[1:]) == {"text_delta"}
    assert [event["type"] for event in heard][:3] == ["message_start", "content_block_start", "ping"]
    assert heard[-1]["type"] == "message_stop"


async def test_a_stream_says_the_same_as_one_reply() -> None:
    async with RehearsalClaude() as claude:
        _, message = await post(claude, body())
        heard = await events(claude, body())
    text = "".join(event["delta"]["text"] for event in heard if event.get("delta", {}).get("type") == "text_delta")
    assert text == "".join(block["text"] for block in message["content"])


WRONG = {
    "temperature": body(temperature=0.1),
    "an unknown field": body(citations=True),
    "no max_tokens": {key: value for key, value in body().items() if key != "max_tokens"},
    "prefill": body(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]),
    "a blank text block": body(messages=[{"role": "user", "content": [{"type": "text", "text": " \n"}]}]),
    "an assistant first": body(messages=[{"role": "assistant", "content": "b"}, {"role": "user", "content": "a"}]),
    "citations here and not there": body(
        messages=[
            {
                "role": "user",
                "content": [
                    body()["messages"][0]["content"][0],
                    {**body()["messages"][0]["content"][0], "citations": {"enabled": False}},
                ],
            }
        ]
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_it_refuses_what_the_api_refuses(name: str) -> None:
    async with RehearsalClaude() as claude:
        status, error = await post(claude, WRONG[name])
    assert (status, error["error"]["type"]) == (400, "invalid_request_error")


async def test_without_a_key_nobody_is_let_in() -> None:
    async with RehearsalClaude() as claude:
        status, _ = await post(claude, body(), {"anthropic-version": "2026-10-21"})
    assert status == 401
    assert claude.requests == []


@pytest.mark.parametrize(
    ("scenario", "status"), [("401", 401), ("403", 403), ("413", 413), ("429:7", 429), ("500", 500), ("529", 529)]
)
async def test_errors_are_shaped_like_the_real_ones(scenario: str, status: int) -> None:
    async with RehearsalClaude(scenario) as claude:
        assert (await post(claude, body()))[0] == status


async def test_scenarios_are_played_in_order_and_the_last_one_stays() -> None:
    async with RehearsalClaude("529", "ok") as claude:
        assert [(await post(claude, body()))[0] for _ in range(3)] == [529, 200, 200]
    assert len(claude.requests) == 3


async def test_a_question_that_the_sources_do_not_answer_is_declined_as_the_system_prompt_says() -> None:
    lost = body(system="If so, write exactly NOT_HERE and nothing else.")
    lost["messages"][0]["content"][1]["text"] = "Where is the canteen?"
    async with RehearsalClaude() as claude:
        _, message = await post(claude, lost)
    assert [block["text"] for block in message["content"]] == ["NOT_HERE"]


async def test_counting_and_models_answer() -> None:
    async with RehearsalClaude() as claude, aiohttp.ClientSession(headers=KEY) as session:
        async with session.post(f"{claude.url}/v1/messages/count_tokens", json=body()) as response:
            assert (await response.json())["input_tokens"] > 0
        async with session.get(f"{claude.url}/v1/models/claude-sonnet-5-5") as response:
            assert (await response.json())["id"] == "claude-sonnet-5-5"


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=next(iter(SCENARIOS))):
        RehearsalClaude("nonsense")


async def test_a_caller_that_hangs_up_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    async with RehearsalClaude("slow:0.2") as claude:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await events(claude, body())
        await asyncio.sleep(0.3)
    assert caplog.records == []
