"""The indexes that a process has open: each is opened when it is first needed, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass

from connectors.ledger.indexes import Indexes, IndexSpec
from connectors.ports import Embedder, KnowledgeStore


@dataclass(frozen=True, slots=True)
class Index:
    """An open index. Without an ``embedder``, because what embedded for it is gone, it is searched by words alone."""

    spec: IndexSpec
    store: KnowledgeStore
    embedder: Embedder | None

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return self.spec.name


Opener = Callable[[IndexSpec, ExitStack], Index]
"""Opens an index; what it leaves on the stack is closed when nobody needs the index any more."""


class OpenIndexes:
    """The one place of a process that opens indexes. Safe to use from many threads.

    Raises:
        TryLater: A store, or the ledger, cannot be reached now; from ``live`` and ``get``.
        Misconfigured: A person must act first; the same.
    """

    def __init__(self, indexes: Indexes, opener: Opener) -> None:
        self._indexes = indexes
        self._opener = opener
        self._open: dict[str, tuple[Index, ExitStack]] = {}
        self._locks: dict[str, threading.Lock] = {}

    def live(self) -> Index:
        """The index that answers at this moment."""
        return self.get(self._indexes.live())

    def get(self, spec: IndexSpec) -> Index:
        """An index, opened if it is not."""
        # A lock for each: questions to the live one do not wait until another is opened.
        with self._locks.setdefault(spec.name, threading.Lock()):
            index, stack = self._open.get(spec.name, (None, ExitStack()))
            if index is not None and index.spec == spec:
                return index
            stack.close()
            with ExitStack() as opened:
                index = self._opener(spec, opened)
                self._open[spec.name] = index, opened.pop_all()
            return index

    def keep(self, names: Collection[str]) -> None:
        """Close all but these."""
        for name in set(self._open) - set(names):
            with self._locks[name]:
                if name in self._open:
                    self._open.pop(name)[1].close()

    def close(self) -> None:
        """Close all."""
        self.keep(())
