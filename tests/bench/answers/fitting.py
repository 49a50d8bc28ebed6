"""Fits the weights and thresholds of :mod:`bot.answering.evidence` to questions with and without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.answering.evidence import Evidence, Scale

Array = NDArray[np.float64]

RIDGE = 1.0
"""Keeps weights small that few questions speak for; on features scaled to unit variance."""
CALLED = 1.0
"""How much less a call needs than quotes do: a model that is asked in vain declines, one that is not cannot answer."""
DECLINED = 0.85
"""Share of the others that quotes must decline."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found for one question of a file, and whether the documents answer it."""

    evidence: Evidence
    answerable: bool
    fitted_on: bool


def of_kind(kind: str, evidence: Evidence) -> Evidence:
    """The evidence as it is where ``both``, only its ``logit``, its ``cosine`` or its ``words`` are there."""
    logit = evidence.logit if kind in ("both", "logit") else None
    return replace(evidence, logit=logit, cosine=evidence.cosine if kind in ("both", "cosine") else None)


def fitted(seen: Sequence[Seen]) -> Scale:
    """A logistic regression in which both kinds of questions weigh the same, and the two thresholds for it."""
    rows, right = _rows(seen), _right(seen)
    constant, *weights = (round(float(weight), 2) for weight in _regression(rows, right))
    scale = Scale(constant, (weights[0], weights[1], weights[2], weights[3]), 0.0, 0.0)
    least = np.quantile(odds_on(scale, seen)[~right], DECLINED, method="higher")
    quoting = round(float(np.ceil(20 * least) / 20), 2)
    return replace(scale, worth_a_call=round(quoting - CALLED, 2), worth_quoting=quoting)


def odds_on(scale: Scale, seen: Sequence[Seen]) -> Array:
    """What the scale gives each question."""
    odds: Array = scale.constant + _rows(seen) @ np.array(scale.weights)
    return odds


def told(scale: Scale, seen: Sequence[Seen]) -> str:
    """AUROC, and at both thresholds the answerable questions that pass and the others that do not."""
    odds, right = odds_on(scale, seen), _right(seen)
    auroc = np.mean([np.mean(one > odds[~right]) + np.mean(one == odds[~right]) / 2 for one in odds[right]])
    parts = [
        f"{name}: {np.mean(odds[right] >= least):.0%} pass, {np.mean(odds[~right] < least):.0%} declined"
        for name, least in (("call", scale.worth_a_call), ("quotes", scale.worth_quoting))
    ]
    return f"{int(right.sum())}+{int((~right).sum())} AUROC {auroc:.3f}; " + "; ".join(parts)


def _rows(seen: Sequence[Seen]) -> Array:
    return np.array([one.evidence.row for one in seen])


def _right(seen: Sequence[Seen]) -> NDArray[np.bool_]:
    return np.array([one.answerable for one in seen])


def _regression(rows: Array, right: NDArray[np.bool_]) -> Array:
    """By Newton's method; the constant first."""
    spread = rows.std(axis=0)
    spread[spread == 0] = 1.0
    columns = np.column_stack([np.ones(len(rows)), (rows - rows.mean(axis=0)) / spread])
    share = np.where(right, 0.5 / right.mean(), 0.5 / (1 - right.mean()))
    ridge = np.diag([0.0, *[RIDGE] * rows.shape[1]])
    weights = np.zeros(columns.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (share * (right - chance)) - ridge @ weights
        bend = (columns * (share * chance * (1 - chance))[:, None]).T @ columns + ridge
        weights = weights + np.linalg.solve(bend, slope)
    plain = weights[1:] / spread
    return np.concatenate([[weights[0] - plain @ rows.mean(axis=0)], plain])
