"""The Slack app: one set of listeners over Socket Mode or HTTP, an inbox before them and workers behind them."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.inbox.boundaries import AtBoundary, pass_by
from bot.inbox.inbox import Inbox
from bot.slack.abilities import Abilities
from bot.slack.actions import ASK, WHY, Actions
from bot.slack.background import Background
from bot.slack.commands import Commands
from bot.slack.gate import Gate
from bot.slack.gateway import Gateway
from bot.slack.home import Home
from bot.slack.identity import identify, socket_address
from bot.slack.intake import Intake
from bot.slack.limits import Limits
from bot.slack.ports import Answerer, SmallTalk, Statuses, StillVouched, Syncs
from bot.slack.receive import Receiver
from bot.slack.render import FEEDBACK, RETRY
from bot.slack.rules import Identity, SlackRules
from bot.slack.sessions import Sessions
from bot.slack.settle import Parts, Settler
from bot.slack.whispers import Whispers
from bot.slack.workers import Workers
from connectors.errors import Misconfigured, TryLater

log = structlog.get_logger()
DRAIN_SECONDS = 22.0
_LAST_WORDS_SECONDS = 3.0
_LOOK_SECONDS = 3.0
"""How often Slack's client looks after its connection; a cut one brings no questions until it does."""
_QUIET = logging.getLogger("quoth.slack_bolt")
_QUIET.setLevel(logging.CRITICAL)  # Bolt's warnings and errors carry whole request bodies.


@dataclass(frozen=True, slots=True)
class Connection:
    """How Slack is reached and how it reaches us: over Socket Mode with an app token, else over signed HTTP."""

    bot_token: str
    app_token: str | None = None
    signing_secret: str | None = None
    api_url: str = "https://slack.com/api/"
    limits: Limits = field(default_factory=Limits)
    """How often it lets us call."""

    def __post_init__(self) -> None:
        if self.app_token is None and self.signing_secret is None:
            raise Misconfigured("Slack needs SLACK_APP_TOKEN (mode: socket) or SLACK_SIGNING_SECRET (mode: http).")


@dataclass(frozen=True, slots=True)
class House:
    """What the rest of the house does for the Slack side."""

    answerer: Answerer
    still_vouched: StillVouched
    small_talk_of: SmallTalk
    syncs: Syncs
    statuses: Statuses


