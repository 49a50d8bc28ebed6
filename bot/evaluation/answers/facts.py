"""Whether an answer says what it must."""

from __future__ import annotations

from collections.abc import Sequence

from bot.evaluation.answers.plain import Token, tokens_of

Fact = tuple[str, ...]
"""The ways in which one thing may be said; the first is how it is shown."""


def missing_from(text: str, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts that a text does not hold in any of their ways."""
    said = tokens_of(text)
    return tuple(fact for fact in facts if not any(holds(said, tokens_of(way)) for way in fact))


def said_in(text: str, facts: Sequence[Fact]) -> str:
    """The facts as one text: each in the way in which this text says it, else in its first."""
    said = tokens_of(text)
    return " ".join(next((way for way in fact if holds(said, tokens_of(way))), fact[0]) for fact in facts)


def holds(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether one run of tokens stands in another, whole tokens only. A number's unit is part of it: 90k is not 90."""
    size = len(wanted)
    return any(_same(said[start : start + size], wanted) for start in range(len(said) - size + 1) if size)


def _same(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    if any(mine.text != other.text for mine, other in zip(said, wanted, strict=True)):
        return False
    return not said[-1].glued
