"""How far chance can have moved a figure: bootstrap intervals over queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
CONFIDENCE = 0.95

_SEED = 20261121
_DRAWN_AT_ONCE = 1_000_000

Numbers = NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]
"""Reduces the last axis."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the bounds that hold it with 95 % confidence."""

    value: float
    low: float
    high: float


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
    draw = np.random.default_rng(_SEED)
    rows = max(1, _DRAWN_AT_ONCE // len(measured))
    resampled = np.concatenate(
        [
            statistic(measured[draw.integers(len(measured), size=(min(rows, RESAMPLES - done), len(measured)))])
            for done in range(0, RESAMPLES, rows)
        ]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, (tail, 1 - tail))
    return Estimate(float(statistic(measured)), float(low), float(high))
