"""What is to be read at one moment: pages with their places, links and restrictions, as listings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.confluence.client import ConfluenceClient
from connectors.confluence.hierarchy import Hierarchy
from connectors.confluence.permissions import Restrictions, found_restrictions, is_open, restrictions_of
from connectors.confluence.records import Page, Space
from connectors.errors import Misconfigured
from connectors.http import checked_base_url
from connectors.model import Listing

UNKNOWN_VERSION = "unknown"


@dataclass(frozen=True, slots=True)
class Survey:
    """Pages by id, the spaces they are in, the tree above them, and what is known of restrictions."""

    spaces: Mapping[str, Space]
    pages: Mapping[str, Page]
    hierarchy: Hierarchy
    restrictions: Restrictions

    def listings(self, source: str, base_url: str) -> Iterator[Listing]:
        """A listing for each page, restricted ones included and marked."""
        for page in self.pages.values():
            yield Listing(
                document_id=document_id_of(source, page.id),
                version=version_of(page),
                title=page.title,
                url=url_of(page, base_url),
                parent=document_id_of(source, page.node.parent) if page.node.parent_kind == "page" else None,
                breadcrumbs=(self.spaces[page.space_id].name, *self.hierarchy.titles_above(page.node)),
                updated_at=page.edited_at,
                restricted=not is_open(page.node, self.hierarchy, self.restrictions),
            )


def surveyed(client: ConfluenceClient, spaces: Mapping[str, Space], pages: Iterable[Page], *, search: bool) -> Survey:
    """The survey of these pages. With ``search``, restrictions are first asked for in bulk, for whole spaces."""
    chosen: dict[str, Page] = {}
    for page in pages:
        earlier = chosen.get(page.id)
        if page.space_id in spaces and page.status in ("", "current") and _is_newer(page, earlier):
            chosen[page.id] = page
    hierarchy = Hierarchy(page.node for page in chosen.values())
    hierarchy.complete(client)
    known = found_restrictions(client, spaces.values()) if search and chosen else {}
    return Survey(spaces, chosen, hierarchy, restrictions_of(client, list(hierarchy), known))


def document_id_of(source: str, page_id: str | None) -> str:
    """The id of a page's document, which no rename or move changes."""
    return f"confluence:{source}:{page_id}"


def version_of(page: Page) -> str:
    """The version of a listing: Confluence counts it up with every change of body or title."""
    return UNKNOWN_VERSION if page.version is None else str(page.version)


def url_of(page: Page, base_url: str) -> str:
    """Where people open a page: below the site's own base where that is safe to link to, else below ours."""
    try:
        base = checked_base_url(page.site)
    except Misconfigured:
        base = base_url
    if page.webui.startswith("/") and not page.webui.startswith("//") and page.webui.isprintable():
        return base + page.webui.replace(" ", "+")
    return f"{base}/pages/viewpage.action?pageId={page.id}"


def _is_newer(page: Page, earlier: Page | None) -> bool:
    return earlier is None or (page.version or 0) >= (earlier.version or 0)
