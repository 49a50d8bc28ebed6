"""What every Connector must do. Subclass ConnectorContract and give it a source that can be changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from connectors.errors import Misconfigured, TryLater
from connectors.model import Document, Listing, source_tag
from connectors.ports import Connector


class ChangeableSource(Protocol):
    """A source that a test can change from outside, by names of its own."""

    def connector(self) -> Connector:
        """A connector that reads the source as it is now. Called again after changes where it matters."""

    def write(self, name: str, title: str, text: str) -> str:
        """Create the document, or give it this title and text; its id."""

    def delete(self, name: str) -> None:
        """Remove the document for good."""

    def break_down(self) -> None:
        """From now on the source cannot be read: it is down, gone or refuses us."""


LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def listings_of(source: ChangeableSource) -> dict[str, Listing]:
    return {listing.document_id: listing for listing in source.connector().manifest()}


def documents_of(connector: Connector, listings: Iterable[Listing]) -> dict[str, Document]:
    return {found.document_id: found for found in connector.fetch(list(listings)) if isinstance(found, Document)}


class ConnectorContract(ABC):
    """The promises that the ledger and the sync rest on."""

    @abstractmethod
    def source_in(self, folder: Path) -> ChangeableSource:
        """An empty source that may use this empty folder."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> ChangeableSource:
        return self.source_in(tmp_path)

    def test_the_manifest_lists_every_document_exactly_once(self, source: ChangeableSource) -> None:
        written = {source.write(f"page-{n}", f"Page {n}", f"Text number {n}.") for n in range(7)}
        listed = [listing.document_id for listing in source.connector().manifest()]
        assert sorted(listed) == sorted(written)

    def test_listing_twice_says_the_same(self, source: ChangeableSource) -> None:
        source.write("a", "Alpha", "One.")
        source.write("b", "Beta", "Two.")
        assert listings_of(source) == listings_of(source)

    def test_a_document_id_names_its_source(self, source: ChangeableSource) -> None:
        document_id = source.write("a", "Alpha", "One.")
        assert f":{source.connector().source}:" in document_id

    def test_fetch_returns_exactly_what_was_listed_at_the_listed_version(self, source: ChangeableSource) -> None:
        for n in range(5):
            source.write(f"page-{n}", f"Page {n}", f"Text number {n}.")
        connector = source.connector()
        listings = list(connector.manifest())
        fetched = documents_of(connector, listings)
        assert {key: document.version for key, document in fetched.items()} == {
            listing.document_id: listing.version for listing in listings
        }

    def test_fetch_reads_the_text_and_the_title(self, source: ChangeableSource) -> None:
        document_id = source.write("a", "Alpha", "The gate opens at seven.")
        connector = source.connector()
        document = documents_of(connector, connector.manifest())[document_id]
        assert "The gate opens at seven." in document.text
        assert document.title == "Alpha"
        assert document.source == connector.source

    def test_fetching_some_returns_only_those(self, source: ChangeableSource) -> None:
        wanted = source.write("a", "Alpha", "One.")
        source.write("b", "Beta", "Two.")
        connector = source.connector()
        listings = [listing for listing in connector.manifest() if listing.document_id == wanted]
        assert set(documents_of(connector, listings)) == {wanted}

    def test_fetching_nothing_returns_nothing(self, source: ChangeableSource) -> None:
        source.write("a", "Alpha", "One.")
        assert list(source.connector().fetch([])) == []

    def test_an_edit_changes_the_version_and_only_of_that_document(self, source: ChangeableSource) -> None:
        edited = source.write("a", "Alpha", "One.")
        other = source.write("b", "Beta", "Two.")
        before = listings_of(source)
        assert source.write("a", "Alpha", "One and a half.") == edited
        after = listings_of(source)
        assert after[edited].version != before[edited].version
        assert after[other].version == before[other].version

    def test_an_id_survives_a_new_title(self, source: ChangeableSource) -> None:
        before = source.write("a", "Alpha", "One.")
        assert source.write("a", "Omega", "One.") == before
        connector = source.connector()
        fetched = documents_of(connector, connector.manifest())
        assert {key: document.title for key, document in fetched.items()} == {before: "Omega"}

    def test_a_deleted_document_is_no_longer_listed(self, source: ChangeableSource) -> None:
        kept = source.write("a", "Alpha", "One.")
        source.write("b", "Beta", "Two.")
        source.delete("b")
        assert set(listings_of(source)) == {kept}

    def test_gone_tells_only_what_is_gone(self, source: ChangeableSource) -> None:
        kept = source.write("a", "Alpha", "One.")
        deleted = source.write("b", "Beta", "Two.")
        source.delete("b")
        connector = source.connector()
        list(connector.manifest())
        assert set(connector.gone([kept, deleted])) == {deleted}

    def test_gone_of_nothing_is_nothing(self, source: ChangeableSource) -> None:
        source.write("a", "Alpha", "One.")
        assert set(source.connector().gone([])) == set()

    def test_a_source_that_cannot_be_read_raises_instead_of_listing_nothing(self, source: ChangeableSource) -> None:
        source.write("a", "Alpha", "One.")
        source.break_down()
        with pytest.raises((TryLater, Misconfigured)):
            list(source.connector().manifest())

    def test_gone_raises_when_it_cannot_tell(self, source: ChangeableSource) -> None:
        document_id = source.write("a", "Alpha", "One.")
        source.break_down()
        with pytest.raises((TryLater, Misconfigured)):
            source.connector().gone([document_id])

    def test_what_changed_recently_was_listed(self, source: ChangeableSource) -> None:
        source.write("a", "Alpha", "One.")
        source.write("b", "Beta", "Two.")
        recent = {listing.document_id for listing in source.connector().recent(LONG_AGO)}
        assert recent <= set(listings_of(source))

    def test_documents_carry_the_tag_of_their_source(self, source: ChangeableSource) -> None:
        document_id = source.write("a", "Alpha", "One.")
        connector = source.connector()
        document = documents_of(connector, connector.manifest())[document_id]
        assert source_tag(connector.source) in document.tags

    def test_times_know_their_zone(self, source: ChangeableSource) -> None:
        source.write("a", "Alpha", "One.")
        connector = source.connector()
        listings = list(connector.manifest())
        times = [listing.updated_at for listing in listings]
        times += [document.updated_at for document in documents_of(connector, listings).values()]
        assert all(time is None or time.tzinfo is not None for time in times)

    def test_a_document_says_where_it_is(self, source: ChangeableSource) -> None:
        document_id = source.write("a", "Alpha", "One.")
        connector = source.connector()
        document = documents_of(connector, connector.manifest())[document_id]
        assert document.url
        assert document.link

    def test_the_conversion_has_a_name_that_stays(self, source: ChangeableSource) -> None:
        assert source.connector().conversion
        assert source.connector().conversion == source.connector().conversion
