"""Who we are to Slack, and whether the app may do what it must: asked once, before anything is taken in."""

from __future__ import annotations

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.gateway import Gateway
from bot.slack.rules import Identity
from connectors.errors import Misconfigured, TryLater

log = structlog.get_logger()
NEEDED_SCOPES = frozenset(
    {"app_mentions:read", "channels:history", "chat:write", "commands", "groups:history", "im:history", "users:read"}
)
"""Without these no question arrives, nobody can be checked, and a lost reply cannot be told from a lost post."""
USEFUL_SCOPES = frozenset({"assistant:write", "channels:read", "groups:read"})
_TOKEN_REFUSED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type",
     "missing_scope", "no_permission"}
)  # fmt: skip


async def identify(gateway: Gateway) -> Identity:
    """Ask Slack who this token is.

    Raises:
        Misconfigured: The token is wrong, or lacks a scope, which is named.
        TryLater: Slack cannot be asked.
    """
    try:
        reply = await gateway.client.auth_test()
    except SlackApiError as error:
        raise _refused(error) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise TryLater(f"Slack cannot be reached ({type(error).__name__}). Is SLACK_API_URL right?") from None
    check_scopes(reply.headers.get("x-oauth-scopes") or reply.headers.get("X-OAuth-Scopes"))
    identity = Identity(str(reply["team_id"]), str(reply["user_id"]), str(reply.get("bot_id") or ""))
    log.info("slack.identified", team=identity.team, bot_user=identity.bot_user)
    return identity


async def socket_address(client: AsyncWebClient, app_token: str) -> str:
    """Where Socket Mode can be opened now.

    Raises:
        Misconfigured: The app token is wrong or lacks its scope.
        TryLater: Slack cannot be asked.
    """
    try:
        return str((await client.apps_connections_open(app_token=app_token))["url"])
    except SlackApiError as error:
        code = _code_of(error)
        if code not in _TOKEN_REFUSED:
            raise TryLater(f"Slack did not open Socket Mode ({code or 'no reason given'}). Try again.") from None
        raise Misconfigured(
            f"Slack does not take SLACK_APP_TOKEN ({code}). "
            "It is the app-level token (xapp-…) with the scope connections:write."
        ) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise TryLater(f"Slack cannot be reached ({type(error).__name__}). Is SLACK_API_URL right?") from None


def check_scopes(header: str | None) -> None:
    """Compare what the token may do with what we do.

    Raises:
        Misconfigured: A scope is missing that nothing works without.
    """
    if header is None:
        log.warning("scopes.unknown", reason="Slack did not say which scopes the token has")
        return
    granted = {scope.strip() for scope in header.split(",")}
    if missing := sorted(NEEDED_SCOPES - granted):
        raise Misconfigured(
            f"The Slack token lacks {', '.join(missing)}. Add it under OAuth & Permissions and install the app again."
        )
    if missing := sorted(USEFUL_SCOPES - granted):
        log.warning("scopes.missing", scopes=missing)


def _refused(error: SlackApiError) -> Exception:
    code = _code_of(error)
    if code in _TOKEN_REFUSED:
        return Misconfigured(f"Slack does not take SLACK_BOT_TOKEN ({code}). Copy the bot token (xoxb-…) again.")
    return TryLater(f"Slack did not answer auth.test ({code or 'no reason given'}).")


def _code_of(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""
