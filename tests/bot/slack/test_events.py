"""What an event means: who is asked, who is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from bot.inbox.inbox import Asked
from bot.slack.events import Ask, Ignore, Leave, OpenHome, OpenMessages, Stop, Withdraw, intent_of, words_of
from tests.fakes.reference_data import references

BOT = "UBOT"


def envelope(**event: Any) -> dict[str, Any]:
    base = {"type": "message", "user": "U1", "ts": "2.0", "channel": "C1", "text": "hello", "channel_type": "channel"}
    return {"team_id": "T1", "event_id": "Ev1", "event": base | event}


MENTION = envelope(type="app_mention", text="<@UBOT> how?")


def test_a_mention_asks_in_its_thread() -> None:
    assert intent_of(MENTION, BOT) == Ask(Asked("T1", "C1", "2.0", "2.0", "U1", "how?", "mention"))
    in_thread = envelope(type="app_mention", text="<@UBOT> how?", thread_ts="1.0")
    assert intent_of(in_thread, BOT) == Ask(Asked("T1", "C1", "2.0", "1.0", "U1", "how?", "mention"))


@pytest.mark.parametrize("thread", [{}, {"thread_ts": "1.0"}])
def test_either_event_of_a_mention_asks_the_same(thread: dict[str, Any]) -> None:
    """Slack sends two. A process that acknowledged only one of them before it died has the question all the same."""
    as_message = envelope(text="<@UBOT> how?", **thread)
    assert intent_of(as_message, BOT) == intent_of(envelope(type="app_mention", text="<@UBOT> how?", **thread), BOT)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"channel_type": "im", "channel": "D1"}, "direct"),
        ({"channel_type": "im", "channel": "D1", "subtype": "file_share"}, "direct"),
        ({"thread_ts": "1.0"}, "follow_up"),
        ({"thread_ts": "1.0", "subtype": "thread_broadcast"}, "follow_up"),
    ],
)
def test_what_is_said_to_us_asks(event: dict[str, Any], kind: str) -> None:
    intent = intent_of(envelope(**event), BOT)
    assert isinstance(intent, Ask)
    assert intent.asked.kind == kind


@pytest.mark.parametrize(
    "event",
    [
        {}, {"thread_ts": "1.0", "text": "<@U2> right?"}, {"thread_ts": "1.0", "bot_id": "B1"},
        {"thread_ts": "1.0", "bot_profile": {"id": "B1"}}, {"thread_ts": "1.0", "subtype": "bot_message"},
        {"thread_ts": "1.0", "hidden": True}, {"thread_ts": "1.0", "subtype": "channel_join"},
        {"channel_type": "im", "user": ""},
        {"type": "reaction_added"}, {"type": "app_home_opened", "tab": "about"},
        {"type": "app_mention", "bot_id": "B1"},
        {"subtype": "message_changed"}, {"type": "agent_session_stopped", "thread_ts": ""},
    ],
)  # fmt: skip
def test_everything_else_is_left_alone(event: dict[str, Any]) -> None:
    assert isinstance(intent_of(envelope(**event), BOT), Ignore)


@pytest.mark.parametrize(
    "broken", [{}, {"event": None}, {"event": []}, {"event": {"type": "message"}}, {"event": {"type": 7}}]
)
def test_a_broken_envelope_is_left_alone(broken: dict[str, Any]) -> None:
    assert isinstance(intent_of(broken, BOT), Ignore)


def test_the_other_events_say_what_they_are() -> None:
    assert intent_of(envelope(subtype="message_deleted", deleted_ts="1.5"), BOT) == Withdraw("C1", "1.5")
    assert intent_of(envelope(type="agent_session_stopped", thread_ts="1.0"), BOT) == Stop("C1", "1.0")
    assert intent_of(envelope(type="app_home_opened", tab="home"), BOT) == OpenHome("U1")
    assert intent_of(envelope(type="app_home_opened", tab="messages", channel="D1"), BOT) == OpenMessages("D1")
    assert intent_of(envelope(type="app_uninstalled"), BOT) == Leave()


def edit(before: str, after: str, **message: Any) -> dict[str, Any]:
    new = {"user": "U1", "ts": "2.0", "text": after, "edited": {"user": "U1", "ts": "3.0"}} | message
    return envelope(subtype="message_changed", message=new, previous_message={"ts": "2.0", "text": before}, hidden=True)


def test_only_an_edit_that_adds_the_mention_asks() -> None:
    assert isinstance(intent_of(edit("how?", "<@UBOT> how?"), BOT), Ask)
    assert isinstance(intent_of(edit("<@UBOT> how?", "<@UBOT> why?"), BOT), Ignore)
    assert isinstance(intent_of(edit("how?", "why?"), BOT), Ignore)
    assert isinstance(intent_of(edit("how?", "<@UBOT> how?", edited=None), BOT), Ignore)
    assert isinstance(intent_of(edit("how?", "<@UBOT> how?", bot_id="B1"), BOT), Ignore)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<@UBOT> how?", "how?"), ("hey <@UBOT|quoth>: how?", "hey : how?"), ("ask <@U2>", "ask @someone"),
        ("<https://a.b/c|the page>", "the page"), ("<https://a.b/c>", "https://a.b/c"),
        ("in <#C1|general>", "in #general"),
        ("<!here> a &lt; b &amp;&amp; c", "here a < b && c"), ("x" * 50_000, "x" * 40_000),
    ],
)  # fmt: skip
def test_a_question_is_what_its_writer_saw(text: str, expected: str) -> None:
    assert words_of(text, BOT) == expected


def test_no_published_payload_is_stumbled_over() -> None:
    for payloads in (references("slack/bolt-python-payloads"), references("slack/agent-view-events")):
        for payload in payloads.values():
            intent_of(payload if isinstance(payload, dict) else {}, BOT)
