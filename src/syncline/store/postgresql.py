"""A PostgreSQL URL into an engine and its dialect, over psycopg.

Called by `opening`. A transaction that may write takes one lock that all of Syncline's processes share, so that they write
one after the other, as with SQLite: everything that reads before it writes stays right, and numbers become visible in the
order they were given (see docs/decisions/0026). What waits for it too long is busy; a process that stands still inside a
transaction loses its connection, and with it the lock.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.pool import NullPool

from syncline.errors import SetupError
from syncline.store.dialects import Dialect, fixed

DRIVER = "postgresql+psycopg"
_KNOWN = frozenset({"postgresql", DRIVER})

_LOCK = int.from_bytes(b"Syncline")
_TURN = f"SELECT pg_advisory_xact_lock({_LOCK})"

# Seconds. A transaction of ours never waits for anything but the database: who is silent inside one stands still.
_SILENCE = 10
_PATIENCE = 15
_CONNECTING: dict[str, object] = {
    "application_name": "syncline",
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_SETTINGS = (
    f"SET lock_timeout = '{_PATIENCE}s'; SET idle_in_transaction_session_timeout = '{_SILENCE}s'; "
    "SET default_transaction_isolation = 'read committed'"
)

# Serialisation failure, deadlock, lock timeout, too many connections, starting up or shutting down.
_BUSY = frozenset({"40001", "40P01", "55P03", "53300", "57P03"})


class _TextDumper(StrDumperUnknown):
    """PostgreSQL's texts cannot hold a zero character, and vendors' titles may."""

    def dump(self, obj: str) -> bytes:
        return cast("bytes", super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj))


def _is_busy(error: Exception) -> bool:
    return isinstance(error, psycopg.Error) and error.sqlstate in _BUSY


def _is_lost(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has hung up. Nothing is sent: what it said last is read if there is something."""
    poll = select.poll()
    try:
        poll.register(connection.fileno(), select.POLLIN)
        while poll.poll(0):
            connection.pgconn.consume_input()
    except psycopg.OperationalError:
        connection.close()
    return connection.closed


def _listed(values: Sequence[str] | Sequence[int]) -> object:
    return [*values]


def _frozen(tables: Sequence[sa.Table]) -> Sequence[str]:
    names = ", ".join(f'"{table.name}"' for table in tables)
    # While one side is read, the other one waits for long.
    return ("SET LOCAL idle_in_transaction_session_timeout = 0", f"LOCK TABLE {names} IN SHARE MODE")


def _renumbered(tables: Sequence[sa.Table]) -> Sequence[str]:
    numbered = [(table.name, table.autoincrement_column) for table in tables]
    return [
        *(
            f'SELECT setval(pg_get_serial_sequence(\'"{name}"\', \'{column.name}\'), max("{column.name}")) FROM "{name}"'  # noqa: S608 - our own names
            for name, column in numbered
            if column is not None
        ),
        "ANALYZE",
    ]


POSTGRESQL = Dialect(
    sql=PGDialect_psycopg(),
    begin=f"BEGIN; {_TURN}",
    hurried=f"BEGIN; SET LOCAL synchronous_commit = off; {_TURN}",
    insert=lambda table: cast("sqlite.Insert", postgresql.insert(table).inline()),
    pack=_listed,
    clock=sa.cast(sa.extract("epoch", sa.func.clock_timestamp()) * fixed(1_000_000), sa.BigInteger),
    is_busy=_is_busy,
    is_lost=_is_lost,
    rebuffs=(0.0, 0.1, 0.3, 0.6, 1.0),
    is_lateral=True,
    frozen=_frozen,
    renumbered=_renumbered,
)


def connect(url: sa.URL) -> tuple[sa.Engine, Dialect]:
    """An engine and its dialect. Raises `SetupError` for another driver than psycopg."""
    if url.drivername not in _KNOWN:
        raise SetupError(
            f"Syncline does not know the driver '{url.drivername}'; begin the URL with postgresql://"
        )
    defaults = {name: value for name, value in _CONNECTING.items() if name not in url.query}
    engine = sa.create_engine(url.set(drivername=DRIVER), poolclass=NullPool, connect_args=defaults)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine, POSTGRESQL


def _prepare(connection: psycopg.Connection[Any], _record: object) -> None:
    # Transactions are written out, as with SQLite.
    connection.autocommit = True
    connection.adapters.register_dumper(str, _TextDumper)
    connection.execute(_SETTINGS.encode())


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(POSTGRESQL.begin)
