"""Modals, the home tab, agent sessions and the validator of blocks, as methods of the Web API."""

from __future__ import annotations

import json
from typing import Any

from bot.rehearsal.slack.blocks import MAX_BLOCKS, MAX_VIEW_BLOCKS, accept_blocks
from bot.rehearsal.slack.refusals import Refused
from bot.rehearsal.slack.stage import Call, Stage
from bot.rehearsal.slack.workspace import Json

SESSION_STATES = frozenset({"processing", "active", "suspended", "closed"})
MAX_PROMPTS = 4
MAX_VIEW_BYTES = 250_000
MAX_TITLE = 24
MAX_SESSION_TITLE = 200


def open_view(stage: Stage, call: Call) -> Json:
    """views.open: a modal for whoever has just set something off."""
    invocation = stage.triggers.get(call.text("trigger_id"))
    if invocation is None:
        raise Refused("invalid_trigger_id")
    if stage.workspace.clock() - invocation.started_at > stage.pace.trigger_seconds:
        raise Refused("expired_trigger_id")
    if invocation.trigger_used:
        raise Refused("exchanged_trigger_id")
    invocation.trigger_used = True
    view = _complete(stage, _view(call, "modal"))
    stage.workspace.views[view["id"]] = view | {"opened_for": invocation.user}
    return {"view": view}


def update_view(stage: Stage, call: Call) -> Json:
    """views.update, by id."""
    old = stage.workspace.views.get(call.text("view_id"))
    if old is None:
        raise Refused("not_found")
    view = _complete(stage, _view(call, "modal")) | {"id": old["id"]}
    stage.workspace.views[old["id"]] = view | {"opened_for": old["opened_for"]}
    return {"view": view}


def publish_view(stage: Stage, call: Call) -> Json:
    """views.publish: the home tab of one user."""
    call.require("user_id")
    view = _complete(stage, _view(call, "home"))
    stage.workspace.homes[call.text("user_id")] = view
    return {"view": view}


def set_session_status(stage: Stage, call: Call) -> Json:
    """agents.sessions.setStatus."""
    call.needs("assistant:write")
    channel = stage.workspace.channel(call.text("channel_id"))
    status, key = call.text("status"), (channel.id, call.text("thread_ts"))
    if status not in SESSION_STATES:
        raise Refused("invalid_arguments")
    if len(call.text("title")) > MAX_SESSION_TITLE:
        raise Refused("invalid_arguments")
    if key not in stage.workspace.sessions and call.text("title"):
        stage.workspace.titles[key] = call.text("title")
    stage.workspace.sessions[key] = status
    return {}


def rename_session(stage: Stage, call: Call) -> Json:
    """agents.sessions.rename."""
    call.needs("assistant:write")
    channel = stage.workspace.channel(call.text("channel_id"))
    if not 1 <= len(call.text("title")) <= MAX_SESSION_TITLE:
        raise Refused("invalid_arguments")
    stage.workspace.titles[(channel.id, call.text("thread_ts"))] = call.text("title")
    return {}


def set_status(stage: Stage, call: Call) -> Json:
    """assistant.threads.setStatus, the older one: any words mean processing, none mean active."""
    channel = stage.workspace.channel(call.text("channel_id"))
    if not call.text("thread_ts"):
        raise Refused("invalid_thread_ts")
    state = "processing" if call.text("status") else "active"
    stage.workspace.sessions[(channel.id, call.text("thread_ts"))] = state
    return {}


def set_suggested_prompts(stage: Stage, call: Call) -> Json:
    """assistant.threads.setSuggestedPrompts: at most four, each with title and message."""
    call.needs("assistant:write")
    channel = stage.workspace.channel(call.text("channel_id"))
    prompts: Any = call.json("prompts")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= MAX_PROMPTS:
        raise Refused("invalid_arguments")
    if not all(isinstance(p, dict) and p.get("title") and p.get("message") for p in prompts):
        raise Refused("invalid_arguments")
    stage.workspace.prompts[channel.id] = prompts
    return {}


def validate_blocks(_stage: Stage, call: Call) -> Json:
    """blocks.validate: of blocks, of a message or of a view."""
    for name, most in (("blocks", MAX_BLOCKS), ("message", MAX_BLOCKS), ("view", MAX_VIEW_BLOCKS)):
        given: Any = call.json(name, "invalid_blocks_format")
        if given is not None:
            blocks = given.get("blocks") if isinstance(given, dict) else given
            accept_blocks(blocks, most)
            return {}
    raise Refused("invalid_arguments")


def _view(call: Call, kind: str) -> Json:
    view: Any = call.json("view")
    if not isinstance(view, dict) or view.get("type") != kind:
        raise Refused("invalid_arguments")
    if len(json.dumps(view)) > MAX_VIEW_BYTES:
        raise Refused("view_too_large")
    if kind == "modal" and not 1 <= len(str((view.get("title") or {}).get("text", ""))) <= MAX_TITLE:
        raise Refused("invalid_arguments")
    accept_blocks(view.get("blocks"), MAX_VIEW_BLOCKS)
    return view


def _complete(stage: Stage, view: Json) -> Json:
    app, view_id = stage.workspace.app, stage.workspace.new_id("V")
    ours = {"id": view_id, "team_id": app.team_id, "app_id": app.app_id, "bot_id": app.bot_id}
    state = {"state": {"values": {}}, "hash": f"{int(stage.workspace.clock())}.rehearsal", "root_view_id": view_id}
    defaults = {"private_metadata": "", "callback_id": "", "external_id": "", "previous_view_id": None}
    return defaults | view | ours | state | {"app_installed_team_id": app.team_id}
