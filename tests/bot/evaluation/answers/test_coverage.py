"""Risk and coverage agree with a count by hand."""

import pytest

from bot.answering.floor import evidence_in
from bot.answering.model import Answer, Turn
from bot.evaluation.answers.coverage import Point, Sure, aurc, confidence_in, curve
from tests.bot.evaluation.answers.answered import answered


def test_the_curve_gives_answers_from_the_surest_on() -> None:
    answers = [Sure(0.2, is_wrong=True), Sure(0.9, is_wrong=False), Sure(0.5, is_wrong=True), Sure(0.5, is_wrong=False)]
    assert curve(answers, asked=8) == [Point(0.9, 1 / 8, 0.0), Point(0.5, 3 / 8, 1 / 3), Point(0.2, 4 / 8, 2 / 4)]


def test_the_area_is_the_mean_risk_over_all_coverages() -> None:
    sure = [Sure(4, is_wrong=False), Sure(3, is_wrong=True), Sure(2, is_wrong=False), Sure(1, is_wrong=True)]
    assert aurc(sure).value == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_the_area_is_least_when_the_wrong_ones_are_the_least_sure() -> None:
    ends = [aurc([Sure(at, is_wrong=at in wrong) for at in range(9)]) for wrong in ({0, 1, 2}, {6, 7, 8})]
    assert ends[0].value < ends[1].value
    assert all(end.low <= end.value <= end.high for end in ends)


def test_answers_of_one_confidence_are_in_no_order() -> None:
    one, other = ([Sure(1, is_wrong=wrong) for wrong in order] for order in ((True, False), (False, True)))
    assert aurc(one) == aurc(other)
    assert aurc(one).value == 0.5


def test_confidence_is_what_the_product_decides_by() -> None:
    answer = answered("x [1]")
    assert confidence_in("rollback seconds", (), answer) == evidence_in("rollback seconds", answer.passages).odds
    assert confidence_in("weather in Lisbon", (), answer) < confidence_in("rollback seconds", (), answer)
    thread = (Turn("user", "How long is a rollback?"), Turn("agent", "The Team plan allows it."))
    assert confidence_in("and that?", thread, answer) > confidence_in("and that?", (), answer)
    assert confidence_in("rollback", (), Answer("not_found", "")) < confidence_in("rollback", (), answer)
