"""Delivery over HTTP: signed as Slack signs, acknowledged by a 200 in time."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp

from bot.rehearsal.slack.delivery import Attempt, Delivery
from bot.rehearsal.slack.payloads import VERIFICATION_TOKEN, form_of
from bot.rehearsal.slack.workspace import Json

FORM = "application/x-www-form-urlencoded"


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """``v0=`` and the HMAC-SHA256 of version, time and raw body (docs.slack.dev: verifying requests from Slack)."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class SignedHttp:
    """Posts to one request URL."""

    def __init__(self, url: str, secret: str, ack_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self.url = url
        self._secret = secret
        self._clock = clock
        timeout = aiohttp.ClientTimeout(total=ack_seconds)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()

    async def verify(self) -> None:
        """Slack's check of a new request URL. Raises ValueError when the app does not return the challenge."""
        challenge = {"type": "url_verification", "token": VERIFICATION_TOKEN, "challenge": "rehearsal-challenge"}
        body = json.dumps(challenge).encode()
        async with self._session.post(self.url, data=body, headers=self._headers(body, "application/json")) as response:
            if response.status != 200 or challenge["challenge"] not in await response.text():  # noqa: PLR2004  # HTTP's word for yes.
                raise ValueError(f"{self.url} did not answer Slack's challenge: status {response.status}")

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Attempt:
        """One signed POST."""
        body, content_type = _body_of(delivery)
        headers = self._headers(body, content_type)
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        started = time.monotonic()
        failure, response, final = "", None, False
        try:
            async with self._session.post(self.url, data=body, headers=headers, max_redirects=2) as reply:
                failure = "" if reply.ok else "http_error"
                final = "X-Slack-No-Retry" in reply.headers
                response = _parsed(await reply.text())
        except TimeoutError:
            failure = "http_timeout"
        except aiohttp.TooManyRedirects:
            failure = "too_many_redirects"
        except aiohttp.ClientError:
            failure = "connection_failed"
        return Attempt(time.monotonic() - started, failure, response, final)

    def _headers(self, body: bytes, content_type: str) -> dict[str, str]:
        timestamp = str(int(self._clock()))
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature_of(self._secret, timestamp, body),
        }


def _body_of(delivery: Delivery) -> tuple[bytes, str]:
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload).encode(), "application/json"
    return urlencode(form_of(delivery.kind, delivery.payload)).encode(), FORM


def _parsed(text: str) -> Json | str | None:
    try:
        parsed: Json | str = json.loads(text) if text else ""
    except ValueError:
        parsed = text
    return parsed or None
