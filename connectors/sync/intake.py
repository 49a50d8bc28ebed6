"""Fetches listed documents, cuts them and seals the pieces: what is about to be stored, and what cannot be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from connectors.ledger.records import Stored, place_of
from connectors.ledger.seals import seal
from connectors.model import Chunk, Document, Listing, Unreadable, source_tag
from connectors.ports import Connector
from connectors.sync.differences import Books, is_older
from connectors.text.chunking import chunks_of

log = structlog.get_logger()


Pieces = Mapping[str, Sequence[Chunk]]
"""A document's chunks, by the pipeline that they are for."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of fetching some listings. ``pieces`` are those of ``stored``, by document id."""

    stored: Sequence[Stored]
    pieces: Mapping[str, Pieces]
    unreadable: Sequence[Unreadable]


def taken_in(connector: Connector, listings: Sequence[Listing], books: Books, key: bytes) -> Intake:
    """The bodies of these listings, ready to be put. What nobody listed or is older than what we hold is left out."""
    asked = {listing.document_id: listing for listing in listings}
    pipelines = {book.pipeline for book in books.indexes.values()}
    stored: dict[str, tuple[Stored, Pieces]] = {}
    unreadable: dict[str, Unreadable] = {}
    for answer in connector.fetch(listings):
        document_id = answer.document_id if isinstance(answer, Document) else answer.listing.document_id
        listing = asked.get(document_id)
        if listing is None or (isinstance(answer, Document) and _is_stale(answer, listing, books)):
            log.info("document.passed_over", source=connector.source, document_id=document_id)
            continue
        outcome = _cut(answer, listing, pipelines, key) if isinstance(answer, Document) else answer
        if isinstance(outcome, Unreadable):
            # The listing as it was told: its version is what the next run will compare with.
            unreadable[document_id] = replace(outcome, listing=listing)
            # A reason is a sentence of ours, never the page's words.
            log.warning("document.unreadable", source=connector.source, document_id=document_id, reason=outcome.reason)
        else:
            stored[document_id] = outcome
    good = {document_id: pair for document_id, pair in stored.items() if document_id not in unreadable}
    pieces = {document_id: pieces for document_id, (_, pieces) in good.items()}
    return Intake([entry for entry, _ in good.values()], pieces, list(unreadable.values()))


def _is_stale(document: Document, listing: Listing, books: Books) -> bool:
    return document.version != listing.version and is_older(document, books.known.get(document.document_id))


def _cut(
    document: Document, listing: Listing, pipelines: Collection[str], key: bytes
) -> tuple[Stored, Pieces] | Unreadable:
    tagged = replace(storable(document), tags=document.tags | {source_tag(document.source)})
    try:
        chunks = chunks_of(tagged, "")
        pieces = {
            pipeline: [seal(key, replace(chunk, pipeline=pipeline)) for chunk in chunks] for pipeline in pipelines
        }
    except Exception as error:  # noqa: BLE001  # one poisoned page must not stop its source, whatever it does to us
        return Unreadable(listing, f"It cannot be cut into chunks ({type(error).__name__}).")
    return Stored(tagged, place_of(listing)), pieces


def storable(document: Document) -> Document:
    """The document without what no database takes: lone surrogates become �, NUL goes. Lines stay where they are."""
    return replace(
        document,
        title=_storable(document.title),
        text=_storable(document.text),
        url=_storable(document.url),
        link=_storable(document.link),
        owner=None if document.owner is None else _storable(document.owner),
        breadcrumbs=tuple(_storable(crumb) for crumb in document.breadcrumbs),
    )


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
