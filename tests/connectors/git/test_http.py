"""Repositories over HTTP: tokens, refusals, and what is said about them."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.git.clone import Remote
from connectors.git.connector import GitConnector
from tests.fakes.git_repository import GitRepository
from tests.fakes.git_server import GitServer

TOKEN = "sesame-0123456789"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    GitRepository(tmp_path / "srv" / "acme" / "handbook").write("docs/a.md", "# Alpha\n")
    with GitServer(tmp_path / "srv", TOKEN) as server:
        yield server


def connector_of(
    server: GitServer, data: Path, token: str | None = TOKEN, path: str = "/acme/handbook"
) -> GitConnector:
    return GitConnector("handbook", Remote(server.url + path, token=token), data)


def complaint(connector: GitConnector) -> QuothError:
    with pytest.raises(QuothError) as caught:
        list(connector.manifest())
    assert TOKEN not in str(caught.value)
    return caught.value


def test_a_repository_is_read_with_its_token(server: GitServer, tmp_path: Path) -> None:
    assert [one.title for one in connector_of(server, tmp_path / "data").manifest()] == ["A"]
    expected = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    assert set(server.seen) == {expected}


def test_nothing_is_fetched_when_nothing_changed(server: GitServer, tmp_path: Path) -> None:
    connector = connector_of(server, tmp_path / "data")
    list(connector.manifest())
    before = len(server.seen)
    list(connector.manifest())
    assert len(server.seen) - before == 2  # git's greeting and its list of branches


def command_line_of(process: psutil.Process) -> str:
    """Empty for one that ended while we looked."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_a_token_is_never_on_disk_nor_in_a_command_line(server: GitServer, tmp_path: Path) -> None:
    secret = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    connector = connector_of(server, tmp_path / "data")
    server.hold.clear()
    listing = threading.Thread(target=lambda: list(connector.manifest()))
    listing.start()
    lines: list[str] = []
    while not any("ls-remote" in line for line in lines):
        lines = [command_line_of(process) for process in psutil.Process().children(recursive=True)]
        time.sleep(0.02)
    server.hold.set()
    listing.join()
    assert not any(TOKEN in line or secret in line for line in lines)
    files = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    assert not any(TOKEN.encode() in body or secret.encode() in body for body in files)


def test_a_refused_token_is_told_from_a_missing_one(server: GitServer, tmp_path: Path) -> None:
    refused = complaint(connector_of(server, tmp_path / "data", token="wrong"))
    assert isinstance(refused, Misconfigured)
    assert "token was refused" in str(refused)
    missing = complaint(connector_of(server, tmp_path / "data", token=None))
    assert isinstance(missing, Misconfigured)
    assert "token_env" in str(missing)


def test_a_repository_that_is_not_there_is_told_from_a_server_that_is_down(server: GitServer, tmp_path: Path) -> None:
    gone = complaint(connector_of(server, tmp_path / "data", path="/acme/nothing"))
    assert isinstance(gone, Misconfigured)
    assert "no such repository" in str(gone)
    server.fault = 503
    assert isinstance(complaint(connector_of(server, tmp_path / "data")), TryLater)
    server.fault = 429
    assert isinstance(complaint(connector_of(server, tmp_path / "data")), TryLater)


def test_a_server_that_is_gone_is_to_be_tried_later(server: GitServer, tmp_path: Path) -> None:
    connector = connector_of(server, tmp_path / "data")
    listings = list(connector.manifest())
    with GitServer(tmp_path) as other:
        closed = other.url
    assert isinstance(complaint(GitConnector("h", Remote(closed + "/x"), tmp_path / "data")), TryLater)
    assert len(list(connector.fetch(listings))) == 1


def test_a_redirect_is_not_followed_and_no_token_goes_with_it(server: GitServer, tmp_path: Path) -> None:
    with GitServer(tmp_path / "srv") as elsewhere:
        server.redirect = elsewhere.url
        said = complaint(connector_of(server, tmp_path / "data"))
    assert isinstance(said, Misconfigured)
    assert "redirects are not followed" in str(said)
    assert elsewhere.seen == []


def test_a_user_in_the_url_goes_with_the_token_only(server: GitServer, tmp_path: Path) -> None:
    url = server.url.replace("http://", "http://robot@") + "/acme/handbook"
    list(GitConnector("handbook", Remote(url, token=TOKEN), tmp_path / "data").manifest())
    assert set(server.seen) == {"Basic " + base64.b64encode(f"robot:{TOKEN}".encode()).decode()}
