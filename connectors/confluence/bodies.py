"""Fetches bodies in bulk and makes documents of them; what one page cannot do costs that page only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import structlog

from connectors.confluence.client import MOST_BODIES, ConfluenceClient
from connectors.confluence.records import Kind, Page, Space
from connectors.confluence.storage_format import Converted, References, user_ids_in
from connectors.confluence.survey import UNKNOWN_VERSION, Survey, document_id_of, url_of
from connectors.errors import BeyondLimits, CannotRead, Misconfigured, TryLater
from connectors.http import ServerTrouble, TooLarge
from connectors.model import Document, Listing, Unreadable, source_tag

LARGEST_BODY = 10_000_000
"""Bytes of a body that is read. Beyond it a page is its title and its link."""
_BEYOND = "This page is too large to be read here. Open it in Confluence."
_MOST_FAILURES_IN_A_ROW = 3

Convert = Callable[[str, References], Converted]

log = structlog.get_logger()


class Bodies:
    """Makes documents of listings, with what the last surveys taught about titles, kinds and spaces."""

    def __init__(self, source: str, client: ConfluenceClient, convert: Convert) -> None:
        self._source = source
        self._client = client
        self._convert = convert
        self.spaces: Mapping[str, Space] = {}
        self._pages: dict[str, Page] = {}
        self._urls: dict[tuple[str, str], str] = {}
        self._names: dict[str, str] = {}
        self._nameless: set[str] = set()
        self._failures_in_a_row = 0

    def learn(self, survey: Survey) -> None:
        """Remember what a survey found, so that links by title lead somewhere."""
        self.read_from(survey.spaces)
        self._pages.update(survey.pages)
        for page in survey.pages.values():
            key = survey.spaces[page.space_id].key
            self._urls[key, page.title] = url_of(page, self._client.base_url)

    def read_from(self, spaces: Mapping[str, Space]) -> None:
        """Read from these spaces only: a page that moved out of them meanwhile is none of ours."""
        self.spaces = dict(spaces)

    def forget(self) -> None:
        """Forget pages, titles and names: they are about to be learnt again."""
        self._pages.clear()
        self._urls.clear()
        self._names.clear()
        self._nameless.clear()

    def fetched(self, listings: Sequence[Listing]) -> Iterator[Document | Unreadable]:
        """A document, or why there is none, for each listing whose page is still there."""
        prefix = document_id_of(self._source, "")
        wanted = {listing.document_id.removeprefix(prefix): listing for listing in listings}
        found: set[str] = set()
        for kind in ("page", "blogpost"):
            ids = [page_id for page_id in wanted if page_id not in found and self._may_be(kind, page_id)]
            for start in range(0, len(ids), MOST_BODIES):
                batch = {page_id: wanted[page_id] for page_id in ids[start : start + MOST_BODIES]}
                for page_id, document in self._batch(kind, batch):
                    found.add(page_id)
                    yield document

    def _may_be(self, kind: Kind, page_id: str) -> bool:
        known = self._pages.get(page_id)
        return known is None or known.node.kind == kind

    def _batch(self, kind: Kind, wanted: Mapping[str, Listing]) -> Iterator[tuple[str, Document | Unreadable]]:
        try:
            pages = {page.id: page for page in self._client.bodies(kind, list(wanted)) if page.id in wanted}
        except (ServerTrouble, CannotRead) as failure:
            yield from self._in_halves(kind, wanted, failure)
            return
        self._failures_in_a_row = 0
        self._learn_names(pages.values())
        for page in pages.values():
            if page.status in ("", "current") and page.space_id in self.spaces:
                yield page.id, self._document(page, wanted[page.id])

    def _in_halves(
        self, kind: Kind, wanted: Mapping[str, Listing], failure: ServerTrouble | CannotRead
    ) -> Iterator[tuple[str, Document | Unreadable]]:
        """One page may be what the server fails on: find it, and leave it alone.

        Raises:
            ServerTrouble: It fails on one page after the other: it is the server after all.
        """
        ids = list(wanted)
        if len(ids) > 1:
            for part in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
                yield from self._batch(kind, {page_id: wanted[page_id] for page_id in part})
            return
        (page_id,) = ids
        if isinstance(failure, TooLarge):
            yield page_id, self._title_and_link(wanted[page_id])
            return
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= _MOST_FAILURES_IN_A_ROW:
            raise failure
        yield page_id, Unreadable(wanted[page_id], str(failure), lasting=False)

    def _document(self, page: Page, listing: Listing) -> Document | Unreadable:
        if (objection := _objection_to(page, listing)) is not None:
            return Unreadable(listing, objection, lasting=False)
        storage = page.storage or ""
        try:
            if len(storage.encode("utf-8", "surrogatepass")) > LARGEST_BODY:
                raise BeyondLimits(f"the page is larger than {LARGEST_BODY // 1_000_000} MB")
            converted = self._convert(storage, self._references(page))
        except BeyondLimits as limit:
            log.warning("page.beyond_limits", source=self._source, document_id=listing.document_id, reason=str(limit))
            return self._title_and_link(replace(listing, version=str(page.version), title=page.title))
        except CannotRead as failure:
            return Unreadable(listing, str(failure))
        except TryLater as failure:
            return Unreadable(listing, str(failure), lasting=False)
        for macro, count in converted.unknown_macros.items():
            log.info("macro.dropped", source=self._source, document_id=listing.document_id, macro=macro, count=count)
        # An empty page is its title: it can be found, and there is nothing else to say of it.
        return self._written(page, listing, converted.markdown.strip() and converted.markdown, converted.anchors)

    def _written(self, page: Page, listing: Listing, text: str, anchors: Mapping[int, str]) -> Document:
        url = url_of(page, self._client.base_url)
        return Document(
            source=self._source,
            document_id=listing.document_id,
            version=str(page.version),
            title=page.title,
            text=text or page.title,
            url=url,
            link=url + "#{anchor}",
            parent=listing.parent,
            breadcrumbs=listing.breadcrumbs,
            updated_at=page.edited_at,
            tags=self._tags(page),
            lines=(),
            anchors=anchors if text else {},
        )

    def _title_and_link(self, listing: Listing) -> Document:
        return Document(
            source=self._source,
            document_id=listing.document_id,
            version=listing.version,
            title=listing.title,
            text=_BEYOND,
            url=listing.url,
            link=listing.url,
            parent=listing.parent,
            breadcrumbs=listing.breadcrumbs,
            updated_at=listing.updated_at,
            tags=self._tags(self._pages.get(listing.document_id.rpartition(":")[2])),
            lines=(),
        )

    def _references(self, page: Page) -> References:
        return References(
            base_url=self._client.base_url,
            page_url=url_of(page, self._client.base_url),
            space_key=self.spaces[page.space_id].key,
            pages=self._urls,
            users=self._names,
            spaces={space.key: space.name for space in self.spaces.values()},
        )

    def _tags(self, page: Page | None) -> frozenset[str]:
        space = self.spaces.get(page.space_id) if page else None
        return frozenset({source_tag(self._source), *([f"space:{space.key}"] if space else [])})

    def _learn_names(self, pages: Iterable[Page]) -> None:
        mentioned = {user for page in pages if page.storage for user in user_ids_in(page.storage)}
        unknown = sorted(mentioned - self._names.keys() - self._nameless)
        if not unknown:
            return
        try:
            self._names.update(self._client.names(unknown))
        except (Misconfigured, CannotRead) as failure:
            log.warning("names.unreadable", source=self._source, failure=type(failure).__name__)
        self._nameless.update(set(unknown) - self._names.keys())


def _objection_to(page: Page, listing: Listing) -> str | None:
    """Why what came cannot be the page; it may be better the next time."""
    if page.storage is None or page.version is None:
        return "Confluence sent no body or no version with it."
    if listing.version != UNKNOWN_VERSION and page.version < int(listing.version):
        return "Confluence sent an older version than it listed."
    return None
