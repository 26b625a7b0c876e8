"""Core statements in, plain rows out, inside transactions that nest.

The parts of `SqlStore` inherit from `Rows`. Statements are rendered once for each dialect and run on the driver's own
cursor: SQLAlchemy's execution costs some 50 µs a statement, ours about one, and the schema holds only integers, text
and bytes, which need no conversion.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import PoolProxiedConnection

from syncline.core.records import SyncId
from syncline.errors import BusyError, StoreError
from syncline.store.dialects import Dialect
from syncline.store.tables import sync as sync_table

Query = sa.ClauseElement | Callable[[Dialect], sa.ClauseElement]
Row = tuple[Any, ...]

_JOINED = nullcontext()
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

NOWHERE = 0
"""The number of a sync that was never stored; no row has it."""

_NUMBERED = sa.select(sync_table.c.id).where(sync_table.c.name == sa.bindparam("name"))
_NUMBER = sa.insert(sync_table).inline().values(name=sa.bindparam("name")).returning(sync_table.c.id)


class Rendered(NamedTuple):
    """The SQL of a statement. `constants` are parameters that the dialect put there by itself."""

    sql: str
    constants: dict[str, object]


@functools.cache
def rendered(query: Query, dialect: Dialect) -> Rendered:
    """A statement in the words of a dialect."""
    statement = query(dialect) if callable(query) else query
    compiled = statement.compile(dialect=dialect.sql)
    return Rendered(
        str(compiled), {name: value for name, value in (compiled.params or {}).items() if value is not None}
    )


class Rows:
    """One connection, its transactions, and the numbers of the syncs. `_read` is what its parts keep of a sync for as long
    as somebody asks them to (None: not read yet), `_within` what they keep until the transaction ends: nobody else writes
    meanwhile."""

    def __init__(self, engine: sa.Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._lent = engine.raw_connection()
        self._connection = _driver(self._lent)
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._rebuffs = dialect.rebuffs
        self._is_open = True
        self._depth = 0
        self._numbers: dict[SyncId, int] = {}
        self._read: dict[SyncId, dict[str, str] | None] = {}
        self._within: dict[int, Any] = {}

    def close(self) -> None:
        """Let go of the database."""
        self._is_open = False
        self._lent.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self, *, may_be_lost: bool = False) -> Generator[None]:
        """Group writes: all of them, or none. A nested group that fails takes back its own writes only."""
        depth = self._depth
        opening = self._dialect.hurried if may_be_lost else self._dialect.begin
        begin, commit, back = (
            (f"SAVEPOINT s{depth}", f"RELEASE s{depth}", f"ROLLBACK TO s{depth}")
            if depth
            else (opening, "COMMIT", "ROLLBACK")
        )
        try:
            self._execute(begin)
            self._depth = depth + 1
            yield
            _check_kept(self._execute(commit))
        except BaseException:
            self._doubt()
            self._take_back(back)
            raise
        finally:
            self._depth = depth
            if not depth:
                self._within.clear()

    def _doubt(self) -> None:
        """What was read in a transaction that is taken back, or on a connection that was lost, is read again."""
        self._numbers.clear()
        self._read = dict.fromkeys(self._read)
        self._within.clear()

    def unflushed(self) -> Callable[[], None] | None:
        """What brings everything that is committed by now to the disk, to be called in any thread: until then it survives the
        death of the process, but not a loss of power. None where every commit does. It raises `StoreError`."""
        log = self._dialect.log(self._engine.url)
        return None if log is None else functools.partial(_flush, log)

    def _together(self) -> AbstractContextManager[None]:
        """A transaction for one method: the one that is open, else its own.

        A method that joins does not take back its own writes when it fails: it must check before it writes.
        """
        return _JOINED if self._depth else self.transaction()

    def _take_back(self, statement: str) -> None:
        try:
            self._connection.cursor().execute(statement)
        except self._error:
            # A full disk and the like have ended the transaction already; the first error is the one to tell.
            return

    def _execute(self, sql: str, params: Mapping[str, object] | None = None) -> DBAPICursor:
        if self._depth == 0 and self._is_open and self._dialect.is_lost(self._connection):
            self._connect_again()
        try:
            cursor = self._connection.cursor()
            cursor.execute(sql, params or {})
        except self._error as error:
            self._translate(error)
        return cursor

    def _connect_again(self) -> None:
        """A new connection in place of a lost one, after a few tries; while none succeeds, each later call tries once."""
        waits, self._rebuffs = self._rebuffs, self._rebuffs[:1]
        self._doubt()
        if self._lent.is_valid:
            self._lent.invalidate()
        refusal: Exception | None = None
        for wait in waits:
            time.sleep(wait)
            try:
                self._lent = self._engine.raw_connection()
            except self._error as error:
                refusal = error
            else:
                self._connection, self._rebuffs = _driver(self._lent), self._dialect.rebuffs
                return
        raise StoreError(
            f"the database cannot be reached ({_said(refusal)}); the next call tries again"
        ) from refusal

    def _translate(self, error: Exception) -> NoReturn:
        if self._dialect.is_busy(error):
            raise BusyError("another process is writing to the database; try again") from error
        if self._is_open and self._dialect.is_lost(self._connection):
            raise StoreError(
                f"the connection to the database was lost ({_said(error)}); what was not committed did not happen; try again"
            ) from error
        raise StoreError(f"the database refused: {_said(error)}") from error

    def _statement(self, query: Query, params: dict[str, object]) -> DBAPICursor:
        sql, constants = rendered(query, self._dialect)
        return self._execute(sql, constants | params if constants else params)

    def _rows(self, query: Query, **params: object) -> list[Row]:
        """All rows of a query (or of a statement that returns some)."""
        cursor = self._statement(query, params)
        try:
            return [*cursor.fetchall()]
        except self._error as error:
            self._translate(error)

    def _row(self, query: Query, **params: object) -> Row | None:
        """The first row, or None."""
        rows = self._rows(query, **params)
        return rows[0] if rows else None

    def _run(self, query: Query, **params: object) -> int:
        """Run a statement; answers how many rows it changed."""
        return self._statement(query, params).rowcount

    def _many(self, query: Query, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement for each row. Only inside a transaction: a failure leaves the rows before it."""
        sql = rendered(query, self._dialect).sql
        if len(rows) == 1:
            self._execute(sql, rows[0])
        elif rows:
            try:
                self._connection.cursor().executemany(sql, rows)
            except self._error as error:
                self._translate(error)

    def _number(self, sync: SyncId) -> int:
        """The number of a sync, for reading: `NOWHERE` where it has none yet."""
        return self._numbers.get(sync) or self._look_up(sync)

    def _numbered(self, sync: SyncId) -> int:
        """The number of a sync, for writing: it gets one now. Only inside a transaction."""
        number = self._number(sync)
        if number == NOWHERE:
            row = self._row(_NUMBER, name=sync)
            number = self._numbers[sync] = row[0] if row else NOWHERE
        return number

    def _look_up(self, sync: SyncId) -> int:
        row = self._row(_NUMBERED, name=sync)
        if row is None:
            return NOWHERE
        self._numbers[sync] = row[0]
        return row[0]


def _driver(lent: PoolProxiedConnection) -> DBAPIConnection:
    """The driver's own connection."""
    connection = lent.dbapi_connection
    if connection is None:
        raise StoreError("the database connection is closed")
    return connection


def _flush(log: str) -> None:
    try:
        file = os.open(log, os.O_RDONLY)
        try:
            _sync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise StoreError(f"the disk did not take what was written: {error.strerror}") from error


def _said(error: Exception | None) -> str:
    """The first line; those after it may show values."""
    return str(error).partition("\n")[0]


def _check_kept(committed: DBAPICursor) -> None:
    """PostgreSQL answers the commit of a transaction in which a statement failed by taking it back, without an error."""
    if getattr(committed, "statusmessage", None) == "ROLLBACK":
        raise StoreError("nothing of the transaction was kept, because a statement in it had failed")
