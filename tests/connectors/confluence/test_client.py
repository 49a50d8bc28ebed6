"""The client of Confluence: listings to their end, and refusals that say what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog

from bot.rehearsal.confluence import RehearsalConfluence
from bot.rehearsal.confluence.faults import (
    Change,
    Reply,
    edited,
    empty,
    followed_by,
    login_page,
    redirected,
    refused,
    truncated,
    wrong_scope,
)
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.records import Space
from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.http import ServerTrouble
from tests.fakes.confluence import AT_ONCE, client_of, confluence_with_a_space


@pytest.fixture
def confluence() -> Iterator[RehearsalConfluence]:
    with confluence_with_a_space() as confluence:
        yield confluence


@pytest.fixture
def client(confluence: RehearsalConfluence) -> Iterator[ConfluenceClient]:
    with client_of(confluence) as client:
        yield client


def fill(confluence: RehearsalConfluence, pages: int, most_results: int = 250) -> list[str]:
    confluence.most_results = most_results
    return [confluence.site.add_page("ENG", f"Page {n}", "text") for n in range(pages)]


def ids(client: ConfluenceClient) -> list[str]:
    (space,) = client.spaces(["ENG"])
    return [page.id for page in client.pages(space)]


def listing_requests(confluence: RehearsalConfluence) -> list[str]:
    return [request.target for request in confluence.requests if "depth=all" in request.target]


def test_a_listing_goes_on_to_its_end_though_the_server_gives_less_than_asked_for(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    pages = fill(confluence, 23, most_results=5)
    assert ids(client) == pages
    assert len(listing_requests(confluence)) == 5


def test_a_cursor_is_sent_back_with_our_own_path_and_parameters(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    pages = fill(confluence, 6, most_results=2)

    def elsewhere(content: dict[str, Any]) -> None:
        if following := content["_links"].get("next"):
            # As the gateway does it: another path, another order of parameters, other limits.
            content["_links"]["next"] = "/somewhere/else?" + following.partition("?")[2].replace("limit=250", "limit=1")

    confluence.faults.add("depth=all", edited(elsewhere))
    assert ids(client) == pages
    assert all("limit=250" in target and "status=current" in target for target in listing_requests(confluence))


def test_a_cursor_in_the_link_header_alone_is_followed(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    pages = fill(confluence, 6, most_results=2)

    def without_link(reply: Reply) -> Reply:
        content = json.loads(reply.body)
        content["_links"].pop("next", None)
        return replace(reply, body=json.dumps(content).encode())

    confluence.faults.add("depth=all", without_link)
    assert ids(client) == pages


def test_pages_edited_moved_and_added_during_a_listing_are_listed_exactly_once(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    site = confluence.site
    pages = fill(confluence, 9, most_results=3)

    def change() -> None:
        site.edit(pages[0], "edited")
        site.edit(pages[8], "edited")
        site.move(pages[1], pages[7])
        site.rename(pages[5], "Aaa")

    confluence.faults.add("depth=all", followed_by(change), times=2)
    assert ids(client) == pages


def test_a_page_removed_during_a_listing_makes_no_other_one_disappear(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    pages = fill(confluence, 9, most_results=3)
    confluence.faults.add("depth=all", followed_by(lambda: confluence.site.trash(pages[0])), times=1)
    assert ids(client) == pages


def test_some_empty_pages_of_results_are_walked_over(confluence: RehearsalConfluence, client: ConfluenceClient) -> None:
    pages = fill(confluence, 8, most_results=2)
    confluence.faults.add("depth=all", edited(lambda content: content["results"].clear()), skip=1, times=2)
    assert ids(client) == [*pages[:2], *pages[6:]]


def test_empty_pages_of_results_without_end_are_an_error(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    fill(confluence, 30, most_results=2)
    confluence.faults.add("depth=all", edited(lambda content: content["results"].clear()))
    with pytest.raises(TryLater, match="empty"):
        ids(client)


def test_a_listing_in_a_circle_is_an_error(confluence: RehearsalConfluence, client: ConfluenceClient) -> None:
    fill(confluence, 6, most_results=2)
    again: list[str] = []

    def circle(content: dict[str, Any]) -> None:
        again.append(content["_links"].get("next", ""))
        content["_links"]["next"] = again[0]

    confluence.faults.add("depth=all", edited(circle))
    with pytest.raises(TryLater, match="circle"):
        ids(client)


@pytest.mark.parametrize("following", ["string", "/wiki/api/v2/pages?limit=25", "https://evil.example/?cursor="])
def test_a_next_page_without_a_cursor_is_an_error(
    confluence: RehearsalConfluence, client: ConfluenceClient, following: str
) -> None:
    fill(confluence, 3)
    confluence.faults.add("depth=all", edited(lambda content: content["_links"].update(next=following)))
    with pytest.raises(TryLater, match="not where"):
        ids(client)


@pytest.mark.parametrize("results", [None, {}, "none", 7])
def test_results_that_are_no_list_are_an_error(
    confluence: RehearsalConfluence, client: ConfluenceClient, results: Any
) -> None:
    fill(confluence, 3)
    confluence.faults.add("depth=all", edited(lambda content: content.update(results=results)))
    with pytest.raises(TryLater, match="no results"):
        ids(client)


def test_a_refused_cursor_starts_the_listing_again_once(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    pages = fill(confluence, 6, most_results=2)
    stale = refused(400, message="INVALID_REQUEST_PARAMETER: the provided cursor is invalid")
    confluence.faults.add("cursor=", stale, times=1)
    assert ids(client) == [*pages[:2], *pages]
    confluence.faults.add("cursor=", stale)
    with pytest.raises(TryLater, match="place in the listing"):
        ids(client)


def test_a_server_that_fails_on_large_pages_of_results_is_asked_for_smaller_ones(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    pages = fill(confluence, 90)
    for limit in (250, 125, 62):
        confluence.faults.add(f"depth=all&limit={limit}", refused(504))
    assert ids(client) == pages
    assert "limit=31" in listing_requests(confluence)[-1]


def test_a_server_that_fails_in_the_middle_goes_on_from_there(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    pages = fill(confluence, 9, most_results=3)
    confluence.faults.add("cursor=", refused(502), times=1)
    assert ids(client) == pages


@pytest.mark.parametrize("value", [None, "abc", "", -1, 1.5, [], {}, True])
def test_a_row_without_a_readable_id_makes_the_listing_unbelievable(
    confluence: RehearsalConfluence, client: ConfluenceClient, value: Any
) -> None:
    fill(confluence, 3)
    confluence.faults.add("depth=all", edited(lambda content: content["results"][1].update(id=value)))
    with pytest.raises(ServerTrouble, match="readable id"):
        ids(client)


@pytest.mark.parametrize("row", [None, [], "page", 7])
def test_a_row_that_is_no_object_makes_the_listing_unbelievable(
    confluence: RehearsalConfluence, client: ConfluenceClient, row: Any
) -> None:
    fill(confluence, 3)
    confluence.faults.add("depth=all", edited(lambda content: content["results"].append(row)))
    with pytest.raises(ServerTrouble, match="readable id"):
        ids(client)


def test_what_else_cannot_be_read_of_a_row_is_left_out(
    confluence: RehearsalConfluence, client: ConfluenceClient
) -> None:
    (page_id,) = fill(confluence, 1)
    odd = {"title": "a\ud800b\u202ec", "version": {"number": "x", "createdAt": "yesterday"}, "_links": []}
    confluence.faults.add("depth=all", edited(lambda content: content["results"][0].update(odd)))
    (space,) = client.spaces(["ENG"])
    (page,) = client.pages(space)
    assert (page.id, page.title, page.version, page.edited_at) == (page_id, "abc", None, None)


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        (refused(401), Misconfigured, "Create a new one at https://id.atlassian.com"),
        (wrong_scope(), Misconfigured, "lacks the scope read:page:confluence"),
        (refused(403), Misconfigured, "pages of space ENG, says that the account may not"),
        (refused(410), Misconfigured, "removed"),
        (redirected("https://acme.atlassian.net/login.jsp?os_destination=x"), Misconfigured, "login page"),
        (redirected("http://169.254.169.254/latest/meta-data"), Misconfigured, "another address"),
        (refused(404), TryLater, "404"),
        (refused(429), TryLater, "429"),
        (refused(429, {"Retry-After": "9999"}), TryLater, "wait 167 minutes"),
        (refused(503), TryLater, "503"),
        (login_page(), TryLater, "login page"),
        (empty(), TryLater, "empty"),
        (truncated(), TryLater, "broken"),
    ],
)
def test_a_refusal_says_what_to_do(
    confluence: RehearsalConfluence, client: ConfluenceClient, change: Change, kind: type[QuothError], says: str
) -> None:
    fill(confluence, 1)
    confluence.faults.add("depth=all", change)
    with structlog.testing.capture_logs() as lines, pytest.raises(kind, match=says) as failure:
        ids(client)
    assert confluence.token not in f"{failure.value!r}{lines!r}{client!r}"


def test_a_place_without_a_confluence_says_how_to_write_the_url(confluence: RehearsalConfluence) -> None:
    confluence.faults.add("/", refused(404))
    with client_of(confluence) as client:
        with pytest.raises(Misconfigured, match=r"\.atlassian\.net/wiki"):
            client.account()
        with pytest.raises(Misconfigured, match=r"\.atlassian\.net/wiki"):
            client.spaces(["ENG"])


@pytest.mark.parametrize("address", ["{}/wiki", "{}/wiki/", "{}", "{}/"])
def test_the_base_url_may_leave_out_wiki(confluence: RehearsalConfluence, address: str) -> None:
    host = confluence.url.removesuffix("/wiki")
    client = ConfluenceClient(address.format(host), confluence.email, confluence.token, patience=AT_ONCE)
    assert client.base_url == confluence.url
    assert client.account()
    client.close()


def test_a_wrong_token_is_told_from_a_stranger(confluence: RehearsalConfluence) -> None:
    client = ConfluenceClient(confluence.url, confluence.email, "wrong", patience=AT_ONCE)
    with pytest.raises(Misconfigured, match="rejects the e-mail address or the API token"):
        client.account()
    confluence.anonymous = True
    with pytest.raises(Misconfigured, match="anonymous"):
        client.account()
    assert len(confluence.requests) == 2, "a rejected credential is not tried again: that locks accounts"
    client.close()


@pytest.mark.parametrize(("email", "token"), [("", "token"), ("me@example.com", " ")])
def test_empty_credentials_are_refused(email: str, token: str) -> None:
    with pytest.raises(Misconfigured, match="API token"):
        ConfluenceClient("https://acme.atlassian.net/wiki", email, token)


def test_a_space_is_found_by_its_alias(confluence: RehearsalConfluence, client: ConfluenceClient) -> None:
    confluence.site.space_of_key("ENG").alias = "DEV"
    assert [space.key for space in client.spaces(["DEV"])] == ["ENG"]


def test_a_space_key_cannot_reach_into_the_query(confluence: RehearsalConfluence, client: ConfluenceClient) -> None:
    space = Space("1", 'X" or type="user', "X", "global", "current")
    with pytest.raises(Misconfigured):
        list(client.found_restrictions(space))
    assert "%5C%22" in confluence.requests[-1].target


def test_names_of_hundreds_are_asked_for_in_bulk(confluence: RehearsalConfluence, client: ConfluenceClient) -> None:
    people = {confluence.site.add_user(f"Person {n}"): f"Person {n}" for n in range(300)}
    assert client.names([*people, "unknown"]) == people
    assert len(confluence.requests) == 2
