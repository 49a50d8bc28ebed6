"""The questions, the deliveries that brought them, and what people thought of the answers."""

import sqlalchemy as sa
from alembic import op

revision = "bot_1"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first version."""
    _create_questions()
    _create_deliveries()
    _create_feedback()


def _create_questions() -> None:
    op.create_table(
        "questions",
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
    )
    op.create_index("questions_by_state", "questions", ["state", "not_before"])
    op.create_index("questions_by_thread", "questions", ["team", "channel", "thread_ts"])
    op.create_index("questions_by_answer", "questions", ["team", "channel", "answer_ts"], unique=True)


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery", sa.String, primary_key=True),
        sa.Column("received", sa.Float, nullable=False),
    )


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("question_id", sa.String, primary_key=True),
        sa.Column("voter", sa.String, primary_key=True),
        sa.Column("vote", sa.Integer, nullable=False),
        sa.Column("voted", sa.Float, nullable=False),
    )
