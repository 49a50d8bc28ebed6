"""What `quoth status` tells: what is held of each source, what waits for a person, and what comes next."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bot.app import Quoth
from bot.results import moment
from bot.stores import settings_of_store
from connectors.ledger.indexes import Building
from connectors.ledger.ledger import SourceFigures
from connectors.sync.reports import Filled


def status_of(house: Quoth, now: datetime | None = None) -> dict[str, Any]:
    """The object that `quoth status --json` prints."""
    figures = {told.source: told for told in house.ledger.figures()}
    live, building = house.indexes.live(), house.ledger.indexes.progress()
    stats = live.store.stats()
    return {
        "sources": [
            _source(house, figures[name], now or datetime.now(UTC))
            for name in house.settings.sources
            if name in figures
        ],
        "queue": {"runs": house.runs.queued(), "questions": house.questions_waiting()},
        "store": {
            "backend": settings_of_store(live.spec).backend,
            "documents": stats.documents,
            "chunks": stats.chunks,
            "embedded": stats.embedded,
            "size_bytes": stats.size_bytes,
            "nodes": [asdict(node) for node in live.store.nodes()],
            "building": None if building is None else _building(building),
        },
        "backfill": _backfill(house.sync.backfill.standing()),
        "model": house.model_name,
    }


def _backfill(filled: Filled) -> dict[str, Any]:
    return {
        "running": filled.running,
        "embedded": filled.embedded,
        "chunks": filled.chunks,
        "per_second": None if filled.per_second is None else round(filled.per_second, 1),
        "seconds_left": None if filled.seconds_left is None else round(filled.seconds_left),
        "error": filled.error,
    }


def _building(building: Building) -> dict[str, int]:
    told = asdict(building)
    return {name: told[name] for name in ("documents", "of", "chunks", "embedded")}


def _source(house: Quoth, told: SourceFigures, now: datetime) -> dict[str, Any]:
    due = now if told.last_success is None else max(now, told.last_success + house.settings.sources[told.source].every)
    return {
        "source": told.source,
        "type": told.kind,
        "last_success": moment(told.last_success),
        "documents": told.documents,
        "chunks": told.chunks,
        "embedded": told.embedded,
        "unreadable": told.unreadable,
        "held": told.held,
        "running": house.runs.active(told.source) is not None,
        "next_run": moment(due),
        "last_error": told.last_error,
    }
