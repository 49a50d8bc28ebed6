"""The rehearsal Confluence behaves as the real one, and answers in the shapes that Atlassian publishes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from bot.rehearsal import company
from bot.rehearsal.confluence import RehearsalConfluence
from connectors.confluence.connector import ConfluenceConnector
from connectors.model import Document
from tests.fakes.confluence import client_of, confluence_with_a_space
from tests.fakes.reference_data import reference

HOST = "https://acme.atlassian.net"


@pytest.fixture
def confluence() -> Iterator[RehearsalConfluence]:
    with confluence_with_a_space() as confluence:
        yield confluence


def ask(confluence: RehearsalConfluence, target: str, content: Any = None, **more: Any) -> httpx2.Response:
    auth = more.get("auth", (confluence.email, confluence.token))
    with httpx2.Client(trust_env=False, auth=auth) as client:
        method = "GET" if content is None else "POST"
        return client.request(method, confluence.url + target, json=content)


def space_id(confluence: RehearsalConfluence) -> str:
    return confluence.site.space_of_key("ENG").id


def test_only_the_right_credentials_are_taken(confluence: RehearsalConfluence) -> None:
    for auth in (None, ("me", "wrong"), (confluence.email, "wrong")):
        answer = ask(confluence, "/api/v2/spaces", auth=auth)
        assert (answer.status_code, answer.json()["status-code"]) == (401, 401)
    assert ask(confluence, "/api/v2/spaces").status_code == 200
    confluence.token = "a newer one"
    assert ask(confluence, "/api/v2/spaces", auth=(confluence.email, "rehearsal-token")).status_code == 401


def test_strangers_get_a_200_with_nothing_in_it(confluence: RehearsalConfluence) -> None:
    confluence.anonymous = True
    assert ask(confluence, "/rest/api/user/current", auth=None).json()["type"] == "anonymous"
    assert ask(confluence, "/api/v2/spaces", auth=None).json()["results"] == []


def test_a_cursor_is_base64_escaped_and_not_the_last_parameter(confluence: RehearsalConfluence) -> None:
    for n in range(3):
        confluence.site.add_page("ENG", f"Page {n}")
    answer = ask(confluence, f"/api/v2/spaces/{space_id(confluence)}/pages?limit=2&sort=id&status=current").json()
    following = answer["_links"]["next"]
    assert following.startswith(f"/wiki/api/v2/spaces/{space_id(confluence)}/pages?")
    parameters = parse_qsl(urlsplit(following).query)
    assert "cursor" in dict(parameters[:-1])
    assert json.loads(base64.b64decode(dict(parameters)["cursor"]))["contentOrder"] == "id"
    rest = ask(confluence, following.removeprefix("/wiki")).json()
    assert (len(rest["results"]), "next" in rest["_links"]) == (1, False)


def test_archived_pages_are_listed_unless_told_otherwise(confluence: RehearsalConfluence) -> None:
    page, trashed = (confluence.site.add_page("ENG", title) for title in "ab")
    confluence.site.archive(page)
    confluence.site.trash(trashed)
    assert [row["id"] for row in ask(confluence, "/api/v2/pages").json()["results"]] == [page]
    assert ask(confluence, "/api/v2/pages?status=current").json()["results"] == []
    assert [row["id"] for row in ask(confluence, "/api/v2/pages?status=trashed").json()["results"]] == [trashed]


@pytest.mark.parametrize(
    "target",
    [
        "/api/v2/pages?limit=251",
        "/api/v2/pages?limit=0",
        "/api/v2/pages?sort=bogus",
        "/api/v2/pages?status=draft",
        "/api/v2/pages?id=abc",
        "/api/v2/pages?cursor=@@@",
        "/api/v2/pages?body-format=view",
        "/api/v2/blogposts?status=archived",
        "/api/v2/blogposts?sort=title",
        "/api/v2/spaces?type=secret",
        "/api/v2/pages?id=" + ",".join(map(str, range(251))),
        "/api/v2/pages?space-id=" + ",".join(map(str, range(101))),
        "/rest/api/content/search?cql=lastmodified>now()",
        '/rest/api/content/search?cql=space="NOPE" and type in (page,blogpost)',
    ],
)
def test_what_the_real_one_refuses_is_refused(confluence: RehearsalConfluence, target: str) -> None:
    assert ask(confluence, target).status_code == 400


@pytest.mark.parametrize(
    "target", ["/rest/api/content", "/rest/api/content/1", "/rest/api/content/1/child/comment", "/rest/api/space"]
)
def test_what_was_removed_from_v1_is_gone(confluence: RehearsalConfluence, target: str) -> None:
    answer = ask(confluence, target)
    assert answer.status_code == 410
    assert "This deprecated endpoint has been removed" in answer.json()["message"]


def test_the_download_servlet_takes_no_token(confluence: RehearsalConfluence) -> None:
    answer = ask(confluence, "/download/attachments/1/a.png")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "OAuth")


def test_moves_restrictions_and_labels_leave_the_version_alone_and_edits_do_not(
    confluence: RehearsalConfluence,
) -> None:
    site = confluence.site
    page, other = site.add_page("ENG", "a"), site.add_page("ENG", "b")
    site.move(page, other)
    site.restrict(page, "leads")
    assert ask(confluence, f"/api/v2/pages/{page}").json()["version"]["number"] == 1
    site.edit(page, "new")
    site.rename(page, "c")
    assert ask(confluence, f"/api/v2/pages/{page}").json()["version"]["number"] == 3


def test_what_hung_below_a_trashed_page_moves_up(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    top = site.add_page("ENG", "top")
    trashed = site.add_page("ENG", "trashed", parent=top)
    page = site.add_page("ENG", "page", parent=trashed)
    site.trash(trashed)
    assert ask(confluence, f"/api/v2/pages/{page}").json()["parentId"] == top


def test_newest_edits_come_first_when_asked_so(confluence: RehearsalConfluence) -> None:
    pages = [confluence.site.add_page("ENG", title) for title in "abc"]
    confluence.site.edit(pages[0], "new")
    rows = ask(confluence, "/api/v2/pages?sort=-modified-date").json()["results"]
    assert [row["id"] for row in rows] == [pages[0], pages[2], pages[1]]


def test_what_the_account_may_not_see_is_nowhere(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "a")
    below = confluence.site.add_page("ENG", "b", parent=page)
    confluence.site.contents[page].hidden = True
    assert ask(confluence, "/api/v2/pages").json()["results"] == []
    assert ask(confluence, f"/api/v2/pages/{below}").status_code == 404
    assert ask(confluence, f"/rest/api/content/{below}/restriction/byOperation/read").status_code == 404


def test_every_page_of_the_sample_company_can_be_read(confluence: RehearsalConfluence) -> None:
    for key, name in company.spaces().items():
        if key != "ENG":
            confluence.site.add_space(key, name)
    for page in company.pages():
        confluence.site.add_page(page.space, page.title, page.storage, page.parent, page.restricted_to, page.page_id)
    with client_of(confluence) as client:
        connector = ConfluenceConnector("wiki", client, list(company.spaces()))
        listings = list(connector.manifest())
        found = list(connector.fetch(listings))
        connector.close()
    assert len(listings) == len(list(company.pages()))
    assert [listing.title for listing in listings if listing.restricted] == ["Salary bands"]
    assert len(found) == len(listings) - 1
    assert all(isinstance(item, Document) for item in found)


class Published:
    """What Atlassian publishes of an API, to hold requests and answers against."""

    def __init__(self, file: str, prefix: str) -> None:
        spec = reference(f"confluence/openapi/{file}")
        _as_it_really_is(spec)
        spec["servers"] = [{"url": HOST + prefix}]
        # Atlassian's file breaks a rule of OpenAPI itself (a default outside its enum): it is used as it stands.
        self._api = OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))

    def check(self, target: str, answer: httpx2.Response, content: Any = None) -> None:
        parts = urlsplit(f"/wiki{target}")
        arguments: dict[str, Any] = {}
        for name, value in parse_qsl(parts.query):
            arguments[name] = value
        request = MockRequest(
            HOST,
            "get" if content is None else "post",
            parts.path,
            args=arguments,
            headers={"Authorization": "Basic eA=="},
            data=None if content is None else json.dumps(content).encode(),
            content_type="application/json",
        )
        self._api.validate_request(request)
        self._api.validate_response(request, MockResponse(answer.content, answer.status_code))


def _as_it_really_is(part: Any) -> None:
    """Patch what Atlassian's files leave out: lists come comma-separated, and a page may have no parent."""
    if isinstance(part, dict):
        if part.get("in") == "query" and part.get("schema", {}).get("type") == "array":
            part |= {"style": "form", "explode": False}
        for name in ("parentId", "parentType", "lastOwnerId", "ownerId"):
            if name in part.get("properties", {}):
                schema = part["properties"][name]
                part["properties"][name] = {"nullable": True, "type": "string"} | {
                    key: value for key, value in schema.items() if key != "$ref"
                }
        for value in part.values():
            _as_it_really_is(value)
    elif isinstance(part, list):
        for value in part:
            _as_it_really_is(value)


