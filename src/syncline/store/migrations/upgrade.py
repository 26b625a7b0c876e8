"""An older or empty database into one of the current schema, by Alembic without an ini file.

Loaded by `opening` only when there is something to do.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from syncline.errors import SchemaError


def upgrade(connection: sa.Connection, found: str | None) -> None:
    """Run what is missing since the revision found, inside the transaction of the connection. Raises `SchemaError`
    for a revision that this version does not know."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if found is not None:
        _check(ScriptDirectory.from_config(config), found)
    command.upgrade(config, "head")


def _check(scripts: ScriptDirectory, found: str) -> None:
    try:
        scripts.get_revision(found)
    except CommandError:
        raise SchemaError(
            f"the database was made by a newer Syncline (schema {found}); install that version again, "
            "or restore a backup from before it was upgraded"
        ) from None
