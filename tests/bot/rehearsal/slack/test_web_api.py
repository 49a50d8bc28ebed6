"""The rehearsal's Web API says yes, and says no with Slack's own names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.slack import Limits, RehearsalSlack
from bot.rehearsal.slack.stage import BOT_SCOPES
from tests.fakes.clock import SetClock


@pytest.fixture
async def slack() -> AsyncIterator[RehearsalSlack]:
    async with RehearsalSlack() as slack:
        yield slack


def client_of(slack: RehearsalSlack, token: str | None = None) -> AsyncWebClient:
    return AsyncWebClient(token=token or slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_the_scopes_of_a_token_stand_in_a_header(slack: RehearsalSlack) -> None:
    who = await client_of(slack).auth_test()
    assert (who["user_id"], who["team_id"]) == (slack.bot_user_id, slack.team_id)
    assert who.headers["x-oauth-scopes"].split(",") == sorted(BOT_SCOPES)


async def test_a_wrong_token_a_missing_one_and_one_of_the_wrong_kind(slack: RehearsalSlack) -> None:
    assert await refusal(client_of(slack, "xoxb-forged").auth_test()) == "invalid_auth"
    assert await refusal(client_of(slack, slack.app_token).auth_test()) == "not_allowed_token_type"
    assert await refusal(client_of(slack).apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    async with aiohttp.ClientSession() as session, session.post(slack.api_url + "auth.test") as response:
        assert await response.json() == {"ok": False, "error": "not_authed"}


async def test_a_missing_scope_is_named() -> None:
    async with RehearsalSlack(scopes=BOT_SCOPES - {"channels:history"}) as slack:
        channel = slack.add_channel("engineering")
        with pytest.raises(SlackApiError) as refused:
            await client_of(slack).conversations_history(channel=channel)
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "channels:history"
    assert "chat:write" in refused.value.response["provided"]


async def test_a_form_and_json_say_the_same(slack: RehearsalSlack) -> None:
    channel = slack.add_channel("engineering")
    blocks = [{"type": "divider"}]
    await client_of(slack).chat_postMessage(channel=channel, text="as JSON", blocks=blocks)
    form = {"token": slack.bot_token, "channel": channel, "text": "as a form", "blocks": '[{"type":"divider"}]'}
    async with aiohttp.ClientSession() as session, session.post(slack.api_url + "chat.postMessage", data=form) as said:
        assert (await said.json())["ok"] is True
    assert [m.blocks for m in slack.workspace.history(channel)] == [tuple(blocks)] * 2


async def test_what_cannot_be_posted(slack: RehearsalSlack) -> None:
    client = client_of(slack)
    channel, closed = slack.add_channel("engineering"), slack.add_channel("old")
    foreign, secret = (
        slack.add_channel("sales", with_bot=False),
        slack.add_channel("board", private=True, with_bot=False),
    )
    await slack.archive(closed, slack.add_user("Admin"))
    post = client.chat_postMessage

    assert await refusal(post(channel="C0NOWHERE", text="x")) == "channel_not_found"
    assert await refusal(post(channel=secret, text="x")) == "channel_not_found"
    assert await refusal(post(channel=foreign, text="x")) == "not_in_channel"
    assert await refusal(post(channel=closed, text="x")) == "is_archived"
    assert await refusal(client.api_call("chat.postMessage", json={"channel": channel})) == "no_text"
    assert await refusal(post(channel=channel, text="x", thread_ts="1.000001")) == "thread_not_found"
    assert (
        await refusal(client.api_call("chat.postMessage", json={"channel": channel, "text": "x", "markdown_text": "y"}))
        == "markdown_text_conflict"
    )
    assert await refusal(post(channel=channel, text="x", blocks=[{"type": "hologram"}])) == "invalid_blocks"
    assert await refusal(post(channel=channel, text="x", metadata={"event_type": "a"})) == "invalid_metadata_format"
    assert await refusal(client.api_call("chat.shout", json={})) == "unknown_method"
    assert slack.workspace.history(channel) == []


async def test_an_update_replaces_blocks_and_knows_its_limits(slack: RehearsalSlack) -> None:
    client, channel = client_of(slack), slack.add_channel("engineering")
    asker = slack.add_user("Asker")
    ts = (await client.chat_postMessage(channel=channel, text="x", blocks=[{"type": "divider"}]))["ts"]
    theirs = await slack.say(channel, asker, "mine")

    await client.chat_update(channel=channel, ts=ts, text="words only")
    assert slack.workspace.message(channel, ts).blocks == ()
    assert await refusal(client.chat_update(channel=channel, ts=ts, text="x" * 4_001)) == "msg_too_long"
    assert await refusal(client.chat_update(channel=channel, ts=theirs, text="x")) == "cant_update_message"
    assert await refusal(client.chat_update(channel=channel, ts="1.0", text="x")) == "message_not_found"
    await client.chat_delete(channel=channel, ts=ts)
    assert [m.ts for m in slack.workspace.history(channel)] == [theirs]


async def test_a_deleted_root_takes_no_more_replies(slack: RehearsalSlack) -> None:
    client, channel = client_of(slack), slack.add_channel("engineering")
    asker = slack.add_user("Asker")
    root = await slack.say(channel, asker, "Anyone?")
    await slack.say(channel, asker, "Hello?", thread_ts=root)
    await slack.delete(channel, root)
    assert slack.thread(channel, root)[0].tombstone
    assert (
        await refusal(client.chat_postMessage(channel=channel, thread_ts=root, text="x")) == "cannot_reply_to_message"
    )


async def test_a_thread_is_read_page_by_page_with_its_root_first(slack: RehearsalSlack) -> None:
    client, channel = client_of(slack), slack.add_channel("engineering")
    asker = slack.add_user("Asker")
    root = await slack.say(channel, asker, "root")
    for n in range(3):
        await slack.say(channel, asker, f"reply {n}", thread_ts=root)

    first = await client.conversations_replies(channel=channel, ts=root, limit=3)
    rest = await client.conversations_replies(
        channel=channel, ts=root, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [m["text"] for m in first["messages"] + rest["messages"]] == ["root", "reply 0", "reply 1", "reply 2"]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    until = first["messages"][1]["ts"]
    before = await client.conversations_replies(channel=channel, ts=root, latest=until)
    upto = await client.conversations_replies(channel=channel, ts=root, latest=until, inclusive=True)
    assert (len(before["messages"]), len(upto["messages"])) == (1, 2)


async def test_metadata_comes_back_only_when_asked_for(slack: RehearsalSlack) -> None:
    client, channel = client_of(slack), slack.add_channel("engineering")
    metadata = {"event_type": "quoth_answer", "event_payload": {"answer_id": "1"}}
    ts = (await client.chat_postMessage(channel=channel, text="x", metadata=metadata))["ts"]
    plain = await client.conversations_replies(channel=channel, ts=ts)
    full = await client.conversations_replies(channel=channel, ts=ts, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata


async def test_an_ephemeral_is_seen_by_one_and_changed_by_nobody(slack: RehearsalSlack) -> None:
    client = client_of(slack)
    asker, outsider = slack.add_user("Asker"), slack.add_user("Outsider")
    channel = slack.add_channel("engineering", members=[asker])
    ts = (await client.chat_postEphemeral(channel=channel, user=asker, text="psst"))["message_ts"]
    assert [m.text for m in slack.ephemerals(asker, channel)] == ["psst"]
    assert slack.workspace.history(channel) == []
    assert await refusal(client.chat_update(channel=channel, ts=ts, text="x")) == "message_not_found"
    assert await refusal(client.chat_postEphemeral(channel=channel, user=outsider, text="x")) == "user_not_in_channel"


async def test_guests_strangers_and_shared_channels_can_be_told_apart(slack: RehearsalSlack) -> None:
    client = client_of(slack)
    guest = slack.add_user("Guest", is_restricted=True)
    stranger = slack.add_user("Stranger", is_stranger=True)
    admin = slack.add_user("Admin", is_admin=True)
    shared = slack.add_channel("with-acme", ext_shared=True)
    people = {user: (await client.users_info(user=user))["user"] for user in (guest, stranger, admin)}
    assert people[guest]["is_restricted"] is True
    assert people[stranger]["is_stranger"] is True
    assert people[stranger]["team_id"] != slack.team_id
    assert people[admin]["is_admin"] is True
    assert (await client.conversations_info(channel=shared))["channel"]["is_ext_shared"] is True
    assert await refusal(client.users_info(user="U0NOBODY")) == "user_not_found"


async def test_a_persons_channels_leave_out_private_ones_without_the_bot(slack: RehearsalSlack) -> None:
    asker = slack.add_user("Asker")
    public, secret = slack.add_channel("engineering"), slack.add_channel("board", private=True, with_bot=False)
    listed = await client_of(slack).users_conversations(user=asker, types="public_channel,private_channel")
    assert [channel["id"] for channel in listed["channels"]] == [public]
    assert secret not in str(listed["channels"])


async def test_reactions_prompts_home_and_sessions_are_remembered(slack: RehearsalSlack) -> None:
    client, asker = client_of(slack), slack.add_user("Asker")
    channel = slack.add_channel("engineering")
    dm = (await client.conversations_open(users=asker))["channel"]["id"]
    ts = await slack.say(channel, asker, "hi")
    await client.reactions_add(channel=channel, timestamp=ts, name="eyes")
    await client.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=[{"title": "t", "message": "m"}])
    await client.views_publish(user_id=asker, view={"type": "home", "blocks": [{"type": "divider"}]})
    await client.agents_sessions_setStatus(channel_id=channel, thread_ts=ts, status="processing", title="hi")

    assert slack.workspace.message(channel, ts).reactions == (("eyes", slack.bot_user_id),)
    assert await refusal(client.reactions_add(channel=channel, timestamp=ts, name="eyes")) == "already_reacted"
    assert slack.workspace.prompts[dm] == [{"title": "t", "message": "m"}]
    assert slack.workspace.homes[asker]["blocks"] == [{"type": "divider"}]
    assert slack.workspace.sessions[(channel, ts)] == "processing"


async def test_a_trigger_opens_one_modal_and_only_at_once() -> None:
    clock = SetClock()
    async with RehearsalSlack(clock=clock) as slack:
        client, asker = client_of(slack), slack.add_user("Asker")
        channel = slack.add_channel("engineering")
        view = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": [{"type": "divider"}]}
        quick = await slack.slash_command(channel, asker, "/quoth", "help")
        slow = await slack.slash_command(channel, asker, "/quoth", "help")
        await client.views_open(trigger_id=quick.trigger_id, view=view)
        assert await refusal(client.views_open(trigger_id=quick.trigger_id, view=view)) == "exchanged_trigger_id"
        clock.advance(3.1)
        assert await refusal(client.views_open(trigger_id=slow.trigger_id, view=view)) == "expired_trigger_id"
        assert await refusal(client.views_open(trigger_id="forged", view=view)) == "invalid_trigger_id"


async def test_more_calls_than_a_tier_allows_are_told_to_wait() -> None:
    clock = SetClock()
    async with RehearsalSlack(limits=Limits(), clock=clock) as slack:
        client, asker = client_of(slack), slack.add_user("Asker")
        channel = slack.add_channel("engineering")
        ts = await slack.say(channel, asker, "hi")
        for _ in range(50):
            await client.conversations_replies(channel=channel, ts=ts)
        with pytest.raises(SlackApiError) as refused:
            await client.conversations_replies(channel=channel, ts=ts)
        assert (refused.value.response.status_code, refused.value.response["error"]) == (429, "ratelimited")
        clock.advance(float(refused.value.response.headers["Retry-After"]))
        await client.conversations_replies(channel=channel, ts=ts)


async def test_one_channel_takes_one_message_a_second_after_a_burst() -> None:
    clock = SetClock()
    async with RehearsalSlack(limits=Limits(channel_burst=2), clock=clock) as slack:
        client = client_of(slack)
        busy, quiet = slack.add_channel("busy"), slack.add_channel("quiet")
        for _ in range(2):
            await client.chat_postMessage(channel=busy, text="x")
        assert await refusal(client.chat_postMessage(channel=busy, text="x")) == "ratelimited"
        await client.chat_postMessage(channel=quiet, text="x")
        clock.advance(2)
        await client.chat_postMessage(channel=busy, text="x")
