"""Who we are to Slack, and whether the app may do what it must: asked once, before anything is taken in."""

from __future__ import annotations

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.gateway import Gateway
from bot.slack.rules import Identity
from connectors.errors import Misconfigured, TryLater

log = structlog.get_logger()
NEEDED_SCOPES = frozenset(
    {"app_mentions:read", "channels:history", "chat:write", "commands", "groups:history", "im:history", "users:read"}
)
"""Without these no question arrives, nobody can be checked, and a lost reply cannot be told from a lost post."""
USEFUL_SCOPES = frozenset({"assistant:write", "channels:read", "groups:read"})


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
    data = getattr(error.response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    if code in {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "not_allowed_token_type",
    }:
        return Misconfigured(f"Slack does not take SLACK_BOT_TOKEN ({code}). Copy the bot token (xoxb-…) again.")
    return TryLater(f"Slack did not answer auth.test ({code or 'no reason given'}).")
