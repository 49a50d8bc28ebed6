"""The tables of the inbox, and the line of migrations that makes them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from connectors.database import Lineage

METADATA = sa.MetaData()
LINEAGE = Lineage(Path(__file__).parent / "migrations", "alembic_version_bot")

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
