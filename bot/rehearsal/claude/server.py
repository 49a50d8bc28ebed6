"""The server of the rehearsal Claude: routes, authentication, and the ways in which it can fail."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.rehearsal.claude import answers
from bot.rehearsal.claude.events import Reply, events_of, json_of, line_of
from bot.rehearsal.claude.requests import complaint_about

SCENARIOS = {
    "ok": "cites sentences of the request's sources, or declines",
    "text_first": "sends citations after the words that they belong to",
    "thinking": "thinks before it answers",
    "refusal": "ends with stop_reason refusal",
    "max_tokens": "ends in the middle with stop_reason max_tokens",
    "no_citation": "answers without citations",
    "bad_citation": "adds citations that point at nothing",
    "401": "authentication_error",
    "403": "permission_error",
    "413": "request_too_large",
    "429": "rate_limit_error; 429:7 with retry-after 7, 429:spend for a spend limit",
    "500": "api_error",
    "529": "overloaded_error",
    "mid_overloaded": "an error event in the middle of the stream",
    "cut": "the connection breaks in the middle; cut:900 after that many bytes",
    "cut_clean": "the stream ends in the middle as if it were over; cut_clean:900 after that many bytes",
    "corrupt": "an event that is no JSON",
    "stall": "says nothing more after the first words",
    "slow": "waits before it answers; slow:0.5 for half a second",
    "evil": "writes what an attacker wants",
}
"""What can be played, and what happens then."""

_ERRORS = {
    "401": ("authentication_error", "invalid x-api-key"),
    "403": ("permission_error", "Your API key does not have permission to use the specified resource."),
    "413": ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    "429": ("rate_limit_error", "This request would exceed your organization's rate limit."),
    "500": ("api_error", "Internal server error"),
    "529": ("overloaded_error", "Overloaded"),
}
_SPEND = ("rate_limit_error", "enforced_spend_limit_reached: your organization has reached its spend limit.")
_ANSWERS = {
    "no_citation": answers.without_citations,
    "bad_citation": answers.with_wrong_citations,
    "evil": answers.obedient,
}
_MIDDLE = 700
_SLOW_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Received:
    """One request for a message, as it came in."""

    headers: dict[str, str]
    body: dict[str, Any]


class RehearsalClaude:
    """An async context manager; ``url`` is its base URL on a free loopback port.

    Each request for a message plays the next scenario; the last one goes on for ever. ``requests`` has all of them.
    """

    def __init__(self, *scenarios: str) -> None:
        self.requests: list[Received] = []
        self.url = ""
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.play(*scenarios or ("ok",))

    def play(self, *scenarios: str) -> None:
        """Play these from now on."""
        unknown = [scenario for scenario in scenarios if scenario.partition(":")[0] not in SCENARIOS]
        if unknown or not scenarios:
            raise ValueError(f"no such scenario: {unknown}; there are {', '.join(SCENARIOS)}")
        self._scenarios = list(scenarios)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/messages", self._on_message)
        app.router.add_post("/v1/messages/count_tokens", self._on_count)
        app.router.add_get("/v1/models/{model}", self._on_model)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._runner:
            await self._runner.cleanup()

    async def _on_message(self, request: web.Request) -> web.StreamResponse:
        body, refusal = await _read(request)
        if refusal is not None:
            return refusal
        self.requests.append(Received({name.lower(): value for name, value in request.headers.items()}, body))
        scenario, _, argument = self._next().partition(":")
        if scenario in _ERRORS:
            return _planned_error(scenario, argument)
        if scenario == "slow":
            await self._pause(float(argument or _SLOW_SECONDS))
        reply = _reply(body, scenario)
        if not body.get("stream"):
            return web.json_response(json_of(reply))
        return await self._stream(request, reply, scenario, int(argument) if argument.isdigit() else _MIDDLE)

    async def _on_count(self, request: web.Request) -> web.Response:
        body, refusal = await _read(request, counting=True)
        return refusal or web.json_response({"input_tokens": len(json.dumps(body)) // 4})

    async def _on_model(self, request: web.Request) -> web.Response:
        if (refusal := _unauthorised(request)) is not None:
            return refusal
        model = request.match_info["model"]
        if not model.startswith("claude-"):
            return _error(404, "not_found_error", f"model: {model}")
        return web.json_response(
            {"id": model, "type": "model", "display_name": model, "created_at": "2026-09-28T00:00:00Z"}
        )

    async def _stream(self, request: web.Request, reply: Reply, scenario: str, middle: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8", **_REQUEST_ID})
        response.enable_chunked_encoding()
        with suppress(ConnectionResetError):  # Whoever asked may have hung up.
            await response.prepare(request)
            if scenario in _BREAKS:
                whole = b"".join(map(line_of, events_of(reply)))
                cut = whole[: min(middle, len(whole) - 1)] if "cut" in scenario else _events_until(whole, middle)
                await response.write(cut)
                await self._break(request, response, scenario)
            else:
                for event in events_of(reply):
                    await response.write(line_of(event))
        return response

    async def _break(self, request: web.Request, response: web.StreamResponse, scenario: str) -> None:
        if scenario == "mid_overloaded":
            error = {"type": "overloaded_error", "message": "Overloaded"}
            await response.write(line_of({"type": "error", "error": error}))
        elif scenario == "corrupt":
            await response.write(b'event: content_block_delta\ndata: {"type": "content_block_del\n\n')
        elif scenario == "stall":
            await self._pause(3600)
        elif scenario == "cut" and request.transport is not None:
            request.transport.abort()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the rehearsal."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    def _next(self) -> str:
        return self._scenarios.pop(0) if len(self._scenarios) > 1 else self._scenarios[0]


_BREAKS = frozenset({"mid_overloaded", "corrupt", "stall", "cut", "cut_clean"})
_REQUEST_ID = {"request-id": "req_rehearsal"}


async def _read(request: web.Request, *, counting: bool = False) -> tuple[dict[str, Any], web.Response | None]:
    if (refusal := _unauthorised(request)) is not None:
        return {}, refusal
    try:
        body = await request.json()
    except ValueError:
        body = None
    complete = {"max_tokens": 1, **body} if counting and isinstance(body, dict) else body
    if complaint := complaint_about(complete):
        return {}, _error(400, "invalid_request_error", complaint)
    return body, None


def _unauthorised(request: web.Request) -> web.Response | None:
    """Both headers are in use: older clients send a key, newer ones a bearer token."""
    token = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token.strip():
        return _error(401, "authentication_error", "x-api-key header is required")
    if "anthropic-version" not in request.headers:
        return _error(400, "invalid_request_error", "anthropic-version: header is required")
    return None


def _planned_error(scenario: str, argument: str) -> web.Response:
    kind, message = _SPEND if argument == "spend" else _ERRORS[scenario]
    waiting = {"retry-after": "1" if argument == "spend" else argument} if argument else {}
    return _error(int(scenario), kind, message, waiting)


def _error(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": _REQUEST_ID["request-id"]}
    return web.json_response(body, status=status, headers={**_REQUEST_ID, **(headers or {})})


def _reply(body: dict[str, Any], scenario: str) -> Reply:
    blocks = _ANSWERS.get(scenario, answers.grounded)(body)
    if scenario == "thinking":
        blocks = [{"type": "thinking", "thinking": "Let me look.", "signature": "c2ln"}, *blocks]
    if scenario == "refusal":
        return Reply(body["model"], [], "refusal")
    if scenario == "max_tokens":
        return Reply(body["model"], [*blocks[:2], {"type": "text", "text": "And then one has to"}], "max_tokens")
    return Reply(body["model"], blocks, text_first=scenario == "text_first")


def _events_until(whole: bytes, at: int) -> bytes:
    """The complete events that fit; always the first one."""
    end = whole.find(b"\n\n", min(at, len(whole) // 2)) + 2
    return whole[:end]
