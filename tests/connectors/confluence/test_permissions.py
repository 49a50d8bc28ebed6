"""Who may not see a page: restrictions on it and above it, and everything that cannot be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.rehearsal.confluence import RehearsalConfluence
from bot.rehearsal.confluence.faults import edited, refused, wrong_scope
from connectors.errors import Misconfigured, TryLater
from tests.fakes.confluence import confluence_with_a_space, connector_of, documents, listed


@pytest.fixture
def confluence() -> Iterator[RehearsalConfluence]:
    with confluence_with_a_space() as confluence:
        yield confluence


def restricted_in(confluence: RehearsalConfluence) -> set[str]:
    with connector_of(confluence) as connector:
        return {page for page, listing in listed(connector).items() if listing.restricted}


def test_a_restricted_page_and_everything_below_it_is_restricted(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    home = site.add_page("ENG", "Home")
    secret = site.add_page("ENG", "Secret", "x", home, restricted_to=["leads"])
    below = site.add_page("ENG", "Below", "x", secret)
    deep = site.add_page("ENG", "Deep", "x", below)
    beside = site.add_page("ENG", "Beside", "x", home)
    assert restricted_in(confluence) == {secret, below, deep}
    with connector_of(confluence) as connector:
        assert set(documents(connector)) == {home, beside}


def test_a_restriction_to_one_person_counts_as_one_to_a_group(confluence: RehearsalConfluence) -> None:
    someone = confluence.site.add_user("Somebody")
    secret = confluence.site.add_page("ENG", "Secret", restricted_to=[someone])
    assert restricted_in(confluence) == {secret}


def test_a_restricted_folder_hides_the_pages_in_it(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    folder = site.add_folder("ENG", "Salaries")
    site.restrict(folder, ["people-team"])
    inner = site.add_folder("ENG", "Bands", folder)
    page = site.add_page("ENG", "Band 4", "x", inner)
    site.add_page("ENG", "Open")
    assert restricted_in(confluence) == {page}


@pytest.mark.parametrize("kind", ["folder", "whiteboard", "database", "embed"])
def test_every_kind_of_parent_is_looked_at(confluence: RehearsalConfluence, kind: Any) -> None:
    site = confluence.site
    parent = site.add_folder("ENG", "Parent", kind=kind)
    page = site.add_page("ENG", "Page", "x", parent)
    assert restricted_in(confluence) == set()
    site.restrict(parent, ["leads"])
    assert restricted_in(confluence) == {page}


def test_an_own_restriction_does_not_lift_the_one_above(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    secret = site.add_page("ENG", "Secret", restricted_to=["leads"])
    page = site.add_page("ENG", "Page", "x", secret, restricted_to=["everybody"])
    site.restrict(page, [])
    assert page in restricted_in(confluence)


def test_a_new_restriction_is_seen_without_a_new_version(confluence: RehearsalConfluence) -> None:
    page = confluence.site.add_page("ENG", "Page")
    with connector_of(confluence) as connector:
        before = listed(connector)[page]
        confluence.site.restrict(page, ["leads"])
        after = listed(connector)[page]
    assert (before.version, before.restricted) == (after.version, False)
    assert after.restricted


def test_what_the_search_index_does_not_know_yet_is_asked_for(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    secret = site.add_page("ENG", "Secret", restricted_to=["leads"])
    fresh = site.add_page("ENG", "Fresh")
    site.contents[secret].indexed = site.contents[fresh].indexed = False
    assert restricted_in(confluence) == {secret}


@pytest.mark.parametrize("status", [400, 403, 404, 410, 429, 500])
def test_without_a_search_every_page_is_asked_for(confluence: RehearsalConfluence, status: int) -> None:
    secret = confluence.site.add_page("ENG", "Secret", restricted_to=["leads"])
    confluence.site.add_page("ENG", "Open")
    confluence.faults.add("/content/search", refused(status))
    assert restricted_in(confluence) == {secret}


def test_a_search_that_leaves_out_restrictions_is_no_all_clear(confluence: RehearsalConfluence) -> None:
    secret = confluence.site.add_page("ENG", "Secret", restricted_to=["leads"])

    def silent(content: dict[str, Any]) -> None:
        for row in content["results"]:
            row["restrictions"] = {"_expandable": {"read": ""}}

    confluence.faults.add("/content/search", edited(silent))
    assert restricted_in(confluence) == {secret}


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_a_page_whose_restrictions_cannot_be_told_is_restricted_with_all_below(
    confluence: RehearsalConfluence, status: int
) -> None:
    site = confluence.site
    unclear = site.add_page("ENG", "Unclear")
    below = site.add_page("ENG", "Below", "x", unclear)
    site.add_page("ENG", "Open")
    site.contents[unclear].indexed = False
    confluence.faults.add(f"/content/{unclear}/restriction", refused(status))
    assert restricted_in(confluence) == {unclear, below}


@pytest.mark.parametrize("answer", [{}, {"restrictions": {}}, {"restrictions": {"user": {"results": []}}}])
def test_an_answer_without_both_lists_is_not_read_as_open(confluence: RehearsalConfluence, answer: Any) -> None:
    page = confluence.site.add_page("ENG", "Page")
    confluence.site.add_page("ENG", "Open")
    confluence.site.contents[page].indexed = False
    confluence.faults.add("/restriction/", edited(lambda _: answer))
    assert restricted_in(confluence) == {page}


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_folder_that_cannot_be_read_hides_the_pages_in_it(confluence: RehearsalConfluence, status: int) -> None:
    folder = confluence.site.add_folder("ENG", "Folder")
    page = confluence.site.add_page("ENG", "Page", "x", folder)
    confluence.site.add_page("ENG", "Open")
    confluence.faults.add("/folders/", refused(status))
    assert restricted_in(confluence) == {page}


def test_a_parent_that_nobody_shows_us_hides_what_is_below(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    parent = site.add_page("ENG", "Parent")
    page = site.add_page("ENG", "Page", "x", parent)
    site.add_page("ENG", "Open")
    site.purge(parent)
    assert restricted_in(confluence) == {page}


def test_pages_that_hang_in_a_circle_are_restricted(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    first = site.add_page("ENG", "First")
    second = site.add_page("ENG", "Second", "x", first)
    site.move(first, second)
    site.add_page("ENG", "Open")
    assert restricted_in(confluence) == {first, second}


def test_a_page_below_an_archived_one_keeps_its_place_and_its_restriction(confluence: RehearsalConfluence) -> None:
    site = confluence.site
    parent = site.add_page("ENG", "Parent")
    page = site.add_page("ENG", "Page", "x", parent)
    site.archive(parent)
    assert restricted_in(confluence) == set()
    site.restrict(parent, ["leads"])
    assert restricted_in(confluence) == {page}


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_when_no_restriction_at_all_can_be_read_the_run_fails(confluence: RehearsalConfluence, status: int) -> None:
    for n in range(5):
        confluence.site.add_page("ENG", f"Page {n}")
    confluence.faults.add("restriction", refused(status))
    with connector_of(confluence) as connector, pytest.raises((TryLater, Misconfigured)):
        list(connector.manifest())


def test_an_outage_among_many_pages_fails_the_run_instead_of_hiding_them(confluence: RehearsalConfluence) -> None:
    for n in range(40):
        page = confluence.site.add_page("ENG", f"Page {n}")
        confluence.site.contents[page].indexed = n >= 20
    confluence.faults.add("/restriction/byOperation", refused(500), skip=3)
    with connector_of(confluence) as connector, pytest.raises(TryLater):
        list(connector.manifest())


def test_a_token_without_the_scope_for_restrictions_is_told_which(confluence: RehearsalConfluence) -> None:
    confluence.site.add_page("ENG", "Page")
    confluence.faults.add("restriction", wrong_scope())
    with connector_of(confluence) as connector, pytest.raises(Misconfigured, match="read:content-details:confluence"):
        list(connector.manifest())
