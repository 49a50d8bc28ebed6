"""What Slack sends to an app: the same shapes over Socket Mode and over HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.rehearsal.slack.workspace import App, Channel, Json, Message, User, Workspace

VERIFICATION_TOKEN = "rehearsal-verification"  # noqa: S105  # Slack's deprecated field; it opens nothing.
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


def rich_text_of(text: str) -> list[Json]:
    """The blocks that a Slack client makes of what a person types."""
    elements: list[Json] = []
    position = 0
    for mention in _MENTION.finditer(text):
        if before := text[position : mention.start()]:
            elements.append({"type": "text", "text": before})
        elements.append({"type": "user", "user_id": mention.group(1)})
        position = mention.end()
    if rest := text[position:]:
        elements.append({"type": "text", "text": rest})
    return [
        {"type": "rich_text", "block_id": "typed", "elements": [{"type": "rich_text_section", "elements": elements}]}
    ]


def message_json(message: Message, app: App, *, metadata: bool = False) -> Json:
    """A message as the Web API and the events show it."""
    shown: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": message.team,
    }
    if message.blocks:
        shown["blocks"] = [{"block_id": f"b{n}", **block} for n, block in enumerate(message.blocks)]
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if message.bot_id:
        shown |= _bot_marks(message, app)
    if message.edited_ts:
        shown["edited"] = {"user": message.edited_by, "ts": message.edited_ts}
    if message.reactions:
        shown["reactions"] = _reactions(message)
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    if message.tombstone or message.only_for:
        shown["subtype"] = "tombstone" if message.tombstone else "ephemeral"
    return shown


def _bot_marks(message: Message, app: App) -> Json:
    app_id = app.app_id if message.bot_id == app.bot_id else "A0OTHER"
    profile = {
        "id": message.bot_id,
        "app_id": app_id,
        "name": message.author,
        "deleted": False,
        "team_id": message.team,
    }
    return {"bot_id": message.bot_id, "app_id": app_id, "bot_profile": profile}


def _reactions(message: Message) -> list[Json]:
    names = dict.fromkeys(name for name, _ in message.reactions)
    users = {name: [user for n, user in message.reactions if n == name] for name in names}
    return [{"name": name, "users": users[name], "count": len(users[name])} for name in names]


def message_event(message: Message, channel: Channel, app: App) -> Json:
    """The event of a new message."""
    event = message_json(message, app)
    if not message.bot_id:
        event["client_msg_id"] = f"00000000-0000-4000-8000-{message.ts.replace('.', '')[-12:]}"
    return event | _place(channel, message.ts)


def mention_event(message: Message, channel: Channel, app: App) -> Json:
    """The second event of a message that names the bot."""
    event = message_event(message, channel, app) | {"type": "app_mention"}
    del event["channel_type"]
    return event


def changed_event(new: Message, old: Message, channel: Channel, event_ts: str, app: App) -> Json:
    """The event of an edit, by a person or by an app."""
    shown = {"message": message_json(new, app), "previous_message": message_json(old, app)}
    return (
        {"type": "message", "subtype": "message_changed", "hidden": True, "ts": event_ts}
        | shown
        | _place(channel, event_ts)
    )


def deleted_event(old: Message, channel: Channel, event_ts: str, app: App) -> Json:
    """The event of a deletion."""
    gone = {"previous_message": message_json(old, app), "deleted_ts": old.ts, "hidden": True, "ts": event_ts}
    return {"type": "message", "subtype": "message_deleted"} | gone | _place(channel, event_ts)


def _place(channel: Channel, event_ts: str) -> Json:
    return {"channel": channel.id, "channel_type": channel.kind, "event_ts": event_ts}


def event_callback(event: Json, workspace: Workspace, channel: Channel | None) -> Json:
    """The envelope around an event."""
    app = workspace.app
    ext_shared = channel is not None and channel.ext_shared
    author = workspace.users.get(str(event.get("user", "")))
    if author is not None and author.team != app.team_id:
        event = event | {"user_team": author.team, "source_team": author.team}
    installed = {"enterprise_id": None, "team_id": app.team_id, "user_id": app.bot_user_id}
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": app.team_id,
        "api_app_id": app.app_id,
        "type": "event_callback",
        "event": event,
        "event_id": workspace.new_id("Ev"),
        "event_time": int(workspace.clock()),
        "event_context": f"4-{event['type']}-{app.team_id}",
        "is_ext_shared_channel": ext_shared,
        "context_team_id": app.team_id,
        "context_enterprise_id": None,
        "authorizations": [{**installed, "is_bot": True, "is_enterprise_install": False}],
    }


def slash_command_payload(app: App, channel: Channel, user: User, command: str, text: str) -> Json:
    """A slash command, without its response_url and trigger_id."""
    hidden_names = {"group": "privategroup", "im": "directmessage"}
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": app.team_id,
        "team_domain": app.team_domain,
        "channel_id": channel.id,
        "channel_name": hidden_names.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": app.app_id,
        "is_enterprise_install": "false",
    }


def _interaction(kind: str, app: App, user: User) -> Json:
    return {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "api_app_id": app.app_id,
        "team": {"id": app.team_id, "domain": app.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
    }


def action_payload(app: App, user: User, channel: Channel, message: Message, action: Json) -> Json:
    """A press of a button on a message."""
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    container["is_ephemeral"] = bool(message.only_for)
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction("block_actions", app, user)
    payload |= {"container": container, "channel": {"id": channel.id, "name": channel.name}, "actions": [action]}
    if not message.only_for:
        payload["message"] = message_json(message, app, metadata=True)
    return payload | {"state": {"values": {}}}


def shortcut_payload(app: App, user: User, channel: Channel, message: Message, callback_id: str) -> Json:
    """A message shortcut. It is shown to the app whether or not the bot is in the channel."""
    payload = _interaction("message_action", app, user)
    del payload["api_app_id"]
    return payload | {
        "user": {"id": user.id, "name": user.name, "team_id": user.team},
        "callback_id": callback_id,
        "action_ts": message.ts,
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message_json(message, app, metadata=True),
    }


def submission_payload(app: App, user: User, view: Json, values: Json) -> Json:
    """A modal that was sent. ``values`` is what Slack calls ``state.values``."""
    filled = view | {"state": {"values": values}}
    return _interaction("view_submission", app, user) | {"view": filled, "response_urls": []}


def form_of(kind: str, payload: Json) -> dict[str, Any]:
    """The same payload as HTTP carries it: slash commands field by field, the rest as one field of JSON."""
    return payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
