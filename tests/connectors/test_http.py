"""The HTTP client keeps its manners and its secrets, whatever the weather."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from connectors.errors import Cancelled, Misconfigured, TryLater
from connectors.http import Answer, JsonApi, Limits, ServerTrouble, TooLarge, checked_base_url
from connectors.patience import Patience, WaitingRoom, wished_wait

AT_ONCE = Patience(first_wait=0, first_wait_when_limited=0, shortest_wished_wait=0, longest_wait=2, budget=5)


def api_of(*replies: httpx2.Response | Exception, patience: Patience = AT_ONCE, **more: object) -> JsonApi:
    """An API that gives these replies one after the other, and the last one for ever."""
    waiting = list(replies)

    def reply(request: httpx2.Request) -> httpx2.Response:
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    transport = httpx2.MockTransport(reply)
    more = {"requests_per_second": None, **more}
    return JsonApi("https://wiki.example/wiki", ("me", "secret"), patience=patience, transport=transport, **more)  # type: ignore[arg-type]  # Passed on.


def asked(url: str, credentials: tuple[str, str] | None = None, **more: Any) -> Answer:
    """What a real socket answers. Leaves no connection open."""
    with closing(JsonApi(url, credentials, **more)) as api:
        return api.get("/x")


def good(**content: object) -> httpx2.Response:
    return httpx2.Response(200, json=content or {"fine": True})


@contextmanager
def listener(reply: bytes, *, slowly: float = 0) -> Iterator[tuple[str, list[bytes]]]:
    """A socket that answers every request with the same bytes and remembers what it received."""
    received: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                received.append(connection.recv(65536))
                for piece in [reply[n : n + 1] for n in range(len(reply))] if slowly else [reply]:
                    try:
                        connection.sendall(piece)
                    except OSError:
                        break
                    time.sleep(slowly)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", received
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.Response(429),
        httpx2.Response(429, headers={"Retry-After": "0"}),
        httpx2.Response(408),
        httpx2.Response(500),
        httpx2.Response(502, text="<html>Bad gateway</html>"),
        httpx2.Response(503, headers={"Retry-After": "0"}),
        httpx2.Response(504),
        httpx2.Response(200, text='{"results": ['),
        httpx2.Response(200, text=""),
        httpx2.Response(200, text="[1, 2]"),
        httpx2.Response(200, text="[" * 100_000),
        httpx2.Response(200, html="<html>Log in</html>"),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut off"),
    ],
)
def test_passing_trouble_is_sat_out(trouble: httpx2.Response | Exception) -> None:
    assert api_of(trouble, trouble, good()).get("/x").data == {"fine": True}


@pytest.mark.parametrize("status", [500, 503])
def test_lasting_trouble_ends_after_six_tries(status: int) -> None:
    asked = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(status)

    api = JsonApi("https://wiki.example/wiki", patience=AT_ONCE, transport=httpx2.MockTransport(reply))
    with pytest.raises(ServerTrouble, match=str(status)):
        api.get("/x")
    assert len(asked) == 6


def test_fewer_tries_for_a_failing_server_are_not_fewer_for_a_busy_one() -> None:
    busy = httpx2.Response(429)
    assert api_of(busy, busy, busy, good()).get("/x", attempts=2).ok
    with pytest.raises(ServerTrouble):
        api_of(httpx2.Response(500), httpx2.Response(500), good()).get("/x", attempts=2)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 410, 413])
def test_a_refusal_is_not_tried_again_and_is_the_callers_to_judge(status: int) -> None:
    answer = api_of(httpx2.Response(status, text="no"), good()).get("/x")
    assert (answer.status, answer.ok, answer.data) == (status, False, None)


def test_a_wait_that_is_wished_for_is_kept() -> None:
    started = time.monotonic()
    api_of(httpx2.Response(429, headers={"Retry-After": "1"}), good()).get("/x")
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("value", ["3600", "1e9", format_datetime(datetime.now(UTC) + timedelta(hours=3))])
def test_a_wish_beyond_our_patience_ends_the_run_instead_of_being_cut_short(value: str) -> None:
    with pytest.raises(TryLater, match="asks us to wait"):
        api_of(httpx2.Response(429, headers={"Retry-After": value}), good()).get("/x")


def test_waiting_has_a_budget_that_each_run_has_anew() -> None:
    patience = Patience(first_wait=0, first_wait_when_limited=0, shortest_wished_wait=0.2, longest_wait=2, budget=0.3)
    busy = httpx2.Response(429, headers={"Retry-After": "0"})
    api = api_of(busy, good(), busy, good(), busy, good(), patience=patience)
    api.get("/x")
    with pytest.raises(TryLater, match="in one run"):
        api.get("/x")
    api.start_run()
    assert api.get("/x").ok


def in_ninety_seconds() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("header", "value_of", "seconds"),
    [
        ("Retry-After", lambda: "7", 7),
        ("Retry-After", lambda: "-5", 0),
        ("Retry-After", lambda: "Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Retry-After", lambda: format_datetime(in_ninety_seconds(), usegmt=True), 90),
        ("X-RateLimit-Reset", lambda: "40", 40),
        ("X-RateLimit-Reset", lambda: in_ninety_seconds().isoformat(), 90),
        ("X-RateLimit-Reset", lambda: str(in_ninety_seconds().timestamp()), 90),
    ],
)
def test_every_way_to_ask_for_a_wait_is_understood(header: str, value_of: Callable[[], str], seconds: float) -> None:
    assert wished_wait(httpx2.Headers({header: value_of()})) == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "NaN"}, {"Retry-After": "soon"}, {"X-RateLimit-Reset": ""}])
def test_a_wish_that_cannot_be_read_is_none(headers: dict[str, str]) -> None:
    assert wished_wait(httpx2.Headers(headers)) is None


def test_of_two_wishes_the_longer_one_counts() -> None:
    assert wished_wait(httpx2.Headers({"Retry-After": "3", "X-RateLimit-Reset": "40"})) == 40


def test_a_wait_ends_at_once_when_the_run_is_stopped() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    started = time.monotonic()
    patience = Patience(longest_wait=60, budget=60)
    api = api_of(httpx2.Response(429, headers={"Retry-After": "30"}), patience=patience, stop=stop)
    with pytest.raises(Cancelled):
        api.get("/x")
    assert time.monotonic() - started < 5


def test_requests_keep_their_distance() -> None:
    room = WaitingRoom(AT_ONCE, 50, None)
    started = time.monotonic()
    for _ in range(6):
        room.take_turn()
    assert time.monotonic() - started >= 5 / 50


def test_backoff_grows_and_stays_below_its_cap() -> None:
    patience = Patience()
    assert all(patience.backoff(1, limited=False) <= 0.5 for _ in range(50))
    assert max(patience.backoff(30, limited=True) for _ in range(50)) <= patience.longest_backoff


def test_an_answer_beyond_the_limit_is_not_held() -> None:
    with pytest.raises(TooLarge):
        api_of(good(text="x" * 2000), limits=Limits(size_bytes=1000)).get("/x")


def test_a_small_answer_that_unpacks_to_a_large_one_is_not_held() -> None:
    bomb = gzip.compress(json.dumps({"text": "x" * 5_000_000}).encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with listener(head + bomb) as (url, _), pytest.raises(TooLarge):
        asked(url, patience=AT_ONCE, limits=Limits(size_bytes=1_000_000))


def test_an_answer_that_drips_is_given_up() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500
    patience = Patience(attempts=1)
    limits = Limits(silence_seconds=5, total_seconds=0.3)
    with listener(reply, slowly=0.005) as (url, _), pytest.raises(TryLater, match="longer than"):
        asked(url, patience=patience, limits=limits)


def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    reply = b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"results": []}'
    with listener(reply) as (url, _), pytest.raises(TryLater):
        asked(url, patience=Patience(attempts=1))


@pytest.mark.parametrize("kind", ["host", "port", "scheme", "userinfo"])
def test_a_redirect_takes_no_credentials_anywhere(kind: str) -> None:
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (other, received):
        port = other.rpartition(":")[2]
        targets = {
            "host": f"http://localhost:{port}/x",
            "port": f"{other}/x",
            "scheme": f"https://127.0.0.1:{port}/x",
            "userinfo": f"http://me@127.0.0.1:{port}/x",
        }
        redirect = f"HTTP/1.1 302 Found\r\nLocation: {targets[kind]}\r\nContent-Length: 0\r\n\r\n".encode()
        with listener(redirect) as (url, requests):
            assert asked(url, ("me", "secret"), patience=AT_ONCE).status == 302
            assert b"Authorization: Basic" in requests[0]
    assert received == []


@pytest.mark.parametrize("path", ["@evil.example/x", ".evil.example/x", ":9/x"])
def test_no_path_leads_to_another_host(path: str) -> None:
    sent = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return good()

    api = JsonApi("https://wiki.example", ("me", "secret"), transport=httpx2.MockTransport(reply))
    with pytest.raises((Misconfigured, httpx2.InvalidURL)):
        api.get(path)
    assert sent == []


def test_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (url, received):
        asked(url, patience=AT_ONCE)
    assert b"authorization" not in received[0].lower()


def test_loopback_is_reached_without_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (url, _):
        assert asked(url, patience=Patience(attempts=1)).ok


@pytest.mark.parametrize(
    "url",
    [
        "http://wiki.example/wiki",
        "http://10.0.0.1/wiki",
        "ftp://wiki.example",
        "wiki.example/wiki",
        "https://",
        "https://me:secret@wiki.example/wiki",
        "https://wiki.example/wiki?os_authType=basic",
        "https://wiki.example/wiki#x",
        "http://127.0.0.1.evil.example",
        "",
    ],
)
def test_a_base_url_that_would_leak_or_lead_astray_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        checked_base_url(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["https://wiki.example/wiki/", "http://127.0.0.1:80/wiki", "http://[::1]:8080", "http://localhost/x"]
)
def test_https_and_loopback_are_good_base_urls(url: str) -> None:
    assert not checked_base_url(url).endswith("/")


@pytest.mark.parametrize("reply", [httpx2.Response(500), httpx2.Response(401, text="secret"), httpx2.ConnectError("x")])
def test_no_secret_is_in_a_failure_a_log_line_or_a_name(reply: httpx2.Response | Exception) -> None:
    api = api_of(reply)
    with structlog.testing.capture_logs() as lines:
        try:
            said = repr(api.get("/x"))
        except TryLater as failure:
            said = f"{failure!r} {failure.__context__!r} {failure.__cause__!r}"
    assert "secret" not in said + repr(lines) + repr(api)
