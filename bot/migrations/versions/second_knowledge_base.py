"""Which knowledge base a question was answered from: its answer is part of no thread that is answered from another."""

import sqlalchemy as sa
from alembic import op

revision = "bot_2"
down_revision = "bot_1"


def upgrade() -> None:
    """Add the column. Earlier answers have none, and are left out of their threads."""
    op.add_column("questions", sa.Column("knowledge_base", sa.String))
