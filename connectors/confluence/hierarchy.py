"""The tree above pages: from what was listed, completed by asking for the parents that were not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import structlog

from connectors.confluence.client import ConfluenceClient
from connectors.confluence.failures import Forbidden
from connectors.confluence.records import Node
from connectors.errors import CannotRead, TryLater

_MOST_LEVELS = 250  # Deeper is a circle that we have not seen yet.
_MOST_FAILURES = 10

log = structlog.get_logger()


class Hierarchy:
    """Where pages hang. A parent that cannot be found is missing for good, and everything below it is lost sight of."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._unknown: set[str] = set()

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def complete(self, client: ConfluenceClient) -> None:
        """Ask for parents, and their parents, until nothing is missing that can be found.

        Raises:
            TryLater: The server fails for more than a few parents: that is an outage, not a fact about pages.
        """
        for _ in range(_MOST_LEVELS):
            missing = self._missing()
            if not missing:
                return
            found = [*_pages(client, missing), *_other_nodes(client, missing)]
            self._nodes.update((node.id, node) for node in found)
            self._unknown.update(missing.keys() - {node.id for node in found})

    def ancestors(self, node: Node) -> tuple[Node, ...] | None:
        """What a node hangs below, outermost first; ``None`` when part of that is unknown, or it is a circle."""
        chain: list[Node] = []
        seen = {node.id}
        while node.parent is not None:
            parent = self._nodes.get(node.parent)
            if parent is None or parent.id in seen:
                return None
            seen.add(parent.id)
            chain.append(parent)
            node = parent
        return tuple(reversed(chain))

    def titles_above(self, node: Node) -> tuple[str, ...]:
        """The titles of what a node hangs below, outermost first, as far as they are known."""
        titles: list[str] = []
        seen = {node.id}
        while node.parent is not None and node.parent in self._nodes and node.parent not in seen:
            node = self._nodes[node.parent]
            seen.add(node.id)
            titles.append(node.title)
        return tuple(reversed(titles))

    def _missing(self) -> dict[str, str]:
        """The ids of parents that are not here and were not asked for, with their kinds."""
        return {
            node.parent: node.parent_kind or "page"
            for node in self._nodes.values()
            if node.parent is not None and node.parent not in self._nodes and node.parent not in self._unknown
        }


def _pages(client: ConfluenceClient, missing: dict[str, str]) -> Iterator[Node]:
    ids = sorted(node_id for node_id, kind in missing.items() if kind == "page" and node_id.isdigit())
    if ids:
        yield from (page.node for page in client.states("page", ids) if page.status in {"current", "archived"})


def _other_nodes(client: ConfluenceClient, missing: dict[str, str]) -> Iterator[Node]:
    failed = 0
    for node_id, kind in missing.items():
        if kind == "page" or not node_id.isdigit():
            continue
        try:
            yield client.node(kind, node_id)
        except (CannotRead, Forbidden, TryLater) as failure:
            failed += isinstance(failure, TryLater)
            if failed > _MOST_FAILURES:
                raise
            log.warning("ancestor.unknown", content_id=node_id, kind=kind, failure=type(failure).__name__)
