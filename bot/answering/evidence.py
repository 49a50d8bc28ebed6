"""How much speaks for an answer in what was found: one calibrated number by which every decision to be silent goes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from bot.answering.names import strangers_in
from connectors.text.analysis import terms_of

_ADDRESS = re.compile(r"\bhttps?://\S+")
"""What stands only in an address is not spoken of."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How evidence of one kind is weighed, and what its odds have to be. Fitted by tests/bench/answers on one half of
    its questions."""

    constant: float
    weights: tuple[float, float, float, float]
    """What each number of :attr:`Evidence.row` counts."""
    worth_a_call: float
    """Odds from which a model is asked. It can still decline, so hardly any question with an answer may fall below."""
    worth_quoting: float
    """Odds from which quotes are the answer. They cannot decline, so hardly any question without one may get here."""


WITH_BOTH = Scale(-7.03, (2.64, -4.37, 0.1, 12.75), worth_a_call=-2.05, worth_quoting=-1.05)
WITH_LOGIT = Scale(0.46, (2.71, -4.05, 0.26, 0.0), worth_a_call=-2.4, worth_quoting=-1.4)
WITH_COSINE = Scale(-9.55, (3.4, -4.37, 0.0, 16.21), worth_a_call=-1.8, worth_quoting=-0.8)
WITH_WORDS = Scale(-1.78, (6.62, -3.77, 0.0, 0.0), worth_a_call=-1.1, worth_quoting=-0.1)
"""Cosines are the local embedder's; another one has a scale of its own."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found, weighed against what was asked."""

    covered: float
    """The most of the question's terms that one passage has, from 0 to 1; terms that few passages have count more."""
    strangers: int
    """Names in the question that no passage knows."""
    logit: float | None = None
    """The best that the cross-encoder says of anything found, if there is one."""
    cosine: float | None = None
    """The closest that anything found comes in meaning, if it is embedded."""

    @property
    def row(self) -> tuple[float, float, float, float]:
        """The numbers that are weighed; what is not there counts nothing."""
        return (self.covered, float(self.strangers), self.logit or 0.0, self.cosine or 0.0)

    @property
    def odds(self) -> float:
        """The logarithm of the odds that an answer stands there, were as many questions without one asked as with."""
        scale = self._scale
        return scale.constant + sum(weight * value for weight, value in zip(scale.weights, self.row, strict=True))

    @property
    def is_worth_a_call(self) -> bool:
        """Whether a model should read what was found."""
        return self.odds >= self._scale.worth_a_call

    @property
    def is_worth_quoting(self) -> bool:
        """Whether sentences of what was found, as they stand, are likely to be the answer."""
        return self.odds >= self._scale.worth_quoting

    @property
    def _scale(self) -> Scale:
        if self.logit is not None:
            return WITH_LOGIT if self.cosine is None else WITH_BOTH
        return WITH_WORDS if self.cosine is None else WITH_COSINE


def evidence_of(
    question: str, texts: Sequence[str], logit: float | None = None, cosine: float | None = None
) -> Evidence:
    """The evidence in these texts, each with its titles in front."""
    spoken = [_ADDRESS.sub(" ", text) for text in texts]
    return Evidence(_covered(question, spoken), len(strangers_in(question, spoken)), logit, cosine)


def _covered(question: str, texts: Sequence[str]) -> float:
    """Weighed like BM25 weighs terms, with what was found for the whole collection (Robertson and Zaragoza 2009)."""
    asked = frozenset(terms_of(question))
    found = [asked & frozenset(terms_of(text)) for text in texts]
    holding = Counter(term for terms in found for term in terms)
    weights = {term: log(1 + (len(texts) - holding[term] + 0.5) / (holding[term] + 0.5)) for term in asked}
    total = sum(weights.values())
    return max((sum(weights[term] for term in terms) / total for terms in found), default=0.0) if total else 0.0
