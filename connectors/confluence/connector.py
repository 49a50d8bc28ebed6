"""Confluence Cloud as a source: its pages and blog posts, as Markdown, without what not everybody may read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from connectors.confluence.bodies import Bodies, Convert
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.jail import Jail
from connectors.confluence.records import Page, Space
from connectors.confluence.storage_format import CONVERSION
from connectors.confluence.survey import document_id_of, surveyed
from connectors.errors import Misconfigured, TryLater
from connectors.model import Document, Listing, Unreadable

_READ_BY_DEFAULT = frozenset({"global", "collaboration", "knowledge_base"})
_OVERLAP = timedelta(minutes=10)  # The feed follows the primary store with a lag that nobody documents.

log = structlog.get_logger()


class ConfluenceConnector:
    """Reads the current pages and blog posts of some spaces, or of all that are not personal ones.

    A page on which, or above which, a view restriction stands is listed as restricted and never fetched; so is a page
    of which that cannot be told.
    """

    conversion = f"confluence-1 {CONVERSION}"

    def __init__(
        self, source: str, client: ConfluenceClient, spaces: Collection[str] = (), *, convert: Convert | None = None
    ) -> None:
        self.source = source
        self._client = client
        self._keys = frozenset(spaces)
        self._jail = Jail()
        self._bodies = Bodies(source, client, convert or self._jail.convert)

    def manifest(self) -> Iterator[Listing]:
        """Every page and blog post of the spaces. One account sees all of it, or this raises.

        Raises:
            Misconfigured: A configured space is not there for this account, or the credentials are rejected.
        """
        account, spaces = self._begun()
        self._bodies.forget()
        survey = surveyed(self._client, spaces, self._everything(spaces), search=True)
        self._still(account)
        self._bodies.learn(survey)
        log.info("manifest.listed", source=self.source, spaces=len(spaces), documents=len(survey.pages))
        yield from survey.listings(self.source, self._client.base_url)

    def recent(self, since: datetime) -> Iterator[Listing]:
        """Pages and blog posts edited since a little before then, with their restrictions as they are now."""
        account, spaces = self._begun()
        start, ids = since - _OVERLAP, sorted(spaces)
        edited = [
            *self._client.edited_since("page", ids, start),
            *self._client.edited_since("blogpost", ids, start),
        ]
        survey = surveyed(self._client, spaces, edited, search=False)
        self._still(account)
        self._bodies.learn(survey)
        yield from survey.listings(self.source, self._client.base_url)

    def fetch(self, listings: Sequence[Listing]) -> Iterator[Document | Unreadable]:
        """The bodies, some dozens in one request. Restricted pages are left out, as are those that went away."""
        if listings and not self._bodies.spaces:
            self._bodies.read_from(self._chosen())
        yield from self._bodies.fetched([listing for listing in listings if not listing.restricted])

    def gone(self, document_ids: Collection[str]) -> Collection[str]:
        """Those that are archived, in the trash, deleted, hidden from the account, or moved out of our spaces."""
        if not document_ids:
            return set()
        account, spaces = self._begun()
        prefix = document_id_of(self.source, "")
        ids = sorted({document_id.removeprefix(prefix) for document_id in document_ids})
        wanted = [page_id for page_id in ids if page_id.isdigit()]
        there = {
            page.id
            for kind in ("page", "blogpost")
            for page in self._client.states(kind, wanted)
            if page.status in ("", "current") and page.space_id in spaces
        }
        self._still(account)
        return {document_id for document_id in document_ids if document_id.removeprefix(prefix) not in there}

    def spaces(self) -> list[Space]:
        """The spaces that would be read now.

        Raises:
            Misconfigured: A configured space is not there for this account, or there is none at all.
        """
        return list(self._chosen().values())

    def close(self) -> None:
        """Let go of the connections, and of the process that converts."""
        self._jail.close()
        self._client.close()

    def _begun(self) -> tuple[str, dict[str, Space]]:
        self._client.start_run()
        return self._client.account(), self._chosen()

    def _still(self, account: str) -> None:
        """A site that lets strangers in goes on answering when a token expires, with less in every listing."""
        if self._client.account() != account:
            raise TryLater(f"{self._client.base_url} changed the account that we are while we were reading.")

    def _chosen(self) -> dict[str, Space]:
        found = self._client.spaces(self._keys)
        chosen = [space for space in found if self._is_wanted(space)]
        reached = {name for space in chosen for name in (space.key, space.alias)}
        missing = sorted(self._keys - reached)
        if missing:
            raise Misconfigured(
                f"Source {self.source}: {self._client.base_url} shows no current space {', '.join(missing)} to this"
                " account. Correct the key under spaces, or give the account permission to view the space."
            )
        if not chosen:
            raise Misconfigured(
                f"Source {self.source}: {self._client.base_url} shows no space to this account."
                " Give it permission to view the spaces that should be read."
            )
        return {space.id: space for space in chosen}

    def _is_wanted(self, space: Space) -> bool:
        if space.status != "current":
            return False
        return bool({space.key, space.alias} & self._keys) if self._keys else space.type in _READ_BY_DEFAULT

    def _everything(self, spaces: dict[str, Space]) -> Iterator[Page]:
        for space in spaces.values():
            yield from self._client.pages(space)
            yield from self._client.blog_posts(space)
