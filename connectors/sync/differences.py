"""What differs between a source's listings and the ledger, and what follows from it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

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
class Books:
    """What the ledger says of a source: its documents, its quarantine, and the pipeline that is in use."""

    known: Mapping[str, Known]
    quarantined: Mapping[str, Quarantined]
    pipeline: str


def plan_of(listings: Iterable[Listing], books: Books, again: Collection[str] | None) -> Plan:
    """What to do about these listings, the last one of each document counting.

    ``again`` names documents to fetch although nothing changed; ``None`` means all.
    """
    plan = Plan()
    latest = {listing.document_id: listing for listing in listings}
    for listing in latest.values():
        if listing.restricted:
            _plan_restricted(plan, listing.document_id, books)
        else:
            _plan_listed(plan, listing, books, again is None or listing.document_id in again)
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


def _plan_listed(plan: Plan, listing: Listing, books: Books, again: bool) -> None:
    document_id = listing.document_id
    known, bad = books.known.get(document_id), books.quarantined.get(document_id)
    plan.total += 1
    if known is not None and known.waits_for_removal:
        plan.returned.append(document_id)
    if again:
        plan.fetch.append(listing)
    elif known is not None and _is_current(known, listing, books.pipeline):
        plan.unchanged += 1
        if bad is not None:
            plan.readable.append(document_id)
        if known.place != place_of(listing):
            plan.moved.append(listing)
    elif bad is not None and bad.lasting and (bad.version, bad.pipeline) == (listing.version, books.pipeline):
        plan.unreadable += 1
    else:
        plan.fetch.append(listing)


def _is_current(known: Known, listing: Listing, pipeline: str) -> bool:
    same_body = known.version == listing.version and known.place.title == listing.title
    return same_body and (known.held_version, known.held_pipeline) == (known.version, pipeline)
