"""Risk against coverage: how often answers are wrong when only those are given that are surest of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from bot.answering.floor import evidence_in
from bot.answering.model import MAX_QUESTION, Answer, Turn
from bot.answering.picking import standalone
from bot.evaluation.intervals import Estimate, Numbers, Statistic, estimate


@dataclass(frozen=True, slots=True)
class Sure:
    """An answer that was given: how much speaks for it, and whether it was wrong."""

    confidence: float
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class Point:
    """When every answer of at least this confidence is given: the share of all questions, and of wrong answers."""

    confidence: float
    coverage: float
    risk: float


def confidence_in(question: str, turns: Sequence[Turn], answer: Answer) -> float:
    """How much speaks for an answer: the odds, as a logarithm, by which the product decides to answer at all.

    They come of all passages that were sent (:mod:`bot.answering.evidence`), whatever the model then made of them.
    """
    earlier = [turn.text for turn in turns if turn.speaker == "user"]
    return evidence_in(standalone(question[:MAX_QUESTION], earlier), answer.passages).odds


def curve(answers: Sequence[Sure], asked: int) -> list[Point]:
    """Risk and coverage at every confidence, highest first. ``asked`` counts all questions, refused ones included."""
    points, given, wrong = [], 0, 0
    for confidence, group in groupby(_surest_first(answers), key=lambda answer: answer.confidence):
        alike = list(group)
        given, wrong = given + len(alike), wrong + sum(answer.is_wrong for answer in alike)
        points.append(Point(confidence, given / asked, wrong / given))
    return points


def aurc(answers: Sequence[Sure]) -> Estimate:
    """The area under the risk-coverage curve (Geifman, Uziel and El-Yaniv 2019): the mean, over k, of the share of
    wrong ones among the k surest answers. 0 is best. Answers of one confidence count as equally wrong."""
    risks: list[float] = []
    for _, group in groupby(_surest_first(answers), key=lambda answer: answer.confidence):
        alike = list(group)
        risks += len(alike) * [sum(answer.is_wrong for answer in alike) / len(alike)]
    return estimate(list(range(len(risks))), _area_under(np.asarray(risks)))


def _area_under(risks: Numbers) -> Statistic:
    """Takes places in the order of confidence, so that a resample can be put in that order again."""

    def area(places: Numbers) -> Numbers:
        wrong = risks[np.sort(places, axis=-1).astype(int)]
        return np.asarray((wrong.cumsum(axis=-1) / np.arange(1, wrong.shape[-1] + 1)).mean(axis=-1))

    return area


def _surest_first(answers: Sequence[Sure]) -> list[Sure]:
    return sorted(answers, key=lambda answer: -answer.confidence)
