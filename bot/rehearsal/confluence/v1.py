"""What is left of REST v1: who am I, search by CQL, restrictions; and how it refuses what is gone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from bot.rehearsal.confluence.asking import Asked, v1_refusal
from bot.rehearsal.confluence.faults import Reply, json_reply
from bot.rehearsal.confluence.results import page_of
from bot.rehearsal.confluence.site import Content, Site
from bot.rehearsal.confluence.v2 import links_of

_REMOVED = re.compile(r"/rest/api/(content(/\d+)?(/child/(comment|page|attachment))?|space(/[^/]+)?(/content.*)?)")
_RESTRICTION = re.compile(r"/rest/api/content/(\d+)/restriction/byOperation/read")
_SEARCH = re.compile(
    r'space\s*=\s*"((?:[^"\\]|\\.)+)"\s+and\s+type\s+in\s+\(\s*page\s*,\s*blogpost\s*\)', re.IGNORECASE
)
_EXPANDED = "restrictions.read.restrictions."
_MOST_FOUND = 100
ACCOUNT = "712020:quoth-rehearsal-account"


@dataclass(frozen=True, slots=True)
class V1:
    """Answers what begins with ``/rest/api`` or ``/download``."""

    site: Site
    base: str
    anonymous: bool

    def answer(self, asked: Asked) -> Reply:
        """The answer to a request.

        Raises:
            Refused: With the error that it earns.
        """
        if asked.path.startswith("/download/"):
            return json_reply(401, {"code": 401, "message": "Unauthorized"}, {"WWW-Authenticate": "OAuth"})
        if asked.method == "GET" and asked.path == "/rest/api/user/current":
            return json_reply(200, self._account())
        if asked.method == "GET" and asked.path == "/rest/api/content/search":
            return self._search(asked)
        if asked.method == "GET" and (match := _RESTRICTION.fullmatch(asked.path)):
            return self._restriction(match[1])
        if asked.method == "GET" and _REMOVED.fullmatch(asked.path):
            raise v1_refusal(410, "GoneException: This deprecated endpoint has been removed.")
        raise v1_refusal(404, "null for uri: " + asked.path)

    def _account(self) -> dict[str, Any]:
        if self.anonymous:
            return {"type": "anonymous", "displayName": "Anonymous", "publicName": "Anonymous"}
        return {
            "type": "known", "accountId": ACCOUNT, "accountType": "atlassian", "email": "",
            "publicName": "Quoth", "displayName": "Quoth",
        }  # fmt: skip

    def _search(self, asked: Asked) -> Reply:
        match = _SEARCH.fullmatch(asked.text("cql").strip())
        if not match:
            raise v1_refusal(400, "BadRequestException: Could not parse cql : " + asked.text("cql"))
        key = match[1].replace("\\", "")
        if key not in {space.key for space in self.site.spaces.values()}:
            raise v1_refusal(400, f"BadRequestException: No space with key : {key}")
        found = [content for content in list(self.site.contents.values()) if self._is_found(content, key)]
        page = page_of(_bounded(asked), found, lambda c: (int(c.id), int(c.id)), down=False, most=_MOST_FOUND)
        links = {"base": self.base, "context": "/wiki"} | ({"next": page.next} if page.next else {})
        rows = [self._row(content, asked.many("expand")) for content in page.rows]
        content = {"results": rows, "start": 0, "limit": asked.limit(), "size": len(rows), "_links": links}
        return json_reply(200, content)

    def _is_found(self, content: Content, key: str) -> bool:
        fits = content.kind in {"page", "blogpost"} and self.site.spaces[content.space].key == key
        return fits and content.status == "current" and content.indexed and self.site.is_visible(content)

    def _row(self, content: Content, expanded: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": content.id, "type": content.kind, "status": content.status, "title": content.title,
            "_links": links_of(self.site, content), "_expandable": {},
        }  # fmt: skip
        if any(part.startswith(_EXPANDED) for part in expanded):
            wanted = {part.removeprefix(_EXPANDED) for part in expanded if part.startswith(_EXPANDED)}
            row["restrictions"] = {"read": self._read(content, wanted), "_expandable": {}, "_links": {}}
        return row

    def _restriction(self, content_id: str) -> Reply:
        content = self.site.contents.get(content_id)
        if content is None or not self.site.is_visible(content):
            raise v1_refusal(404, f"NotFoundException: No content found with id: ContentId{{id={content_id}}}")
        return json_reply(200, self._read(content, {"user", "group"}))

    def _read(self, content: Content, wanted: set[str]) -> dict[str, Any]:
        users = [
            {"type": "known", "accountId": account_id, "displayName": self.site.users[account_id]}
            for account_id in sorted(content.users)
        ]
        groups = [{"type": "group", "name": name, "id": f"group-{name}"} for name in sorted(content.groups)]
        lists = {"user": _listed(users), "group": _listed(groups)}
        return {
            "operation": "read",
            "restrictions": {
                **{name: rows for name, rows in lists.items() if name in wanted},
                "_expandable": {name: "" for name in lists if name not in wanted},
            },
            "_expandable": {"content": f"/rest/api/content/{content.id}"},
            "_links": {"self": f"{self.base}/rest/api/content/{content.id}/restriction/byOperation/read"},
        }


def _listed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"results": rows, "start": 0, "limit": 200, "size": len(rows)}


def _bounded(asked: Asked) -> Asked:
    # v1 cuts a limit that is too large down instead of refusing it.
    limit = min(int(asked.text("limit", "25")), _MOST_FOUND)
    return replace(asked, query=asked.query | {"limit": [str(limit)]})
