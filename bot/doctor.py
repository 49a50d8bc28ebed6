"""Tries everything that this configuration needs, and says of each thing what was found and what to do."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from bot.app import Quoth
from bot.console import age_of, standing_of
from bot.serve import slack_connection_of
from bot.settings import GitSource
from bot.slack.checkup import findings
from bot.store_settings import WeaviateSettings
from bot.stores import place_of, settings_of_store
from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.ledger.indexes import IndexSpec
from connectors.model import NodeStanding

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
    yield from store_checks(house)
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
    live = house.indexes.live()
    stats, settings = live.store.stats(), settings_of_store(live.spec)
    advice = None if stats.chunks else "Nothing is indexed yet: run quoth sync."
    if isinstance(settings, WeaviateSettings) and not settings.embedded and settings.replicas > len(settings.nodes):
        advice = (
            f"{settings.replicas} replicas, but url names {len(settings.nodes)} nodes: name all, so that one may fail."
        )
    if error := house.sync.backfill.standing().error:
        advice = f"Some chunks are found by their words alone, because embedding ended early: {error}"
    return f"{settings.backend}, {stats.chunks} chunks, {stats.embedded} embedded", advice


def store_checks(house: Quoth) -> Iterator[Check]:
    """The store as a whole, then each machine that keeps the index or the one that is to follow it."""
    yield from _executable(house)
    yield _tried("store", partial(_store, house))
    yield from _servers(house)


def _executable(house: Quoth) -> Iterator[Check]:
    """Whether the server that Quoth would start itself is there; looked at before it would be downloaded."""
    store = house.settings.store
    if isinstance(store, WeaviateSettings) and store.embedded:
        from connectors.store.weaviate.executable import VERSION, binary_place  # noqa: PLC0415  # the client is slow

        place = binary_place()
        found = f"{place}" if place.exists() else f"Weaviate {VERSION} is not in its place yet"
        mend = None if place.exists() else f"It is downloaded at its first use. Behind a firewall, put it to {place}."
        yield Check("store executable", True, found, mend)


def _building(house: Quoth) -> tuple[str, str | None]:
    """The index that is to follow the one that answers: what keeps it from doing so."""
    spec, progress = house.ledger.indexes.building(), house.ledger.indexes.progress()
    if spec is None or progress is None:
        return "it answers by now", None
    house.indexes.get(spec).store.stats()
    found = f"{settings_of_store(spec).backend}, {progress.documents} of {progress.of} documents"
    return found, "It answers once it is complete: quoth sync goes on with it."


def _servers(house: Quoth) -> Iterator[Check]:
    """Each machine that keeps the index, or the one that is to follow it; none where it is a file."""
    try:
        building = house.ledger.indexes.building()
        if building is not None:
            yield _tried("store in building", partial(_building, house))
        for spec in filter(None, (house.ledger.indexes.live(), building)):
            for node in house.indexes.get(spec).store.nodes():
                yield _tried(f"store node {node.name}", partial(_server, house, spec, node))
    except QuothError:
        return  # The check of the store has said why.


def _server(house: Quoth, spec: IndexSpec, standing: NodeStanding) -> tuple[str, str | None]:
    from connectors.store.weaviate.checkup import sight_of  # noqa: PLC0415  # the client is slow to import

    if not standing.ready:
        raise TryLater("This node does not answer. Start it and look at its log.")
    if standing.lagging:
        raise TryLater("This node lags behind the others, which answer meanwhile. It catches up by itself, in minutes.")
    settings = settings_of_store(spec)
    assert isinstance(settings, WeaviateSettings)  # noqa: S101  # no other store has nodes
    with ExitStack() as opened:
        place = place_of(settings, house.data_dir, house.environment, opened)
        sight = sight_of(next(n for n in place.nodes if n.http == standing.name), place, spec.fingerprint)
    if sight.read_only:
        raise TryLater("This node takes no writes: its disk or memory is too full. Free some of it and start it again.")
    return f"version {sight.version}, {standing_of(asdict(standing))}", None


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
