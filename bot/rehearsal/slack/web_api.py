"""The front of the Web API: reads a call, checks token, scope and rate, and hands it to its method."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.rehearsal.slack import chat, conversations, surfaces
from bot.rehearsal.slack.faults import Fault
from bot.rehearsal.slack.refusals import Refused, missing_scope, rate_limited
from bot.rehearsal.slack.stage import Call, Stage
from bot.rehearsal.slack.workspace import Json


@dataclass(frozen=True, slots=True)
class Method:
    """What a method does, and what it costs. Methods without a tier have limits of their own."""

    run: Callable[[Stage, Call], Json]
    tier: int | None = None
    scope: str = ""
    app_token: bool = False


METHODS: dict[str, Method] = {
    "agents.sessions.rename": Method(surfaces.rename_session, 3),
    "agents.sessions.setStatus": Method(surfaces.set_session_status, 3),
    "apps.connections.open": Method(conversations.open_connection, 3, app_token=True),
    "assistant.threads.setStatus": Method(surfaces.set_status, None, "chat:write"),
    "assistant.threads.setSuggestedPrompts": Method(surfaces.set_suggested_prompts, 4),
    "auth.test": Method(conversations.auth_test),
    "blocks.validate": Method(surfaces.validate_blocks, 4),
    "chat.appendStream": Method(chat.append_stream, 4, "chat:write"),
    "chat.delete": Method(chat.delete, 3, "chat:write"),
    "chat.getPermalink": Method(chat.get_permalink),
    "chat.postEphemeral": Method(chat.post_ephemeral, 4, "chat:write"),
    "chat.postMessage": Method(chat.post_message, None, "chat:write"),
    "chat.startStream": Method(chat.start_stream, 2, "chat:write"),
    "chat.stopStream": Method(chat.stop_stream, 2, "chat:write"),
    "chat.update": Method(chat.update, 3, "chat:write"),
    "conversations.history": Method(conversations.history, 3),
    "conversations.info": Method(conversations.info, 3),
    "conversations.members": Method(conversations.members, 4),
    "conversations.open": Method(conversations.open_conversation, 3),
    "conversations.replies": Method(conversations.replies, 3),
    "reactions.add": Method(conversations.add_reaction, 3),
    "reactions.remove": Method(conversations.remove_reaction, 2),
    "users.conversations": Method(conversations.user_conversations, 3),
    "users.info": Method(conversations.user_info, 4),
    "views.open": Method(surfaces.open_view, 4),
    "views.publish": Method(surfaces.publish_view, 4),
    "views.update": Method(surfaces.update_view, 4),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One call that came in, and what was answered. ``answer`` is empty where a fault ate it."""

    method: str
    args: Json
    answer: Json
    status: int
    time: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """What opens the Web API. An empty app-level scope plays a token without connections:write."""

    bot: str
    app: str
    scopes: frozenset[str]
    app_scopes: frozenset[str] = frozenset({"connections:write"})


class WebApi:
    """Answers POST and GET of /api/{method}."""

    def __init__(self, stage: Stage, tokens: Tokens) -> None:
        self.requests: list[Request] = []
        self.tokens = tokens
        self.shows_scopes = True
        """Send x-oauth-scopes, as Slack does and emulators often do not."""
        self._stage = stage

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call, with whatever fault is in force for it."""
        method, args = request.match_info["method"], await arguments_of(request)
        fault = self._stage.faults.take(method)
        if fault is not None and fault.effect == "delay":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.effect == "lose_request":
            return _cut(request)
        status, body, headers = self._result(request, method, args, fault)
        self._remember(method, args, body, status)
        if fault is not None and fault.effect == "lose_reply":
            return _cut(request)
        if fault is not None and fault.effect == "status":
            return web.Response(status=fault.status, text="upstream error")
        return web.json_response(body, status=status, headers=headers)

    def _result(
        self, request: web.Request, method: str, args: Json, fault: Fault | None
    ) -> tuple[int, Json, dict[str, str]]:
        headers = {"x-slack-req-id": f"rehearsal-{len(self.requests)}"}
        try:
            _raise_ordered(fault)
            if fault is not None and fault.effect == "status":
                return fault.status, {}, headers
            scopes = self._scopes_of(request, method, args)
            if self.shows_scopes:
                headers["x-oauth-scopes"] = ",".join(sorted(scopes))
            return 200, {"ok": True, **self._run(method, Call(args, scopes))}, headers
        except Refused as refused:
            return refused.status, refused.body, headers | refused.headers

    def _run(self, method: str, call: Call) -> Json:
        found = METHODS[method]
        if found.scope:
            call.needs(found.scope)
        team = self._stage.workspace.app.team_id
        if found.tier and (wait := self._stage.limiter.wait_for_method(team, method, found.tier)):
            raise rate_limited(wait)
        self._stage.streams.expire()
        return found.run(self._stage, call)

    def _scopes_of(self, request: web.Request, method: str, args: Json) -> frozenset[str]:
        """What the token may do. Raises unknown_method, not_authed, invalid_auth or not_allowed_token_type."""
        if method not in METHODS:
            raise Refused("unknown_method", req_method=method)
        token = _token_of(request, args)
        if not token:
            raise Refused("not_authed")
        if token not in {self.tokens.bot, self.tokens.app}:
            raise Refused("invalid_auth")
        if METHODS[method].app_token != (token == self.tokens.app):
            raise Refused("not_allowed_token_type")
        if not METHODS[method].app_token:
            return self.tokens.scopes
        if "connections:write" not in self.tokens.app_scopes:
            raise missing_scope("connections:write", self.tokens.app_scopes)
        return self.tokens.app_scopes

    def _remember(self, method: str, args: Json, body: Json, status: int) -> None:
        shown = {name: value for name, value in args.items() if name != "token"}
        self.requests.append(Request(method, shown, body, status, self._stage.workspace.clock()))


async def arguments_of(request: web.Request) -> Json:
    """The arguments of a call: from the query, a form or JSON."""
    args: Json = dict(request.query)
    if request.method == "POST" and request.content_type == "application/json":
        body: Any = await request.json() if request.can_read_body else {}
        args |= body if isinstance(body, dict) else {}
    elif request.method == "POST":
        args |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return {name: value for name, value in args.items() if value is not None}


def _token_of(request: web.Request, args: Json) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else str(args.get("token", ""))


def _raise_ordered(fault: Fault | None) -> None:
    if fault is not None and fault.effect == "error":
        raise Refused(fault.error)
    if fault is not None and fault.effect == "storm":
        raise rate_limited(int(fault.seconds))


def _cut(request: web.Request) -> web.StreamResponse:
    """Drop the connection. The response returned is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
