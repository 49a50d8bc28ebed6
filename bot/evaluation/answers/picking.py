"""Which of many proposals go into a file: spread over sources and documents, of every shape, always the same."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from bot.evaluation.answers.absence import Absence, Nothing
from bot.evaluation.answers.proposing import SHAPES, Proposal, Shape, proposals_in
from connectors.model import Chunk

_NOTHING_EACH = 4
"""One question that nothing answers for so many that something does."""


@dataclass(slots=True)
class Gathering:
    """Takes every chunk of a knowledge base once and keeps little: a proposal of each shape a document."""

    absence: Absence = field(default_factory=Absence)
    _kept: dict[str, dict[str, dict[Shape, Proposal]]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, chunk: Chunk) -> None:
        """Look at a chunk."""
        self.absence.take("\n".join((chunk.title, *chunk.headings, chunk.text)))
        kept = self._kept[chunk.source].setdefault(chunk.document_id, {})
        for proposal in proposals_in(chunk):
            known = kept.get(proposal.shape)
            if known is None or _lot(proposal) < _lot(known):
                kept[proposal.shape] = proposal

    def chosen(self, count: int) -> list[Proposal]:
        """So many proposals, or as many as there are: each document in turn gives what there is least of so far.

        What only a section's name lets one ask comes when everything else has been taken.
        """
        used: Counter[str] = Counter()
        chosen: dict[str, Proposal] = {}
        for shapes in (SHAPES[:-1], SHAPES[-1:]):
            for left in self._rounds(shapes):
                shape = min(left, key=lambda shape: (used[shape], SHAPES.index(shape)))
                proposal = left.pop(shape)
                if len(chosen) < count and proposal.ask.casefold() not in chosen:
                    chosen[proposal.ask.casefold()] = proposal
                    used[shape] += 1
        return list(chosen.values())

    def nothings(self, count: int) -> Sequence[Nothing]:
        """Questions that nothing in the knowledge base answers, to go with so many proposals."""
        return self.absence.questions(max(2, count // _NOTHING_EACH))

    def _rounds(self, shapes: Sequence[Shape]) -> Iterator[dict[Shape, Proposal]]:
        """What is left of these shapes of each document, again and again until nothing is; sources take turns."""
        by_source = [
            [
                {shape: proposal for shape, proposal in kept.items() if shape in shapes}
                for _, kept in sorted(documents.items(), key=lambda one: _digest(one[0]))
            ]
            for _, documents in sorted(self._kept.items())
        ]
        waiting = [kept for turn in zip_longest(*by_source) for kept in turn if kept]
        while waiting:
            yield from waiting
            waiting = [kept for kept in waiting if kept]


def _lot(proposal: Proposal) -> str:
    return _digest(f"{proposal.document_id}\n{proposal.ask}\n{proposal.fact}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
