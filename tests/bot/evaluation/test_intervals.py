"""An interval holds its figure, shrinks with the number of queries, and is the same every time."""

import numpy as np
import pytest

from bot.evaluation.intervals import estimate, mean, percentile

DRAW = np.random.default_rng(7)


def test_the_same_values_have_the_same_interval() -> None:
    values = DRAW.random(100).tolist()
    assert estimate(values, mean) == estimate(values, mean)


def test_equal_values_have_no_interval_to_speak_of() -> None:
    found = estimate([0.25] * 40, mean)
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)


def test_one_value_is_its_own_interval() -> None:
    assert estimate([0.7], percentile(95)).low == 0.7


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution_when_there_are_many() -> None:
    values = DRAW.random(2_000)
    found = estimate(values.tolist(), mean)
    reach = 1.96 * values.std() / np.sqrt(len(values))

    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - reach, abs=0.1 * reach)
    assert found.high == pytest.approx(values.mean() + reach, abs=0.1 * reach)


def test_about_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    found = [estimate(DRAW.random(50).tolist(), mean) for _ in range(200)]
    held = sum(one.low <= 0.5 <= one.high for one in found)

    assert 178 <= held <= 199


def test_a_percentile_has_its_interval_too() -> None:
    found = estimate(list(range(101)), percentile(95))

    assert found.value == 95
    assert 85 < found.low < 95 < found.high <= 100
