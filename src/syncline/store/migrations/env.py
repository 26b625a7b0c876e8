"""The connection that `upgrade` lends into an Alembic environment: run by Alembic, never imported."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
