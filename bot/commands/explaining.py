"""Why a search finds what it finds: each passage's signals, what the filter and the ledger removed, and the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

from bot.answering.chain import LIMIT
from bot.answering.evidence import Evidence
from bot.answering.floor import evidence_in, is_promising, is_quotable
from bot.answering.model import Passage, Question, Rejected, Retrieved, Scope
from bot.answering.outcomes import BELOW_FLOOR, NOTHING_FOUND
from bot.console import out
from connectors.model import source_tag

_PROMISING = "The floor is passed: the best passages would be read for an answer."
_SIGNALS = ("words", "meaning", "reread")


class Search(Protocol):
    """What :class:`bot.answering.retriever.Search` does."""

    def find(self, question: Question, limit: int) -> Retrieved:
        """The best passages, best first."""

    def best(self, question: Question, limit: int) -> Retrieved:
        """What a model would read."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What was found, and why. ``filtered`` would be found without the knowledge base's filter."""

    found: Retrieved
    reread: Mapping[str, float]
    filtered: Sequence[Passage]
    evidence: Evidence
    promising: bool
    because: str

    def signals(self, passage: Passage) -> dict[str, float | None]:
        """A passage's BM25F score, its cosine, and the reranker's logit where it was read again."""
        return {
            "words": passage.keyword_score,
            "meaning": passage.vector_score,
            "reread": self.reread.get(passage.chunk_id),
        }

    def to_json(self) -> dict[str, Any]:
        """What ``quoth search --explain --json`` adds to its object."""
        return {
            "removed": {
                "by_filter": [_named(one) | {"source": one.source} for one in self.filtered],
                "by_ledger": [_named(one) | {"reason": one.reason} for one in self.found.rejected],
            },
            "evidence": {"odds": round(self.evidence.odds, 6), **asdict(self.evidence)},
            "answerable": self.promising,
            "because": self.because,
        }


def explained(
    search: Search, question: Question, limit: int, everything: frozenset[str], *, quoting: bool
) -> Explained:
    """Search as ``quoth search`` does, and once without the filter, with ``everything`` there is.

    Where quotes are the answer (``quoting``) the floor is higher than where a model reads on.
    """
    found = search.find(question, limit)
    read = search.best(question, LIMIT).passages
    beyond = search.find(replace(question, scope=Scope("everything", everything)), limit).passages
    promising = (is_quotable if quoting else is_promising)(question.text, read)
    return Explained(
        found,
        {passage.chunk_id: passage.rerank_score for passage in read if passage.rerank_score is not None},
        [passage for passage in beyond if source_tag(passage.source) not in question.scope.tags],
        evidence_in(question.text, read),
        promising,
        _PROMISING if promising else BELOW_FLOOR if read else NOTHING_FOUND,
    )


def show_explained(told: Explained) -> None:
    """The passages with their signals as a table, then what was removed, then whether a model would be asked."""
    table = Table(box=None, pad_edge=False)
    for name in ("", "score", *_SIGNALS, "passage"):
        table.add_column(name, justify="left" if name == "passage" else "right", no_wrap=name != "passage")
    for passage in told.found.passages:
        signals = [_shown(told.signals(passage)[name]) for name in _SIGNALS]
        table.add_row(str(passage.rank), f"{passage.score:.3f}", *signals, Text(_place_of(passage)))
    out.print(table)
    for one in told.filtered:
        out.print(Text(f"removed by the filter: {one.title}, of the source {one.source} ({one.score:.3f})"))
    for refused in told.found.rejected:
        out.print(Text(f"removed by the ledger: {refused.title}, {refused.reason} ({refused.score:.3f})"))
    out.print(Text(f"{told.because} (log-odds of an answer: {told.evidence.odds:.2f})"))


def _place_of(passage: Passage) -> str:
    return " › ".join((passage.title, *passage.headings))


def _named(one: Passage | Rejected) -> dict[str, Any]:
    return {"document_id": one.document_id, "title": one.title, "score": round(one.score, 6)}


def _shown(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"
