"""The only caller of Slack's Web API. It knows what went out, what did not, and what may have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.limits import Limits
from bot.slack.render import Message
from connectors.errors import Misconfigured

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5, sock_read=15)
_LONGEST_WAIT_SECONDS = 30.0
_TRIES = 3
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_AT_ONCE = {"chat.startStream", "chat.appendStream"}
"""They take their turns themselves: an answer can do without them, and must not wait for one."""
_PERHAPS_DONE = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_LIMITED = {"ratelimited", "rate_limited", "message_limit_exceeded"}
_SERVER_ERROR = 500
_TOO_MANY = 429
_QUIET = logging.getLogger("quoth.slack_sdk")
_QUIET.setLevel(logging.CRITICAL)  # Slack's own log lines carry messages, and at DEBUG whole calls.

Reply = Mapping[str, Any]


class SlackError(Exception):
    """A call that did not come back with a yes."""

    @property
    def reason(self) -> str:
        """What a log line may say of it: Slack's own code, or what kind of failure it was."""
        return type(self).__name__


class Refused(SlackError):
    """Slack said no, and why; nothing happened."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> str:
        """Slack's own code."""
        return self.code


class Busy(SlackError):
    """Slack has no time or cannot be reached; nothing happened."""


class Unsure(SlackError):
    """The call may have happened: its answer never came."""


