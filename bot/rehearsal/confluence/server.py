"""Serves a rehearsal site on 127.0.0.1 as Confluence Cloud does, with Basic auth and a log of what was asked."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from bot.rehearsal.confluence.asking import Refused, asked_of
from bot.rehearsal.confluence.faults import Faults, Reply, json_reply
from bot.rehearsal.confluence.site import Site
from bot.rehearsal.confluence.v1 import V1
from bot.rehearsal.confluence.v2 import V2

EMAIL = "quoth@rehearsal.example"
TOKEN = "rehearsal-token"  # noqa: S105  # It opens nothing but this server.


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that was served."""

    method: str
    target: str
    status: int

    @property
    def path(self) -> str:
        """Its path, without the query."""
        return urlsplit(self.target).path

    @property
    def asks_for_bodies(self) -> bool:
        """Whether it fetched pages' bodies."""
        return "body-format=" in self.target


class RehearsalConfluence:
    """A Confluence on a free port of 127.0.0.1: a context manager that serves ``site`` from threads.

    ``email`` and ``token`` are the credentials it takes; change ``token`` and the old one has expired.
    ``anonymous`` makes it treat everybody as a stranger, who sees nothing. ``most_results`` caps its pages of results.
    """

    def __init__(self, site: Site | None = None, *, most_results: int = 250) -> None:
        self.site = site or Site()
        self.faults = Faults()
        self.email = EMAIL
        self.token = TOKEN
        self.anonymous = False
        self.most_results = most_results
        self.requests: list[Seen] = []
        self._server = _Server(self)

    @property
    def url(self) -> str:
        """The base URL, which ends in ``/wiki``."""
        return f"http://127.0.0.1:{self._server.server_port}/wiki"

    @property
    def body_requests(self) -> int:
        """How many requests fetched bodies."""
        return sum(request.asks_for_bodies for request in self.requests)

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="rehearsal-confluence", daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()

    def answer(self, method: str, target: str, authorization: str, content: Any) -> Reply:
        """What it says to one request. Remembers that it was asked."""
        reply = self.faults.applied(target, lambda: self._reply(method, target, authorization, content))
        self.requests.append(Seen(method, target, reply.status))
        return reply

    def _reply(self, method: str, target: str, authorization: str, content: Any) -> Reply:
        if not self.anonymous and authorization != self._expected():
            # The words of the real one, which does not tell a wrong token from an expired one.
            return json_reply(
                401, {"message": "Client must be authenticated to access this resource.", "status-code": 401}
            )
        asked = asked_of(method, target, content)
        site = Site() if self.anonymous else self.site
        try:
            with self.site.lock:
                if asked.path.startswith("/api/v2/"):
                    return V2(site, self.url, self.most_results).answer(asked)
                return V1(site, self.url, self.anonymous).answer(asked)
        except Refused as refusal:
            return refusal.reply

    def _expected(self) -> str:
        return "Basic " + base64.b64encode(f"{self.email}:{self.token}".encode()).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, confluence: RehearsalConfluence) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.confluence = confluence
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the conversations that clients keep open."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client may hang up whenever it likes."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            content = json.loads(sent) if sent else None
        except ValueError:
            content = None
        reply = self.server.confluence.answer(self.command, self.path, self.headers.get("Authorization", ""), content)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:  # The name it has above.
        """Print nothing."""
