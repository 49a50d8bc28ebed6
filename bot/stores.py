"""Builds the store of an index, from what the configuration says now or said when the index was made."""

from __future__ import annotations

import hashlib
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from bot.settings import Environment, Settings
from bot.store_settings import SqliteSettings, StoreSettings, WeaviateSettings
from connectors.errors import Misconfigured
from connectors.ledger.indexes import IndexSpec
from connectors.store.weaviate.place import WeaviatePlace

if TYPE_CHECKING:
    from connectors.ports import KnowledgeStore

_STORES: TypeAdapter[SqliteSettings | WeaviateSettings] = TypeAdapter(StoreSettings)

_EMBEDDED = "weaviate"
"""The folder of data_dir that an embedded Weaviate keeps everything in."""


def index_of(settings: Settings, fingerprint: str, embedder: str = "") -> IndexSpec:
    """The index that a configuration asks for: what is embedded how, and kept where."""
    store = settings.store
    name = fingerprint
    if isinstance(store, WeaviateSettings):
        name = f"{'embedded' if store.embedded else 'weaviate'}:{store.collection}:{fingerprint}"
    return IndexSpec(name, fingerprint, settings.embeddings, store.model_dump_json(), embedder)


def settings_of_store(index: IndexSpec) -> SqliteSettings | WeaviateSettings:
    """The store section of the configuration that an index was made with."""
    return _STORES.validate_json(index.store)


def twin_of(index: IndexSpec, settings: Settings, other: Settings) -> IndexSpec:
    """The same index as another configuration would keep it.

    Raises:
        Misconfigured: That one embeds in another way, or keeps it in the very place where it is.
    """
    if other.embeddings != index.embeddings:
        raise Misconfigured(
            f"The index was embedded with “{index.embeddings}”, and the other configuration says “{other.embeddings}”. "
            "A copy keeps the vectors: set the same there, and change it once you have moved."
        )
    twin = index_of(other, index.fingerprint, index.embedder)
    if _is_one_place(settings_of_store(index), other.store, settings.data_dir == other.data_dir):
        raise Misconfigured("The other configuration names the very store that answers now. Name another one there.")
    return twin


def _is_one_place(one: SqliteSettings | WeaviateSettings, other: object, same_folder: bool) -> bool:
    if isinstance(one, WeaviateSettings) and isinstance(other, WeaviateSettings):
        if one.collection != other.collection:
            return False
        common = {node.http for node in one.nodes} & {node.http for node in other.nodes}
        return bool(common) or (one.embedded and other.embedded and same_folder)
    return same_folder and type(one) is type(other)


def share_ledger(one: Settings, other: Settings) -> bool:
    """Whether two configurations have one ledger."""
    return one.database == other.database and (one.database != "sqlite" or one.data_dir == other.data_dir)


def owner_of(key: bytes) -> str:
    """How a store that others can reach names the ledger whose chunks it keeps, by the ledger's sealing key."""
    return hashlib.sha256(b"owner" + key).hexdigest()[:16]


def store_of(spec: IndexSpec, data_dir: Path, environment: Environment, owner: str, open: ExitStack) -> KnowledgeStore:
    """The store of an index, also of one that is no longer configured. ``open`` closes it, and a server with it.

    ``owner`` names whose index it is: a store that somebody else fills is refused.

    Raises:
        Misconfigured: Its settings or secrets cannot be used, or the store is not ours.
        TryLater: It cannot be reached.
    """
    settings = settings_of_store(spec)
    store = (
        _sqlite(spec, data_dir)
        if isinstance(settings, SqliteSettings)
        else _weaviate(spec, place_of(settings, data_dir, environment, open), owner)
    )
    open.callback(store.close)
    return store


def _sqlite(spec: IndexSpec, data_dir: Path) -> KnowledgeStore:
    from connectors.store.sqlite_store import SqliteStore  # noqa: PLC0415  # numpy is slow to import

    return SqliteStore(data_dir / f"index-{spec.fingerprint}.db", spec.fingerprint)


def _weaviate(spec: IndexSpec, place: WeaviatePlace, owner: str) -> KnowledgeStore:
    from connectors.store.weaviate_store import WeaviateStore  # noqa: PLC0415  # the client is slow to import

    return WeaviateStore(place, spec.fingerprint, owner=owner)


def place_of(settings: WeaviateSettings, data_dir: Path, environment: Environment, open: ExitStack) -> WeaviatePlace:
    """Where a configured Weaviate is. One that Quoth starts itself is ready then, and ``open`` ends it.

    Raises:
        Misconfigured: The variable that holds the key is not set, or the server cannot be started.
        TryLater: It is not ready in time.
    """
    if settings.embedded:
        return replace(_started(data_dir / _EMBEDDED, open), collection=settings.collection)
    key = environment.secret(settings.api_key_env).get_secret_value() if settings.api_key_env else None
    return WeaviatePlace(
        settings.nodes,
        key,
        settings.replicas,
        settings.consistency,
        settings.collection,
        allow_anonymous=settings.allow_anonymous or environment.weaviate_allow_anonymous,
        allow_plain_http=settings.allow_plain_http,
    )


def _started(folder: Path, open: ExitStack) -> WeaviatePlace:
    from connectors.store.weaviate.embedded import EmbeddedWeaviate  # noqa: PLC0415  # the client is slow to import

    server = EmbeddedWeaviate(folder, tell=_on_stderr)
    open.callback(server.close)
    return server.start()


def _on_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
