"""Quoth beside other pipelines on the same queries: their figures, and ours minus theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.evaluation.intervals import Estimate
from bot.evaluation.measuring import LATENCIES, Outcome, differences_of, figures_of, values_of

Verdict = Literal["better", "worse", "chance"]

FEWEST = 6
"""Queries that must differ before a difference is believed: if chance alone decides who wins each, five in a row
happen in more than one of twenty cases (2 · ½⁵ > .05, the sign test), whatever an interval of so few says."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """One other pipeline: its figures, ours minus those by the same names, and what that comes to."""

    figures: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]
    verdicts: Mapping[str, Verdict]

    def to_json(self) -> dict[str, Any]:
        """The contrast as ``quoth eval --compare --json`` prints it."""
        differences = {name: figure.to_json() for name, figure in self.differences.items()}
        return {**{name: figure.to_json() for name, figure in self.figures.items()}, "difference": differences}


def contrast_of(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> Contrast:
    """Ours beside theirs; both on the same queries, in the same order."""
    differences = differences_of(ours, theirs)
    verdicts: dict[str, Verdict] = {}
    for name, found in differences.items():
        pairs = zip(values_of(name, ours), values_of(name, theirs), strict=True)
        differing = sum(our != their for our, their in pairs)
        verdicts[name] = verdict_of(found, differing, less_is_better=name in LATENCIES)
    return Contrast(figures_of(theirs), differences, verdicts)


def verdict_of(difference: Estimate, differing: int, *, less_is_better: bool = False) -> Verdict:
    """Whether we are better or worse beyond chance: no difference is outside the bounds, and enough queries differ."""
    if differing < FEWEST or difference.low <= 0 <= difference.high:
        return "chance"
    return "better" if (difference.low > 0) != less_is_better else "worse"
