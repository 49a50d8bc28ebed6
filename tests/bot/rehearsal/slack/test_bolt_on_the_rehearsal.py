"""Slack's own Bolt and its own client cannot tell the rehearsal from Slack, over a socket or over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.slack import RehearsalSlack

Seen = list[tuple[str, dict[str, Any]]]


def app_of(slack: RehearsalSlack, seen: Seen) -> AsyncApp:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    app = AsyncApp(client=client, signing_secret=slack.signing_secret)

    async def on_mention(event: dict[str, Any], say: Any) -> None:
        seen.append(("app_mention", event))
        await say(text="You asked.", thread_ts=event["ts"])

    async def on_message(event: dict[str, Any]) -> None:
        seen.append(("message", event))

    app.event("app_mention")(on_mention)
    app.event("message")(on_message)
    add_interactions(app, seen)
    return app


def add_interactions(app: AsyncApp, seen: Seen) -> None:
    async def on_command(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        seen.append(("command", command))
        await ack("Started.")
        await respond("Half way.", replace_original=True)
        await respond("Done.", replace_original=True)

    async def on_press(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        seen.append(("press", body))
        await ack()
        title = {"type": "plain_text", "text": "Why?"}
        block = {"type": "section", "text": {"type": "plain_text", "text": "Tell us."}}
        await client.views_open(
            trigger_id=body["trigger_id"],
            view={"type": "modal", "callback_id": "why", "title": title, "blocks": [block]},
        )

    async def on_shortcut(ack: Any, body: dict[str, Any], respond: Any) -> None:
        seen.append(("shortcut", body))
        await ack()
        await respond("Because.")

    async def on_view(ack: Any, body: dict[str, Any]) -> None:
        seen.append(("view", body))
        await ack(response_action="clear")

    app.command("/quoth")(on_command)
    app.action("answer_feedback")(on_press)
    app.shortcut("ask_quoth")(on_shortcut)
    app.view("why")(on_view)


@asynccontextmanager
async def over_socket(slack: RehearsalSlack, app: AsyncApp) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(app, slack.app_token)
    await handler.connect_async()
    await slack.connected()
    try:
        yield
    finally:
        await handler.close_async()


@asynccontextmanager
async def over_http(slack: RehearsalSlack, app: AsyncApp) -> AsyncIterator[None]:
    runner = web.AppRunner(app.web_app(path="/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await slack.deliver_to(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture(params=[over_socket, over_http], ids=["socket", "http"])
async def connect(request: pytest.FixtureRequest) -> Any:
    return request.param


async def test_a_mention_is_answered_in_its_thread_after_two_events(connect: Any) -> None:
    seen: Seen = []
    async with RehearsalSlack() as slack:
        asker = slack.add_user("Platform on-call")
        channel = slack.add_channel("engineering")
        async with connect(slack, app_of(slack, seen)):
            ts = await slack.say(channel, asker, f"<@{slack.bot_user_id}> how do I reset the VPN?")
            answer = await slack.answer_in(channel, ts)
            await slack.settle()

        assert answer.text == "You asked."
        assert [m.ts for m in slack.thread(channel, ts)] == [ts, answer.ts]
        assert sorted(kind for kind, _ in seen) == ["app_mention", "message"]
        assert {event["ts"] for _, event in seen} == {ts}


async def test_a_command_shows_its_progress_in_place(connect: Any) -> None:
    seen: Seen = []
    async with RehearsalSlack() as slack:
        admin = slack.add_user("Docs lead", is_admin=True)
        channel = slack.add_channel("engineering")
        async with connect(slack, app_of(slack, seen)):
            run = await slack.slash_command(channel, admin, "/quoth", "reindex")
            await run.wait_for_posts(2)

        assert run.ack_text == "Started."
        assert run.texts == ["Started.", "Half way.", "Done."]
        assert [m.text for m in slack.ephemerals(admin, channel)] == ["Done."]
        assert seen[0][1]["text"] == "reindex"


async def test_a_press_opens_a_modal_that_can_be_sent(connect: Any) -> None:
    seen: Seen = []
    async with RehearsalSlack() as slack:
        asker = slack.add_user("Support desk")
        channel = slack.add_channel("support")
        async with connect(slack, app_of(slack, seen)):
            message = await posted(slack, channel, [FEEDBACK])
            await slack.press_button(asker, message, "answer_feedback", "down")
            (view_id,) = await slack.wait_for(lambda: list(slack.workspace.views))
            sent = await slack.submit_view(asker, view_id, {"b": {"a": {"type": "plain_text_input", "value": "old"}}})

        assert sent.response == {"response_action": "clear"}
        pressed = next(body for kind, body in seen if kind == "press")
        assert pressed["actions"][0]["value"] == "down"
        assert pressed["message"]["ts"] == message.ts


async def test_a_shortcut_is_answered_to_the_person_alone(connect: Any) -> None:
    seen: Seen = []
    async with RehearsalSlack() as slack:
        asker = slack.add_user("Support desk")
        channel = slack.add_channel("support")
        async with connect(slack, app_of(slack, seen)):
            ts = await slack.say(channel, asker, "The lift is stuck again")
            run = await slack.shortcut(asker, slack.workspace.message(channel, ts), "ask_quoth")
            await run.wait_for_posts(1)

        assert [m.text for m in slack.ephemerals(asker, channel)] == ["Because."]
        assert slack.thread(channel, ts)[1:] == []


async def test_the_bots_own_post_comes_back_to_it_and_bolt_drops_it(connect: Any) -> None:
    seen: Seen = []
    async with RehearsalSlack() as slack:
        channel = slack.add_channel("engineering")
        async with connect(slack, app_of(slack, seen)):
            await posted(slack, channel, [])
            await slack.settle()

        assert [delivery.event_type for delivery in slack.deliveries] == ["message"]
        assert seen == []


FEEDBACK: dict[str, Any] = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "answer_feedback",
            "positive_button": {"text": {"type": "plain_text", "text": "Good answer"}, "value": "up"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad answer"}, "value": "down"},
        }
    ],
}


async def posted(slack: RehearsalSlack, channel: str, blocks: list[dict[str, Any]]) -> Any:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    said = await client.chat_postMessage(channel=channel, text="An answer.", blocks=blocks)
    return slack.workspace.message(channel, said["ts"])
