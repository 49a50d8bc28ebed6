"""What a rehearsal Confluence holds: spaces, a tree of content, people, restrictions, and how all that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Kind = Literal["page", "blogpost", "folder", "whiteboard", "database", "embed"]
Status = Literal["current", "archived", "trashed", "deleted"]

_FIRST_ID = 65_537


@dataclass(slots=True)
class Space:
    """A space. ``status`` is current or archived."""

    id: str
    key: str
    name: str
    type: str = "global"
    status: str = "current"
    homepage: str | None = None
    alias: str = ""


@dataclass(slots=True)
class Content:
    """A page, a blog post, or another node of the tree."""

    id: str
    kind: Kind
    space: str
    title: str
    storage: str | None
    parent: str | None
    author: str
    created_at: datetime
    edited_at: datetime
    version: int = 1
    status: Status = "current"
    users: frozenset[str] = frozenset()
    """Account ids to which reading is restricted; with ``groups`` empty as well: not restricted."""
    groups: frozenset[str] = frozenset()
    labels: tuple[str, ...] = ()
    subtype: str | None = None
    hidden: bool = False
    """The account that asks may not see it."""
    indexed: bool = True
    """The search index knows it already."""


@dataclass(slots=True)
class Site:
    """The whole site. Every change counts up a version and moves a clock of its own, as the real one does.

    Ids grow, so that a listing by id meets what is new at its end. All methods may be called from any thread.
    """

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    spaces: dict[str, Space] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _next_id: int = _FIRST_ID
    _last_moment: datetime = field(default=datetime.min.replace(tzinfo=UTC))

    def add_space(self, key: str, name: str | None = None, *, type: str = "global") -> str:  # Its name there.
        """Add a space; its id."""
        with self.lock:
            space = Space(self._new_id(), key, name or key, type)
            self.spaces[space.id] = space
            return space.id

    def add_user(self, name: str, account_id: str | None = None) -> str:
        """Add a person; the account id."""
        with self.lock:
            account_id = account_id or f"712020:{len(self.users):08d}-cafe"
            self.users[account_id] = name
            return account_id

    def add_page(
        self,
        space: str,
        title: str,
        storage: str | None = "",
        parent: str | None = None,
        restricted_to: str | Collection[str] | None = None,
        page_id: str | None = None,
    ) -> str:
        """Add a page to the space with that key; its id. ``restricted_to`` names accounts or groups."""
        page_id = self._add("page", space, title, storage, parent, page_id)
        self.restrict(page_id, restricted_to)
        return page_id

    def add_blog_post(self, space: str, title: str, storage: str = "", page_id: str | None = None) -> str:
        """Add a blog post; its id."""
        return self._add("blogpost", space, title, storage, None, page_id)

    def add_folder(self, space: str, title: str, parent: str | None = None, kind: Kind = "folder") -> str:
        """Add a folder, or another node of the tree that is no page; its id."""
        return self._add(kind, space, title, None, parent, None)

    def edit(self, page_id: str, storage: str | None) -> None:
        """Give a page a new body, and with it a new version."""
        with self.lock:
            self._touched(page_id).storage = storage

    def rename(self, page_id: str, title: str) -> None:
        """Give a page another title, and with it a new version."""
        with self.lock:
            self._touched(page_id).title = title

    def move(self, page_id: str, parent: str | None, space: str | None = None) -> None:
        """Put a page below another one, or into another space. Its version stays, as in the real one."""
        with self.lock:
            content = self.contents[page_id]
            content.parent = parent
            content.space = self.space_of_key(space).id if space else content.space

    def trash(self, page_id: str) -> None:
        """Delete a page as a person does: into the trash. What hung below it moves up, as in the real one."""
        with self.lock:
            trashed = self.contents[page_id]
            trashed.status = "trashed"
            for content in self.contents.values():
                if content.parent == page_id:
                    content.parent = trashed.parent

    def archive(self, page_id: str) -> None:
        """Archive a page."""
        self.contents[page_id].status = "archived"

    def restore(self, page_id: str) -> None:
        """Take a page out of the trash or the archive."""
        self.contents[page_id].status = "current"

    def purge(self, page_id: str) -> None:
        """Delete a page for good."""
        with self.lock:
            del self.contents[page_id]

    def restrict(self, page_id: str, restricted_to: str | Collection[str] | None) -> None:
        """Let only these accounts and groups read it, and what is below it; nobody named: no restriction."""
        names = frozenset([restricted_to] if isinstance(restricted_to, str) else restricted_to or ())
        with self.lock:
            content = self.contents[page_id]
            content.users = names & self.users.keys()
            content.groups = names - content.users

    def space_of_key(self, key: str) -> Space:
        """The space with that key."""
        return next(space for space in self.spaces.values() if space.key == key)

    def page(self, title: str, space: str | None = None) -> Content:
        """The page with that title."""
        wanted = self.space_of_key(space).id if space else None
        return next(c for c in self.contents.values() if c.title == title and wanted in (None, c.space))

    def is_visible(self, content: Content) -> bool:
        """Whether the account that asks may see it: neither it nor anything above it is hidden."""
        node: Content | None = content
        for _ in range(len(self.contents) + 1):
            if node is None:
                return True
            if node.hidden:
                return False
            node = self.contents.get(node.parent or "")
        return True

    def _add(
        self, kind: Kind, space: str, title: str, storage: str | None, parent: str | None, page_id: str | None
    ) -> str:
        with self.lock:
            home = self.space_of_key(space)
            author = next(iter(self.users), None) or self.add_user("Documentation team")
            moment = self._moment()
            identity = page_id or self._new_id()
            self._next_id = max(self._next_id, int(identity) + 1)
            self.contents[identity] = Content(identity, kind, home.id, title, storage, parent, author, moment, moment)
            return identity

    def _touched(self, page_id: str) -> Content:
        content = self.contents[page_id]
        content.version += 1
        content.edited_at = self._moment()
        return content

    def _moment(self) -> datetime:
        moment = max(self.now(), self._last_moment + timedelta(milliseconds=1))
        self._last_moment = moment
        return moment

    def _new_id(self) -> str:
        self._next_id += 1
        return str(self._next_id - 1)
