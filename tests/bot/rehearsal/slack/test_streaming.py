"""A stream grows, ends in one of four ways, and then takes no more."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.slack import Limits, RehearsalSlack
from tests.fakes.clock import SetClock


class Talk:
    """A question in a channel, and a client to answer it."""

    def __init__(self, slack: RehearsalSlack) -> None:
        self.slack = slack
        self.client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        self.asker = slack.add_user("Asker")
        self.channel = slack.add_channel("engineering")
        self.root = ""

    async def ask(self) -> None:
        self.root = await self.slack.say(self.channel, self.asker, "How?")

    async def start(self, **extra: Any) -> str:
        recipient = {"recipient_team_id": self.slack.team_id, "recipient_user_id": self.asker}
        started = await self.client.chat_startStream(
            channel=self.channel, thread_ts=self.root, **{**recipient, **extra}
        )
        return str(started["ts"])

    async def append(self, ts: str, text: str) -> None:
        await self.client.chat_appendStream(channel=self.channel, ts=ts, markdown_text=text)

    async def stop(self, ts: str, **extra: Any) -> None:
        await self.client.chat_stopStream(channel=self.channel, ts=ts, **extra)


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_a_stream_grows_and_ends_with_its_blocks() -> None:
    async with RehearsalSlack() as slack:
        talk = Talk(slack)
        await talk.ask()
        ts = await talk.start()
        await talk.append(ts, "First. ")
        await talk.append(ts, "Second.")
        assert slack.workspace.message(talk.channel, ts).streaming
        assert slack.workspace.sessions[(talk.channel, talk.root)] == "processing"
        metadata = {"event_type": "quoth_answer", "event_payload": {}}
        await talk.stop(ts, blocks=[{"type": "divider"}], metadata=metadata)

        answer = await slack.answer_in(talk.channel, talk.root)
        assert answer.blocks == ({"type": "markdown", "text": "First. Second."}, {"type": "divider"})
        assert (answer.text, answer.metadata) == ("First. Second.", metadata)
        assert slack.workspace.sessions[(talk.channel, talk.root)] == "active"


async def test_the_sdks_own_stream_helper_works() -> None:
    async with RehearsalSlack() as slack:
        talk = Talk(slack)
        await talk.ask()
        stream = await talk.client.chat_stream(
            channel=talk.channel,
            thread_ts=talk.root,
            recipient_team_id=slack.team_id,
            recipient_user_id=talk.asker,
            buffer_size=4,
        )
        await stream.append(markdown_text="Open the ")
        task = {"type": "task_update", "id": "search", "title": "Searching", "status": "in_progress"}
        await stream.append(chunks=[task])
        await stream.append(chunks=[{**task, "title": "Searched 12 passages", "status": "complete"}])
        await stream.append(markdown_text="settings.")
        await stream.stop()
        answer = await slack.answer_in(talk.channel, talk.root)

    assert answer.text == "Open the settings."
    assert [b.get("status") for b in answer.blocks if b["type"] == "task_card"] == ["complete"]


async def test_a_stream_to_a_channel_names_its_reader_and_its_thread() -> None:
    async with RehearsalSlack() as slack:
        talk = Talk(slack)
        await talk.ask()
        start = talk.client.chat_startStream
        lonely = {"channel": talk.channel, "thread_ts": talk.root}
        assert await refusal(start(**lonely)) == "missing_recipient_team_id"
        assert await refusal(start(**lonely, recipient_team_id=slack.team_id)) == "missing_recipient_user_id"
        assert (
            await refusal(talk.client.api_call("chat.startStream", json={"channel": talk.channel}))
            == "invalid_arguments"
        )
        assert await refusal(talk.start(chunks=[{"type": "song"}])) == "invalid_chunks"


async def test_a_stream_in_a_direct_message_needs_no_recipient() -> None:
    async with RehearsalSlack() as slack:
        talk = Talk(slack)
        dm = slack.open_dm(talk.asker)
        root = await slack.say(dm, talk.asker, "hi")
        assert (await talk.client.chat_startStream(channel=dm, thread_ts=root))["ok"]


async def test_a_stream_that_is_open_cannot_be_updated() -> None:
    async with RehearsalSlack() as slack:
        talk = Talk(slack)
        await talk.ask()
        ts = await talk.start()
        update = talk.client.chat_update
        assert await refusal(update(channel=talk.channel, ts=ts, text="x")) == "streaming_state_conflict"
        await talk.stop(ts)
        await update(channel=talk.channel, ts=ts, text="x")


async def test_a_stopped_stream_takes_no_more() -> None:
    async with RehearsalSlack() as slack:
        talk = Talk(slack)
        await talk.ask()
        ts = await talk.start()
        await talk.stop(ts)
        assert await refusal(talk.append(ts, "more")) == "message_not_in_streaming_state"
        assert await refusal(talk.stop(ts)) == "message_not_in_streaming_state"
        assert await refusal(talk.append("1.0", "more")) == "message_not_found"


async def test_a_stream_dies_after_five_minutes_and_can_then_be_updated() -> None:
    clock = SetClock()
    async with RehearsalSlack(clock=clock) as slack:
        talk = Talk(slack)
        await talk.ask()
        ts = await talk.start(markdown_text="Half")
        clock.advance(301)
        assert await refusal(talk.append(ts, " more")) == "message_not_in_streaming_state"
        assert await refusal(talk.stop(ts)) == "message_not_in_streaming_state"
        assert slack.workspace.message(talk.channel, ts).text == "Half"
        await talk.client.chat_update(channel=talk.channel, ts=ts, text="The whole answer")


async def test_a_person_who_presses_stop_ends_the_stream_and_the_app_is_told() -> None:
    async with RehearsalSlack() as slack:
        talk = Talk(slack)
        await talk.ask()
        ts = await talk.start()
        await slack.stop(talk.channel, talk.root, talk.asker)
        assert await refusal(talk.append(ts, "more")) == "stopped_by_user"
        event = slack.deliveries[-1].payload["event"]
        assert (event["type"], event["streaming_message_ts"]) == ("agent_session_stopped", [ts])


async def test_twenty_streams_a_minute_may_start() -> None:
    clock = SetClock()
    async with RehearsalSlack(limits=Limits(channel_burst=100), clock=clock) as slack:
        talk = Talk(slack)
        await talk.ask()
        for _ in range(20):
            await talk.start()
        assert await refusal(talk.start()) == "ratelimited"
