"""What an event of Slack's means for us. Pure: an envelope in, an intent or the reason to ignore it out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.inbox.inbox import Asked, Kind
from bot.slack.literal import unescaped

Envelope = Mapping[str, Any]
_LONGEST_QUESTION = 40_000
_PLAIN = {None, "file_share", "thread_broadcast"}
_MENTION = re.compile(r"<@([UWB][A-Z0-9_]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<((?:https?|mailto|tel|slack|ftp):[^|>]*)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|([^>]*))?>")
_SPECIAL = re.compile(r"<!([a-z]+)(?:\^[^|>]*)?(?:\|([^>]*))?>")


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asked."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A message is gone; a question in it is taken back."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody pressed Stop in a thread. Slack has ended its streams already."""

    channel: str
    thread_ts: str


@dataclass(frozen=True, slots=True)
class OpenHome:
    """Somebody opened our home tab."""

    user: str


@dataclass(frozen=True, slots=True)
class OpenMessages:
    """Somebody opened their direct messages with us."""

    channel: str


@dataclass(frozen=True, slots=True)
class Leave:
    """We were removed from the workspace."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing for us, and why."""

    reason: str


Intent = Ask | Withdraw | Stop | OpenHome | OpenMessages | Leave | Ignore


def intent_of(envelope: Envelope, bot_user: str) -> Intent:
    """What an ``event_callback`` envelope asks of us."""
    event = envelope.get("event")
    if not isinstance(event, dict):
        return Ignore("no event")
    if event.get("type") == "message":
        return _of_message(envelope, event, bot_user)
    if event.get("type") == "app_mention":
        return _from_person(envelope, event) or Ask(_asked(envelope, event, "mention", bot_user))
    return _of_surroundings(event)


def words_of(text: str, bot_user: str) -> str:
    """What a person wrote, without the mention of the bot and without Slack's signs."""
    text = _MENTION.sub(lambda match: "" if match[1] == bot_user else "@someone", text)
    text = _LINK.sub(lambda match: match[2] or match[1], text)
    text = _CHANNEL.sub(lambda match: f"#{match[2] or match[1]}", text)
    text = _SPECIAL.sub(lambda match: match[2] or match[1], text)
    return unescaped(text).strip()[:_LONGEST_QUESTION]


def _of_surroundings(event: Envelope) -> Intent:
    match event.get("type"):
        case "agent_session_stopped":
            return _stop(event)
        case "app_home_opened" if event.get("tab", "home") == "home":
            return OpenHome(str(event.get("user", "")))
        case "app_home_opened" if event.get("tab") == "messages" and event.get("channel"):
            return OpenMessages(str(event["channel"]))
        case "app_uninstalled" | "tokens_revoked":
            return Leave()
        case _:
            return Ignore("another kind of event")


def _of_message(envelope: Envelope, event: Envelope, bot_user: str) -> Intent:
    match event.get("subtype"):
        case "message_deleted":
            return Withdraw(str(event.get("channel", "")), str(event.get("deleted_ts", "")))
        case "message_changed":
            return _of_edit(envelope, event, bot_user)
        case subtype if subtype not in _PLAIN or event.get("hidden"):
            return Ignore("another kind of message")
    return _from_person(envelope, event) or _of_words(envelope, event, bot_user)


def _of_words(envelope: Envelope, event: Envelope, bot_user: str) -> Intent:
    if is_direct(event):
        return Ask(_asked(envelope, event, "direct", bot_user))
    mentioned = set(_MENTION.findall(str(event.get("text") or "")))
    if bot_user in mentioned:
        # It comes as app_mention, too. Whichever is first is kept: dying between the two must lose nothing.
        return Ask(_asked(envelope, event, "mention", bot_user))
    if not event.get("thread_ts"):
        return Ignore("not in a thread")
    if mentioned:
        return Ignore("said to somebody else")
    return Ask(_asked(envelope, event, "follow_up", bot_user))


def _of_edit(envelope: Envelope, event: Envelope, bot_user: str) -> Intent:
    """Only a mention that the edit added counts. That the same message is answered once is the inbox's matter."""
    message, before = event.get("message"), event.get("previous_message")
    if not isinstance(message, dict) or not isinstance(before, dict) or not message.get("edited"):
        return Ignore("an edit of no person's")
    added = _mentions(message, bot_user) and not _mentions(before, bot_user)
    if not added or is_direct(event):
        return Ignore("an edit that asks nothing new")
    whole = {"channel": event.get("channel"), "ts": before.get("ts"), **message}
    return _from_person(envelope, whole) or Ask(_asked(envelope, whole, "mention", bot_user))


def _from_person(envelope: Envelope, event: Envelope) -> Ignore | None:
    """None when a person wrote it; bots must not make bots talk."""
    if event.get("bot_id") or event.get("bot_profile") or event.get("subtype") == "bot_message":
        return Ignore("said by a bot")
    if not all(event.get(key) for key in ("user", "ts", "channel")) or not envelope.get("team_id"):
        return Ignore("no person, place or time")
    return None


def _asked(envelope: Envelope, event: Envelope, kind: Kind, bot_user: str) -> Asked:
    return Asked(
        team=str(envelope["team_id"]),
        channel=str(event["channel"]),
        ts=str(event["ts"]),
        thread_ts=str(event.get("thread_ts") or event["ts"]),
        asker=str(event["user"]),
        words=words_of(str(event.get("text") or ""), bot_user),
        kind=kind,
        asker_team=event.get("user_team") or event.get("source_team") or event.get("team"),
        shared=bool(envelope.get("is_ext_shared_channel")),
    )


def _stop(event: Envelope) -> Intent:
    if not event.get("channel") or not event.get("thread_ts"):
        return Ignore("no thread to stop")
    return Stop(str(event["channel"]), str(event["thread_ts"]))


def _mentions(message: Envelope, bot_user: str) -> bool:
    return bot_user in _MENTION.findall(str(message.get("text") or ""))


def is_direct(event: Envelope) -> bool:
    """Whether a message was written to the bot alone."""
    return event.get("channel_type") == "im" or (
        event.get("channel_type") is None and str(event.get("channel", "")).startswith("D")
    )
