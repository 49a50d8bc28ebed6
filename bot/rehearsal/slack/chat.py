"""The methods that write: chat.* of the Web API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.rehearsal.slack.blocks import accept_blocks
from bot.rehearsal.slack.payloads import changed_event, deleted_event, message_event, message_json
from bot.rehearsal.slack.refusals import Refused, rate_limited
from bot.rehearsal.slack.stage import Call, Stage
from bot.rehearsal.slack.streaming import MAX_MARKDOWN, accept_chunks
from bot.rehearsal.slack.workspace import Channel, Json, Message

MAX_TEXT = 40_000
MAX_UPDATED_TEXT = 4_000


def post_message(stage: Stage, call: Call) -> Json:
    """chat.postMessage."""
    channel = _writable(stage, call)
    message = _with_content(stage, _blank(stage, call, channel), call)
    _spend_post(stage, channel)
    stage.workspace.keep(message)
    stage.tell(message_event(message, channel, stage.workspace.app), channel)
    return _said(message) | {"message": message_json(message, stage.workspace.app, metadata=True)}


def post_ephemeral(stage: Stage, call: Call) -> Json:
    """chat.postEphemeral: one person sees it, and nobody can change it."""
    call.require("user")
    channel = _writable(stage, call)
    if call.text("user") not in channel.members:
        raise Refused("user_not_in_channel")
    message = _with_content(stage, replace(_blank(stage, call, channel), only_for=call.text("user")), call)
    stage.workspace.keep(message)
    return {"message_ts": message.ts}


def update(stage: Stage, call: Call) -> Json:
    """chat.update. Without blocks, a text takes the place of the blocks there were."""
    call.require("channel", "ts")
    channel = stage.workspace.channel(call.text("channel"))
    old = stage.workspace.message(channel.id, call.text("ts"))
    if old.bot_id != stage.workspace.app.bot_id:
        raise Refused("cant_update_message")
    if old.streaming:
        raise Refused("streaming_state_conflict")
    if len(call.text("text")) > MAX_UPDATED_TEXT:
        raise Refused("msg_too_long")
    app = stage.workspace.app
    marked = replace(
        old, edited_by=app.bot_user_id, edited_ts=stage.workspace.new_ts(), parse=call.text("parse") or "client"
    )
    new = stage.workspace.keep(_with_content(stage, marked, call))
    stage.tell(changed_event(new, old, channel, new.edited_ts, app), channel)
    return _said(new) | {"text": new.text, "message": message_json(new, app, metadata=True)}


def delete(stage: Stage, call: Call) -> Json:
    """chat.delete, of the bot's own messages."""
    call.require("channel", "ts")
    channel = stage.workspace.channel(call.text("channel"))
    message = stage.workspace.message(channel.id, call.text("ts"))
    if message.bot_id != stage.workspace.app.bot_id:
        raise Refused("cant_delete_message")
    stage.workspace.remove(message)
    stage.tell(deleted_event(message, channel, stage.workspace.new_ts(), stage.workspace.app), channel)
    return _said(message)


def get_permalink(stage: Stage, call: Call) -> Json:
    """chat.getPermalink."""
    call.require("channel", "message_ts")
    channel = stage.workspace.channel(call.text("channel"))
    message = stage.workspace.message(channel.id, call.text("message_ts"))
    place = f"https://{stage.workspace.app.team_domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
    return {"channel": channel.id, "permalink": place + thread}


def start_stream(stage: Stage, call: Call) -> Json:
    """chat.startStream: in a thread, in channels for a named person. Opens an agent session."""
    call.require("thread_ts")
    channel = _writable(stage, call)
    if channel.kind != "im":
        for name in ("recipient_team_id", "recipient_user_id"):
            if not call.text(name):
                raise Refused(f"missing_{name}")
    chunks = accept_chunks(call.args.get("markdown_text"), call.json("chunks", "invalid_chunks"))
    message = replace(_blank(stage, call, channel), unfurl_links=False, unfurl_media=False)
    _spend_post(stage, channel)
    stage.streams.start(message, chunks)
    stage.workspace.sessions[(channel.id, message.root_ts)] = "processing"
    stage.tell(message_event(message, channel, stage.workspace.app), channel)
    return _said(message)


