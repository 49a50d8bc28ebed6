"""One careful HTTP client for the APIs of sources: retries, time-outs, limits, and credentials that stay at home."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import structlog

from connectors.errors import CannotRead, Misconfigured, TryLater
from connectors.patience import Patience, WaitingRoom, wished_wait

_LIMITED = frozenset({429})
_DOWN = frozenset({408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_REPORTED = 500  # Characters of a refusal's body that a failure may need.

log = structlog.get_logger()


class ServerTrouble(TryLater):
    """The server itself failed, or answered with something that is no answer. A smaller request may succeed."""


class TooLarge(CannotRead):
    """The answer is larger than we are willing to hold. A smaller request may succeed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said, in full: either ``data``, or a status that is the caller's to judge."""

    status: int
    headers: Mapping[str, str]
    data: Any = field(default=None, repr=False)
    text: str = field(default="", repr=False)
    """The first words of a refusal. For judging, never for showing: it may hold anything."""

    @property
    def ok(self) -> bool:
        """Whether there is ``data``."""
        return 200 <= self.status < 300  # noqa: PLR2004  # The class of success.


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may cost: seconds without a byte, seconds in all, and bytes once unpacked."""

    connect_seconds: float = 10.0
    silence_seconds: float = 60.0
    total_seconds: float = 180.0
    size_bytes: int = 64 * 1024 * 1024


class JsonApi:
    """A JSON API below one base URL.

    Redirects are never followed, so the credentials reach the base URL's own scheme, host and port and nobody else.
    Proxies of the environment and a pace of so many requests a second are kept to, except on loopback; .netrc is not
    read.

    Raises:
        Misconfigured: The base URL is not https (http is for loopback), or carries credentials of its own.
    """

    def __init__(  # noqa: PLR0913  # Everything that differs between a test, a demo and a tenant.
        self,
        base_url: str,
        credentials: tuple[str, str] | None = None,
        *,
        patience: Patience | None = None,
        limits: Limits | None = None,
        requests_per_second: float | None = 8.0,
        stop: threading.Event | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._origin = httpx2.URL(self.base_url)
        self._auth = httpx2.BasicAuth(*credentials) if credentials else None
        self._limits = limits or Limits()
        at_home = is_loopback(self._origin.host)
        self._room = WaitingRoom(patience or Patience(), None if at_home else requests_per_second, stop)
        self._client = httpx2.Client(
            headers={"Accept": "application/json", "User-Agent": "Quoth"},
            timeout=httpx2.Timeout(self._limits.silence_seconds, connect=self._limits.connect_seconds),
            trust_env=not at_home,
            follow_redirects=False,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"JsonApi({self.base_url!r})"

    def start_run(self) -> None:
        """Begin a run: its budget for waiting is whole again."""
        self._room.start_run()

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, attempts: int | None = None) -> Answer:
        """The answer to a GET below the base URL, tried again while the server is down or asks us to wait.

        Raises:
            ServerTrouble: It failed each time, or its answers were no JSON objects.
            TryLater: It could not be reached, or wants us to wait longer than we are willing to.
            TooLarge: The answer is beyond our limit.
            Cancelled: The run was asked to stop.
        """
        return self._send(self._request("GET", path, params=dict(params or {})), attempts)

    def post(self, path: str, content: Mapping[str, Any]) -> Answer:
        """The answer to a POST that only reads, and may therefore be tried again as well."""
        return self._send(self._request("POST", path, json=dict(content)), None)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _request(self, method: str, path: str, **content: Any) -> httpx2.Request:
        request = self._client.build_request(method, self.base_url + path, **content)
        if _origin_of(request.url) != _origin_of(self._origin):
            raise Misconfigured(f"{self.base_url}: refuses to send a request to {request.url.host}.")
        return request

    def _send(self, request: httpx2.Request, attempts: int | None) -> Answer:
        most = self._room.patience.attempts
        for attempt in range(1, most + 1):
            self._room.take_turn()
            answer, trouble = self._judged(request)
            if trouble is None and answer is not None:
                return answer
            if attempt == most or (isinstance(trouble, ServerTrouble) and attempt >= (attempts or most)):
                break
            self._wait(attempt, answer)
        raise trouble or TryLater(f"{self.base_url} was not asked.")

    def _judged(self, request: httpx2.Request) -> tuple[Answer | None, TryLater | None]:
        try:
            answer = self._try(request)
        except TryLater as failure:
            return None, failure
        if answer.status in _LIMITED:
            limited = f"{self.base_url} limits how often we may ask (429). The next run goes on from here."
            return answer, TryLater(limited)
        if answer.status in _DOWN:
            return answer, ServerTrouble(f"{self.base_url} failed with status {answer.status}.")
        return answer, None

    def _try(self, request: httpx2.Request) -> Answer:
        started = time.monotonic()
        try:
            response = self._client.send(request, auth=self._auth, stream=True)
            try:
                body = self._read(response, started)
            finally:
                response.close()
        except httpx2.TimeoutException as error:
            raise TryLater(f"{self.base_url} did not answer in time ({type(error).__name__}).") from None
        except httpx2.DecodingError:
            raise ServerTrouble(f"{self.base_url} sent an answer that cannot be unpacked.") from None
        except httpx2.HTTPError as error:
            raise TryLater(
                f"{self.base_url} cannot be reached ({type(error).__name__}). Check the URL, the network and any proxy."
            ) from None
        return self._answer_of(response, body)

    def _read(self, response: httpx2.Response, started: float) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self._limits.size_bytes:
                raise TooLarge(f"{self.base_url} sent more than {self._limits.size_bytes} bytes in one answer.")
            if time.monotonic() - started > self._limits.total_seconds:
                raise TryLater(f"{self.base_url} took longer than {self._limits.total_seconds:.0f} s for one answer.")
        return bytes(body)

    def _answer_of(self, response: httpx2.Response, body: bytes) -> Answer:
        answer = Answer(response.status_code, response.headers, text=body[:_REPORTED].decode("utf-8", "replace"))
        if not answer.ok:
            return answer
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise ServerTrouble(f"{self.base_url} answered with {_kind_of(answer)} instead of JSON.") from None
        if not isinstance(data, dict):
            raise ServerTrouble(f"{self.base_url} answered with JSON that is not an object.")
        return Answer(answer.status, answer.headers, data)

    def _wait(self, attempt: int, answer: Answer | None) -> None:
        limited = answer is not None and answer.status in _LIMITED
        wish = wished_wait(answer.headers) if answer is not None and answer.status in {429, 503} else None
        patience = self._room.patience
        seconds = patience.backoff(attempt, limited=limited and wish is None)
        if wish is not None:
            seconds += max(wish, patience.shortest_wished_wait)
        log.info(
            "request.delayed", status=answer.status if answer else None, attempt=attempt, seconds=round(seconds, 2)
        )
        try:
            self._room.wait(seconds, everybody=limited)
        except TryLater as refusal:
            raise TryLater(f"{self.base_url} {refusal}") from None


def checked_base_url(text: str) -> str:
    """The base URL without a slash at its end.

    Raises:
        Misconfigured: It is no URL, not https (http is for loopback), or has credentials, a query or a fragment in it.
    """
    try:
        url = httpx2.URL(text.strip())
    except (httpx2.InvalidURL, TypeError):
        raise Misconfigured("The URL of the source is not a URL. Write it as https://host/path.") from None
    if not url.host or url.scheme not in {"https", "http"}:
        raise Misconfigured("The URL of the source must be written as https://host/path.")
    if url.userinfo:
        raise Misconfigured(f"Take the credentials out of the URL of {url.host}; name them under auth.")
    if url.query or url.fragment:
        raise Misconfigured(f"The URL of {url.host} must end before any ? or #.")
    if url.scheme == "http" and not is_loopback(url.host):
        raise Misconfigured(f"http://{url.host} would send the token unprotected. Write https://{url.host}.")
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _origin_of(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _kind_of(answer: Answer) -> str:
    if "html" in answer.headers.get("content-type", "") or answer.text.lstrip()[:1] == "<":
        return "a web page (a login page, or a proxy in between)"
    return "a broken or empty text"
