"""A database URL into an open store of the current schema.

Called by `bootstrap`. A fresh database is created by the migrations, an older one is brought up to date, one of a newer
Syncline or of somebody else is left alone. A database in memory is made straight from the tables, which is the same
(a test says so) and takes a tenth of the time.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from importlib import import_module

import sqlalchemy as sa
from cryptography.fernet import MultiFernet
from sqlalchemy import event, exc
from sqlalchemy.schema import CreateIndex, CreateTable

from syncline.errors import BusyError, SchemaError, SetupError, StoreError
from syncline.store import dialects, postgresql
from syncline.store.dialects import Dialect
from syncline.store.presence import entering
from syncline.store.secrets import lock_of
from syncline.store.sql import SqlStore
from syncline.store.tables import REVISION
from syncline.store.workspace_tables import METADATA

VERSION_TABLE = "alembic_version"

# The job engine keeps tables of its own beside ours.
_QUEUE = "pgqueuer"

# As Alembic makes it.
_VERSION = sa.Table(
    VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32)),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def open_store(url: str, *, secret_key: str | None = None) -> SqlStore:
    """Open the database at this URL (`sqlite:///FILE`, `sqlite://` for one in memory, `postgresql://...`), made or migrated
    as needed.

    `secret_key` is one or more Fernet keys, comma separated, newest first. Raises `SchemaError` for a database of a
    newer version or one that is not ours, `SetupError` for one that cannot be opened or a key that is none, `StoreError`
    for a server that does not answer.
    """
    lock = lock_of(secret_key)
    parsed = parsed_url(url)
    engine, dialect = connect(parsed)
    try:
        with explained(parsed):
            if is_memory(parsed):
                _create(engine, dialect)
                return SqlStore(engine, dialect, lock)
            if parsed.get_backend_name() == "sqlite":
                return _open_file(engine, dialect, parsed, lock)
            _bring_up(engine, parsed)
            return SqlStore(engine, dialect, lock)
    except BaseException:
        engine.dispose()
        raise


def migrate(url: str) -> None:
    """Make the database at this URL, or bring it to the current schema. Raises like `open_store`."""
    open_store(url).close()


def parsed_url(url: str) -> sa.URL:
    """The parts of a URL. Raises `SetupError` when it is none."""
    try:
        return sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        raise SetupError(
            "The database URL cannot be read; it should look like sqlite:///syncline.db or "
            "postgresql://USER:PASSWORD@HOST/DATABASE"
        ) from None


def is_memory(url: sa.URL) -> bool:
    """Whether a database at this URL is gone with its process."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def connect(url: sa.URL) -> tuple[sa.Engine, Dialect]:
    """An engine and its dialect. Raises `SetupError` for a database that Syncline does not know."""
    # Asking the URL for its backend would import the driver that it names.
    match url.drivername.partition("+")[0]:
        case "sqlite":
            return dialects.connect(url)
        case "postgresql":
            return postgresql.connect(url)
        case backend:
            raise SetupError(
                f"Syncline does not know the database '{backend}'; use sqlite:///FILE or "
                "postgresql://USER:PASSWORD@HOST/DATABASE"
            )


def _open_file(engine: sa.Engine, dialect: Dialect, url: sa.URL, lock: MultiFernet | None) -> SqlStore:
    """A store on a file. Where no other process has it open, whoever still holds a sync there has died."""
    with entering(url.database or "") as (place, is_alone):
        _bring_up(engine, url)
        store = SqlStore(engine, dialect, lock)
        if is_alone:
            store.free_all()
    if place is not None:
        event.listen(engine, "engine_disposed", partial(_leave, place), once=True)
    return store


def _leave(place: int, _engine: sa.Engine) -> None:
    os.close(place)


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
        if revision(connection, url) == REVISION:
            return
    # The lock is taken here; whoever waited for it finds the work done.
    with engine.begin() as connection:
        found = revision(connection, url)
        if found != REVISION:
            # Alembic takes long to import, and hardly any start needs it.
            import_module("syncline.store.migrations.upgrade").upgrade(connection, found)


def revision(connection: sa.Connection, url: sa.URL) -> str | None:
    """The schema's revision, None in an empty database."""
    names = [name for name in sa.inspect(connection).get_table_names() if not name.startswith(_QUEUE)]
    if not names:
        return None
    if VERSION_TABLE not in names:
        raise SchemaError(f"{shown(url)} is a database of something else; give Syncline one of its own")
    found = connection.scalars(sa.select(_VERSION.c.version_num)).all()
    if len(found) != 1:
        raise SchemaError(f"{shown(url)} does not say which version it is; restore it from a backup")
    return found[0]


@contextmanager
def explained(url: sa.URL) -> Generator[None]:
    """What a driver says while a database is opened, as an error of ours."""
    try:
        yield
    except exc.OperationalError as error:
        raise _unopened(url, str(error.orig)) from error
    except exc.DatabaseError as error:
        if url.get_backend_name() == "postgresql":
            said = str(error.orig).partition("\n")[0]
            raise SetupError(
                f"The database {shown(url)} refuses ({said}); its user must own it, or have the right to create tables."
            ) from error
        raise SchemaError(
            f"{shown(url)} is not a database ({error.orig}); name another file or restore it from a backup"
        ) from error


def _unopened(url: sa.URL, said: str) -> SetupError | StoreError:
    """Somebody else has it, the server is away, or it has to be set up otherwise."""
    if "locked" in said or "lock timeout" in said:
        return BusyError(f"another process is writing to {shown(url)}; try again")
    text = f"The database {shown(url)} cannot be opened ({said.strip()}); "
    if url.get_backend_name() == "sqlite":
        return SetupError(f"{text}check that its folder exists and that Syncline may write there.")
    if "FATAL" in said and not any(word in said for word in _PASSING):
        return SetupError(f"{text}check the user, the password, the database's name and their rights.")
    return StoreError(f"{text}check that the server runs, and try again.")


# What a server says that will be there in a moment.
_PASSING = ("starting up", "shutting down", "recovery", "too many", "remaining connection slots")


def shown(url: sa.URL) -> str:
    """The URL without its password."""
    return url.render_as_string(hide_password=True)
