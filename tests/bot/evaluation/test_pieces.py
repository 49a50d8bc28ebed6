"""Other pipelines get the very chunks that may be seen, with the vectors that are there."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from bot.answering.model import Scope
from bot.evaluation.pieces import pieces_of
from connectors.errors import TryLater
from connectors.ledger.ledger import Vouched, Vouching
from connectors.model import Chunk, StoredChunk, Vector

SCOPE = Scope("dataset", frozenset({"source:dataset"}))
VECTOR = np.array([0.6, 0.8], np.float32)


def stored(name: str, ordinal: int = 0, version: str = "1", vector: Vector | None = VECTOR) -> StoredChunk:
    chunk = Chunk("dataset", f"beir:dataset:{name}", version, "p", ordinal, "", (), f"{name} {ordinal}")
    return StoredChunk(chunk, vector)


class Ledger:
    """Vouches for version 1 alone."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        assert tags == SCOPE.tags
        self.asked.append(len(chunks))
        return Vouching({c.chunk_id: Vouched("", "", "", (), None) for c in chunks if c.version == "1"}, {})


def test_only_what_the_ledger_vouches_for_is_taken() -> None:
    found = pieces_of([stored("b", version="0"), stored("a"), stored("b")], Ledger(), SCOPE, (2, 2))

    assert (found.documents, found.texts) == (["a", "b"], ["a 0", "b 0"])
    assert found.vectors.dtype == np.float32
    assert found.vectors.tolist() == [VECTOR.tolist()] * 2


def test_places_depend_on_no_history() -> None:
    rows = [stored("b", 10), stored("a"), stored("b", 9)]
    places = pieces_of(rows, Ledger(), SCOPE, (3, 2)).places

    assert places.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    "rows", [[], [stored("a")], [stored("a"), stored("b"), stored("c")], [stored("a"), stored("b", vector=None)]]
)
def test_an_index_that_is_not_what_the_ledger_says_is_not_compared(rows: list[StoredChunk]) -> None:
    with pytest.raises(TryLater, match="Run the same command again"):
        pieces_of(rows, Ledger(), SCOPE, (2, 2))


def test_the_ledger_is_asked_a_thousand_at_a_time() -> None:
    ledger = Ledger()

    def many() -> Iterator[StoredChunk]:
        yield from (stored(f"d{n}") for n in range(2_500))

    assert len(pieces_of(many(), ledger, SCOPE, (2_500, 2)).texts) == 2_500
    assert ledger.asked == [1_000, 1_000, 500]
