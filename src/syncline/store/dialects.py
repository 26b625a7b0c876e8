"""The few places where databases differ: how to connect, to begin, to insert-or-replace and to pass a list.

Everything else in the store is plain SQLAlchemy Core. A second database is one more `Dialect` here; `Listed` renders with
`unnest` of an array wherever it is not told otherwise.
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


@compiles(Listed)
def _unnest(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **how)}) AS value)"


@compiles(Listed, "sqlite")
def _json_each(element: Listed, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


class NumberList(FunctionElement[Any]):
    """An aggregate: numbers with commas between, as text; NULLs are left out."""

    inherit_cache = True
    name = "number_list"


@compiles(NumberList)
def _string_agg(element: NumberList, compiler: SQLCompiler, **how: Any) -> str:
    return f"string_agg(CAST({compiler.process(element.clauses, **how)} AS TEXT), ',')"


@compiles(NumberList, "sqlite")
def _group_concat(element: NumberList, compiler: SQLCompiler, **how: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **how)})"


def listed(name: str) -> sa.TableValuedAlias:
    """The values of the list parameter of that name; what is passed goes through `Dialect.pack`."""
    return Listed(sa.bindparam(name)).table_valued("value").alias(f"listed_{name}")


def fixed(value: int | str) -> sa.ColumnElement[Any]:
    """A constant of our own, written out in the SQL: partial indexes are found by it."""
    return sa.literal_column(str(value) if isinstance(value, int) else f"'{value}'")


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """What the store must know of a database.

    `begin` opens a transaction that may write. `pack` makes a list fit for `listed`.
    """

    sql: sa.Dialect
    begin: str
    insert: Callable[[sa.Table], sqlite.Insert]
    pack: Callable[[Sequence[str] | Sequence[int]], object]

    def upsert(self, table: sa.Table, keys: Sequence[str], columns: Iterable[str]) -> sqlite.Insert:
        """An insert of these columns that replaces them in a row with the same keys."""
        insert = self.insert(table)
        return insert.on_conflict_do_update(
            index_elements=list(keys),
            set_={name: insert.excluded[name] for name in columns if name not in keys},
        )


def _as_json(values: Sequence[str] | Sequence[int]) -> str:
    return msgspec.json.encode(values).decode()


SQLITE = Dialect(
    # Named parameters take dicts as they are.
    sql=sqlite.dialect(paramstyle="named"),
    # Asking for the write lock at once: taking it half way through can fail without waiting.
    begin="BEGIN IMMEDIATE",
    insert=lambda table: sqlite.insert(table).inline(),
    pack=_as_json,
)


def connect(url: sa.URL) -> tuple[sa.Engine, Dialect]:
    """An engine and its dialect. Raises `SetupError` for a database that Syncline does not know."""
    if url.get_backend_name() != "sqlite":
        raise SetupError(
            f"Syncline does not know the database '{url.get_backend_name()}'; use sqlite:///FILE"
        )
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
