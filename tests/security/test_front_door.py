"""Requests that Slack did not make: each is refused, none stumbles us, none reaches a listener."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import httpx2
import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.slack.receive import Receiver
from bot.web import web_app

SECRET = "signing-secret"
EVENT = json.dumps({"type": "event_callback", "event": {"type": "app_mention", "text": "CANARY"}}).encode()
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Recording(AsyncApp):
    """Bolt, with a list of what got through to it."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-none", signing_secret=SECRET, request_verification_enabled=False)
        self.taken: list[AsyncBoltRequest] = []

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        self.taken.append(req)
        return BoltResponse(status=200, body="")


@pytest.fixture
def bolt() -> Recording:
    return Recording()


def signed(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    mark = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mark}"}


async def answer(bolt: Recording, body: bytes, headers: dict[str, str], kind: str = JSON, method: str = "POST") -> int:
    transport = httpx2.ASGITransport(app=web_app(Receiver(bolt, SECRET).receive, {}), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
        raw = {name.encode(): value.encode() for name, value in {**headers, "content-type": kind}.items()}
        response = await client.request(method, "/slack/events", content=body, headers=raw)
    assert b"CANARY" not in response.content
    return response.status_code


def wrongly_signed() -> list[dict[str, str]]:
    right, now = signed(EVENT), time.time()
    stamps = ("abc", "", "1" * 5_000, "-5", "1e9", "١٢٣", " 12 ", "0")
    marks = ("", "v0=", "v0=" + "0" * 64, right["x-slack-signature"].upper(), "v0=é" + "0" * 63, "v1" + "0" * 64)
    return [
        {},
        *({**right, "x-slack-request-timestamp": stamp} for stamp in stamps),
        *({**right, "x-slack-signature": mark} for mark in marks),
        *({name: value} for name, value in right.items()),
        *(signed(EVENT, at) for at in (now - 301, now + 330, 0)),
        *(signed(EVENT, secret=secret) for secret in ("", "another")),
    ]


async def test_what_is_not_signed_or_not_now_is_refused(bolt: Recording) -> None:
    for headers in wrongly_signed():
        for kind in (JSON, FORM, ""):
            assert await answer(bolt, EVENT, headers, kind) == 401, headers
    assert bolt.taken == []


@pytest.mark.parametrize("body", [b"\xff\xfe", EVENT[:-5] + b"\xb0" + EVENT[-4:], b"\x80" * 100])
async def test_a_body_that_is_no_text_is_refused_whatever_it_is_signed_with(bolt: Recording, body: bytes) -> None:
    for headers in (signed(EVENT), signed(body), {**signed(body), "x-slack-signature": "v0=" + "a" * 64}):
        assert await answer(bolt, body, headers) == 401
    assert bolt.taken == []


@pytest.mark.parametrize(
    "body",
    [
        b"{", b'{"event": null}', b'{"type": "event_callback", "event": []}', b"payload=", b"payload=null",
        b"payload=[]", b"payload=%7B", b'{"a":' * 50_000, b'{"n": ' + b"1" * 6_000 + b"}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [JSON, FORM, "", "text/plain", "application/json; charset=utf-16"])
async def test_signed_nonsense_is_a_bad_request(bolt: Recording, body: bytes, kind: str) -> None:
    assert await answer(bolt, body, signed(body), kind) == 400
    assert bolt.taken == []


async def test_what_bolt_stumbles_over_is_a_bad_request() -> None:
    class Stumbling(Recording):
        async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
            raise IndexError(req.body["actions"])  # What it does with a press of no button.

    body = b"payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%5D%7D"
    assert await answer(Stumbling(), body, signed(body), FORM) == 400


async def test_too_much_and_the_wrong_method_are_refused_and_the_right_thing_is_taken(bolt: Recording) -> None:
    much = b"x" * 1_100_000
    assert await answer(bolt, much, signed(much)) == 413
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert await answer(bolt, EVENT, signed(EVENT), method=method) == 405
    assert bolt.taken == []
    assert await answer(bolt, EVENT, signed(EVENT)) == 200
    assert len(bolt.taken) == 1
