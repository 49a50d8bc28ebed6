"""Indexes that are open already, with only the fields that a test cares about."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.ledger.indexes import IndexSpec
from connectors.ledger.ledger import Ledger
from connectors.ports import Embedder, KnowledgeStore
from connectors.sync.opening import Index, OpenIndexes
from connectors.sync.sync import fingerprint_of

SQLITE = '{"backend":"sqlite"}'


def spec_of(embedder: Embedder, name: str = "") -> IndexSpec:
    """The index of an embedder, in a store of no name."""
    fingerprint = fingerprint_of(embedder)
    return IndexSpec(name or fingerprint, fingerprint, "local", SQLITE, embedder.fingerprint)


def named(name: str) -> IndexSpec:
    """An index that only its name matters of."""
    return IndexSpec(name, name, "local", SQLITE)


def index_of(store: KnowledgeStore, embedder: Embedder | None) -> Index:
    """An open index for a search."""
    return Index(named("index") if embedder is None else spec_of(embedder), store, embedder)


def one_open(ledger: Ledger, store: KnowledgeStore, embedder: Embedder) -> OpenIndexes:
    """A process whose only index is this one, live or wanted from now on."""
    index = Index(spec_of(embedder), store, embedder)
    ledger.indexes.want(index.spec)
    return open_of(ledger, {index.name: index})


def open_of(ledger: Ledger, indexes: Mapping[str, Index]) -> OpenIndexes:
    """A process that can open these, by name."""
    return OpenIndexes(ledger.indexes, lambda spec, _: indexes[spec.name])
