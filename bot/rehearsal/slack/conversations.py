"""The methods that read, and small marks: auth, conversations, users and reactions of the Web API."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

from bot.rehearsal.slack.payloads import message_json
from bot.rehearsal.slack.refusals import Refused
from bot.rehearsal.slack.stage import Call, Stage
from bot.rehearsal.slack.workspace import Channel, Json, Kind, Message, User

KIND_OF_TYPE: dict[str, Kind] = {"public_channel": "channel", "private_channel": "group", "im": "im"}


def auth_test(stage: Stage, _call: Call) -> Json:
    """auth.test: who the token is."""
    app = stage.workspace.app
    url = f"https://{app.team_domain}.slack.com/"
    who = {"user": app.name, "user_id": app.bot_user_id, "bot_id": app.bot_id}
    return {"url": url, "team": app.team_domain, "team_id": app.team_id, **who, "is_enterprise_install": False}


def open_connection(stage: Stage, _call: Call) -> Json:
    """apps.connections.open: a ticket for one Socket Mode connection."""
    return {"url": f"{stage.websocket_url}?ticket={stage.sockets.ticket()}&app_id={stage.workspace.app.app_id}"}


def replies(stage: Stage, call: Call) -> Json:
    """conversations.replies: the root first, then the replies between oldest and latest."""
    call.require("channel", "ts")
    channel = _readable(stage, call)
    thread = stage.workspace.thread(channel.id, call.text("ts"))
    if not thread:
        single = stage.workspace.find(channel.id, call.text("ts"))
        if single is None:
            raise Refused("thread_not_found")
        thread = [single]
    if stage.faults.list_whispers:
        thread += [m for m in stage.workspace.ephemerals if (m.channel, m.root_ts) == (channel.id, thread[0].ts)]
    return _page(stage, call, [thread[0], *(message for message in thread[1:] if _is_within(message, call))])


def history(stage: Stage, call: Call) -> Json:
    """conversations.history: messages that are no replies, newest first."""
    call.require("channel")
    channel = _readable(stage, call)
    messages = [m for m in reversed(stage.workspace.history(channel.id)) if m.root_ts == m.ts and _is_within(m, call)]
    return _page(stage, call, messages)


def info(stage: Stage, call: Call) -> Json:
    """conversations.info."""
    channel = stage.workspace.channel(call.text("channel"))
    call.needs_for(channel, "read")
    return {"channel": _channel_json(stage, channel)}


def members(stage: Stage, call: Call) -> Json:
    """conversations.members."""
    channel = stage.workspace.channel(call.text("channel"))
    call.needs_for(channel, "read")
    return {"members": list(channel.members), "response_metadata": {"next_cursor": ""}}


def open_conversation(stage: Stage, call: Call) -> Json:
    """conversations.open: the direct message with one user."""
    call.needs("im:write")
    user = call.text("users")
    if not user:
        raise Refused("users_list_not_supplied")
    if user not in stage.workspace.users:
        raise Refused("user_not_found")
    return {"channel": {"id": stage.workspace.direct_message(user).id}}


def user_info(stage: Stage, call: Call) -> Json:
    """users.info."""
    call.needs("users:read")
    user = stage.workspace.users.get(call.text("user"))
    if user is None:
        raise Refused("user_not_found")
    return {"user": _user_json(user)}


def user_conversations(stage: Stage, call: Call) -> Json:
    """users.conversations: the channels of these types that a user and the bot may both know of."""
    kinds = []
    for name in (call.text("types") or "public_channel").split(","):
        if name in KIND_OF_TYPE:
            kinds.append(KIND_OF_TYPE[name])
            call.needs_for(Channel("", "", kinds[-1]), "read")
    bot = stage.workspace.app.bot_user_id
    theirs = stage.workspace.conversations_of(call.text("user") or bot)
    known = [c for c in theirs if c.kind in kinds and (c.kind == "channel" or bot in c.members)]
    return {"channels": [_channel_json(stage, c) for c in known], "response_metadata": {"next_cursor": ""}}


def add_reaction(stage: Stage, call: Call) -> Json:
    """reactions.add."""
    message, mark = _reacted(stage, call)
    if mark in message.reactions:
        raise Refused("already_reacted")
    stage.workspace.keep(replace(message, reactions=(*message.reactions, mark)))
    return {}


def remove_reaction(stage: Stage, call: Call) -> Json:
    """reactions.remove."""
    message, mark = _reacted(stage, call)
    if mark not in message.reactions:
        raise Refused("no_reaction")
    stage.workspace.keep(replace(message, reactions=tuple(r for r in message.reactions if r != mark)))
    return {}


def _reacted(stage: Stage, call: Call) -> tuple[Message, tuple[str, str]]:
    call.needs("reactions:write")
    if not call.text("name"):
        raise Refused("invalid_name")
    if not call.text("channel") or not call.text("timestamp"):
        raise Refused("no_item_specified")
    channel = stage.workspace.channel(call.text("channel"))
    message = stage.workspace.message(channel.id, call.text("timestamp"))
    return message, (call.text("name"), stage.workspace.app.bot_user_id)


def _readable(stage: Stage, call: Call) -> Channel:
    channel = stage.workspace.channel(call.text("channel"))
    call.needs_for(channel, "history")
    if stage.workspace.app.bot_user_id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _is_within(message: Message, call: Call) -> bool:
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999"
    if call.flag("inclusive") and message.ts in {oldest, latest}:
        return True
    return float(oldest) < float(message.ts) < float(latest)


def _page(stage: Stage, call: Call, messages: Sequence[Message]) -> Json:
    start, limit = _offset(call.text("cursor")), min(call.number("limit", 1_000), 1_000)
    part = messages[start : start + limit]
    more = start + limit < len(messages)
    metadata = bool(call.flag("include_all_metadata"))
    cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if more else ""
    shown = [message_json(message, stage.workspace.app, metadata=metadata) for message in part]
    return {"messages": shown, "has_more": more, "response_metadata": {"next_cursor": cursor}}


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("next:"))
    except ValueError:
        raise Refused("invalid_cursor") from None


def _channel_json(stage: Stage, channel: Channel) -> Json:
    shown: Json = {
        "id": channel.id,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_mpim": False,
        "is_private": channel.kind != "channel",
        "is_archived": channel.archived,
        "is_member": stage.workspace.app.bot_user_id in channel.members,
        "is_shared": channel.ext_shared,
        "is_ext_shared": channel.ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "context_team_id": stage.workspace.app.team_id,
    }
    if channel.kind == "im":
        return shown | {"user": next(m for m in channel.members if m != stage.workspace.app.bot_user_id)}
    return shown | {"name": channel.name, "name_normalized": channel.name, "num_members": len(channel.members)}


def _user_json(user: User) -> Json:
    shown: Json = {
        "id": user.id,
        "team_id": user.team,
        "name": user.name.lower(),
        "real_name": user.name,
        "deleted": False,
        "tz": "Etc/UTC",
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "profile": {"real_name": user.name, "display_name": user.name, "team": user.team},
    }
    return shown | {"is_stranger": True} if user.is_stranger else shown
