"""Everything that can go wrong can be ordered."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.slack import RehearsalSlack


@pytest.fixture
async def slack() -> AsyncIterator[RehearsalSlack]:
    async with RehearsalSlack() as slack:
        yield slack


@pytest.fixture
def client(slack: RehearsalSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def test_a_reply_is_lost_but_the_message_is_there(slack: RehearsalSlack, client: AsyncWebClient) -> None:
    channel = slack.add_channel("engineering")
    slack.faults.lose_reply("chat.postMessage")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.chat_postMessage(channel=channel, text="once")
    assert [m.text for m in slack.workspace.history(channel)] == ["once"]
    await client.chat_postMessage(channel=channel, text="twice")


async def test_a_request_is_lost_and_nothing_was_done(slack: RehearsalSlack, client: AsyncWebClient) -> None:
    channel = slack.add_channel("engineering")
    slack.faults.lose_request("chat.*")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.chat_postMessage(channel=channel, text="never")
    assert slack.workspace.history(channel) == []


async def test_a_storm_of_429_passes(slack: RehearsalSlack, client: AsyncWebClient) -> None:
    slack.faults.storm("auth.test", seconds=7, times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError) as refused:
            await client.auth_test()
        assert refused.value.response.headers["Retry-After"] == "7"
    await client.auth_test()
    assert [request.status for request in slack.calls("auth.test")] == [429, 429, 200]


async def test_a_server_error_has_no_json(slack: RehearsalSlack, client: AsyncWebClient) -> None:
    slack.faults.fail("users.info", status=503)
    with pytest.raises(SlackApiError) as failed:
        await client.users_info(user=slack.add_user("Asker"))
    assert failed.value.response.status_code == 503


async def test_a_slow_answer_comes_in_the_end(slack: RehearsalSlack, client: AsyncWebClient) -> None:
    slack.faults.delay("auth.test", seconds=0.2, times=1)
    started = time.monotonic()
    await client.auth_test()
    assert time.monotonic() - started >= 0.2


async def test_an_older_server_knows_no_streams(slack: RehearsalSlack, client: AsyncWebClient) -> None:
    asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
    root = await slack.say(channel, asker, "hi")
    slack.faults.no_streaming()
    for call in (
        client.chat_startStream(channel=channel, thread_ts=root),
        client.agents_sessions_setStatus(channel_id=channel, thread_ts=root, status="processing"),
        client.assistant_threads_setStatus(channel_id=channel, thread_ts=root, status="…"),
    ):
        with pytest.raises(SlackApiError, match="unknown_method"):
            await call
    slack.faults.clear()
    await client.assistant_threads_setStatus(channel_id=channel, thread_ts=root, status="…")


async def test_metadata_can_be_forgotten(slack: RehearsalSlack, client: AsyncWebClient) -> None:
    channel = slack.add_channel("engineering")
    slack.faults.drop_metadata = True
    metadata = {"event_type": "e", "event_payload": {}}
    ts = (await client.chat_postMessage(channel=channel, text="x", metadata=metadata))["ts"]
    assert slack.workspace.message(channel, ts).metadata is None
