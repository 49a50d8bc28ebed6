"""The chunks of an index in memory, as other pipelines need them: nothing is cut or embedded twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.answering.model import Scope
from bot.answering.retriever import Voucher
from bot.evaluation.connector import name_of
from connectors.errors import TryLater
from connectors.model import StoredChunk

T = TypeVar("T")

_VOUCHED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Pieces:
    """Row by row a chunk: the name of its document, its text and its vector of length 1.

    ``places`` puts the rows into one order, by document and ordinal, that no store and no history changes: ties are
    broken by it.
    """

    documents: Sequence[str]
    texts: Sequence[str]
    vectors: NDArray[np.float32]
    places: NDArray[np.int64]


def pieces_of(stored: Iterable[StoredChunk], ledger: Voucher, scope: Scope, size: tuple[int, int]) -> Pieces:
    """The chunks that the ledger vouches for. ``size`` is how many there must be, and the dimensions of a vector.

    Raises:
        TryLater: There are others, or some have no vector.
    """
    count, dimensions = size
    vectors = np.empty((count, dimensions), np.float32)
    keys: list[tuple[str, int]] = []
    texts: list[str] = []
    for piece in _vouched(stored, ledger, scope):
        if len(keys) == count or piece.vector is None:
            raise _unlike_the_ledger()
        vectors[len(keys)] = piece.vector
        keys.append((piece.chunk.document_id, piece.chunk.ordinal))
        texts.append(piece.chunk.text)
    if len(keys) != count:
        raise _unlike_the_ledger()
    places = np.empty(count, np.int64)
    places[sorted(range(count), key=keys.__getitem__)] = np.arange(count)
    return Pieces([name_of(document_id) for document_id, _ in keys], texts, vectors, places)


def _vouched(stored: Iterable[StoredChunk], ledger: Voucher, scope: Scope) -> Iterator[StoredChunk]:
    for batch in _batches(stored, _VOUCHED_AT_ONCE):
        vouched = ledger.vouch([piece.chunk for piece in batch], scope.tags).vouched
        yield from (piece for piece in batch if piece.chunk.chunk_id in vouched)


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch


def _unlike_the_ledger() -> TryLater:
    return TryLater("The dataset's index does not hold what its ledger says. Run the same command again: it is mended.")
