"""Tries everything that this configuration needs, and says of each thing what was found and what to do."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from bot.app import Quoth
from bot.console import age_of
from bot.serve import slack_connection_of
from bot.settings import GitSource
from bot.slack.checkup import findings
from connectors.errors import Misconfigured, QuothError

_LITTLE_DISK = 1_000_000_000
_SENTENCE = "How do I ask for access to production?"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. ``mend`` says what to do: a must where it is not ``ok``, else advice."""

    check: str
    ok: bool
    found: str
    mend: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that `quoth doctor --json` prints."""
        return asdict(self)


Trial = Callable[[Quoth], tuple[str, str | None]]
"""Tries one thing: what was found, and advice. Raises QuothError with what to do where it does not work."""


def checks(house: Quoth) -> Iterator[Check]:
    """Every check, each as soon as it is done."""
    for name, trial in _TRIALS.items():
        yield _tried(name, partial(trial, house))
    for name in house.settings.sources:
        yield _tried(f"source {name}", partial(_source, house, name))
    yield from _slack(house)


def _tried(name: str, trial: Callable[[], tuple[str, str | None]]) -> Check:
    try:
        found, advice = trial()
    except QuothError as error:
        return Check(name, False, "does not work", str(error))
    except OSError as error:
        return Check(name, False, "the system refuses it", error.strerror or type(error).__name__)
    return Check(name, True, found, advice)


def _configuration(house: Quoth) -> tuple[str, str | None]:
    settings = house.settings
    found = f"{len(settings.sources)} sources, {len(settings.knowledge_bases)} knowledge bases"
    found += f", {len(settings.channels)} channels"
    used = {source for base in settings.knowledge_bases.values() for source in base.sources}
    if unused := sorted(set(settings.sources) - used):
        return found, f"In no knowledge base, so never answered from: {', '.join(unused)}."
    return found, None if settings.channels else "No channel is bound yet; add one under channels."


def _git(house: Quoth) -> tuple[str, str | None]:
    path = shutil.which("git", path=house.environment.of_this_process().get("PATH"))
    if path is None:
        raise Misconfigured("git is not installed, or not on PATH. Git sources need version 2.30 or newer.")
    return path, None


def _disk(house: Quoth) -> tuple[str, str | None]:
    free = shutil.disk_usage(house.data_dir).free
    advice = None if free > _LITTLE_DISK else "Free some space, or choose another data_dir."
    return f"{house.data_dir}, {free / 1e9:.1f} GB free", advice


def _embeddings(house: Quoth) -> tuple[str, str | None]:
    return f"{house.settings.embeddings}, {len(house.embedder.embed_question(_SENTENCE))} dimensions", None


def _reranker(house: Quoth) -> tuple[str, str | None]:
    if house.cross_encoder is None:
        return "off", "reranker: local ranks better and finds better quotes."
    house.cross_encoder.scores(_SENTENCE, [_SENTENCE])
    return house.settings.reranker, None


def _database(house: Quoth) -> tuple[str, str | None]:
    documents = sum(figures.documents for figures in house.ledger.figures())
    return f"{house.ledger.database.dialect}, {documents} documents in the ledger", None


def _inbox(house: Quoth) -> tuple[str, str | None]:
    return f"{house.questions_waiting()} questions waiting", None


def _store(house: Quoth) -> tuple[str, str | None]:
    house.check_index(house.settings.sources)
    stats = house.store.stats()
    advice = None if stats.chunks else "Nothing is indexed yet: run quoth sync."
    return f"{house.settings.store.backend}, {stats.chunks} chunks, {stats.embedded} embedded", advice


def _model(house: Quoth) -> tuple[str, str | None]:
    name = house.model_name
    advice = "Set ANTHROPIC_API_KEY, or model, for written answers." if name == "quotes" else None
    return name, advice


_TRIALS: dict[str, Trial] = {
    "configuration": _configuration,
    "git": _git,
    "disk": _disk,
    "embeddings": _embeddings,
    "reranker": _reranker,
    "database": _database,
    "inbox": _inbox,
    "store": _store,
    "model": _model,
}


def _source(house: Quoth, name: str) -> tuple[str, str | None]:
    """Lists the source, without fetching a body."""
    listings = list(house.connector(name).manifest())
    shown = [listing for listing in listings if not listing.restricted]
    hidden = len(listings) - len(shown)
    found = f"{len(shown)} documents to index"
    if isinstance(house.settings.sources[name], GitSource):
        kinds = Counter(PurePosixPath(listing.document_id).suffix or "no suffix" for listing in shown)
        found += f" ({', '.join(f'{count} {kind}' for kind, count in kinds.most_common(5))})" if kinds else ""
    if hidden:
        found += f", {hidden} restricted and left out"
    newest = max((listing.updated_at for listing in shown if listing.updated_at), default=None)
    found += f", newest {age_of(newest)}" if newest else ""
    return found, None if shown else "There is nothing to index: look at include, exclude and spaces."


def _slack(house: Quoth) -> Iterator[Check]:
    """The tokens and the channels; nothing is posted."""
    try:
        connection = slack_connection_of(house)
    except QuothError as error:
        yield Check("slack token", False, "does not work", str(error))
        return

    async def found() -> list[tuple[str, str | QuothError]]:
        return [finding async for finding in findings(connection, house.settings.channels)]

    for name, seen in asyncio.run(found()):
        yield (
            Check(name, False, "does not work", str(seen)) if isinstance(seen, QuothError) else Check(name, True, seen)
        )
