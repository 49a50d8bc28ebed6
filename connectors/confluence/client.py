"""Asks Confluence Cloud: REST v2, and what is left of v1 for accounts, search and restrictions."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx2

from connectors.confluence import failures
from connectors.confluence.failures import Operation
from connectors.confluence.listings import LARGEST, Params, walk
from connectors.confluence.records import NODE_KINDS, Kind, Node, Page, Space, fields_of, node_of, page_of, space_of
from connectors.errors import CannotRead, Misconfigured, TryLater
from connectors.http import Answer, JsonApi, Limits, ServerTrouble, checked_base_url
from connectors.patience import Patience

MOST_IDS = 100
"""Ids in one request. The API takes 250; URLs stay short this way."""
MOST_BODIES = 50
_MOST_SPACES = 100
_RECENT_PAGE = 50
_FOUND_PAGE = 100
_FEW = 3
"""Tries for one of many small questions, whose failure costs one page and not the run."""

_COLLECTIONS: dict[Kind, str] = {"page": "pages", "blogpost": "blogposts"}
_EVERY_STATUS: dict[Kind, str] = {"page": "current,archived,trashed,deleted", "blogpost": "current,trashed,deleted"}

_WHO = Operation("say who we are", "read:content-details:confluence")
_SPACES = Operation("list spaces", "read:space:confluence")
_PAGES = Operation("list pages", "read:page:confluence")
_RESTRICTIONS = Operation("read restrictions", "read:content-details:confluence")
_USERS = Operation("read names", "read:user:confluence")


class ConfluenceClient:
    """What one account can read of one Confluence Cloud site, with an API token and Basic auth.

    Every method raises TryLater (with ServerTrouble and the like) or Misconfigured with a sentence that says what to
    do, and never mistakes a failure for an empty answer. May be used from several threads.

    Raises:
        Misconfigured: The URL is not https (http is for loopback), or the credentials are empty.
    """

    def __init__(  # noqa: PLR0913  # Everything that differs between a test, a demo and a tenant.
        self,
        base_url: str,
        email: str,
        token: str,
        *,
        patience: Patience | None = None,
        limits: Limits | None = None,
        requests_per_second: float | None = 8.0,
        stop: threading.Event | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.base_url = _wiki_of(base_url)
        if not email.strip() or not token.strip():
            raise Misconfigured(f"{self.base_url} needs an e-mail address and an API token ({failures.TOKENS}).")
        self._api = JsonApi(
            self.base_url,
            (email.strip(), token.strip()),
            patience=patience,
            limits=limits,
            requests_per_second=requests_per_second,
            stop=stop,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"ConfluenceClient({self.base_url!r})"

    def start_run(self) -> None:
        """Begin a run: the budget for waiting is whole again."""
        self._api.start_run()

    def account(self) -> str:
        """The id of the account that we are.

        Raises:
            Misconfigured: The credentials are rejected, or we are treated as a stranger, who sees nothing.
        """
        try:
            data = self._get("/rest/api/user/current", {}, _WHO)
        except CannotRead as failure:
            raise failures.at_the_root(failure, self.base_url) from None
        if data.get("type") == "anonymous":
            raise failures.anonymous(self.base_url)
        account_id = data.get("accountId")
        if not isinstance(account_id, str) or not account_id:
            raise ServerTrouble(f"{self.base_url} does not say who we are.")
        return account_id

    def spaces(self, keys: Collection[str] = ()) -> list[Space]:
        """The spaces with these keys, in any status, or all current ones. What is not there is left out."""
        found: dict[str, Space] = {}
        batches = [{"keys": ",".join(batch)} for batch in _batches(sorted(keys), _MOST_SPACES)]
        for chosen in batches or [{"status": "current"}]:
            try:
                for results in walk(self._api, "/api/v2/spaces", {"sort": "id", **chosen}, _SPACES):
                    spaces = [space_of(row, results.site) for row in results.rows]
                    found.update((space.id, space) for space in spaces)
            except CannotRead as failure:
                raise failures.at_the_root(failure, self.base_url) from None
        return list(found.values())

    def pages(self, space: Space) -> Iterator[Page]:
        """Every current page of a space, by id: an order in which no edit or move makes us miss one."""
        params: Params = {"status": "current", "sort": "id", "depth": "all"}
        operation = replace(_PAGES, purpose=f"list the pages of space {space.key}")
        return self._listed("page", f"/api/v2/spaces/{space.id}/pages", params, operation)

    def blog_posts(self, space: Space) -> Iterator[Page]:
        """Every current blog post of a space, by id."""
        params: Params = {"space-id": space.id, "status": "current", "sort": "id"}
        operation = replace(_PAGES, purpose=f"list the blog posts of space {space.key}")
        return self._listed("blogpost", "/api/v2/blogposts", params, operation)

    def edited_since(self, kind: Kind, space_ids: Sequence[str], since: datetime) -> Iterator[Page]:
        """Current pages or blog posts of these spaces that were edited since then, newest first."""
        for batch in _batches(space_ids, _MOST_SPACES):
            params: Params = {"space-id": ",".join(batch), "status": "current", "sort": "-modified-date"}
            for page in self._listed(kind, f"/api/v2/{_COLLECTIONS[kind]}", params, _PAGES, _RECENT_PAGE):
                if page.edited_at is not None and page.edited_at < since:
                    break
                yield page

    def bodies(self, kind: Kind, ids: Sequence[str]) -> Iterator[Page]:
        """Current pages or blog posts with their storage format. What is gone or hidden is left out.

        Raises:
            TooLarge: Together they are more than one answer may hold.
        """
        params: Params = {"id": ",".join(ids), "status": "current", "body-format": "storage"}
        return self._rows(kind, f"/api/v2/{_COLLECTIONS[kind]}", params, _PAGES, max(1, len(ids)))

    def states(self, kind: Kind, ids: Sequence[str]) -> Iterator[Page]:
        """These pages or blog posts without bodies, in whatever status. What is purged or hidden is left out."""
        for batch in _batches(ids, MOST_IDS):
            params: Params = {"id": ",".join(batch), "status": _EVERY_STATUS[kind]}
            yield from self._listed(kind, f"/api/v2/{_COLLECTIONS[kind]}", params, _PAGES)

    def node(self, kind: str, node_id: str) -> Node:
        """A folder, whiteboard, database or embed of the tree.

        Raises:
            CannotRead: It does not exist, is hidden, or is of a kind that we do not know.
            Forbidden: The account may not see it.
        """
        if kind not in NODE_KINDS:
            raise CannotRead(f"{self.base_url} names a parent of the unknown kind {kind!r}.")
        operation = Operation(f"read the {kind}s that pages hang below", f"read:{kind}:confluence")
        return node_of(
            self._get(f"/api/v2/{NODE_KINDS[kind]}/{node_id}", {}, operation, attempts=_FEW), kind, self.base_url
        )

    def found_restrictions(self, space: Space) -> Iterator[tuple[str, bool | None]]:
        """Ids of content of a space that the search index knows, each with whether reading it is restricted.

        An accelerator: the index may lag and leave things out, and ``None`` means that it did not say.
        """
        key = space.key.replace("\\", "\\\\").replace('"', '\\"')
        lists = ",".join(f"restrictions.read.restrictions.{principal}" for principal in ("user", "group"))
        params: Params = {"cql": f'space="{key}" and type in (page,blogpost)', "expand": lists}
        for results in walk(self._api, "/rest/api/content/search", params, _RESTRICTIONS, _FOUND_PAGE):
            for row in results.rows:
                identity = fields_of(row).get("id")
                if identity is not None:
                    yield str(identity), _is_restricted(fields_of(fields_of(row).get("restrictions")).get("read"))

    def is_restricted(self, content_id: str) -> bool:
        """Whether reading this very page, blog post or node of the tree is restricted to anybody.

        Raises:
            NotThere, Forbidden: The account may not know.
        """
        path = f"/rest/api/content/{content_id}/restriction/byOperation/read"
        params: Params = {"expand": "restrictions.user,restrictions.group", "start": 0, "limit": 200}
        restricted = _is_restricted(self._get(path, params, _RESTRICTIONS, attempts=_FEW))
        if restricted is None:
            raise ServerTrouble(f"{self.base_url}, asked to {_RESTRICTIONS.purpose}, sent none that can be read.")
        return restricted

    def names(self, account_ids: Sequence[str]) -> dict[str, str]:
        """The display names of those accounts that have one to show."""
        names: dict[str, str] = {}
        for batch in _batches(account_ids, LARGEST):
            data = self._checked(self._api.post("/api/v2/users-bulk", {"accountIds": list(batch)}), _USERS)
            rows = data.get("results")
            for row in map(fields_of, rows if isinstance(rows, list) else []):
                name = row.get("displayName") or row.get("publicName")
                if isinstance(name, str) and isinstance(row.get("accountId"), str):
                    names[row["accountId"]] = name
        return names

    def close(self) -> None:
        """Let go of the connections."""
        self._api.close()

    def _listed(
        self, kind: Kind, path: str, params: Params, operation: Operation, limit: int = LARGEST
    ) -> Iterator[Page]:
        try:
            yield from self._rows(kind, path, params, operation, limit)
        except CannotRead as failure:
            # A part of a listing that is not there is no document that is not there: nothing can be concluded.
            raise TryLater(str(failure)) from None

    def _rows(self, kind: Kind, path: str, params: Params, operation: Operation, limit: int) -> Iterator[Page]:
        for results in walk(self._api, path, params, operation, limit):
            for row in results.rows:
                yield page_of(row, kind, results.site)

    def _get(self, path: str, params: Params, operation: Operation, *, attempts: int | None = None) -> dict[str, Any]:
        return self._checked(self._api.get(path, params, attempts=attempts), operation)

    def _checked(self, answer: Answer, operation: Operation) -> dict[str, Any]:
        if not answer.ok:
            raise failures.failure_of(answer, operation, self.base_url)
        data: dict[str, Any] = answer.data
        return data


def _is_restricted(read: Any) -> bool | None:
    """Whether anybody stands in either list of readers; ``None`` unless both lists can be read."""
    lists = fields_of(fields_of(read).get("restrictions"))
    counts = [_length(lists.get("user")), _length(lists.get("group"))]
    if any(counts):
        return True
    return None if None in counts else False


def _length(principals: Any) -> int | None:
    rows = fields_of(principals).get("results")
    if not isinstance(rows, list):
        return None
    sizes = (fields_of(principals).get(name) for name in ("size", "totalSize"))
    return max(len(rows), *(size if isinstance(size, int) else 0 for size in sizes))


def _wiki_of(base_url: str) -> str:
    checked = checked_base_url(base_url)
    return checked if checked.endswith("/wiki") else f"{checked}/wiki"


def _batches(things: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (things[start : start + size] for start in range(0, len(things), size))
