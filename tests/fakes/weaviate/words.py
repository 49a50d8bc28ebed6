"""How a text becomes tokens, for each tokenisation that the fake knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPACES = re.compile(r"[\t\n\v\f\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
"""Go's unicode.IsSpace, which is not quite Python's."""
_OUTSIDE = re.compile(rf"\A{_SPACES.pattern}|{_SPACES.pattern}\Z")

STOPWORDS = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of"}
    | {
        "on",
        "or",
        "such",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "will",
        "with",
    }
)
"""The preset ``en``, of weight in searches of WORD properties only."""


def tokens_of(text: str, tokenization: str) -> list[str]:
    """The tokens in order, with repeats."""
    if tokenization == "field":
        return _pieces([_OUTSIDE.sub("", text)])
    if tokenization == "whitespace":
        return _pieces(_SPACES.split(text))
    if tokenization == "lowercase":
        return _pieces(_SPACES.split(text.lower()))
    if tokenization == "word":
        return _pieces("".join(c if c.isalnum() else " " for c in text.lower()).split(" "))
    raise NotImplementedError(f"the fake does not know the tokenisation {tokenization}")


def _pieces(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part]
