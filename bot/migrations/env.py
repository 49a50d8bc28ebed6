"""How alembic reaches the inbox: through the connection that bot/inbox_tables.py opened and locked."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], version_table="alembic_version_bot", render_as_batch=True
)
context.run_migrations()
