"""How far the words of an answer overlap with those of a reference: token F1 and BLEU, both from 0 to 1."""

from __future__ import annotations

import re
import string
from collections import Counter
from functools import cache
from types import ModuleType

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def token_f1(text: str, reference: str) -> float:
    """F1 of the bags of words, normalised as in SQuAD's evaluation (Rajpurkar et al. 2016): lower case, no ASCII
    punctuation, no articles. Two texts without a word are alike."""
    said, wanted = Counter(_words(text)), Counter(_words(reference))
    if not said or not wanted:
        return float(said == wanted)
    shared = (said & wanted).total()
    if not shared:
        return 0.0
    precision, recall = shared / said.total(), shared / wanted.total()
    return 2 * precision * recall / (precision + recall)


def bleu(text: str, reference: str) -> float | None:
    """sacrebleu's sentence BLEU (Papineni et al. 2002; Post 2018) as a share of 1; None where it is not installed."""
    sacrebleu = _sacrebleu()
    return None if sacrebleu is None else float(sacrebleu.sentence_bleu(text, [reference]).score) / 100


@cache
def _sacrebleu() -> ModuleType | None:
    try:
        import sacrebleu  # noqa: PLC0415  # an extra
    except ImportError:
        return None
    return sacrebleu


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()
