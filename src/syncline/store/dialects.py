"""The few places where databases differ: how to connect, to begin, to insert-or-replace, to pass a list, to tell the time.

Everything else in the store is plain SQLAlchemy Core. SQLite is here; a second database is one more `Dialect`, as in
`postgresql`. What is no standard SQL renders for PostgreSQL wherever it is not told otherwise.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from syncline.errors import SetupError

# The first one that knows RETURNING.
_OLDEST_SQLITE = (3, 35, 0)

# Seconds to wait for another process's write; and one thread only, so that two never mix their transactions.
_SQLITE_ARGUMENTS = {"timeout": 10.0, "check_same_thread": True}
_CACHE_KIBIBYTES = 8_192


class Listed(FunctionElement[Any]):
    """A parameter that holds a list, as a table with one column `value`."""

    inherit_cache = True
    name = "listed"


class ListedNumbers(Listed):
    """The same of numbers: an empty list does not tell what it is a list of."""

    inherit_cache = True
    name = "listed_numbers"


@compiles(Listed)
def _unnest(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    return f"(SELECT unnest(CAST({compiler.process(element.clauses, **how)} AS TEXT[])) AS value)"


@compiles(ListedNumbers)
def _unnest_numbers(element: ListedNumbers, compiler: SQLCompiler, **how: Any) -> str:
    return f"(SELECT unnest(CAST({compiler.process(element.clauses, **how)} AS BIGINT[])) AS value)"


@compiles(Listed, "sqlite")
@compiles(ListedNumbers, "sqlite")
def _json_each(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


class NumberList(FunctionElement[Any]):
    """An aggregate: numbers with commas between, as text, in any order; NULLs are left out."""

    inherit_cache = True
    name = "number_list"


@compiles(NumberList)
def _string_agg(element: NumberList, compiler: SQLCompiler, **how: Any) -> str:
    return f"string_agg(CAST({compiler.process(element.clauses, **how)} AS TEXT), ',')"


@compiles(NumberList, "sqlite")
def _group_concat(element: NumberList, compiler: SQLCompiler, **how: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **how)})"


class Slice(FunctionElement[Any]):
    """Part of a parameter that holds bytes: which one, from where (counted from 1), how many."""

    inherit_cache = True
    name = "slice"


@compiles(Slice)
def _substring(element: Slice, compiler: SQLCompiler, **how: Any) -> str:
    given, begin, length = (compiler.process(clause, **how) for clause in element.clauses)
    return f"substr({given}, CAST({begin} AS INTEGER), {length})"


@compiles(Slice, "sqlite")
def _substr(element: Slice, compiler: SQLCompiler, **how: Any) -> str:
    return f"substr({compiler.process(element.clauses, **how)})"


def listed(name: str, *, are_numbers: bool = False) -> sa.TableValuedAlias:
    """The values of the list parameter of that name, texts or numbers; what is passed goes through `Dialect.pack`."""
    values = (ListedNumbers if are_numbers else Listed)(sa.bindparam(name))
    return values.table_valued("value").alias(f"listed_{name}")


def found_by(
    dialect: Dialect, given: sa.TableValuedAlias, table: sa.Table, *where: sa.ColumnElement[bool]
) -> tuple[sa.FromClause, sa.ColumnCollection[str, Any]]:
    """What to select from, and its columns, for the at most one row of a table that these conditions find for each given
    value; NULLs where there is none.

    An outer join, with every condition in it: the list must be what is gone through, and no planner knows how short it
    is. One that works with statistics, and has none yet, would go through all rows of a sync as readily: it is left no
    choice.
    """
    if not dialect.is_lateral:
        return given.outerjoin(table, sa.and_(*where)), table.c
    found = sa.select(table).where(*where).limit(fixed(1)).lateral(f"found_{table.name}")
    return given.outerjoin(found, sa.true()), found.c


def fixed(value: int | str) -> sa.ColumnElement[Any]:
    """A constant of our own, written out in the SQL: partial indexes are found by it."""
    return sa.literal_column(str(value) if isinstance(value, int) else f"'{value}'")


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """What the store must know of a database.

    `begin` opens a transaction that may write, `hurried` one whose commit does not wait for the disk. `pack` makes a list fit for `listed`. `log` is the file that commits
    do not wait for (see `Rows.unflushed`), None where every commit waits for the disk. `clock` is the time that
    leases are counted in, in microseconds since 1970: a server's own, or the parameter `now` where there is none.  `is_busy` tells an error that another try may mend, `is_lost` whether a
    connection has ended, and `rebuffs` is how long to wait (seconds) before each try to get a new one.
    `is_lateral`: a table may be asked anew for each row of another one, which leaves its planner no choice.
    `frozen` are statements that, begun with, keep everybody else from writing to these tables until the transaction ends;
    `renumbered` those that let new rows get numbers above the ones that were copied.
    """

    sql: sa.Dialect
    begin: str
    hurried: str
    insert: Callable[[sa.Table], sqlite.Insert]
    pack: Callable[[Sequence[str] | Sequence[int]], object]
    clock: sa.ColumnElement[int]
    is_busy: Callable[[Exception], bool]
    log: Callable[[sa.URL], str | None] = lambda _url: None
    is_lost: Callable[[Any], bool] = lambda _connection: False
    rebuffs: Sequence[float] = ()
    is_lateral: bool = False
    frozen: Callable[[Sequence[sa.Table]], Sequence[str]] = lambda _tables: ()
    renumbered: Callable[[Sequence[sa.Table]], Sequence[str]] = lambda _tables: ()

    def upsert(self, table: sa.Table, keys: Sequence[str], columns: Iterable[str]) -> sqlite.Insert:
        """An insert of these columns that replaces them in a row with the same keys."""
        insert = self.insert(table)
        return insert.on_conflict_do_update(
            index_elements=list(keys),
            set_={name: insert.excluded[name] for name in columns if name not in keys},
        )


def _as_json(values: Sequence[str] | Sequence[int]) -> str:
    return msgspec.json.encode(values).decode()


def _is_locked(error: Exception) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _log(url: sa.URL) -> str | None:
    """The write-ahead log. SQLite has no lock on it that would be lost with a descriptor."""
    return f"{url.database}-wal" if url.database not in (None, "", ":memory:") else None


SQLITE = Dialect(
    # Named parameters take dicts as they are.
    sql=sqlite.dialect(paramstyle="named"),
    # Asking for the write lock at once: taking it half way through can fail without waiting.
    begin="BEGIN IMMEDIATE",
    hurried="BEGIN IMMEDIATE",
    insert=lambda table: sqlite.insert(table).inline(),
    pack=_as_json,
    clock=sa.bindparam("now", type_=sa.BigInteger),
    is_busy=_is_locked,
    log=_log,
)


def connect(url: sa.URL) -> tuple[sa.Engine, Dialect]:
    """SQLite's engine and dialect. Raises `SetupError` for a Python whose SQLite is too old."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise SetupError(
            f"Syncline needs SQLite 3.35 or newer, and this Python has {sqlite3.sqlite_version}; use another Python"
        )
    engine = sa.create_engine(url, poolclass=StaticPool, connect_args=_SQLITE_ARGUMENTS)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine, SQLITE


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late and skip DDL; ours are written out.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"cache_size=-{_CACHE_KIBIBYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(SQLITE.begin)
