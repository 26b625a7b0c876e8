"""All that one database holds into another one, SQLite or PostgreSQL, and both compared.

Called by `bootstrap` for `syncline migrate`. Rows go over table by table, some at a time, inside one transaction on each
side: nobody writes to the old database meanwhile, and the new one holds everything or nothing. What it holds is read back
and compared before it is committed. Secrets stay encrypted: the key stays with the installation.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc

from syncline.errors import BusyError, SchemaError, SetupError, StoreError
from syncline.store.codec import micros
from syncline.store.dialects import Dialect
from syncline.store.opening import connect, explained, is_memory, migrate, parsed_url, revision, shown
from syncline.store.runs import held
from syncline.store.tables import REVISION
from syncline.store.workspace_tables import METADATA

_CHUNK = 1_000
"""Rows in memory at a time."""

_MODULUS = 1 << 256


class TableCheck(msgspec.Struct, frozen=True):
    """One table on both sides: how many rows, and a digest of what they hold in whatever order."""

    name: str
    rows: int
    digest: str
    target_rows: int
    target_digest: str
    is_equal: bool


class Move(msgspec.Struct, frozen=True):
    """Two databases, compared. Their URLs are without passwords."""

    source: str
    target: str
    rows: int
    is_equal: bool
    tables: tuple[TableCheck, ...]


class _Tally(NamedTuple):
    rows: int
    digest: str


class _Side(NamedTuple):
    """A database in a transaction of its own, in which nobody else writes to it."""

    url: sa.URL
    dialect: Dialect
    connection: sa.Connection


def move(source: str, target: str, now: dt.datetime) -> Move:
    """Copy everything from one database to another, which must hold nothing of Syncline yet.

    Raises `BusyError` while a run holds a sync of the source, `SetupError` for a source without anything or a target with
    something, `StoreError` when what arrived is not what was sent; the target then holds nothing.
    """
    _check_pair(source, target)
    migrate(source)
    migrate(target)
    with _refused(), _opened(source) as here, _opened(target) as there:
        _check_idle(here, now)
        _check_empty(there)
        sent = {table.name: _copied(here, there, table) for table in METADATA.sorted_tables}
        if not any(tally.rows for tally in sent.values()):
            raise SetupError(
                f"{shown(here.url)} holds nothing that could be moved; is it the right database?"
            )
        moved = _compared(here, there, sent)
        if not moved.is_equal:
            names = ", ".join(table.name for table in moved.tables if not table.is_equal)
            raise StoreError(f"the copy differs in {names}; nothing of it was kept")
        for statement in there.dialect.renumbered(METADATA.sorted_tables):
            there.connection.exec_driver_sql(statement)
    return moved


def compare(source: str, target: str) -> Move:
    """Compare what two databases hold. Raises `SchemaError` when one of them is not of the current version."""
    _check_pair(source, target)
    with _refused(), _opened(source) as here, _opened(target) as there:
        return _compared(here, there, {table.name: _counted(here, table) for table in METADATA.sorted_tables})


def _check_pair(source: str, target: str) -> None:
    parsed = [parsed_url(url) for url in (source, target)]
    if any(is_memory(url) for url in parsed):
        raise SetupError("A database in memory cannot be moved; name a file or a server.")
    one, other = (url.set(drivername=url.drivername.partition("+")[0]) for url in parsed)
    if one == other:
        raise SetupError(f"{shown(one)} is the configured database itself; name another one.")


@contextmanager
def _opened(url: str) -> Generator[_Side]:
    """A side; what was written is kept when nothing went wrong."""
    parsed = parsed_url(url)
    engine, dialect = connect(parsed)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        with explained(parsed):
            connection = stack.enter_context(engine.begin())
            if revision(connection, parsed) != REVISION:
                raise SchemaError(
                    f"{shown(parsed)} is not of this version of Syncline; only the same version compares"
                )
            for statement in dialect.frozen(METADATA.sorted_tables):
                connection.exec_driver_sql(statement)
        yield _Side(parsed, dialect, connection)


@contextmanager
def _refused() -> Generator[None]:
    try:
        yield
    except exc.DBAPIError as error:
        said = str(error.orig).partition("\n")[0]
        raise StoreError(f"a database refused ({said}); nothing was moved") from error


def _check_idle(side: _Side, now: dt.datetime) -> None:
    runs = list(side.connection.scalars(held(side.dialect), {"now": micros(now)}))
    if runs:
        raise BusyError(
            f"run {', '.join(map(str, runs))} is on; stop Syncline first, or wait until it has ended"
        )


def _check_empty(side: _Side) -> None:
    filled = [table.name for table in METADATA.sorted_tables if _has_rows(side, table)]
    if filled:
        raise SetupError(
            f"{shown(side.url)} holds something already ({', '.join(filled)}); name a database without anything in it"
        )


def _has_rows(side: _Side, table: sa.Table) -> bool:
    return bool(side.connection.scalar(sa.select(sa.exists(sa.select(table)))))


def _copied(here: _Side, there: _Side, table: sa.Table) -> _Tally:
    """Copy one table; answers what was sent."""
    rows = total = 0
    insert, names = table.insert(), table.c.keys()
    for chunk in _chunks(here, table):
        there.connection.execute(insert, [dict(zip(names, row, strict=True)) for row in chunk])
        rows, total = rows + len(chunk), total + _sum(chunk)
    return _tally(rows, total)


def _counted(side: _Side, table: sa.Table) -> _Tally:
    rows = total = 0
    for chunk in _chunks(side, table):
        rows, total = rows + len(chunk), total + _sum(chunk)
    return _tally(rows, total)


def _chunks(side: _Side, table: sa.Table) -> Iterator[Sequence[sa.Row[Any]]]:
    query = sa.select(table).execution_options(yield_per=_CHUNK)
    return side.connection.execute(query).partitions()


def _sum(rows: Sequence[Sequence[Any]]) -> int:
    """The digests of the rows added up: their order does not matter, every one of their values does."""
    return sum(
        int.from_bytes(hashlib.sha256(msgspec.msgpack.encode([_plain(value) for value in row])).digest())
        for row in rows
    )


def _plain(value: object) -> object:
    # PostgreSQL's texts cannot hold a zero character: it is kept as the sign for an unknown one.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _tally(rows: int, total: int) -> _Tally:
    return _Tally(rows, f"{total % _MODULUS:064x}")


def _compared(here: _Side, there: _Side, sent: dict[str, _Tally]) -> Move:
    checks = tuple(
        TableCheck(table.name, *sent[table.name], *found, is_equal=sent[table.name] == found)
        for table in METADATA.sorted_tables
        for found in [_counted(there, table)]
    )
    return Move(
        shown(here.url),
        shown(there.url),
        sum(check.rows for check in checks),
        all(check.is_equal for check in checks),
        checks,
    )
