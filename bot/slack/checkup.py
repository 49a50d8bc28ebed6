"""Whether Slack would let us work: asked by `quoth doctor`, one thing at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from functools import partial

from bot.slack.app import Connection
from bot.slack.gateway import Gateway, Refused, SlackError
from bot.slack.identity import identify, socket_address
from connectors.errors import Misconfigured, QuothError, TryLater

Finding = tuple[str, str | QuothError]
"""What was looked at, and what was found or what to do about it."""


async def findings(connection: Connection, channels: Collection[str]) -> AsyncIterator[Finding]:
    """The token, the connection and every bound channel."""
    gateway = Gateway(connection.bot_token, connection.api_url)
    try:
        yield await _tried("slack token", partial(_token, gateway))
        if connection.app_token is not None:
            yield await _tried("slack socket", partial(_socket, gateway, connection.app_token))
        for channel in channels:
            yield await _tried(f"channel {channel}", partial(_channel, gateway, channel))
    finally:
        await gateway.close()


async def _tried(name: str, look: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return name, await look()
    except QuothError as error:
        return name, error


async def _token(gateway: Gateway) -> str:
    identity = await identify(gateway)
    return f"workspace {identity.team}, bot user {identity.bot_user}"


async def _socket(gateway: Gateway, app_token: str) -> str:
    await socket_address(gateway.client, app_token)
    return "Socket Mode can be opened"


async def _channel(gateway: Gateway, channel: str) -> str:
    try:
        info = (await gateway.read("conversations.info", channel=channel))["channel"]
    except Refused as error:
        raise Misconfigured(
            f"Slack does not show channel {channel} ({error.code}). Check the id, and /invite the bot there."
        ) from None
    except SlackError as error:
        raise TryLater(f"Slack did not answer ({type(error).__name__}). Try again.") from None
    if not info.get("is_member", True):
        raise Misconfigured(f"The bot is not in #{info.get('name')}. Type /invite @Quoth there.")
    return f"#{info.get('name')}"
