"""Whether a knowledge base can answer: what must be so before its answers mean anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot import console
from bot.evaluation.answers.questions import Case, Questions
from bot.settings import Settings
from connectors.errors import Misconfigured, TryLater
from connectors.ledger.ledger import SourceFigures


class Books(Protocol):
    """What :class:`connectors.ledger.ledger.Ledger` tells."""

    def figures(self) -> Sequence[SourceFigures]:
        """How every source stands."""


class Standing(Protocol):
    """What is needed of :class:`bot.app.Quoth`."""

    @property
    def settings(self) -> Settings:
        """What is configured."""

    @property
    def ledger(self) -> Books:
        """What is held."""

    def check_index(self, sources: Collection[str]) -> None:
        """Make sure that nothing of these sources was lost."""


def check_synced(house: Standing, knowledge_base: str) -> None:
    """Make sure that a knowledge base can answer: silence about what was never read would pass for an honest no.

    Raises:
        TryLater: A source of it was never synced, or something of it was lost from the index.
    """
    sources = house.settings.knowledge_bases[knowledge_base].sources
    standing: Mapping[str, SourceFigures] = {told.source: told for told in house.ledger.figures()}
    new = [name for name in sources if name not in standing or standing[name].last_success is None]
    if new:
        raise TryLater(f"Never synced yet: {', '.join(new)}. Run `quoth sync` first.")
    if not any(standing[name].documents for name in sources):
        raise TryLater(f"There is nothing in the knowledge base “{knowledge_base}”. Look at `quoth status`.")
    house.check_index(sources)
    left = sum(standing[name].chunks - standing[name].embedded for name in sources)
    if left > 0:
        console.err.print(f"{left} chunks have no vector yet: they are found by their words only.", markup=False)


def knowledge_base_of(case: Case, questions: Questions, settings: Settings, named: str | None) -> str:
    """Where a question is asked: in the knowledge base that is named, else in its own, its file's, or the only one.

    Raises:
        Misconfigured: There is none of these.
    """
    own = named or case.knowledge_base or questions.knowledge_base
    return own or the_only_one(settings, str(questions.path))


def the_only_one(settings: Settings, whoever_asks: str) -> str:
    """The knowledge base that is meant where none is named.

    Raises:
        Misconfigured: There are several, or none.
    """
    known = sorted(settings.knowledge_bases)
    if len(known) == 1:
        return known[0]
    told = f"one of {', '.join(known)}" if known else "but none is configured yet"
    raise Misconfigured(f"{whoever_asks} names no knowledge base. Name one with --kb: {told}.")
