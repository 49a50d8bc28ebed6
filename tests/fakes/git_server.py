"""Repositories over smart HTTP on this machine, by `git http-backend`, with a token and with faults on demand."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self


class GitServer:
    """Serves the repositories in a folder at ``.url``. Every request's Authorization header is kept in ``seen``.

    ``token`` is asked for when set; ``fault`` is a status that every request gets; ``hold`` keeps requests waiting
    until it is set.
    """

    def __init__(self, folder: Path, token: str | None = None) -> None:
        self.folder = folder
        self.token = token
        self.fault: int | None = None
        self.redirect: str | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.seen: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                server.answer(self)

            do_POST = do_GET  # noqa: N815  # the same

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.seen.append(request.headers.get("Authorization"))
        self.hold.wait(30)
        if self.redirect is not None:
            request.send_response(301)
            request.send_header("Location", self.redirect + request.path)
            request.end_headers()
        elif self.fault is not None:
            request.send_error(self.fault)
        elif self.token is not None and not self._is_let_in(request):
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.end_headers()
        else:
            self._serve(request)

    def _is_let_in(self, request: BaseHTTPRequestHandler) -> bool:
        kind, _, credentials = (request.headers.get("Authorization") or "").partition(" ")
        return kind == "Basic" and base64.b64decode(credentials).decode().partition(":")[2] == self.token

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        path, _, query = request.path.partition("?")
        length = int(request.headers.get("Content-Length") or 0)
        environment = {
            "PATH": os.defpath,
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol") or "",
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding") or "",
            "REQUEST_METHOD": request.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(length),
            "REMOTE_ADDR": "127.0.0.1",
        }
        body = request.rfile.read(length)
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.decode().split(": ", 1) for line in head.split(b"\r\n") if b": " in line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        request.send_response(status)
        for name, value in headers:
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)
