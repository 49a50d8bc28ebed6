"""Whether an index holds what the ledger says of it."""

from __future__ import annotations

from connectors.ledger.ledger import Ledger
from connectors.sync.opening import Index

Parts = dict[str, tuple[int, int]]
"""What an index holds, by source: how many chunks, and the sum of their stamps."""


def untrue_parts(ledger: Ledger, index: Index) -> Parts:
    """The sources of which the index holds something else than the ledger says, and what it holds.

    It was wiped, put back or touched, or a sync is at it. The source's next reconcile puts it right.
    """
    found: Parts = {}
    for figures in ledger.figures():
        stats = index.store.stats(figures.source)
        totals = ledger.holdings(figures.source, index.name).totals()
        if (stats.chunks, stats.digest) != (totals.chunks, totals.digest):
            found[figures.source] = stats.chunks, stats.digest
    return found