class SlackApp:
    """Takes questions in and gets them answered, from ``start`` to ``drain``. The inbox outlives it."""

    def __init__(
        self,
        connection: Connection,
        rules: SlackRules,
        inbox: Inbox,
        house: House,
        *,
        at_once: int = 8,
        at: AtBoundary = pass_by,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._rules = rules
        self._inbox = inbox
        self._house = house
        self._at_once = at_once
        self._at = at
        self._gateway = Gateway(connection.bot_token, connection.api_url, connection.limits)
        self._running: _Running | None = None
        self._closing = False

    async def start(self) -> Identity:
        """Ask Slack who we are, take up what was left, and take questions in from then on.

        Raises:
            Misconfigured: A token is wrong or lacks a scope.
            TryLater: Slack cannot be reached.
        """
        identity = await identify(self._gateway)
        self._running = running = self._built(identity)
        await running.workers.start()
        if self._connection.app_token is not None:
            await self._connect(running)
        return identity

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Take nothing more in, finish or park what is under way within the time, and let go."""
        self._closing = True
        running = self._running
        if running is not None:
            if running.socket is not None:
                await running.socket.client.close()  # type: ignore[no-untyped-call]
            await running.workers.drain(seconds)
            await asyncio.gather(running.background.drain(_LAST_WORDS_SECONDS), running.commands.background.drain(1.0))
        await self._gateway.close()

    async def receive(self, request: Request) -> Response:
        """One delivery over HTTP."""
        if self._running is None or self._closing or self._running.receiver is None:
            return JSONResponse({"error": "not taking questions now"}, status_code=503)
        return await self._running.receiver.receive(request)

    async def unreadiness(self) -> str | None:
        """Why no questions reach us just now; None when they do."""
        if self._running is None or self._closing:
            return "the Slack side is not started"
        socket = self._running.socket
        if socket is not None and not await socket.client.is_connected():
            return "the Socket Mode connection is down"
        return None

    def _built(self, identity: Identity) -> _Running:
        gate, abilities, background = Gate(self._gateway, identity, self._rules), Abilities(), Background()
        sessions, house = Sessions(self._gateway, abilities, background), self._house
        parts = Parts(
            gateway=self._gateway,
            inbox=self._inbox,
            identity=identity,
            gate=gate,
            abilities=abilities,
            sessions=sessions,
            answerer=house.answerer,
            still_vouched=house.still_vouched,
            small_talk_of=house.small_talk_of,
            at=self._at,
        )
        workers = Workers(self._inbox, Settler(parts), self._at_once)
        home, whispers = Home(self._gateway, self._rules, background), Whispers(self._gateway, background)
        intake = Intake(self._inbox, workers, identity, home, sessions, whispers)
        commands = Commands(self._gateway, self._inbox, gate, self._rules, house.syncs, house.statuses)
        actions = Actions(self._gateway, self._inbox, identity, gate, workers, background)
        bolt = self._bolt(identity)
        self._listen(bolt, intake, commands, actions)
        secret = self._connection.signing_secret
        socket = self._connection.app_token is not None
        return _Running(
            workers, background, commands, bolt, None if socket or secret is None else Receiver(bolt, secret)
        )

    def _bolt(self, identity: Identity) -> AsyncApp:
        token = self._connection.bot_token

        async def authorize(**_: Any) -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None, team_id=identity.team, bot_token=token, bot_id=identity.bot,
                bot_user_id=identity.bot_user,
            )  # fmt: skip

        # Without a token of its own, or Bolt would ask auth.test again and acknowledge what it then throws away.
        client = AsyncWebClient(base_url=self._connection.api_url, retry_handlers=[], logger=_QUIET)
        return AsyncApp(
            client=client,
            authorize=authorize,
            signing_secret=self._connection.signing_secret or "",
            request_verification_enabled=self._connection.app_token is None,
            logger=_QUIET,
        )

    def _listen(self, bolt: AsyncApp, intake: Intake, commands: Commands, actions: Actions) -> None:
        bolt.use(self._persisting(intake))
        bolt.error(_on_error)
        bolt.command(self._rules.command)(commands.on_command)
        bolt.command(self._rules.reindex_command)(commands.on_reindex)
        bolt.action(FEEDBACK)(actions.on_feedback)
        bolt.action(RETRY)(actions.on_retry)
        bolt.shortcut(ASK)(actions.on_ask)
        bolt.shortcut(WHY)(actions.on_why)
        bolt.action(re.compile(".*"))(_on_anything)

    def _persisting(self, intake: Intake) -> Callable[..., Awaitable[BoltResponse | None]]:
        """Bolt acknowledges events before listeners run, so they are kept, and done with, in front of all listeners."""

        async def persist(body: dict[str, Any], next: Callable[[], Awaitable[Any]]) -> BoltResponse | None:
            if self._closing:
                return BoltResponse(status=503, body="")
            if body.get("type") != "event_callback":
                await next()
                return None
            try:
                await intake.take(body, self._at)
            except TryLater as error:
                log.error("delivery.refused", reason=str(error))
                return BoltResponse(status=503, body="")
            return BoltResponse(status=200, body="")

        return persist

    async def _connect(self, running: _Running) -> None:
        token, client = str(self._connection.app_token), self._gateway.client
        socket = AsyncSocketModeHandler(running.bolt, token, _QUIET, client, ping_interval=_LOOK_SECONDS)
        running.socket = socket
        # Asked by ourselves: the client would silently go on asking with a token that Slack does not take.
        socket.client.wss_uri = await socket_address(client, token)
        await socket.client.connect()  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class _Running:
    workers: Workers
    background: Background
    commands: Commands
    bolt: AsyncApp
    receiver: Receiver | None
    socket: AsyncSocketModeHandler | None = None


async def _on_error(error: Exception) -> BoltResponse:
    """A listener failed before it acknowledged: Slack, or the person, tries again."""
    log.error("listener.failed", error=type(error).__name__)
    return BoltResponse(status=503, body="")


async def _on_anything(ack: Callable[[], Awaitable[Any]]) -> None:
    """A button of an older message, or a link button: nothing to do."""
    await ack()
