"""What differs between a source's listings and the ledger, and what follows from it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from connectors.ledger.holdings import Holding
from connectors.ledger.records import Known, Quarantined, place_of
from connectors.model import Document, Listing

FEW_REMOVALS = 10
REMOVABLE_SHARE = 0.15


@dataclass(slots=True)
class Plan:
    """What to do, by document. ``missing`` ones are known and not listed; whether they are gone is not said here."""

    fetch: list[Listing] = field(default_factory=list)
    moved: list[Listing] = field(default_factory=list)
    """Unchanged, but at another place."""
    restricted: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    """Waited for removal, and are listed again."""
    readable: list[str] = field(default_factory=list)
    """In quarantine for no reason any more."""
    missing: list[str] = field(default_factory=list)
    unchanged: int = 0
    unreadable: int = 0
    """Unreadable at this very version for good: not fetched again."""
    total: int = 0


@dataclass(frozen=True, slots=True)
class IndexBook:
    """What the ledger says that one index holds of a source, and the pipeline that the index is filled through.

    ``again`` names documents to put once more although the index holds them; ``None`` means all.
    """

    pipeline: str
    held: Mapping[str, Holding]
    again: Collection[str] | None = frozenset()

    def is_asked_again(self, document_id: str) -> bool:
        """Whether a document is to be put although nothing changed."""
        return self.again is None or document_id in self.again

    def holds(self, document_id: str, version: str) -> bool:
        """Whether the index holds this very version as it would be put today."""
        held = self.held.get(document_id)
        return held is not None and (held.version, held.pipeline) == (version, self.pipeline)


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger says of a source: its documents, its quarantine, and what each index, by name, holds.

    ``pipeline`` is the one that what is in quarantine could not be read through.
    """

    known: Mapping[str, Known]
    quarantined: Mapping[str, Quarantined]
    pipeline: str
    indexes: Mapping[str, IndexBook]

    def is_due(self, index: str, document: Document, title: str) -> bool:
        """Whether an index is to be given a document that was fetched; ``title`` is that of its listing."""
        book, known = self.indexes[index], self.known.get(document.document_id)
        if known is None or known.place.title != title or book.is_asked_again(document.document_id):
            return True
        return not book.holds(document.document_id, document.version)


def plan_of(listings: Iterable[Listing], books: Books) -> Plan:
    """What to do about these listings, the last one of each document counting."""
    plan = Plan()
    latest = {listing.document_id: listing for listing in listings}
    for listing in latest.values():
        if listing.restricted:
            _plan_restricted(plan, listing.document_id, books)
        else:
            _plan_listed(plan, listing, books)
    plan.missing = [document_id for document_id in books.known if document_id not in latest]
    unlisted = books.quarantined.keys() - latest.keys() - books.known.keys()
    plan.readable += sorted(unlisted)
    return plan


def is_too_many(going: int, known: int) -> bool:
    """Whether so many removals need a person: more than max(10, 15 %) of the source, or all of it."""
    return going > max(FEW_REMOVALS, REMOVABLE_SHARE * known) or 0 < known <= going


def is_older(document: Document, known: Known | None) -> bool:
    """Whether a body is older than what we hold: a stale replica answered. Only numbers tell."""
    if known is None or not (document.version.isdecimal() and known.version.isdecimal()):
        return False
    return int(document.version) < int(known.version)


def _plan_restricted(plan: Plan, document_id: str, books: Books) -> None:
    if document_id in books.known or document_id in books.quarantined:
        plan.restricted.append(document_id)


def _plan_listed(plan: Plan, listing: Listing, books: Books) -> None:
    document_id = listing.document_id
    known, bad = books.known.get(document_id), books.quarantined.get(document_id)
    plan.total += 1
    if known is not None and known.waits_for_removal:
        plan.returned.append(document_id)
    if any(book.is_asked_again(document_id) for book in books.indexes.values()):
        plan.fetch.append(listing)
    elif known is not None and _is_current(known, listing, books):
        plan.unchanged += 1
        if bad is not None:
            plan.readable.append(document_id)
        if known.place != place_of(listing):
            plan.moved.append(listing)
    elif bad is not None and bad.lasting and (bad.version, bad.pipeline) == (listing.version, books.pipeline):
        plan.unreadable += 1
    else:
        plan.fetch.append(listing)


def _is_current(known: Known, listing: Listing, books: Books) -> bool:
    same_body = known.version == listing.version and known.place.title == listing.title
    return same_body and all(book.holds(listing.document_id, listing.version) for book in books.indexes.values())
