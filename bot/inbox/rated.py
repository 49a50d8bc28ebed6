"""Answers that people judged with a button, as long as their words are kept."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bot.inbox.tables import FEEDBACK, QUESTIONS, in_thread


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of a thread and what was answered to it; an answer that is not kept is None."""

    words: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Rated:
    """A question whose answer got feedback. ``explanation`` is how the answer came about, None where it is not kept.

    ``earlier`` are the exchanges before it in its thread, oldest first.
    """

    question_id: str
    words: str
    outcome: str
    answer: str | None
    explanation: str | None
    knowledge_base: str
    liked: int
    disliked: int
    earlier: tuple[Exchange, ...] = ()


def rated_since(c: sa.Connection, since: float) -> list[Rated]:
    """Every question received since then that got feedback and whose words are kept, oldest first."""
    row = QUESTIONS.c
    votes = (
        sa.select(
            FEEDBACK.c.question_id,
            sa.func.sum(sa.case((FEEDBACK.c.vote > 0, 1), else_=0)).label("liked"),
            sa.func.sum(sa.case((FEEDBACK.c.vote < 0, 1), else_=0)).label("disliked"),
        )
        .group_by(FEEDBACK.c.question_id)
        .subquery()
    )
    asked = (
        sa.select(QUESTIONS, votes.c.liked, votes.c.disliked)
        .join(votes, votes.c.question_id == row.question_id)
        .where(row.state == "done", row.received >= since, row.words.is_not(None), row.knowledge_base.is_not(None))
        .order_by(row.received, row.question_id)
    )
    return [
        Rated(
            found.question_id, found.words, found.outcome, found.answer, found.explanation, found.knowledge_base,
            int(found.liked), int(found.disliked), _before(c, found),
        )
        for found in c.execute(asked).all()
    ]  # fmt: skip


def _before(c: sa.Connection, asked: sa.Row[tuple[object, ...]]) -> tuple[Exchange, ...]:
    """What was said before in the thread, from the same knowledge base: another's answers are not for these eyes."""
    row = QUESTIONS.c
    theirs = in_thread(asked.team, asked.channel, asked.thread_ts)
    kept = sa.select(row.ts, row.words, row.answer).where(
        theirs, row.words.is_not(None), row.knowledge_base == asked.knowledge_base, row.state == "done"
    )
    earlier = [found for found in c.execute(kept).all() if float(found.ts) < float(asked.ts)]
    return tuple(Exchange(found.words, found.answer) for found in sorted(earlier, key=lambda found: float(found.ts)))
