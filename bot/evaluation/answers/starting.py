"""A question file started from what a knowledge base holds. Behind ``quoth questions init``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Protocol

from bot.answering.model import Scope
from bot.evaluation.answers.absence import Nothing
from bot.evaluation.answers.picking import Gathering
from bot.evaluation.answers.proposing import Proposal
from bot.evaluation.answers.standing import Standing, check_synced
from bot.evaluation.answers.writing import Entry, file_of
from connectors.errors import TryLater
from connectors.ledger.ledger import Vouching
from connectors.model import Chunk, StoredChunk

_AT_ONCE = 500  # Chunks that the ledger is asked about at a time.
_HEAD = (
    "Questions for `quoth eval FILE --answers`, proposed from the knowledge base itself. Read each one:",
    "say it as your people would, keep in “facts” what a correct answer must say, delete what nobody asks.",
    "A fact may have several ways: facts: [[90 seconds, 1.5 minutes]]. Each of “sources” should be cited.",
)


class Store(Protocol):
    """What :class:`connectors.ports.KnowledgeStore` does."""

    def export(self, source: str) -> Iterator[StoredChunk]:
        """Every chunk of a source."""


class Voucher(Protocol):
    """What :class:`connectors.ledger.ledger.Ledger` does."""

    def vouch(self, chunks: Sequence[Chunk], tags: frozenset[str]) -> Vouching:
        """Which of these chunks may be seen."""


class House(Standing, Protocol):
    """What is needed of :class:`bot.app.Quoth`."""

    @property
    def store(self) -> Store:
        """The index that answers."""

    def scope_of(self, knowledge_base: str) -> Scope:
        """What a knowledge base holds."""


def started(house: House, voucher: Voucher, knowledge_base: str, count: int, *, as_lines: bool = False) -> str:
    """The text of a question file with so many proposals, if the knowledge base has as many, and some that nothing
    answers. The same knowledge base gives the same file.

    Raises:
        Misconfigured: There is no such knowledge base.
        TryLater: It was never synced, or there is nothing in it to ask about.
    """
    scope = house.scope_of(knowledge_base)
    check_synced(house, knowledge_base)
    gathering = Gathering()
    sources = house.settings.knowledge_bases[knowledge_base].sources
    for chunk in _seen(house.store, voucher, sources, scope.tags):
        gathering.take(chunk)
    proposals = gathering.chosen(count)
    if not proposals:
        raise TryLater(f"Nothing in “{knowledge_base}” could be made into a question: no headings, tables or commands.")
    entries = list(_entries(proposals, gathering.nothings(count), knowledge_base))
    return file_of(_HEAD, knowledge_base, entries, as_lines=as_lines)


def _seen(store: Store, voucher: Voucher, sources: Collection[str], tags: frozenset[str]) -> Iterator[Chunk]:
    """Every chunk that may be seen within these tags, and no other: this file goes to people."""
    for source in sources:
        stored = (one.chunk for one in store.export(source))
        while chunks := list(islice(stored, _AT_ONCE)):
            vouched = voucher.vouch(chunks, tags).vouched
            yield from (chunk for chunk in chunks if chunk.chunk_id in vouched)


def _entries(proposals: Sequence[Proposal], nothings: Sequence[Nothing], knowledge_base: str) -> Iterator[Entry]:
    taken: set[str] = set()
    for one in proposals:
        values = {"id": _named(one.ask, taken), "ask": one.ask, "facts": [one.fact], "sources": [one.document_id]}
        yield Entry(values, f"{one.shape}, {one.place}")
    for nothing in nothings:
        values = {"id": _named(nothing.ask, taken), "ask": nothing.ask, "expect": "nothing", "kind": nothing.kind}
        yield Entry(values, f"“{nothing.unheard}” occurs nowhere in {knowledge_base}. Check that a no is right.")


def _named(ask: str, taken: set[str]) -> str:
    """An id that tells people which question is meant."""
    words = re.findall(r"[^\W_]+", ask.lower())
    telling = [word for word in words if word not in _LITTLE][:4] or words[:4] or ["question"]
    stem = "-".join(telling)[:48]
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


_LITTLE_WORDS = "what is are the a an do i how for which command run to should know about does of procedure in"
_LITTLE = frozenset(_LITTLE_WORDS.split())
