"""Which pages not everybody may see. What cannot be told counts as restricted; an outage counts as an outage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import structlog

from connectors.confluence.client import ConfluenceClient
from connectors.confluence.failures import BadRequest, Forbidden
from connectors.confluence.hierarchy import Hierarchy
from connectors.confluence.records import Node, Space
from connectors.errors import CannotRead, Misconfigured, TryLater

_AT_ONCE = 4
_BATCH = 100
_MOST_FAILURES = 10
_LARGEST_SHARE_OF_FAILURES = 0.15  # As for removals: beyond this it is the server's trouble, not the pages'.

log = structlog.get_logger()

Restrictions = Mapping[str, bool | None]
"""By id, whether reading this very node is restricted; ``None`` is unknown."""


def found_restrictions(client: ConfluenceClient, spaces: Iterable[Space]) -> dict[str, bool]:
    """What the search index says, in bulk. It may know nothing: then every node has to be asked for."""
    known: dict[str, bool] = {}
    for space in spaces:
        try:
            found = client.found_restrictions(space)
            known.update((content_id, restricted) for content_id, restricted in found if restricted is not None)
        except (TryLater, CannotRead, Misconfigured) as failure:
            log.warning("restrictions.unsearchable", space=space.key, failure=type(failure).__name__)
    return known


def restrictions_of(client: ConfluenceClient, nodes: Collection[Node], known: Mapping[str, bool]) -> Restrictions:
    """Whether each node is restricted by itself: as known, or else asked for one by one.

    Raises:
        TryLater: The server failed for so many that this says nothing about pages any more.
        Misconfigured: The credentials are rejected, or not one restriction may be read.
    """
    asked = [node for node in nodes if node.id not in known]
    answers = _answers(client, asked, most_failures=_tolerable(len(nodes)))
    verdicts: dict[str, bool | None] = {node.id: known[node.id] for node in nodes if node.id in known}
    for node, answer in zip(asked, answers, strict=True):
        verdicts[node.id] = answer if isinstance(answer, bool) else None
    if nodes and all(verdict is None for verdict in verdicts.values()):
        raise next(answer for answer in answers if isinstance(answer, Exception))
    return verdicts


def is_open(node: Node, hierarchy: Hierarchy, restrictions: Restrictions) -> bool:
    """Whether neither the node nor anything above it is restricted, and all of that is known.

    Confluence wants a reader to pass every restriction on the way down; the nearest one does not win.
    """
    ancestors = hierarchy.ancestors(node)
    return ancestors is not None and all(restrictions.get(layer.id) is False for layer in (node, *ancestors))


def _answers(
    client: ConfluenceClient, nodes: Collection[Node], most_failures: int
) -> list[bool | CannotRead | TryLater | Misconfigured]:
    def answer_of(node: Node) -> bool | CannotRead | TryLater | Misconfigured:
        try:
            return client.is_restricted(node.id)
        except (CannotRead, TryLater, Forbidden, BadRequest) as failure:
            log.warning("restriction.unknown", content_id=node.id, failure=type(failure).__name__)
            return failure

    answers: list[bool | CannotRead | TryLater | Misconfigured] = []
    waiting = iter(nodes)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="restrictions") as pool:
        while batch := list(islice(waiting, _BATCH)):
            answers += pool.map(answer_of, batch)
            failures = [answer for answer in answers if isinstance(answer, TryLater)]
            if len(failures) > most_failures:
                raise failures[-1]
    return answers


def _tolerable(nodes: int) -> int:
    return max(_MOST_FAILURES, int(_LARGEST_SHARE_OF_FAILURES * nodes))
