"""How far chance can have moved a figure: bootstrap intervals over queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
CONFIDENCE = 0.95

_SEED = 20261121
_DRAWN_AT_ONCE = 1_000_000
_DIGITS = 6

Numbers = NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]
"""Reduces the last axis."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the bounds that hold it with 95 % confidence."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """The figure as it is printed: six digits are more than any of them deserves."""
        return {name: round(number, _DIGITS) for name, number in asdict(self).items()}


def mean(values: Numbers) -> Numbers:
    """The mean of each row."""
    return np.asarray(values.mean(axis=-1))


def percentile(percent: float) -> Statistic:
    """A percentile of each row, interpolated between neighbours."""
    return lambda values: np.asarray(np.percentile(values, percent, axis=-1))


def estimate(values: Sequence[float], statistic: Statistic) -> Estimate:
    """A statistic of these values, with the percentile bootstrap's interval (Efron 1979).

    The resamples depend on the number of values alone: the same values have the same interval every time, and figures
    of the same queries are resampled alike.
    """
    measured = np.asarray(values, np.float64)
    return _estimate(len(measured), lambda drawn: statistic(measured[drawn]))


def difference(ours: Sequence[float], theirs: Sequence[float], statistic: Statistic) -> Estimate:
    """A statistic of ours minus that of theirs, with the paired bootstrap's interval.

    Both are measured on the same queries, in the same order, and every resample draws the same queries for both: what
    makes a query hard for both moves neither bound.
    """
    our, their = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if len(our) != len(their):
        raise ValueError(f"{len(our)} queries cannot be paired with {len(their)}")
    return _estimate(len(our), lambda drawn: statistic(our[drawn]) - statistic(their[drawn]))


def _estimate(count: int, figure: Callable[[NDArray[np.int64]], Numbers]) -> Estimate:
    """The figure of all queries, and its bounds. ``figure`` gives that of each row of queries, drawn by their index."""
    draw = np.random.default_rng(_SEED)
    rows = max(1, _DRAWN_AT_ONCE // count)
    resampled = np.concatenate(
        [figure(draw.integers(count, size=(min(rows, RESAMPLES - done), count))) for done in range(0, RESAMPLES, rows)]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, (tail, 1 - tail))
    return Estimate(float(figure(np.arange(count))), float(low), float(high))