def checked_api_url(url: str) -> str:
    """The base address of the Web API.

    Raises:
        Misconfigured: It would send tokens over a connection that others can read.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise Misconfigured("SLACK_API_URL must begin with https://, or with http:// on this machine.")
    return url if url.endswith("/") else f"{url}/"


class Gateway:
    """Slack as the rest of the bot sees it. A call is one HTTP request, repeated only when Slack asks us to wait."""

    def __init__(self, token: str, api_url: str, limits: Limits | None = None) -> None:
        self._token = token
        self._api_url = checked_api_url(api_url)
        self._limits = limits or Limits()
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    @property
    def client(self) -> AsyncWebClient:
        """The client that Bolt and Socket Mode share: no retries of its own, and time-outs on everything."""
        if self._client is None:
            self._client = AsyncWebClient(
                token=self._token, base_url=self._api_url, session=self._http, retry_handlers=[], logger=_QUIET
            )
        return self._client

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def post(self, channel: str, thread_ts: str | None, message: Message, metadata: Reply | None = None) -> str:
        """Post a message; its ts."""
        await self._limits.message_turn(channel)
        args = {"channel": channel, "thread_ts": thread_ts, "metadata": metadata, "mrkdwn": False, **_said(message)}
        reply = await self.write("chat.postMessage", unfurl_links=False, unfurl_media=False, **args)
        return str(reply["ts"])

    async def update(self, channel: str, ts: str, message: Message, metadata: Reply | None = None) -> None:
        """Replace a message of ours."""
        # An empty list takes away earlier blocks; without the word they would stay.
        said = {"blocks": [], **_said(message)}
        await self.write("chat.update", channel=channel, ts=ts, metadata=metadata, **said)

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours."""
        await self.write("chat.delete", channel=channel, ts=ts)

    async def start_stream(self, channel: str, thread_ts: str, recipient: tuple[str, str], blocks: list[Any]) -> str:
        """Begin a message that grows, for a reader (user, team); its ts. Busy at once when others have all turns."""
        self._turn_or_busy("chat.startStream")
        await self._limits.message_turn(channel)
        user, team = recipient
        args = {"channel": channel, "thread_ts": thread_ts, "chunks": _chunks(blocks)}
        try:
            reply = await self.write("chat.startStream", recipient_user_id=user, recipient_team_id=team, **args)
        except Refused:
            self._limits.return_message_turn(channel)
            raise
        return str(reply["ts"])

    async def append_stream(self, channel: str, ts: str, blocks: list[Any]) -> None:
        """Add blocks to a message that grows. Busy at once when others have all turns."""
        self._turn_or_busy("chat.appendStream")
        await self.write("chat.appendStream", channel=channel, ts=ts, chunks=_chunks(blocks))

    async def stop_stream(self, channel: str, ts: str, blocks: list[Any], metadata: Reply | None = None) -> None:
        """End a message that grows, with its last blocks."""
        await self.write("chat.stopStream", channel=channel, ts=ts, blocks=blocks or None, metadata=metadata)

    async def whisper(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> None:
        """Say something in a channel that one person sees. ``text`` is escaped already."""
        await self.write("chat.postEphemeral", channel=channel, user=user, text=text, parse="none", thread_ts=thread_ts)

    async def replies(self, channel: str, thread_ts: str, **window: Any) -> list[dict[str, Any]]:
        """What everybody sees of a thread, oldest first, with metadata."""
        reply = await self.read(
            "conversations.replies", channel=channel, ts=thread_ts, include_all_metadata=True, **window
        )
        # A server of another make lists whispers, too; one is neither a turn nor an answer.
        return [message for message in reply.get("messages", []) if message.get("subtype") != "ephemeral"]

    async def write(self, method: str, **args: Any) -> Reply:
        """Call a method that changes something."""
        return await self._call(method, json={key: value for key, value in args.items() if value is not None})

    async def read(self, method: str, **args: Any) -> Reply:
        """Call a method that changes nothing."""
        params = {key: value for key, value in args.items() if value is not None}
        return await self._call(method, http_verb="GET", params=params)

    async def respond(self, response_url: str, text: str, *, replace: bool) -> bool:
        """Answer a command to the person who gave it. Slack takes five of these in half an hour; False after that."""
        parts = urlsplit(response_url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            return False
        body = {"response_type": "ephemeral", "text": text, "replace_original": replace, "parse": "none"}
        try:
            async with self._http.post(response_url, json=body, allow_redirects=False) as response:
                return response.status < 300  # noqa: PLR2004
        except (aiohttp.ClientError, TimeoutError):
            return False

    @property
    def _http(self) -> aiohttp.ClientSession:
        """Opened when it is first needed: it belongs to the event loop that is running then."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self._session

    async def _call(self, method: str, **how: Any) -> Reply:
        for attempt in range(1, _TRIES + 1):
            if method not in _AT_ONCE:
                await self._limits.turn(method)
            try:
                return await self._once(method, **how)
            except _Wait as wait:
                if attempt == _TRIES or wait.seconds > _LONGEST_WAIT_SECONDS:
                    raise Busy(f"{method}: asked us to wait {wait.seconds:.0f} s") from None
                await asyncio.sleep(wait.seconds)
        raise AssertionError("the last attempt raised or returned")

    def _turn_or_busy(self, method: str) -> None:
        if not self._limits.turn_now(method):
            raise Busy(f"{method}: no turn left in this minute")

    async def _once(self, method: str, **how: Any) -> Reply:
        try:
            response = await self.client.api_call(method, **how)
        except SlackApiError as error:
            raise _named(method, error) from None
        except aiohttp.ClientConnectorError:
            raise Busy(f"{method}: Slack cannot be reached") from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unsure(f"{method}: {type(error).__name__}") from None
        data = response.data
        return data if isinstance(data, dict) else {}


class _Wait(SlackError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


def _named(method: str, error: SlackApiError) -> SlackError:
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == _TOO_MANY or code in _LIMITED:
        return _Wait(_seconds(getattr(response, "headers", {}).get("Retry-After")))
    if status >= _SERVER_ERROR or code in _PERHAPS_DONE or not code:
        return Unsure(f"{method}: {code or status}")
    return Refused(code)


def _seconds(header: object) -> float:
    try:
        return max(0.0, float(str(header)))
    except ValueError:
        return 1.0


def _said(message: Message) -> dict[str, Any]:
    blocks = {"blocks": list(message.blocks)} if message.blocks else {}
    return {"text": message.text, "parse": "none", **blocks}


def _chunks(blocks: list[Any]) -> list[dict[str, Any]]:
    return [{"type": "blocks", "blocks": blocks}]
