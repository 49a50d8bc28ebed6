"""The tables of the inbox, the migrations that make them, and what is asked of them in a statement or two."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import sqlalchemy as sa

from connectors.database import Lineage

METADATA = sa.MetaData()
LINEAGE = Lineage(Path(__file__).parents[1] / "migrations", "alembic_version_bot")

QUESTIONS = sa.Table(
    "questions",
    METADATA,
    sa.Column("question_id", sa.String, primary_key=True),
    sa.Column("team", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("ts", sa.String, nullable=False),
    sa.Column("thread_ts", sa.String, nullable=False),
    sa.Column("asker", sa.String, nullable=False),
    sa.Column("asker_team", sa.String),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("words", sa.Text),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("claimed_by", sa.String),
    sa.Column("claimed_until", sa.Float),
    sa.Column("withdrawn", sa.String),
    sa.Column("sending", sa.String),
    sa.Column("answer_ts", sa.String),
    sa.Column("outcome", sa.String),
    sa.Column("answer", sa.Text),
    sa.Column("knowledge_base", sa.String),
    sa.Column("explanation", sa.Text),
    sa.UniqueConstraint("team", "channel", "ts"),
    sa.Index("questions_by_state", "state", "not_before"),
    sa.Index("questions_by_thread", "team", "channel", "thread_ts"),
    sa.Index("questions_by_answer", "team", "channel", "answer_ts", unique=True),
)
DELIVERIES = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("delivery", sa.String, primary_key=True),
    sa.Column("received", sa.Float, nullable=False),
)
FEEDBACK = sa.Table(
    "feedback",
    METADATA,
    sa.Column("question_id", sa.String, primary_key=True),
    sa.Column("voter", sa.String, primary_key=True),
    sa.Column("vote", sa.Integer, nullable=False),
    sa.Column("voted", sa.Float, nullable=False),
)
UNFINISHED = QUESTIONS.c.state.in_(("waiting", "claimed"))
_SPOKEN = ("answered", "not_found", "error")


def in_message(team: str, channel: str, ts: str) -> sa.ColumnElement[bool]:
    """The question that was asked in this message."""
    return sa.and_(QUESTIONS.c.team == team, QUESTIONS.c.channel == channel, QUESTIONS.c.ts == ts)


def in_thread(team: str, channel: str, thread_ts: str) -> sa.ColumnElement[bool]:
    """The questions of this thread."""
    return sa.and_(QUESTIONS.c.team == team, QUESTIONS.c.channel == channel, QUESTIONS.c.thread_ts == thread_ts)


def answered_in(team: str, channel: str, answer_ts: str) -> sa.ColumnElement[bool]:
    """The question whose answer is this message."""
    return sa.and_(QUESTIONS.c.team == team, QUESTIONS.c.channel == channel, QUESTIONS.c.answer_ts == answer_ts)


def held_by(process: str) -> sa.ColumnElement[bool]:
    """The questions that this process has claimed."""
    return sa.and_(QUESTIONS.c.claimed_by == process, QUESTIONS.c.state == "claimed")


def is_there(c: sa.Connection, which: sa.ColumnElement[bool]) -> bool:
    """Whether there is such a question."""
    return c.execute(sa.select(QUESTIONS.c.question_id).where(which).limit(1)).first() is not None


def is_engaged(c: sa.Connection, team: str, channel: str, thread_ts: str) -> bool:
    """Whether the bot has spoken in this thread."""
    return is_there(c, sa.and_(in_thread(team, channel, thread_ts), QUESTIONS.c.outcome.in_(_SPOKEN)))


def unfinished(c: sa.Connection, team: str, asker: str) -> tuple[int, int]:
    """How many questions have no outcome yet: of all, and of one person."""
    theirs = sa.and_(QUESTIONS.c.team == team, QUESTIONS.c.asker == asker)
    counts = sa.select(sa.func.count(), sa.func.count(sa.case((theirs, 1)))).where(UNFINISHED)
    of_all, of_one = c.execute(counts).one()
    return of_all, of_one


def record_post(c: sa.Connection, question_id: str, answer_ts: str) -> bool:
    """Note the message that is a question's answer. False if it already is another's."""
    row = c.execute(sa.select(QUESTIONS).where(QUESTIONS.c.question_id == question_id)).one()
    owner = c.execute(sa.select(QUESTIONS.c.question_id).where(answered_in(row.team, row.channel, answer_ts))).scalar()
    if owner not in {None, question_id}:
        return False
    c.execute(sa.update(QUESTIONS).where(QUESTIONS.c.question_id == question_id).values(answer_ts=answer_ts))
    return True


def withdraw(c: sa.Connection, which: sa.ColumnElement[bool], how: str) -> list[str]:
    """Take unfinished questions back; their ids."""
    open_ones = sa.update(QUESTIONS).where(which, UNFINISHED, QUESTIONS.c.withdrawn.is_(None))
    values = open_ones.values(withdrawn=how, not_before=0.0)
    rows: Sequence[str] = c.execute(values.returning(QUESTIONS.c.question_id)).scalars().all()
    return list(rows)


def free(c: sa.Connection, processes: Collection[str], now: float) -> int:
    """Let go of the claims of these processes, and of those that were not renewed in time; how many there were."""
    lost = sa.or_(QUESTIONS.c.claimed_by.in_(processes), QUESTIONS.c.claimed_until < now)
    freed = sa.update(QUESTIONS).where(QUESTIONS.c.state == "claimed", lost)
    return c.execute(freed.values(state="waiting", claimed_by=None, claimed_until=None)).rowcount


def forget_words(c: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Forget what finished questions and their answers said."""
    done = sa.update(QUESTIONS).where(which, QUESTIONS.c.state == "done")
    c.execute(done.values(words=None, answer=None, explanation=None))


def storable(words: str) -> str:
    """Words as every database takes them: PostgreSQL knows no NUL, and half a surrogate pair is no UTF-8."""
    return words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
