"""Carries into the index in building what the live one still answers with and the source no longer tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import structlog

from connectors.ledger.holdings import Holding, holding_of
from connectors.ledger.records import Known
from connectors.ledger.seals import is_sealed, seal
from connectors.model import Chunk
from connectors.sync.course import Boundary
from connectors.sync.shelves import Shelf, parts_of

CARRIED_AT_ONCE = 1_000
"""Documents whose chunks are held in memory; each so many cost one reading of the live index."""

log = structlog.get_logger()


def carry_over(live: Shelf, building: Shelf, known: Mapping[str, Known], key: bytes) -> None:
    """Make the index in building hold, too, what could not be fetched for it: removals that wait, old versions of what
    cannot be read any more.

    A chunk whose seal is broken is left behind: nobody was shown it.
    """
    held = live.holdings.held()
    for part in parts_of(sorted(_lacking(held, building.holdings.held(), known)), CARRIED_AT_ONCE):
        lot = dict(_resealed(live, building.pipeline, {key_: held[key_] for key_ in part}, key))
        building.put(lot)
        carried = {
            document_id: holding_of(held[document_id].version, building.pipeline, chunks)
            for document_id, chunks in lot.items()
        }
        building.holdings.commit(carried)
        building.course.at(Boundary.CARRIED)
        building.retire_others(carried)
        log.info("documents.carried_over", source=building.course.source, documents=len(carried))


def _lacking(held: Mapping[str, Holding], there: Mapping[str, Holding], known: Mapping[str, Known]) -> Iterator[str]:
    for document_id, holding in held.items():
        if document_id in known:
            its = there.get(document_id)
            if its is None or its.version not in (holding.version, known[document_id].version):
                yield document_id


def _resealed(
    live: Shelf, pipeline: str, held: Mapping[str, Holding], key: bytes
) -> Iterator[tuple[str, Sequence[Chunk]]]:
    """The chunks of these documents as another pipeline's."""
    found: dict[str, dict[int, Chunk]] = defaultdict(dict)
    for stored in live.store.export(live.course.source):
        chunk = stored.chunk
        holding = held.get(chunk.document_id)
        if holding and (chunk.version, chunk.pipeline) == (holding.version, holding.pipeline) and is_sealed(key, chunk):
            found[chunk.document_id][chunk.ordinal] = seal(key, replace(chunk, pipeline=pipeline))
    for document_id in held:
        yield document_id, [chunk for _, chunk in sorted(found[document_id].items())]