def append_stream(stage: Stage, call: Call) -> Json:
    """chat.appendStream."""
    call.require("channel", "ts")
    channel = stage.workspace.channel(call.text("channel"))
    chunks = accept_chunks(call.args.get("markdown_text"), call.json("chunks", "invalid_chunks"))
    if not chunks:
        raise Refused("no_text")
    return _said(stage.streams.append(channel.id, call.text("ts"), chunks))


def stop_stream(stage: Stage, call: Call) -> Json:
    """chat.stopStream. The session is active again unless it says otherwise."""
    call.require("channel", "ts")
    channel = stage.workspace.channel(call.text("channel"))
    chunks = accept_chunks(call.args.get("markdown_text"), call.json("chunks", "invalid_chunks"))
    blocks = accept_blocks(call.json("blocks", "invalid_blocks") or [])
    metadata = _metadata(stage, call)
    old = stage.workspace.message(channel.id, call.text("ts"))
    message = stage.streams.stop(channel.id, old.ts, chunks, blocks)
    message = stage.workspace.keep(replace(message, metadata=metadata or message.metadata))
    stage.workspace.sessions[(channel.id, message.root_ts)] = call.text("session_status") or "active"
    app = stage.workspace.app
    stage.tell(changed_event(message, old, channel, stage.workspace.new_ts(), app), channel)
    return _said(message) | {"message": message_json(message, app, metadata=True)}


def _writable(stage: Stage, call: Call) -> Channel:
    call.require("channel")
    target = call.text("channel")
    channel = (
        stage.workspace.direct_message(target) if target in stage.workspace.users else stage.workspace.channel(target)
    )
    if channel.archived:
        raise Refused("is_archived")
    if stage.workspace.app.bot_user_id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _spend_post(stage: Stage, channel: Channel) -> None:
    if wait := stage.limiter.wait_for_post(stage.workspace.app.team_id, channel.id):
        raise rate_limited(wait)


def _blank(stage: Stage, call: Call, channel: Channel) -> Message:
    """The bot's next message, without words."""
    workspace, thread_ts = stage.workspace, call.text("thread_ts")
    return Message(
        channel=channel.id,
        ts=workspace.new_ts(),
        user=workspace.app.bot_user_id,
        author=workspace.app.name,
        team=workspace.app.team_id,
        bot_id=workspace.app.bot_id,
        thread_ts=workspace.root_to_reply_to(channel.id, thread_ts) if thread_ts else "",
        parse=call.text("parse") or "none",
        link_names=bool(call.flag("link_names")),
        unfurl_links=call.flag("unfurl_links"),
        unfurl_media=call.flag("unfurl_media"),
    )


def _with_content(stage: Stage, message: Message, call: Call) -> Message:
    """The message with the text, blocks and metadata of the call."""
    text, markdown = call.text("text")[:MAX_TEXT], call.text("markdown_text")
    given: Any = call.json("blocks", "invalid_blocks_format")
    if markdown and (text or given):
        raise Refused("markdown_text_conflict")
    if len(markdown) > MAX_MARKDOWN:
        raise Refused("msg_too_long")
    if markdown:
        text, given = markdown, [{"type": "markdown", "text": markdown}]
    blocks = accept_blocks(given) if given is not None else () if text else message.blocks
    if not text and not blocks:
        raise Refused("no_text")
    metadata = _metadata(stage, call) or message.metadata
    return replace(message, text=text or message.text, blocks=blocks, metadata=metadata)


def _metadata(stage: Stage, call: Call) -> Json | None:
    metadata = call.json("metadata", "invalid_metadata_format")
    if metadata is None or stage.faults.drop_metadata:
        return None
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= metadata.keys():
        raise Refused("invalid_metadata_format")
    return metadata


def _said(message: Message) -> Json:
    return {"channel": message.channel, "ts": message.ts}
