"""Slack over HTTP: nothing reaches Bolt that Slack did not sign, and nothing makes us stumble."""

from __future__ import annotations

import asyncio
import json
import re
from urllib.parse import parse_qsl

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

_LARGEST_BODY = 1_000_000
_BODY_SECONDS = 10
_TIMESTAMP = re.compile(r"\d{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class Receiver:
    """Answers 401 to whoever is not Slack, 413 to too much, 400 to nonsense, and else what Bolt says."""

    def __init__(self, app: AsyncApp, signing_secret: str) -> None:
        self._app = app
        self._verifier = SignatureVerifier(signing_secret)

    async def receive(self, request: Request) -> Response:
        """One delivery. A status of 500 or more means that nothing was kept."""
        body = await _body_of(request)
        if body is None:
            return _no(413, "the body is too large")
        if _is_certificate_check(body):
            return Response()
        if not self._is_signed(request, body):
            return _no(401, "the signature is missing, wrong or too old")
        if not _is_readable(request, body):
            return _no(400, "the body is not what its content type says")
        try:
            return to_starlette_response(await self._app.async_dispatch(to_async_bolt_request(request, body)))
        except (ValueError, TypeError, LookupError, AttributeError):
            # Of the body alone: what a listener raises never gets here.
            return _no(400, "the body is not one of Slack's")

    def _is_signed(self, request: Request, body: bytes) -> bool:
        """The shapes first, and text alone: the verifier stumbles over anything else."""
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        return _is_text(body) and self._verifier.is_valid(body, timestamp, signature)


async def _body_of(request: Request) -> bytes | None:
    """The body, or None as soon as there is too much of it."""
    received = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in request.stream():
                received += part
                if len(received) > _LARGEST_BODY:
                    return None
    except (ClientDisconnect, TimeoutError):
        return b""
    return bytes(received)


def _is_certificate_check(body: bytes) -> bool:
    """Slack's own look at our certificate; it is not signed and asks nothing."""
    return body.startswith(b"ssl_check=1") or body.endswith(b"&ssl_check=1")


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_readable(request: Request, body: bytes) -> bool:
    """Whether it says what Bolt will take it for: Bolt reads whatever begins with a brace as JSON."""
    text = body.decode("utf-8")
    is_json = text.startswith("{") or request.headers.get("content-type", "").startswith("application/json")
    payload = text if is_json else dict(parse_qsl(text, keep_blank_values=True)).get("payload")
    try:
        said = json.loads(payload) if payload is not None else {}
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(said.get("event", {}), dict)


def _no(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status)
