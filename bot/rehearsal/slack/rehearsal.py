"""The rehearsal Slack: one workspace on this machine, served as Slack serves it, and watched."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Self, TypeVar

from aiohttp import web

from bot.rehearsal.slack.delivery import Delivery, PostOffice
from bot.rehearsal.slack.faults import Faults
from bot.rehearsal.slack.limits import Limits, Pace, RateLimiter
from bot.rehearsal.slack.live import Live, live_elements
from bot.rehearsal.slack.people import People
from bot.rehearsal.slack.refusals import Refused
from bot.rehearsal.slack.response_urls import ResponseUrls
from bot.rehearsal.slack.signed_http import SignedHttp
from bot.rehearsal.slack.socket_mode import SocketMode
from bot.rehearsal.slack.stage import BOT_SCOPES, Stage
from bot.rehearsal.slack.streaming import Streams
from bot.rehearsal.slack.transcript import transcript_of
from bot.rehearsal.slack.web_api import Request, Tokens, WebApi
from bot.rehearsal.slack.workspace import App, Message, Workspace

T = TypeVar("T")
POLL_SECONDS = 0.01
MAX_BODY_BYTES = 4_000_000


class RehearsalSlack(People):
    """A Slack that an app cannot tell from the real one. Use it as ``async with RehearsalSlack() as slack``.

    Listens on a free port of 127.0.0.1. Events go out over Socket Mode until ``deliver_to`` names a request URL.
    ``limits=None`` turns rate limits off; ``pace`` compresses retries and expiries.
    """

    def __init__(
        self,
        *,
        pace: Pace | None = None,
        limits: Limits | None = None,
        scopes: frozenset[str] = BOT_SCOPES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        pace = pace or Pace()
        workspace, self.faults = Workspace(App(), clock), Faults()
        streams = Streams(workspace, pace.stream_seconds)
        self.sockets = SocketMode(workspace.app.app_id, pace.ack_seconds)
        self.post_office = PostOffice(self.sockets, pace)
        limiter = RateLimiter(limits, clock)
        stage = Stage(workspace, streams, limiter, self.faults, pace, self.post_office, self.sockets, {})
        self._response_urls = ResponseUrls(workspace, pace.response_url_seconds, workspace.keep)
        super().__init__(stage, self._response_urls)
        self.bot_token = "xoxb-rehearsal-bot-token"  # noqa: S105  # Opens nothing but this rehearsal.
        self.app_token = "xapp-1-rehearsal-app-token"  # noqa: S105  # The same.
        self.signing_secret = "rehearsal-signing-secret"  # noqa: S105  # The same.
        self.web_api = WebApi(stage, Tokens(self.bot_token, self.app_token, scopes))
        self.api_url = ""
        self._open = AsyncExitStack()

    @property
    def bot_user_id(self) -> str:
        """The bot, as people mention it."""
        return self.workspace.app.bot_user_id

    @property
    def team_id(self) -> str:
        """The workspace that the app is installed in."""
        return self.workspace.app.team_id

    @property
    def requests(self) -> list[Request]:
        """Every call of the Web API, oldest first."""
        return self.web_api.requests

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything sent to the app, oldest first."""
        return self.post_office.sent

    async def __aenter__(self) -> Self:
        server = web.Application(client_max_size=MAX_BODY_BYTES)
        server.router.add_route("*", "/api/{method}", self.web_api.answer)
        server.router.add_post("/response/{key}", self._respond)
        server.router.add_get("/link/", self.sockets.connect)
        runner = web.AppRunner(server, shutdown_timeout=0.5, access_log=None)
        await runner.setup()
        self._open.push_async_callback(runner.cleanup)
        self._open.push_async_callback(self.sockets.close)
        self._open.push_async_callback(self.post_office.close)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.api_url = f"http://127.0.0.1:{port}/api/"
        self.response_base_url = f"http://127.0.0.1:{port}/response/"
        self.stage.websocket_url = f"ws://127.0.0.1:{port}/link/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def deliver_to(self, request_url: str, *, verify: bool = True) -> None:
        """Deliver by signed HTTP from now on, once the app has answered Slack's challenge.

        Raises:
            ValueError: It did not.
        """
        http = SignedHttp(request_url, self.signing_secret, self.stage.pace.ack_seconds, self.workspace.clock)
        self._open.push_async_callback(http.close)
        if verify:
            await http.verify()
        self.post_office.carrier = http

    async def connected(self, count: int = 1, timeout: float = 10.0) -> None:
        """Wait until the app holds so many Socket Mode connections. Raises TimeoutError."""
        await self.sockets.connected(count, timeout)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The root and its replies as they are visible now, oldest first."""
        self.stage.streams.expire()
        return self.workspace.thread(channel, ts)

    def ephemerals(self, user: str, channel: str) -> list[Message]:
        """What only this person sees in the channel, oldest first."""
        return [m for m in self.workspace.ephemerals if (m.only_for, m.channel) == (user, channel)]

    def calls(self, method: str) -> list[Request]:
        """The calls of one method, oldest first."""
        return [request for request in self.requests if request.method == method]

    def live_elements(self, message: Message) -> Live:
        """What of a message is live, given the channels that there are."""
        return live_elements(message, [channel.name for channel in self.workspace.channels.values()])

    def transcript(self, channel: str, ts: str) -> str:
        """The thread as text, with names instead of ids."""
        return transcript_of(self.thread(channel, ts), self.workspace.names())

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 10.0) -> T:
        """The first true thing that the predicate returns. Raises TimeoutError after so many seconds."""
        async with asyncio.timeout(timeout):
            while not (found := predicate()):
                await asyncio.sleep(POLL_SECONDS)
            return found

    async def answer_in(self, channel: str, thread_ts: str, *, after: str = "", timeout: float = 10.0) -> Message:
        """The bot's first finished message in the thread after this ts. Raises TimeoutError after so many seconds."""

        def finished() -> Message | None:
            ours = (m for m in self.thread(channel, thread_ts) if m.bot_id == self.workspace.app.bot_id)
            return next((m for m in ours if m.is_finished and m.ts > (after or thread_ts)), None)

        return await self.wait_for(finished, timeout)

    async def settle(self) -> None:
        """Wait until everything sent to the app is acknowledged or given up."""
        await self.post_office.settle()

    def deliver_again(self, delivery: Delivery) -> Delivery:
        """Send the same payload once more, with the same event id."""
        return self.post_office.send(delivery.kind, delivery.payload)

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            self._response_urls.post(request.match_info["key"], await _body_of(request))
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        return web.Response(text="ok")


async def _body_of(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except ValueError:
        return None
