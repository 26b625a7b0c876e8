"""A database URL into an open store of the current schema.

Called by `bootstrap`. A fresh database is created by the migrations, an older one is brought up to date, one of a newer
Syncline or of somebody else is left alone. A database in memory is made straight from the tables, which is the same
(a test says so) and takes a tenth of the time.
"""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.schema import CreateIndex, CreateTable

from syncline.errors import BusyError, SchemaError, SetupError
from syncline.store.dialects import Dialect, connect
from syncline.store.secrets import lock_of
from syncline.store.sql import SqlStore
from syncline.store.service_tables import METADATA
from syncline.store.tables import REVISION

VERSION_TABLE = "alembic_version"

# As Alembic makes it.
_VERSION = sa.Table(
    VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32)),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def open_store(url: str, *, secret_key: str | None = None) -> SqlStore:
    """Open the database at this URL (`sqlite:///FILE`, or `sqlite://` for one in memory), made or migrated as needed.

    `secret_key` is one or more Fernet keys, comma separated, newest first. Raises `SchemaError` for a database of a
    newer version or one that is not ours, `SetupError` for one that cannot be opened or a key that is none.
    """
    lock = lock_of(secret_key)
    parsed = _parsed(url)
    engine, dialect = connect(parsed)
    try:
        with _explained(parsed):
            if parsed.database in (None, "", ":memory:"):
                _create(engine, dialect)
            else:
                _bring_up(engine, parsed)
            return SqlStore(engine, dialect, lock)
    except BaseException:
        engine.dispose()
        raise


def migrate(url: str) -> None:
    """Make the database at this URL, or bring it to the current schema. Raises like `open_store`."""
    open_store(url).close()


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except exc.ArgumentError:
        raise SetupError(
            "The database URL cannot be read; it should look like sqlite:///syncline.db"
        ) from None


def _create(engine: sa.Engine, dialect: Dialect) -> None:
    with engine.begin() as connection:
        for statement in _creation(dialect):
            connection.exec_driver_sql(statement)
        connection.execute(_VERSION.insert().values(version_num=REVISION))


@functools.cache
def _creation(dialect: Dialect) -> tuple[str, ...]:
    """The schema as statements: rendering them takes longer than running them."""
    made: list[str] = []
    for table in (*METADATA.sorted_tables, _VERSION):
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        elements = (CreateTable(table), *map(CreateIndex, indexes))
        made.extend(str(element.compile(dialect=dialect.sql)) for element in elements)
    return tuple(made)


def _bring_up(engine: sa.Engine, url: sa.URL) -> None:
    with engine.connect() as connection:
        if _revision(connection, url) == REVISION:
            return
    # The lock is taken here; whoever waited for it finds the work done.
    with engine.begin() as connection:
        found = _revision(connection, url)
        if found != REVISION:
            # Alembic takes long to import, and hardly any start needs it.
            import_module("syncline.store.migrations.upgrade").upgrade(connection, found)


def _revision(connection: sa.Connection, url: sa.URL) -> str | None:
    """The schema's revision, None in an empty database."""
    names = sa.inspect(connection).get_table_names()
    if not names:
        return None
    if VERSION_TABLE not in names:
        raise SchemaError(f"{_shown(url)} is a database of something else; give Syncline a file of its own")
    found = connection.scalars(sa.select(_VERSION.c.version_num)).all()
    if len(found) != 1:
        raise SchemaError(f"{_shown(url)} does not say which version it is; restore it from a backup")
    return found[0]


@contextmanager
def _explained(url: sa.URL) -> Generator[None]:
    try:
        yield
    except exc.OperationalError as error:
        if "locked" in str(error.orig):
            raise BusyError(f"another process is writing to {_shown(url)}; try again") from error
        raise SetupError(
            f"The database {_shown(url)} cannot be opened ({error.orig}); "
            "check that its folder exists and that Syncline may write there."
        ) from error
    except exc.DatabaseError as error:
        raise SchemaError(
            f"{_shown(url)} is not a database ({error.orig}); name another file or restore it from a backup"
        ) from error


def _shown(url: sa.URL) -> str:
    """The URL without its password."""
    return url.render_as_string(hide_password=True)
