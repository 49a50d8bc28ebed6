"""Follows a listing of Confluence from its first page of results to its last, or fails; never ends early in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog

from connectors.confluence.failures import BadCursor, Operation, failure_of
from connectors.http import Answer, JsonApi, ServerTrouble, TooLarge

LARGEST = 250
_SMALLEST = 10
_EMPTY_PAGES = 3
_TRIES_BEFORE_HALVING = 2

log = structlog.get_logger()

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Results:
    """One page of results: its rows, the base of its links, and the cursor of the next page."""

    rows: list[Any]
    site: str
    cursor: str | None


def walk(api: JsonApi, path: str, params: Params, operation: Operation, limit: int = LARGEST) -> Iterator[Results]:
    """Every page of results of a listing.

    A listing whose cursor is refused starts again from its beginning, once: rows may then come twice.

    Raises:
        ServerTrouble: The listing has no results, goes round in circles, or fails even in small pages.
        QuothError: What the server's refusal means.
    """
    walking = _Walk(api, path, params, operation, limit)
    try:
        yield from walking.pages()
    except BadCursor:
        log.info("listing.restarted", path=path)
        yield from _Walk(api, path, params, operation, limit).pages()


@dataclass(slots=True)
class _Walk:
    api: JsonApi
    path: str
    params: Params
    operation: Operation
    limit: int

    def pages(self) -> Iterator[Results]:
        cursor, seen, empty = None, set[str](), 0
        while True:
            results = self._page(cursor)
            yield results
            if results.cursor is None:
                return
            empty = 0 if results.rows else empty + 1
            if results.cursor in seen:
                raise ServerTrouble(f"{self.api.base_url} lists in a circle: the same cursor came twice.")
            if empty > _EMPTY_PAGES:
                raise ServerTrouble(f"{self.api.base_url} lists {empty} empty pages of results in a row.")
            seen.add(results.cursor)
            cursor = results.cursor

    def _page(self, cursor: str | None) -> Results:
        while True:
            params = {**self.params, "limit": self.limit, **({"cursor": cursor} if cursor else {})}
            smaller = max(_SMALLEST, self.limit // 2)
            attempts = _TRIES_BEFORE_HALVING if smaller < self.limit else None
            try:
                return self._results_of(self.api.get(self.path, params, attempts=attempts))
            except (ServerTrouble, TooLarge):
                if smaller >= self.limit:
                    raise
                # A page of results that is too much for the server may come through in pieces, from the same cursor.
                log.info("listing.halved", path=self.path, limit=smaller)
                self.limit = smaller

    def _results_of(self, answer: Answer) -> Results:
        if not answer.ok:
            raise failure_of(answer, self.operation, self.api.base_url)
        rows, links = answer.data.get("results"), answer.data.get("_links")
        if not isinstance(rows, list):
            raise ServerTrouble(f"{self.api.base_url}, asked to {self.operation.purpose}, sent no results.")
        links = links if isinstance(links, dict) else {}
        base = links.get("base")
        return Results(rows, base if isinstance(base, str) else self.api.base_url, self._cursor(links, answer))

    def _cursor(self, links: Mapping[str, Any], answer: Answer) -> str | None:
        following = links.get("next") or _next_of_header(answer.headers.get("link", ""))
        if not following:
            return None
        # A cursor is Base64: a "+" that was not escaped must not become a space.
        cursor = parse_qs(urlsplit(str(following)).query).get("cursor", [""])[-1].replace(" ", "+")
        if not cursor:
            raise ServerTrouble(f"{self.api.base_url} says that a listing goes on, but not where.")
        return cursor


def _next_of_header(header: str) -> str:
    for link in header.split(","):
        target, _, relation = link.partition(";")
        if 'rel="next"' in relation:
            return target.strip().strip("<>")
    return ""
