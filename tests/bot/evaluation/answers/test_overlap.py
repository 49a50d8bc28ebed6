"""Overlap scores agree with the programs that defined them."""

import pytest
import sacrebleu

from bot.evaluation.answers import overlap
from bot.evaluation.answers.overlap import bleu, token_f1


@pytest.mark.parametrize(
    ("text", "reference", "score"),
    [
        ("The cat sat.", "a cat SAT", 1.0),
        ("cat", "dog", 0.0),
        ("the cat sat on the mat", "cat mat", 2 * (2 / 4) * 1 / (2 / 4 + 1)),  # 4 words without articles, 2 of 2 found
        ("b b c", "b c c", 2 / 3),  # a bag counts doubles: 2 shared of 3 and 3
        ("", "x", 0.0),
        ("The", "a", 1.0),
    ],
)
def test_token_f1_is_that_of_squad(text: str, reference: str, score: float) -> None:
    assert token_f1(text, reference) == pytest.approx(score)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("the cat sat on the mat", "the cat sat on the mat"),
        ("the cat sat on a mat today", "the cat sat on the mat"),
        ("Roll back with shipctl, in 90 seconds.", "With shipctl rollback, it takes 90 seconds."),
        ("no", "yes"),
        ("", "yes"),
    ],
)
def test_bleu_is_sacrebleus(text: str, reference: str) -> None:
    assert bleu(text, reference) == pytest.approx(sacrebleu.sentence_bleu(text, [reference]).score / 100)


def test_without_sacrebleu_there_is_no_bleu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "_sacrebleu", lambda: None)
    assert bleu("x", "x") is None
