"""Runs alembic's steps on the connection that connectors/database.py hands in."""

from alembic import context

options = context.config.attributes

context.configure(
    connection=options["connection"],
    version_table=options["version_table"],
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
