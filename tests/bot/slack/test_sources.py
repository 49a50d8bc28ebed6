"""Links come from the ledger, and only those that may be opened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.answering.model import Nearest
from bot.slack.rich_text import plain_of
from bot.slack.sources import age_of, links_of, nearest_elements, safe_link, source_elements
from tests.fakes.scripted_house import VPN

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "url", ["https://wiki.acme.example/x#y", "http://127.0.0.1:8080/wiki", "http://localhost/x", "https://h/a%20b"]
)
def test_https_and_this_machine_may_be_opened(url: str) -> None:
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://wiki.acme.example/x", "ftp://h/x", "javascript:alert(1)", "file:///etc/passwd", "https://u:p@h/", "https://",
        "https://h/<x>", "https://h/a b", "https://h/\n", "//h/x", "", "https://[x", "https://h/" + "a" * 3000,
        "https://h/\u202e", "https://good@evil/", "https://h\\@evil/",
    ],
)  # fmt: skip
def test_nothing_else_may(url: str) -> None:
    assert safe_link(url) is None


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, "today"), (1, "yesterday"), (3, "3 days ago"), (45, "45 days ago"),
        (61, "2 months ago"), (400, "13 months ago"), (800, "2 years ago"),
        (-2, "2026-11-23"),
    ],
)  # fmt: skip
def test_an_age_is_said_in_words(days: int, expected: str) -> None:
    assert age_of(NOW - timedelta(days=days), NOW) == expected


def test_a_source_says_what_where_and_how_old() -> None:
    lines = plain_of(source_elements((VPN, replace(VPN, n=2, headings=(), updated_at=None)), NOW)).splitlines()
    assert lines == ["Sources", "1. VPN handbook — Access › Reset · updated 20 days ago", "2. VPN handbook"]


def test_a_file_is_named_with_its_path_in_the_repository_and_opens_nothing() -> None:
    url, document_id = "file:///srv/secret-place/docs/vpn%20reset.md#L10-L20", "git:handbook:docs/vpn reset.md"
    local = replace(VPN, url=url, document_id=document_id, headings=(), updated_at=None)
    assert links_of((local,)) == {}
    [_, line] = plain_of(source_elements((local,), NOW)).splitlines()
    assert line == "1. VPN handbook (docs/vpn reset.md#L10-L20)"
    [_, near] = plain_of(nearest_elements((Nearest("VPN handbook", url, document_id),))).splitlines()
    assert near == "• VPN handbook (docs/vpn reset.md#L10-L20)"
