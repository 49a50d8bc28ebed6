"""Confluence as a source, against a rehearsal server over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.confluence import RehearsalConfluence
from bot.rehearsal.confluence.faults import edited, followed_by, login_page, refused, truncated
from connectors.confluence.connector import ConfluenceConnector
from connectors.confluence.storage_format import Converted, References, markdown_of
from connectors.errors import CannotRead, Misconfigured, TryLater
from connectors.model import Document, Unreadable
from connectors.ports import Connector
from tests.contracts.connector_contract import ChangeableSource, ConnectorContract
from tests.fakes.confluence import client_of, confluence_with_a_space, connector_of, documents, listed


class ConfluenceSource:
    def __init__(self, confluence: RehearsalConfluence, connector: ConfluenceConnector) -> None:
        self._confluence = confluence
        self._connector = connector
        self._ids: dict[str, str] = {}

    def connector(self) -> Connector:
        return self._connector

    def write(self, name: str, title: str, text: str) -> str:
        site = self._confluence.site
        if name not in self._ids:
            self._ids[name] = site.add_page("ENG", title, text)
        elif site.contents[self._ids[name]].title != title:
            site.rename(self._ids[name], title)
        site.edit(self._ids[name], text)
        return f"confluence:wiki:{self._ids[name]}"

    def delete(self, name: str) -> None:
        self._confluence.site.trash(self._ids[name])

    def break_down(self) -> None:
        self._confluence.token = "expired"


class TestConfluenceConnector(ConnectorContract):
    @pytest.fixture(autouse=True)
    def confluence(self) -> Iterator[None]:
        with confluence_with_a_space() as confluence, connector_of(confluence) as connector:
            self.source_of_pages = ConfluenceSource(confluence, connector)
            yield

    def source_in(self, folder: Path) -> ChangeableSource:
        return self.source_of_pages


@pytest.fixture
def confluence() -> Iterator[RehearsalConfluence]:
    with confluence_with_a_space() as confluence:
        yield confluence


def test_a_page_says_where_it_is_and_when_it_was_edited(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    home = site.add_page("ENG", "Home")
    folder = site.add_folder("ENG", "Runbooks", home)
    page = site.add_page("ENG", "Roll back", "text", folder)
    below = site.add_page("ENG", "In a hurry", "text", page)
    with connector_of(confluence) as connector:
        listings = listed(connector)
        assert listings[page].breadcrumbs == ("Engineering", "Home", "Runbooks")
        assert listings[page].parent is None
        assert listings[below].parent == f"confluence:wiki:{page}"
        assert listings[page].url == f"{confluence.url}/spaces/ENG/pages/{page}/Roll+back"
        document = documents(connector)[page]
    edited_at = site.contents[page].edited_at
    assert document.updated_at == edited_at.replace(microsecond=edited_at.microsecond // 1000 * 1000)
    assert document.tags == {"source:wiki", "space:ENG"}
    assert (document.url, document.breadcrumbs) == (listings[page].url, listings[page].breadcrumbs)


def test_a_citation_opens_at_the_heading(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Gate", "<h2>Opening hours</h2><p>Seven.</p>")
    with connector_of(confluence, convert=markdown_of) as connector:
        document = documents(connector)[page]
    assert document.link == f"{confluence.url}/spaces/ENG/pages/{page}/Gate#{{anchor}}"
    assert document.anchors == {0: "Opening-hours"}


def test_links_by_title_lead_to_the_page_even_in_another_space(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    site.add_space("OPS")
    target = site.add_page("OPS", "Alarm & bell", "<p>Loud.</p>")
    link = '<ac:link><ri:page ri:space-key="OPS" ri:content-title="Alarm &amp; bell"/></ac:link>'
    page = site.add_page("ENG", "Links", f"<p>See {link}.</p>")
    with connector_of(confluence, "ENG", "OPS", convert=markdown_of) as connector:
        text = documents(connector)[page].text
    assert f"{confluence.url}/spaces/OPS/pages/{target}/" in text


def test_people_are_named_with_one_request_for_all(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    someone = site.add_user("Release manager")
    mention = f'<p>Ask <ac:link><ri:user ri:account-id="{someone}"/></ac:link>.</p>'
    pages = [site.add_page("ENG", f"Page {n}", mention) for n in range(3)]
    with connector_of(confluence, convert=markdown_of) as connector:
        found = documents(connector)
    assert all("@Release manager" in found[page].text for page in pages)
    assert sum(request.path.endswith("/users-bulk") for request in confluence.requests) == 1


def test_names_that_may_not_be_read_cost_only_the_names(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Page", '<p>Ask <ac:link><ri:user ri:account-id="1:2"/></ac:link> now.</p>')
    confluence.faults.add("/users-bulk", refused(403))
    with connector_of(confluence, convert=markdown_of) as connector:
        assert "1:2" not in documents(connector)[page].text


def test_blog_posts_are_documents_too(confluence: RehearsalConfluence) -> None:
    post = confluence.site.add_blog_post("ENG", "News", "fresh")
    with connector_of(confluence) as connector:
        document = documents(connector)[post]
    assert (document.text, document.breadcrumbs) == ("fresh", ("Engineering",))


def test_an_unchanged_source_costs_no_body(confluence: RehearsalConfluence) -> None:
    for n in range(30):
        confluence.site.add_page("ENG", f"Page {n}", "text")
    with connector_of(confluence) as connector:
        list(connector.manifest())
        list(connector.fetch([]))
    assert confluence.body_requests == 0
    assert len(confluence.requests) <= 6


def test_bodies_come_fifty_in_a_request(confluence: RehearsalConfluence) -> None:
    for n in range(120):
        confluence.site.add_page("ENG", f"Page {n}", "text")
    with connector_of(confluence) as connector:
        assert len(documents(connector)) == 120
    assert confluence.body_requests == 3


def test_without_spaces_all_but_the_personal_ones_are_read(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    site.add_space("TEAM", type="collaboration")
    site.add_space("~ME", type="personal")
    site.add_space("OLD")
    site.space_of_key("OLD").status = "archived"
    with client_of(confluence) as client:
        assert [space.key for space in ConfluenceConnector("wiki", client).spaces()] == ["ENG", "TEAM"]


def test_a_configured_space_that_is_not_listed_fails_the_run_by_its_name(confluence: RehearsalConfluence) -> None:
    with connector_of(confluence, "ENG", "GONE") as connector, pytest.raises(Misconfigured, match="GONE"):
        list(connector.manifest())


def test_an_account_that_sees_no_space_is_told_so(confluence: RehearsalConfluence) -> None:
    confluence.site.spaces.clear()
    with client_of(confluence) as client, pytest.raises(Misconfigured, match="no space"):
        list(ConfluenceConnector("wiki", client).manifest())


def test_strangers_see_nothing_and_that_is_not_believed(confluence: RehearsalConfluence) -> None:
    confluence.site.add_page("ENG", "Page")
    confluence.anonymous = True
    with connector_of(confluence) as connector, pytest.raises(Misconfigured, match="anonymous"):
        list(connector.manifest())


def test_a_token_that_expires_while_listing_fails_the_run(confluence: RehearsalConfluence) -> None:
    confluence.site.add_page("ENG", "Page")

    def expire() -> None:
        confluence.anonymous = True

    confluence.faults.add("/content/search", followed_by(expire), times=1)
    with connector_of(confluence) as connector, pytest.raises(Misconfigured, match="anonymous"):
        list(connector.manifest())


def test_a_page_edited_while_it_is_listed_is_stored_as_the_version_that_was_read(
    confluence: RehearsalConfluence,
) -> None:
    page = confluence.site.add_page("ENG", "Page", "old")
    with connector_of(confluence) as connector:
        listings = list(connector.manifest())
        confluence.site.edit(page, "new")
        (document,) = connector.fetch(listings)
    assert isinstance(document, Document)
    assert (document.version, document.text) == ("2", "new")


def test_an_older_copy_than_was_listed_is_tried_again_later(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Page", "old")
    confluence.site.edit(page, "new")
    with connector_of(confluence) as connector:
        listings = list(connector.manifest())
        confluence.site.contents[page].version = 1
        (found,) = connector.fetch(listings)
    assert isinstance(found, Unreadable)
    assert not found.lasting


def test_no_body_in_an_answer_is_not_an_empty_page(confluence: RehearsalConfluence) -> None:
    confluence.site.add_page("ENG", "Page", None)
    with connector_of(confluence) as connector:
        (found,) = connector.fetch(list(connector.manifest()))
    assert isinstance(found, Unreadable)
    assert not found.lasting


def test_an_empty_page_is_its_title(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Nothing yet", "")
    with connector_of(confluence) as connector:
        assert documents(connector)[page].text == "Nothing yet"


def test_what_went_away_since_it_was_listed_is_left_out(confluence: RehearsalConfluence) -> None:
    kept, trashed, moved = (confluence.site.add_page("ENG", title, "text") for title in ("a", "b", "c"))
    confluence.site.add_space("HR")
    with connector_of(confluence) as connector:
        listings = list(connector.manifest())
        confluence.site.trash(trashed)
        confluence.site.move(moved, None, "HR")
        assert [found.document_id for found in connector.fetch(listings)] == [f"confluence:wiki:{kept}"]  # type: ignore[union-attr]  # All are documents.


def test_a_page_that_is_no_markup_is_quarantined_and_the_others_are_read(confluence: RehearsalConfluence) -> None:
    def convert(storage: str, references: References) -> Converted:
        if storage == "broken":
            raise CannotRead("the page is not XML")
        return markdown_of(storage, references)

    confluence.site.add_page("ENG", "Broken", "broken")
    good = confluence.site.add_page("ENG", "Good", "<p>Good</p>")
    with connector_of(confluence, convert=convert) as connector:
        found = {type(item): item for item in connector.fetch(list(connector.manifest()))}
    assert found[Document].document_id == f"confluence:wiki:{good}"  # type: ignore[union-attr]  # It is a document.
    unreadable = found[Unreadable]
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.reason, unreadable.lasting) == ("the page is not XML", True)


def test_one_page_that_the_server_fails_on_does_not_stop_the_others(confluence: RehearsalConfluence) -> None:
    pages = [confluence.site.add_page("ENG", f"Page {n}", "text") for n in range(8)]

    def fail_on_the_third(content: dict[str, list[dict[str, object]]]) -> object:
        return [] if any(row["id"] == pages[2] for row in content["results"]) else content

    confluence.faults.add("body-format", edited(fail_on_the_third))
    with connector_of(confluence) as connector:
        found = list(connector.fetch(list(connector.manifest())))
    unreadable = [item.listing.document_id for item in found if isinstance(item, Unreadable)]
    assert unreadable == [f"confluence:wiki:{pages[2]}"]
    assert len(found) == 8


def test_a_server_that_fails_on_every_body_fails_the_run(confluence: RehearsalConfluence) -> None:
    for n in range(8):
        confluence.site.add_page("ENG", f"Page {n}", "text")
    confluence.faults.add("body-format", refused(500))
    with connector_of(confluence) as connector, pytest.raises(TryLater):
        list(connector.fetch(list(connector.manifest())))


def test_a_page_too_deep_to_be_read_is_its_title_and_its_link(confluence: RehearsalConfluence) -> None:
    deep = confluence.site.add_page("ENG", "Deep", "<div>" * 250 + "down here" + "</div>" * 250)
    with connector_of(confluence, convert=markdown_of) as connector:
        document = documents(connector)[deep]
    assert document.title == "Deep"
    assert "down here" not in document.text
    assert document.url.endswith(f"/pages/{deep}/Deep")


def test_a_page_beyond_ten_megabytes_is_its_title_and_its_link(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Dump", "x" * 10_000_001)
    with connector_of(confluence) as connector:
        document = documents(connector)[page]
    assert "too large" in document.text
    assert document.title == "Dump"
    assert document.url.endswith("/Dump")


@pytest.mark.parametrize(
    "fault",
    [*map(refused, (403, 404, 413, 429, 503)), login_page(), truncated(), edited(lambda _: {"_links": {}})],
    ids=["403", "404", "413", "429", "503", "login", "truncated", "no-results"],
)
@pytest.mark.parametrize("where", ["/user/current", "/api/v2/spaces?", "/pages?status", "cursor=", "/blogposts"])
def test_an_error_while_listing_is_never_an_empty_listing(confluence: RehearsalConfluence, fault, where: str) -> None:  # type: ignore[no-untyped-def]  # A change of a reply.
    confluence.most_results = 2
    for n in range(5):
        confluence.site.add_page("ENG", f"Page {n}")
    confluence.faults.add(where, fault)
    with connector_of(confluence) as connector, pytest.raises((TryLater, Misconfigured)):
        list(connector.manifest())


def test_gone_means_trashed_archived_purged_or_moved_out_of_our_spaces(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    site.add_space("HR")
    kept, trashed, archived, purged, moved = (site.add_page("ENG", title) for title in "abcde")
    post, trashed_post = (site.add_blog_post("ENG", title) for title in "fg")
    site.trash(trashed)
    site.archive(archived)
    site.purge(purged)
    site.move(moved, None, "HR")
    site.trash(trashed_post)
    ids = {f"confluence:wiki:{page}" for page in (kept, trashed, archived, purged, moved, post, trashed_post)}
    with connector_of(confluence) as connector:
        gone = connector.gone(ids)
    assert ids - set(gone) == {f"confluence:wiki:{kept}", f"confluence:wiki:{post}"}


def test_recent_finds_what_was_edited_and_nothing_long_untouched(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    old = site.add_page("ENG", "Old")
    site.contents[old].edited_at = datetime.now(UTC) - timedelta(days=3)
    fresh = site.add_page("ENG", "Fresh", "text", old)
    post = site.add_blog_post("ENG", "Post")
    with connector_of(confluence) as connector:
        recent = {listing.document_id: listing for listing in connector.recent(datetime.now(UTC) - timedelta(hours=1))}
    assert set(recent) == {f"confluence:wiki:{fresh}", f"confluence:wiki:{post}"}
    assert recent[f"confluence:wiki:{fresh}"].breadcrumbs == ("Engineering", "Old")


def test_recent_lists_a_page_below_a_restricted_one_as_restricted(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    secret = site.add_page("ENG", "Secret", restricted_to=["leads"])
    site.contents[secret].edited_at = datetime.now(UTC) - timedelta(days=3)
    site.add_page("ENG", "Below", "text", secret)
    with connector_of(confluence) as connector:
        (listing,) = connector.recent(datetime.now(UTC) - timedelta(hours=1))
    assert listing.restricted


def test_a_move_changes_the_place_and_not_the_version(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    first, second = site.add_page("ENG", "First"), site.add_page("ENG", "Second")
    page = site.add_page("ENG", "Page", "text", first)
    with connector_of(confluence) as connector:
        before = listed(connector)[page]
        site.move(page, second)
        after = listed(connector)[page]
    assert before.version == after.version
    assert (before.breadcrumbs[-1], after.breadcrumbs[-1]) == ("First", "Second")


def test_documents_can_be_fetched_by_a_process_that_listed_nothing(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Page", "text")
    post = confluence.site.add_blog_post("ENG", "Post", "text")
    with connector_of(confluence) as connector:
        listings = list(connector.manifest())
    with connector_of(confluence) as fresh:
        found = {item.document_id for item in fresh.fetch(listings) if isinstance(item, Document)}
    assert found == {f"confluence:wiki:{page}", f"confluence:wiki:{post}"}


def test_bodies_are_converted_in_the_jail_unless_told_otherwise(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Page", "<h2>Steps</h2><p>One &amp; two.</p>")
    with client_of(confluence) as client:
        connector = ConfluenceConnector("wiki", client, ["ENG"])
        assert documents(connector)[page].text == "## Steps\n\nOne & two."
        connector.close()


def test_only_current_pages_are_listed_whatever_the_server_adds(confluence: RehearsalConfluence) -> None:
    pages = [confluence.site.add_page("ENG", title) for title in "ab"]
    confluence.faults.add("depth=all", edited(lambda content: content["results"][0].update(status="draft")))
    with connector_of(confluence) as connector:
        assert list(listed(connector)) == [pages[1]]
