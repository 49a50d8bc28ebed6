"""A rehearsal Confluence and what a test needs to ask it without waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.rehearsal.confluence import RehearsalConfluence
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.connector import ConfluenceConnector
from connectors.confluence.storage_format import Converted, References
from connectors.model import Document, Listing
from connectors.patience import Patience

AT_ONCE = Patience(first_wait=0, first_wait_when_limited=0, shortest_wished_wait=0, longest_wait=2, budget=5)


@contextmanager
def confluence_with_a_space(key: str = "ENG", name: str = "Engineering") -> Iterator[RehearsalConfluence]:
    with RehearsalConfluence() as confluence:
        confluence.site.add_space(key, name)
        yield confluence


@contextmanager
def client_of(confluence: RehearsalConfluence, patience: Patience = AT_ONCE) -> Iterator[ConfluenceClient]:
    client = ConfluenceClient(
        confluence.url, confluence.email, confluence.token, patience=patience, requests_per_second=None
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def connector_of(
    confluence: RehearsalConfluence,
    *spaces: str,
    convert: Callable[[str, References], Converted] | None = None,
) -> Iterator[ConfluenceConnector]:
    with client_of(confluence) as client:
        yield ConfluenceConnector("wiki", client, spaces or ("ENG",), convert=convert or as_it_is)


def as_it_is(storage: str, references: References) -> Converted:
    """A page whose storage format is its Markdown."""
    return Converted(storage, {}, {}, {}, degraded=False, references=frozenset())


def listed(connector: ConfluenceConnector) -> dict[str, Listing]:
    """What a source lists, by the number of the page."""
    return {listing.document_id.rpartition(":")[2]: listing for listing in connector.manifest()}


def documents(connector: ConfluenceConnector) -> dict[str, Document]:
    """What a source lists and can be read, by the number of the page."""
    fetched = connector.fetch(list(connector.manifest()))
    return {found.document_id.rpartition(":")[2]: found for found in fetched if isinstance(found, Document)}
