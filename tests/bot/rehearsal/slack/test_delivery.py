"""Slack asks again until it is acknowledged, says that it does, and gives up in the end."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from bot.rehearsal.slack import Pace, RehearsalSlack

QUICK = Pace(ack_seconds=0.1, retry_seconds=(0.0, 0.05, 0.1))
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Inbox:
    """An app that keeps what it gets and answers as told."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self._answers = list(answers)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await (self._answers.pop(0) if self._answers else yes)(request)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/slack/events", self.take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        await runner.cleanup()


async def yes(_: web.Request) -> web.Response:
    return web.Response()


async def broken(_: web.Request) -> web.Response:
    return web.Response(status=500)


async def broken_for_good(_: web.Request) -> web.Response:
    return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})


async def asleep(_: web.Request) -> web.Response:
    await asyncio.sleep(QUICK.ack_seconds * 3)
    return web.Response()


async def delivered_to(inbox: Inbox) -> RehearsalSlack:
    async with inbox.open() as url, RehearsalSlack(pace=QUICK) as slack:
        await slack.deliver_to(url, verify=False)
        asker = slack.add_user("Asker")
        await slack.say(slack.add_channel("engineering"), asker, "hi")
        await slack.settle()
    return slack


async def test_every_request_is_signed_over_its_raw_body() -> None:
    inbox = Inbox()
    slack = await delivered_to(inbox)
    headers = inbox.requests[0].headers
    signed = f"v0:{headers['X-Slack-Request-Timestamp']}:{inbox.bodies[0].decode()}"
    expected = hmac.new(slack.signing_secret.encode(), signed.encode(), sha256).hexdigest()
    assert headers["X-Slack-Signature"] == f"v0={expected}"


async def test_an_event_that_fails_comes_again_three_times_with_its_reason() -> None:
    inbox = Inbox(broken, asleep, broken, broken)
    slack = await delivered_to(inbox)
    nums = [request.headers.get("X-Slack-Retry-Num") for request in inbox.requests]
    reasons = [request.headers.get("X-Slack-Retry-Reason") for request in inbox.requests]
    assert nums == [None, "1", "2", "3"]
    assert reasons == [None, "http_error", "http_timeout", "http_error"]
    assert len({json.loads(body)["event_id"] for body in inbox.bodies}) == 1
    assert not slack.deliveries[0].is_acknowledged


def test_slacks_own_times_can_be_compressed() -> None:
    assert (Pace().ack_seconds, Pace().retry_seconds) == (3.0, (0.0, 60.0, 300.0))
    assert Pace().compressed(60).retry_seconds == (0.0, 1.0, 5.0)


async def test_an_app_can_ask_not_to_be_asked_again() -> None:
    inbox = Inbox(broken_for_good)
    await delivered_to(inbox)
    assert len(inbox.requests) == 1


async def test_a_command_is_a_form_and_is_never_sent_again() -> None:
    inbox = Inbox(broken)
    async with inbox.open() as url, RehearsalSlack(pace=QUICK) as slack:
        await slack.deliver_to(url, verify=False)
        asker = slack.add_user("Asker")
        run = await slack.slash_command(slack.add_channel("engineering"), asker, "/quoth", "status & more")
    form = parse_qs(inbox.bodies[0].decode())
    assert (form["command"], form["text"], form["response_url"]) == (["/quoth"], ["status & more"], [run.url])
    assert len(inbox.requests) == 1
    assert not await run.acknowledged()


async def test_a_request_url_must_return_the_challenge() -> None:
    async with Inbox().open() as url, RehearsalSlack() as slack:
        with pytest.raises(ValueError, match="challenge"):
            await slack.deliver_to(url)


class Socket:
    """An app on Socket Mode that acknowledges only when told to."""

    def __init__(self, slack: RehearsalSlack) -> None:
        self.slack = slack
        self.session = aiohttp.ClientSession()

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        headers = {"Authorization": f"Bearer {self.slack.app_token}"}
        async with self.session.post(self.slack.api_url + "apps.connections.open", headers=headers) as opened:
            url = (await opened.json())["url"]
        return await self.session.ws_connect(url)


@asynccontextmanager
async def socket_of(slack: RehearsalSlack) -> AsyncIterator[Socket]:
    socket = Socket(slack)
    yield socket
    await socket.session.close()


async def test_a_socket_greets_and_repeats_what_is_not_acknowledged() -> None:
    async with RehearsalSlack(pace=QUICK) as slack, socket_of(slack) as app:
        asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
        connection = await app.connect()
        hello = await connection.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)

        await slack.say(channel, asker, "hi")
        first, second = await connection.receive_json(), await connection.receive_json()
        await connection.send_json({"envelope_id": second["envelope_id"]})
        await slack.settle()

    assert (first["retry_attempt"], second["retry_attempt"], second["retry_reason"]) == (0, 1, "timeout")
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert [attempt.reason for attempt in slack.deliveries[0].attempts] == ["timeout", ""]


async def test_a_lost_acknowledgement_brings_the_event_again() -> None:
    async with RehearsalSlack(pace=QUICK) as slack, socket_of(slack) as app:
        asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
        connection = await app.connect()
        await connection.receive_json()
        slack.sockets.lose_acks = 1
        await slack.say(channel, asker, "hi")
        for _ in range(2):
            await connection.send_json({"envelope_id": (await connection.receive_json())["envelope_id"]})
        await slack.settle()
    assert [attempt.reason for attempt in slack.deliveries[0].attempts] == ["timeout", ""]


async def test_envelopes_go_round_the_connections() -> None:
    async with RehearsalSlack(pace=QUICK) as slack, socket_of(slack) as app:
        asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
        connections = [await app.connect() for _ in range(2)]
        for connection in connections:
            await connection.receive_json()
        await slack.connected(2)
        for text in ("one", "two"):
            await slack.say(channel, asker, text)
        texts = [(await connection.receive_json())["payload"]["event"]["text"] for connection in connections]
    assert sorted(texts) == ["one", "two"]


async def test_a_ticket_lets_one_connection_in() -> None:
    async with RehearsalSlack() as slack, socket_of(slack) as app:
        url = f"{slack.stage.websocket_url}?ticket={slack.sockets.ticket()}"
        async with app.session.ws_connect(url):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await app.session.ws_connect(url)


async def test_an_app_is_asked_to_refresh_and_may_be_cut_off() -> None:
    async with RehearsalSlack() as slack, socket_of(slack) as app:
        connection = await app.connect()
        await connection.receive_json()
        await slack.sockets.refresh()
        assert await connection.receive_json() == {
            "type": "disconnect",
            "reason": "refresh_requested",
            "debug_info": {},
        }
        another = await app.connect()
        await another.receive_json()
        await slack.sockets.drop()
        assert (await another.receive()).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        assert slack.sockets.connections == 0


async def test_events_without_a_connection_wait_for_one() -> None:
    async with RehearsalSlack(pace=Pace(retry_seconds=(0.0, 0.3, 1.0))) as slack, socket_of(slack) as app:
        asker, channel = slack.add_user("Asker"), slack.add_channel("engineering")
        await slack.say(channel, asker, "hi")
        connection = await app.connect()
        await connection.receive_json()
        assert (await connection.receive_json())["retry_reason"] == "connection_failed"
