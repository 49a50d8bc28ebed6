"""An interval holds its figure, shrinks with the number of queries, and is the same every time."""

import numpy as np
import pytest

from bot.evaluation.intervals import Estimate, difference, estimate, mean, percentile

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


def test_a_paired_difference_of_means_is_the_mean_of_the_differences() -> None:
    """What makes a query hard for both moves neither bound: the same interval as of the differences alone."""
    hard = DRAW.random(300)
    ours, theirs = hard + 0.01 * DRAW.random(300), hard
    found = difference(ours.tolist(), theirs.tolist(), mean)
    alone = estimate((ours - theirs).tolist(), mean)

    assert [found.value, found.low, found.high] == pytest.approx([alone.value, alone.low, alone.high])
    assert 0 < found.low < found.value < found.high < 0.01
    unpaired = estimate(ours.tolist(), mean)
    assert found.high - found.low < (unpaired.high - unpaired.low) / 10


def test_a_paired_difference_of_a_known_case() -> None:
    """Better by 1 on a quarter of 400 queries: the binomial's own interval, .25 ± 1.96 · √(.25 · .75 / 400)."""
    found = difference([1.0] * 100 + [0.5] * 300, [0.0] * 100 + [0.5] * 300, mean)

    assert found.value == 0.25
    assert (found.low, found.high) == (pytest.approx(0.2076, abs=0.004), pytest.approx(0.2924, abs=0.004))


def test_equal_pairs_differ_by_nothing_whatever_the_statistic() -> None:
    values = DRAW.random(50).tolist()
    for statistic in (mean, percentile(95)):
        assert difference(values, values, statistic) == Estimate(0, 0, 0)


def test_a_difference_of_percentiles_is_that_of_both_percentiles() -> None:
    ours, theirs = DRAW.random(100), DRAW.random(100)
    found = difference(ours.tolist(), theirs.tolist(), percentile(50))

    assert found.value == pytest.approx(np.percentile(ours, 50) - np.percentile(theirs, 50))
    assert found.low < 0 < found.high


def test_queries_that_have_no_partner_are_not_paired() -> None:
    with pytest.raises(ValueError, match="3 queries cannot be paired with 2"):
        difference([1, 2, 3], [1, 2], mean)


def test_a_figure_is_printed_with_six_digits() -> None:
    assert Estimate(1 / 3, 0.0, 1.0).to_json() == {"value": 0.333333, "low": 0.0, "high": 1.0}
