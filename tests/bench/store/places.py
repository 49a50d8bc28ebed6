"""Opens what is compared, under names that are kept between runs, and says what it takes of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import psutil

from connectors.ports import KnowledgeStore
from connectors.store.sqlite_store import SqliteStore
from connectors.store.weaviate.place import WeaviatePlace
from tests.bench.store import server
from tests.bench.store.contenders import BulkContender, Contender, LangChainContender, QuothContender
from tests.bench.store.embeddings import CACHE

NAMES = ("sqlite", "weaviate", "langchain")
_FINGERPRINT = _OWNER = "bench"


@dataclass(frozen=True, slots=True)
class Taken:
    """Memory and disk in bytes; ``None`` where that is on another machine."""

    memory: int | None
    disk: int | None

    def __str__(self) -> str:
        return f"memory {_megabytes(self.memory)}, disk {_megabytes(self.disk)}"


class Places:
    """Where the stores of one benchmark are. ``label`` tells them from those of others."""

    def __init__(self, real_server: WeaviatePlace, label: str) -> None:
        self._server = real_server
        self._label = label
        self._before = psutil.Process().memory_info().rss

    @contextmanager
    def opened(self, name: str, *, in_bulk: bool = False) -> Iterator[Contender]:
        """One of NAMES, ready to be filled or searched."""
        with closing(self._in_bulk() if in_bulk and name == "weaviate" else self._contender(name)) as contender:
            yield contender

    def store(self, name: str) -> KnowledgeStore:
        """A store of Quoth's."""
        if name == "sqlite":
            return SqliteStore(CACHE / "stores" / f"{self._collection(name)}.db", _FINGERPRINT)
        from connectors.store.weaviate_store import WeaviateStore  # noqa: PLC0415  # The client is slow to import.

        return WeaviateStore(replace(self._server, collection=self._collection(name)), _FINGERPRINT, owner=_OWNER)

    def langchain(self) -> LangChainContender:
        """langchain-weaviate with its own collection."""
        return LangChainContender(server.client_of(self._server), self._collection("langchain"))

    def taken(self, name: str) -> Taken:
        """Memory and disk: by a file in this process since the beginning, or by the whole server."""
        collection = self._collection(name)
        if name == "sqlite":
            disk = sum(map(server.size_of, (CACHE / "stores").glob(f"{collection}.db*")))
            return Taken(psutil.Process().memory_info().rss - self._before, disk)
        return Taken(server.memory_bytes(self._server), server.disk_bytes(self._server, collection))

    def _contender(self, name: str) -> Contender:
        return self.langchain() if name == "langchain" else QuothContender(self.store(name))

    def _in_bulk(self) -> Contender:
        from connectors.store.weaviate.index import Index  # noqa: PLC0415  # The client is slow to import.

        place = replace(self._server, collection=self._collection("weaviate"))
        return BulkContender(self.store("weaviate"), Index(place, f"{place.collection}_{_FINGERPRINT}", _OWNER))

    def _collection(self, name: str) -> str:
        return f"Bench{self._label.title().replace('_', '')}{name.title()}"


def sizes() -> list[int]:
    """How many chunks to measure with: ``QUOTH_BENCH_SIZES``, by default 20,000."""
    return [int(size) for size in os.environ.get("QUOTH_BENCH_SIZES", "20000").split(",")]  # noqa: TID251  # A benchmark's own setting; bot/settings.py is for the bot.


def _megabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:,.0f} MB"
