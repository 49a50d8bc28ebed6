"""The few addresses that Quoth answers itself: Slack's deliveries, its health, its figures."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.errors import Misconfigured

Check = Callable[[], Awaitable[str | None]]
"""Why something is not ready, in a sentence; None when it is."""
Receive = Callable[[Request], Awaitable[Response]]
_CHECK_SECONDS = 3.0
_LARGEST_HEADERS = 32_768
_IDLE_SECONDS = 20
_DRAIN_SECONDS = 5
_MOST_CONNECTIONS = 1_000


def web_app(slack_events: Receive, checks: Mapping[str, Check]) -> Starlette:
    """The routes. ``/healthz`` says that the process lives, ``/readyz`` that questions can be answered."""

    async def readyz(_: Request) -> Response:
        found = await asyncio.gather(*(_reason(check) for check in checks.values()))
        reasons = {name: reason for name, reason in zip(checks, found, strict=True) if reason is not None}
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    return Starlette(
        routes=[
            Route("/slack/events", slack_events, methods=["POST"]),
            Route("/healthz", _healthz),
            Route("/readyz", readyz),
            Route("/metrics", _metrics),
        ]
    )


class WebServer:
    """Serves the routes on one address until it is stopped. It takes no signals: that is the caller's trade."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        """Binds at once, so that ``port`` is known before anything is served; 0 chooses a free one.

        Raises:
            Misconfigured: The address is taken or not ours.
        """
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", server_header=False,
            timeout_keep_alive=_IDLE_SECONDS, timeout_graceful_shutdown=_DRAIN_SECONDS,
            h11_max_incomplete_event_size=_LARGEST_HEADERS, limit_concurrency=_MOST_CONNECTIONS,
        )  # fmt: skip
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve from now on."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="web")
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Take no more requests, finish those under way, and let go of the address."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would end this process before its questions are parked."""
        yield


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Misconfigured(
            f"{host}:{port} cannot be listened on ({error.strerror}). Choose another web.port."
        ) from None
    return listener


async def _reason(check: Check) -> str | None:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"did not answer within {_CHECK_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001  # A check that fails is an answer, too.
        return type(error).__name__


async def _healthz(_: Request) -> Response:
    return JSONResponse({"alive": True})


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
