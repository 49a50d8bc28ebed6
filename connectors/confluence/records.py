"""What Confluence says of spaces, pages and the other nodes of its tree, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from connectors.confluence.storage.characters import visible
from connectors.http import ServerTrouble

Kind = Literal["page", "blogpost", "folder", "whiteboard", "database", "embed"]
NODE_KINDS: Mapping[str, str] = {
    "folder": "folders", "whiteboard": "whiteboards", "database": "databases", "embed": "embeds",
}  # fmt: skip
"""The nodes of the tree that are no pages, and the collection of REST v2 that holds them."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Space:
    """A space that can be read."""

    id: str
    key: str
    name: str
    type: str
    status: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the tree of a space: a page, a blog post, a folder …"""

    id: str
    kind: str
    title: str
    parent: str | None
    parent_kind: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page or blog post as a listing has it. ``storage`` is its body where that was asked for and given.

    ``version`` is ``None`` where the record has no readable one: such a page can be listed, not read.
    ``site`` is the base of the links, as the answer names it.
    """

    node: Node
    space_id: str
    status: str
    version: int | None
    edited_at: datetime | None
    webui: str
    site: str
    storage: str | None = None

    @property
    def id(self) -> str:
        """The id, which is a number."""
        return self.node.id

    @property
    def title(self) -> str:
        """The title, without characters that nobody sees."""
        return self.node.title


def space_of(row: Any, site: str) -> Space:
    """The space of a row.

    Raises:
        ServerTrouble: The row has no readable id or key: a listing with such a row cannot be believed.
    """
    row = _fields(row)
    key = _text(row, "key")
    if not key:
        raise ServerTrouble(f"{site} listed a space without a key.")
    name = visible(_text(row, "name")) or key
    status = _text(row, "status") or "current"
    return Space(_id(row, site), key, name, _text(row, "type"), status, _text(row, "currentActiveAlias"))


def page_of(row: Any, kind: Kind, site: str) -> Page:
    """The page of a row. A version, date or title that cannot be read is left out; an id never is.

    Raises:
        ServerTrouble: The row has no readable id: a listing with such a row cannot be believed.
    """
    row = _fields(row)
    version = _fields(row.get("version"))
    number = version.get("number")
    return Page(
        node=node_of(row, kind, site),
        space_id=_text(row, "spaceId"),
        status=_text(row, "status"),
        version=number if isinstance(number, int) and not isinstance(number, bool) else None,
        edited_at=_moment(version.get("createdAt")),
        webui=_text(_fields(row.get("_links")), "webui"),
        site=site,
        storage=_storage(row.get("body")),
    )


def node_of(row: Any, kind: str, site: str) -> Node:
    """The place in the tree of a row."""
    row = _fields(row)
    parent = _text(row, "parentId") or None
    parent_kind = (_text(row, "parentType") or "page") if parent else None
    identity = _id(row, site)
    return Node(identity, kind, visible(_text(row, "title")).strip() or f"Page {identity}", parent, parent_kind)


def fields_of(value: Any) -> Mapping[str, Any]:
    """A JSON object, or an empty one where something else stands."""
    return _fields(value)


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _id(row: Mapping[str, Any], site: str) -> str:
    identity = _text(row, "id")
    if not (identity.isascii() and identity.isdigit()):
        raise ServerTrouble(f"{site} listed something without a readable id.")
    return identity


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _storage(body: Any) -> str | None:
    value = _fields(_fields(body).get("storage")).get("value")
    return value if isinstance(value, str) else None
