"""Delivery over Socket Mode: tickets, hello, envelopes, acknowledgements, refreshes."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from bot.rehearsal.slack.delivery import Attempt, Delivery
from bot.rehearsal.slack.workspace import Json

RETRY_REASON = "timeout"


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """One open connection, and what is under it."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None


class SocketMode:
    """The connections that an app holds open. Envelopes go round them in turn."""

    def __init__(self, app_id: str, ack_seconds: float) -> None:
        self.lose_acks = 0
        """So many of the next acknowledgements are lost on the way."""
        self._app_id = app_id
        self._ack_seconds = ack_seconds
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._changed = asyncio.Condition()
        self._waiting: dict[str, asyncio.Future[object]] = {}
        self._turn = itertools.count()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def ticket(self) -> str:
        """What lets one connection in, once."""
        ticket = secrets.token_hex(12)
        self._tickets.add(ticket)
        return ticket

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Hold a connection open until either side ends it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=404, text="link_disabled")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(self._hello())
        connection = Connection(socket, request.transport)
        await self._remember(self._connections.append, connection)
        try:
            await self._listen(socket)
        finally:
            if connection in self._connections:
                await self._remember(self._connections.remove, connection)
        return socket

    async def connected(self, count: int, timeout_seconds: float) -> None:
        """Wait until so many connections are open. Raises TimeoutError."""
        async with asyncio.timeout(timeout_seconds), self._changed:
            await self._changed.wait_for(lambda: self.connections >= count)

    async def refresh(self) -> None:
        """Ask every connection to make way for a new one, then close it, as Slack does every hour or so."""
        for connection in list(self._connections):
            await self._remember(self._connections.remove, connection)
            await connection.socket.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})

    async def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self._connections):
            await self._remember(self._connections.remove, connection)
            if connection.transport is not None:
                connection.transport.abort()

    async def close(self) -> None:
        """End every connection."""
        await asyncio.gather(*(connection.socket.close() for connection in list(self._connections)))

    async def attempt(self, delivery: Delivery, number: int, reason: str) -> Attempt:
        """One envelope on the next connection, and its acknowledgement."""
        if not self._connections:
            return Attempt(0.0, "connection_failed")
        socket = self._connections[next(self._turn) % self.connections].socket
        envelope = _envelope(delivery, number, reason)
        acknowledged: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = acknowledged
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._ack_seconds):
                await socket.send_json(envelope)
                response = await acknowledged
        except TimeoutError:
            return Attempt(time.monotonic() - started, RETRY_REASON)
        except ConnectionError:
            return Attempt(time.monotonic() - started, "connection_failed")
        finally:
            del self._waiting[envelope["envelope_id"]]
        return Attempt(time.monotonic() - started, "", response)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.connections + 1,
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "rehearsal", "approximate_connection_time": 3600},
        }

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for frame in socket:
            if frame.type == WSMsgType.TEXT:
                self._hear(frame.data)

    def _hear(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(str(ack.get("envelope_id", "")))
        if waiting is None or waiting.done():
            return
        if self.lose_acks > 0:
            self.lose_acks -= 1
        else:
            waiting.set_result(ack.get("payload") or None)

    async def _remember(self, change: Callable[[Connection], None], connection: Connection) -> None:
        async with self._changed:
            change(connection)
            self._changed.notify_all()


def _envelope(delivery: Delivery, number: int, reason: str) -> Json:
    envelope: Json = {
        "envelope_id": f"{secrets.token_hex(4)}-{secrets.token_hex(6)}",
        "type": delivery.kind,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.kind != "events_api",
    }
    if delivery.kind == "events_api":
        envelope |= {"retry_attempt": number, "retry_reason": reason}
    return envelope
