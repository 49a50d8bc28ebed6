"""A source in memory that keeps a journal of how often it was asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connectors.errors import TryLater
from connectors.model import Document, Listing, Unreadable, source_tag

WRITTEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class JournalConnector:
    """Documents that a test writes, deletes, restricts and breaks by name. ``calls`` tells what was asked of it."""

    source: str = "fake"
    conversion: str = "journal-1"
    pages: dict[str, Document] = field(default_factory=dict)
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    unreadable: dict[str, tuple[str, bool]] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    """Not in the manifest although they are there: what a partial answer looks like."""
    ahead: dict[str, str] = field(default_factory=dict)
    """Versions that the listing tells in place of those of the bodies."""
    vanishing: set[str] = field(default_factory=set)
    """Listed, but away when they are fetched."""
    down: bool = False
    calls: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def id_of(self, name: str) -> str:
        return f"fake:{self.source}:{name}"

    def write(self, name: str, text: str, title: str = "") -> str:
        """Create or edit; the id."""
        old = self.pages.get(name)
        version = str(int(old.version) + 1) if old else "1"
        url = f"https://example.test/{self.source}/{name}"
        self.pages[name] = Document(
            source=self.source,
            document_id=self.id_of(name),
            version=version,
            title=title or (old.title if old else name.title()),
            text=text,
            url=url,
            link=url + "#{anchor}",
            updated_at=WRITTEN,
            tags=frozenset({source_tag(self.source)}),
        )
        return self.id_of(name)

    def delete(self, name: str) -> None:
        del self.pages[name]

    def move(self, name: str, *breadcrumbs: str) -> None:
        """Put the document at another place, without touching its version."""
        self.places[name] = breadcrumbs
        url = "/".join(("https://example.test", self.source, *breadcrumbs, name))
        self.pages[name] = replace(
            self.pages[name], url=url, link=url + "#{anchor}", breadcrumbs=breadcrumbs, parent=breadcrumbs[-1]
        )

    def manifest(self) -> Iterator[Listing]:
        self._asked("manifest")
        for name in self.pages:
            if name not in self.unlisted:
                yield self._listing(name)

    def recent(self, since: datetime) -> Iterator[Listing]:
        self._asked("recent")
        for name, page in self.pages.items():
            if page.updated_at is None or page.updated_at >= since:
                yield self._listing(name)

    def fetch(self, listings: Sequence[Listing]) -> Iterator[Document | Unreadable]:
        if listings:
            self._asked("fetch")
        for listing in listings:
            name = listing.document_id.rpartition(":")[2]
            if name not in self.pages or name in self.vanishing:
                continue
            self.fetched.append(name)
            if name in self.unreadable:
                yield Unreadable(listing, *self.unreadable[name])
            else:
                yield self.pages[name]

    def gone(self, document_ids: Collection[str]) -> Collection[str]:
        self._asked("gone")
        there = {self.id_of(name) for name in self.pages}
        return {document_id for document_id in document_ids if document_id not in there}

    def _asked(self, what: str) -> None:
        self.calls.append(what)
        if self.down:
            raise TryLater(f"{self.source}: the source is down")

    def _listing(self, name: str) -> Listing:
        page = self.pages[name]
        return Listing(
            document_id=page.document_id,
            version=self.ahead.get(name, page.version),
            title=page.title,
            url=page.url,
            parent=page.parent,
            breadcrumbs=self.places.get(name, ()),
            updated_at=page.updated_at,
            restricted=name in self.restricted,
        )
