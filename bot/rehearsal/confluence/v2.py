"""REST v2 of a rehearsal Confluence: spaces, pages, blog posts, the other nodes of the tree, users."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from bot.rehearsal.confluence.asking import MOST_IDS, MOST_SPACES, Asked, bad_request, not_found
from bot.rehearsal.confluence.faults import Reply, json_reply
from bot.rehearsal.confluence.results import Key, Page, page_of
from bot.rehearsal.confluence.site import Content, Site, Space

_SPACE_TYPES = (
    "global", "collaboration", "knowledge_base", "personal", "system", "onboarding", "xflow_sample_space"
)  # fmt: skip
_BODY_FORMATS = ("", "storage", "atlas_doc_format")
_STATUSES = {"page": ("current", "archived", "deleted", "trashed"), "blogpost": ("current", "deleted", "trashed")}
_NODES = {"folders": "folder", "whiteboards": "whiteboard", "databases": "database", "embeds": "embed"}

_CONTENT_ORDERS: dict[str, Callable[[Content], Any]] = {
    "id": lambda content: int(content.id),
    "created-date": lambda content: content.created_at,
    "modified-date": lambda content: content.edited_at,
    "title": lambda content: content.title,
}
_SPACE_ORDERS: dict[str, Callable[[Space], Any]] = {
    "id": lambda space: int(space.id),
    "key": lambda space: space.key,
    "name": lambda space: space.name,
}


@dataclass(frozen=True, slots=True)
class V2:
    """Answers what begins with ``/api/v2``."""

    site: Site
    base: str
    most: int
    """The largest page of results that the server gives, whatever is asked for."""

    def answer(self, asked: Asked) -> Reply:
        """The answer to a request.

        Raises:
            Refused: With the error that it earns.
        """
        path = asked.path.removeprefix("/api/v2")
        if (asked.method, path) == ("POST", "/users-bulk"):
            return self._users(asked)
        if asked.method == "GET":
            for pattern, view in _VIEWS:
                if match := re.fullmatch(pattern, path):
                    return view(self, asked, *match.groups())
        raise not_found()

    def _spaces(self, asked: Asked) -> Reply:
        keys, ids = asked.many("keys"), asked.ids("ids", MOST_IDS)
        wanted_type = asked.one_of("type", (*_SPACE_TYPES, ""), "")
        status = asked.one_of("status", ("current", "archived", ""), "")
        spaces = [
            space
            for space in self.site.spaces.values()
            if (not keys or {space.key, space.alias} & set(keys)) and (not ids or space.id in ids)
            if wanted_type in ("", space.type) and status in ("", space.status)
        ]
        order, down = _order(asked, _SPACE_ORDERS, "id")
        page = page_of(asked, spaces, lambda space: (order(space), int(space.id)), down=down, most=self.most)
        return self._listed(page, [space_row(space) for space in page.rows])

    def _pages_of_space(self, asked: Asked, space_id: str) -> Reply:
        if space_id not in self.site.spaces:
            raise not_found(f"Space {space_id} not found")
        root_only = asked.one_of("depth", ("all", "root"), "all") == "root"
        contents = [content for content in self._of_kind("page") if content.space == space_id]
        return self._contents(asked, "page", [c for c in contents if not (root_only and c.parent)])

    def _pages(self, asked: Asked) -> Reply:
        return self._contents(asked, "page", self._filtered(asked, "page"))

    def _blog_posts(self, asked: Asked) -> Reply:
        return self._contents(asked, "blogpost", self._filtered(asked, "blogpost"))

    def _page(self, asked: Asked, page_id: str) -> Reply:
        content = self.site.contents.get(page_id)
        if content is None or content.kind != "page" or not self.site.is_visible(content):
            raise not_found(f"Page {page_id} not found")
        row = content_row(self.site, content, asked.one_of("body-format", (*_BODY_FORMATS, "view", "export_view"), ""))
        if asked.text("include-labels") == "true":
            row["labels"] = _labels(content)
        return json_reply(200, row | {"_links": row["_links"] | {"base": self.base}})

    def _node(self, asked: Asked, collection: str, node_id: str) -> Reply:
        content = self.site.contents.get(node_id)
        if content is None or content.kind != _NODES[collection] or not self.site.is_visible(content):
            raise not_found(f"{_NODES[collection]} {node_id} not found")
        row = content_row(self.site, content, "")
        return json_reply(200, row | {"type": content.kind, "_links": row["_links"] | {"base": self.base}})

    def _users(self, asked: Asked) -> Reply:
        ids = asked.content.get("accountIds") if isinstance(asked.content, dict) else None
        if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_IDS:
            raise bad_request(f"'accountIds' takes 1 to {MOST_IDS} account ids")
        rows = [
            {
                "displayName": name, "publicName": name, "accountId": account_id, "email": "",
                "accountType": "atlassian", "accountStatus": "active", "isExternalCollaborator": False,
            }
            for account_id, name in self.site.users.items()
            if account_id in ids
        ]  # fmt: skip
        return self._listed(Page(rows, ""), rows)

    def _of_kind(self, kind: str) -> Iterable[Content]:
        contents = list(self.site.contents.values())
        return (content for content in contents if content.kind == kind and self.site.is_visible(content))

    def _filtered(self, asked: Asked, kind: str) -> list[Content]:
        ids, spaces, title = asked.ids("id", MOST_IDS), asked.ids("space-id", MOST_SPACES), asked.text("title")
        return [
            content
            for content in self._of_kind(kind)
            if (not ids or content.id in ids) and (not spaces or content.space in spaces)
            if title in ("", content.title)
        ]

    def _contents(self, asked: Asked, kind: str, contents: Collection[Content]) -> Reply:
        body_format = asked.one_of("body-format", _BODY_FORMATS, "")
        statuses = asked.many("status") or ["current", "archived"]
        if not set(statuses) <= {*_STATUSES[kind], *(["archived"] if not asked.many("status") else [])}:
            raise bad_request(f"'status' takes {_STATUSES[kind]}, not {statuses}")
        orders = {name: order for name, order in _CONTENT_ORDERS.items() if kind == "page" or name != "title"}
        order, down = _order(asked, orders, "id")

        def key_of(content: Content) -> Key:
            return order(content), int(content.id)

        wanted = [content for content in contents if content.status in statuses]
        page = page_of(asked, wanted, key_of, down=down, most=self.most)
        return self._listed(page, [content_row(self.site, content, body_format) for content in page.rows])

    def _listed(self, page: Page, rows: list[dict[str, Any]]) -> Reply:
        links = {"base": self.base}
        headers = {}
        if page.next:
            links["next"] = f"/wiki{page.next}"
            headers["Link"] = f'</wiki{page.next}>; rel="next", <{self.base}>; rel="base"'
        return json_reply(200, {"results": rows, "_links": links}, headers)


_VIEWS: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/spaces", V2._spaces),
    (r"/spaces/(\d+)/pages", V2._pages_of_space),
    ("/pages", V2._pages),
    (r"/pages/(\d+)", V2._page),
    ("/blogposts", V2._blog_posts),
    (r"/(folders|whiteboards|databases|embeds)/(\d+)", V2._node),
)


def space_row(space: Space) -> dict[str, Any]:
    """A space as v2 lists it."""
    return {
        "id": space.id, "key": space.key, "name": space.name, "type": space.type, "status": space.status,
        "homepageId": space.homepage or "0", "currentActiveAlias": space.alias or space.key,
        "_links": {"webui": f"/spaces/{space.key}"},
    }  # fmt: skip


def content_row(site: Site, content: Content, body_format: str) -> dict[str, Any]:
    """A page, blog post or node as v2 lists it, with its body where that is asked for."""
    row: dict[str, Any] = {
        "id": content.id, "status": content.status, "title": content.title, "spaceId": content.space,
        "authorId": content.author, "createdAt": moment_text(content.created_at),
        "version": {
            "number": content.version, "message": "", "minorEdit": False, "authorId": content.author,
            "createdAt": moment_text(content.edited_at),
        },
        "_links": links_of(site, content),
    }  # fmt: skip
    if content.kind != "blogpost":
        parent = site.contents.get(content.parent or "")
        row |= {
            "parentId": content.parent, "parentType": parent.kind if parent else ("page" if content.parent else None),
            "position": 0, "ownerId": content.author,
        }  # fmt: skip
    if content.kind == "page":
        row |= {"lastOwnerId": None, "subtype": content.subtype}
    row["body"] = {}
    if body_format and content.storage is not None:
        row["body"] = {body_format: {"representation": body_format, "value": content.storage}}
    return row


def links_of(site: Site, content: Content) -> dict[str, str]:
    """Where people open it, below the base."""
    key = site.spaces[content.space].key
    place = f"blog/{content.created_at:%Y/%m/%d}" if content.kind == "blogpost" else f"{content.kind}s"
    webui = f"/spaces/{key}/{place}/{content.id}/{quote_plus(content.title)}"
    return {"webui": webui, "editui": f"/pages/resumedraft.action?draftId={content.id}", "tinyui": f"/x/{content.id}"}


def moment_text(moment: datetime) -> str:
    """A moment as Confluence writes it, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _labels(content: Content) -> dict[str, Any]:
    rows = [{"id": str(n), "name": name, "prefix": "global"} for n, name in enumerate(content.labels, start=1)]
    return {"results": rows, "meta": {"hasMore": False}, "_links": {"self": f"/wiki/api/v2/pages/{content.id}/labels"}}


def _order(asked: Asked, orders: dict[str, Callable[[Any], Any]], default: str) -> tuple[Callable[[Any], Any], bool]:
    allowed = [sign + name for name in orders for sign in ("", "-")]
    sort = asked.one_of("sort", allowed, default)
    return orders[sort.removeprefix("-")], sort.startswith("-")