@pytest.fixture
def busy(confluence: RehearsalConfluence) -> RehearsalConfluence:
    """A site on which everything has happened that we ask about."""
    site = confluence.site
    someone = site.add_user("Somebody")
    folder = site.add_folder("ENG", "Folder")
    page = site.add_page("ENG", "Page", f'<p><ac:link><ri:user ri:account-id="{someone}"/></ac:link></p>', folder)
    site.add_page("ENG", "Secret", "<p>x</p>", page, restricted_to=[someone, "leads"])
    site.add_blog_post("ENG", "Post", "<p>x</p>")
    site.contents[page].indexed = False
    confluence.most_results = 1
    return confluence


def test_requests_of_a_sync_and_their_answers_are_as_published(busy: RehearsalConfluence) -> None:
    v2 = Published("confluence-cloud-v2.openapi.json", "/wiki/api/v2")
    v1 = Published("confluence-cloud-v1.openapi.json", "")
    with client_of(busy) as client:
        connector = ConfluenceConnector("wiki", client, ["ENG"])
        listings = list(connector.manifest())
        assert len(list(connector.fetch(listings))) == 2
        list(connector.recent(listings[0].updated_at))  # type: ignore[arg-type]  # It has one.
        connector.gone([listing.document_id for listing in listings])
        connector.close()
    targets = {request.target.removeprefix("/wiki") for request in busy.requests if request.method == "GET"}
    for target in sorted(targets):
        (v2 if target.startswith("/api/v2") else v1).check(target, ask(busy, target))
    content = {"accountIds": list(busy.site.users)}
    v2.check("/api/v2/users-bulk", ask(busy, "/api/v2/users-bulk", content), content)
    assert len(targets) > 15


@pytest.mark.parametrize("target", ["/api/v2/pages?limit=999", "/api/v2/pages?sort=bogus", "/api/v2/pages?id=x"])
def test_the_published_description_finds_mistakes(confluence: RehearsalConfluence, target: str) -> None:
    v2 = Published("confluence-cloud-v2.openapi.json", "/wiki/api/v2")
    with pytest.raises(Exception, match=r"."):
        v2.check(target, ask(confluence, target))
