"""How the schema came to be, step by step: Alembic revisions, run by `upgrade`."""
