"""Payloads, answers and error names of the rehearsal are those that Slack is known to send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from slack_sdk.web.async_client import AsyncWebClient

import bot.rehearsal.slack
from bot.rehearsal.slack import RehearsalSlack
from bot.rehearsal.slack.limits import TIERS
from bot.rehearsal.slack.web_api import METHODS
from tests.fakes.reference_data import reference, references
from tests.fakes.slack_schemas import wrong_answers

Json = dict[str, Any]

UNLISTED_ERRORS = {
    "unknown_method",  # Every method that is not there; documented with the Web API itself.
    "user_not_found",  # users.info.
    "invalid_payload",  # Those of response_urls and webhooks stand in another list.
    "no_service",
    "used_url",
    "expired_url",
}
UNKNOWN_TO_THE_LOGS = {
    "app_id",
    "context_team_id",  # Newer than the logs; seen in specs and in Bolt's own fixtures.
    "context_enterprise_id",
    "event_context",
    "user_team",
    "source_team",
    "client_msg_id",
    "is_enterprise_install",
    "enterprise",
    "state",
}


def keys_of(value: Any, path: str = "") -> Iterator[str]:
    """Every key of a JSON value with its way there; lists and the inside of blocks count as one place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}"
            if key not in {"blocks", "state", "metadata"}:
                yield from keys_of(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner, path)


def unknown_keys(payload: Json, known: Json) -> set[str]:
    names = {path.rpartition(".")[2] for path in set(keys_of(payload)) - set(keys_of(known))}
    return names - UNKNOWN_TO_THE_LOGS


async def a_day_in_slack(slack: RehearsalSlack) -> dict[str, Json]:
    """The payloads of everything that people do, by the name of the log that shows the same."""
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
    ts = await slack.say(channel, asker, f"<@{slack.bot_user_id}> hi")
    await slack.edit(channel, ts, "never mind")
    button = {"type": "button", "text": {"type": "plain_text", "text": "Again"}, "action_id": "again"}
    blocks = [{"type": "actions", "elements": [button]}]
    said = await client.chat_postMessage(channel=channel, thread_ts=ts, text="x", blocks=blocks)
    answer = slack.workspace.message(channel, said["ts"])
    await slack.press_button(asker, answer, "again")
    await slack.shortcut(asker, answer, "why_answer")
    await slack.slash_command(channel, asker, "/quoth", "help")
    await slack.open_home(asker)
    await slack.delete(channel, ts)
    names = ("AppMention", "Message", "MessageChanged", "BotsMessage", "BlockAction", "MessageShortcut", "SlashCommand")
    return dict(zip((*names, "AppHomeOpened", "MessageDeleted"), (d.payload for d in slack.deliveries), strict=True))


async def test_every_key_of_a_payload_is_one_that_slack_sends() -> None:
    logs = references("slack/java-json-logs/events") | references("slack/java-json-logs/app-backend")
    logs["BotsMessagePayload"] = logs["MessagePayload"]  # MessageBot is the classic one, of subtype bot_message.
    async with RehearsalSlack() as slack:
        payloads = await a_day_in_slack(slack)
    assert {name: unknown_keys(payload, logs[f"{name}Payload"]) for name, payload in payloads.items()} == {
        name: set() for name in payloads
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("AppMention", "app__app_mention_event_body"),
        ("Message", "message__message_body"),
        ("MessageDeleted", "message_deleted__event_payload"),
        ("BlockAction", "block_actions__body"),
        ("MessageShortcut", "shortcut__message_shortcut_body"),
        ("SlashCommand", "slash_command__slash_command_body"),
    ],
)
async def test_no_key_is_missing_that_bolts_own_fixtures_have(ours: str, theirs: str) -> None:
    fixture = reference(f"slack/bolt-python-payloads/{theirs}.json")
    async with RehearsalSlack() as slack:
        payload = (await a_day_in_slack(slack))[ours]
    of_an_enterprise = {"enterprise_id", "enterprise_name", "authed_users"}
    missing = set(fixture) - set(payload) - of_an_enterprise
    assert missing == set()


async def test_inbound_events_have_the_published_types() -> None:
    validator = jsonschema.Draft7Validator(reference("slack/schemas/InboundEvent.schema.json"))
    async with RehearsalSlack() as slack:
        payloads = await a_day_in_slack(slack)
        await slack.stop(slack.add_channel("support"), "1.000001", slack.add_user("Asker"))
        stopped = slack.deliveries[-1].payload
    for payload in (payloads["AppMention"], payloads["Message"], payloads["AppHomeOpened"], stopped):
        assert [error.message[:300] for error in validator.iter_errors(payload["event"])] == []


async def test_answers_have_the_published_types() -> None:
    async with RehearsalSlack() as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
        ts = await slack.say(channel, asker, "hi")
        await client.auth_test()
        await client.apps_connections_open(app_token=slack.app_token)
        said = await client.chat_postMessage(channel=channel, text="x", thread_ts=ts)
        await client.chat_update(channel=channel, ts=said["ts"], text="y")
        await client.chat_postEphemeral(channel=channel, user=asker, text="x")
        await client.chat_getPermalink(channel=channel, message_ts=said["ts"])
        await client.conversations_replies(channel=channel, ts=ts, include_all_metadata=True)
        for read in (client.conversations_info, client.conversations_members, client.conversations_history):
            await read(channel=channel)
        await client.conversations_open(users=asker)
        await client.users_info(user=asker)
        await client.reactions_add(channel=channel, timestamp=ts, name="eyes")
        stream = {"recipient_team_id": slack.team_id, "recipient_user_id": asker}
        started = await client.chat_startStream(channel=channel, thread_ts=ts, **stream)
        await client.chat_appendStream(channel=channel, ts=started["ts"], markdown_text="x")
        await client.chat_stopStream(channel=channel, ts=started["ts"])
        await client.views_publish(user_id=asker, view={"type": "home", "blocks": [{"type": "divider"}]})
        await client.agents_sessions_setStatus(channel_id=channel, thread_ts=ts, status="active")
        await client.chat_delete(channel=channel, ts=said["ts"])
        assert wrong_answers(slack.requests) == []
        assert all(request.answer["ok"] for request in slack.requests)


def test_every_error_name_is_one_of_slacks() -> None:
    listed = references("slack/slack-kit-methods")
    known = set(listed.pop("common_errors")) | {name for method in listed.values() for name in method["errors"]}
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in Path(bot.rehearsal.slack.__file__).parent.glob("*.py")
    )
    names = set(re.findall(r'Refused\(\s*"(\w+)"', source))
    assert names - known <= UNLISTED_ERRORS
    assert len(names) > 25


def test_tiers_and_scopes_are_those_that_slack_lists() -> None:
    listed = references("slack/slack-kit-methods")
    tiers = {
        name: re.search(r"Tier (\d)", method["rate_limit"]["label"])
        for name, method in listed.items()
        if "rate_limit" in method
    }
    ours = {name: method.tier for name, method in METHODS.items() if name in tiers}
    assert ours == {name: int(tiers[name][1]) if tiers[name] else None for name in ours}
    assert TIERS == {1: 1, 2: 20, 3: 50, 4: 100}
    scopes = {name: {s["name"] for s in listed[name]["scopes"].get("bot", [])} for name in ours}
    assert all(method.scope in scopes[name] for name, method in METHODS.items() if name in scopes and method.scope)
