"""What a refusal of Confluence means, and what a person should do about it (specs: the error table)."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import CannotRead, Misconfigured, QuothError, TryLater
from connectors.http import Answer, TooLarge

TOKENS = "https://id.atlassian.com/manage-profile/security/api-tokens"


class Forbidden(Misconfigured):
    """The account may not see this one thing. Others it may."""


class NotThere(CannotRead):
    """This one thing does not exist, or is hidden from the account."""


class BadCursor(TryLater):
    """The place in a listing is no longer known. The listing can be started again."""


class BadRequest(Misconfigured):
    """This one request is not understood. Others are."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request is for, in words, and the scope that a scoped token needs for it."""

    purpose: str
    scope: str


def failure_of(answer: Answer, operation: Operation, site: str) -> QuothError:
    """The failure that an answer without data stands for."""
    if 300 <= answer.status < 400:  # noqa: PLR2004  # The class of redirects.
        return _redirect(answer, site)
    says = f"{site}, asked to {operation.purpose},"
    if answer.status == 401:  # noqa: PLR2004  # Unauthorized.
        return _unauthorized(answer, operation, site)
    if answer.status == 400 and "cursor" in answer.text:  # noqa: PLR2004  # Bad request.
        return BadCursor(f"{says} does not know the place in the listing any more.")
    known: dict[int, QuothError] = {
        400: BadRequest(f"{says} did not understand the request (400)."),
        403: Forbidden(
            f"{says} says that the account may not (403). Give the account that owns the token permission to view it."
        ),
        404: NotThere(f"{says} does not have it, or hides it from the account (404)."),
        410: Misconfigured(f"{says} says that this part of its API was removed (410). A newer Quoth may be needed."),
        413: TooLarge(f"{says} says that this is too large (413)."),
    }
    return known.get(answer.status) or TryLater(f"{says} answered with status {answer.status}.")


def at_the_root(failure: CannotRead, site: str) -> QuothError:
    """What it means that a thing cannot be read that every Confluence Cloud has."""
    if isinstance(failure, NotThere):
        return Misconfigured(
            f"{site} has no Confluence Cloud API (404). Set the source's url to https://YOUR-SITE.atlassian.net/wiki."
        )
    return TryLater(str(failure))


def anonymous(site: str) -> Misconfigured:
    """The server treats us as a stranger, to whom everything would look deleted."""
    return Misconfigured(
        f"{site} treats us as an anonymous visitor. The token was not accepted: create a new one at {TOKENS}"
        " and check the e-mail address of its account."
    )


def _unauthorized(answer: Answer, operation: Operation, site: str) -> Misconfigured:
    if "scope" in answer.text.lower() or "SCOPE" in answer.headers.get("x-failure-category", ""):
        return Misconfigured(
            f"{site}: the API token lacks the scope {operation.scope}, needed to {operation.purpose}."
            f" Create a token with this scope at {TOKENS}."
        )
    return Misconfigured(
        f"{site} rejects the e-mail address or the API token (401); a token expires after a year at most."
        f" Create a new one at {TOKENS} and check that the e-mail address is that of its account."
    )


def _redirect(answer: Answer, site: str) -> Misconfigured:
    target = answer.headers.get("location", "").lower()
    if any(word in target for word in ("login", "signin", "sso", "saml", "auth")):
        return Misconfigured(
            f"{site} sends us to a login page: the e-mail address or the API token is not accepted there."
            f" Create a token at {TOKENS} and allow API tokens for its account."
        )
    return Misconfigured(
        f"{site} redirects to another address, which we do not follow with credentials."
        " Set the source's url to the address that people end up at."
    )
