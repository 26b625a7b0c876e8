"""A database address into a connection that comes back: to the wakes in PgQueuer's tables, and to the news of them.

Used by `jobs.pgqueuer` and its worker. Every use asks for the connection anew; when something broke it is dropped, and
the next use makes another. Waiting between tries is the caller's business.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

import msgspec
import psycopg
import structlog
from pgqueuer.errors import PgqException
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from syncline.jobs.pgq_wakes import Wakes

LOST = (psycopg.Error, PgqException, OSError, TimeoutError)
"""What goes wrong with a database that is away, restarting, or not as it should be: all of it heals by trying again."""

_PATIENCE = 10.0
"""Seconds for one use of the connection: an address that swallows packets says nothing at all."""
_CONNECT = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "syncline-jobs",
}
_FIRST, _LONGEST = 0.05, 2.0

_LOG = structlog.stdlib.get_logger(__name__)


class _News(msgspec.Struct):
    """What PgQueuer's trigger tells of a change."""

    operation: str = ""


class Line:
    """Where the wakes are, over one connection for statements; `news` opens another one."""

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self._schema = schema
        self._wakes: Wakes | None = None
        self._connection: psycopg.AsyncConnection | None = None
        self._opening = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def wakes(self) -> AsyncGenerator[Wakes]:
        """The wakes over a living connection, for a short use. Raises one of `LOST`, and then has dropped it."""
        try:
            async with asyncio.timeout(_PATIENCE):
                yield await self._open()
        except LOST:
            await self.drop()
            raise

    async def news(self, stir: Callable[[], None]) -> None:
        """Call `stir` whenever wakes came in, for ever; through everything that happens to the database."""

        def hear(payload: str) -> None:
            if msgspec.json.decode(payload, type=_News).operation != "delete":
                stir()

        await self._hear(Wakes.listening(self._schema), hear, stir)

    async def notes(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call `hear` with what processes say to each other, for ever, and `missed` when the line was cut meanwhile."""
        is_again = False

        def begun() -> None:
            nonlocal is_again
            if is_again:
                missed()
            is_again = True

        await self._hear(Wakes.hearing(self._schema), hear, begun)

    async def _hear(
        self, subscribing: sql.Composed, hear: Callable[[str], None], begun: Callable[[], None]
    ) -> None:
        """Call `begun` whenever the line is there (again), and `hear` with everything that comes."""
        tries = 0
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(subscribing)
                    tries = 0
                    begun()
                    async for note in connection.notifies():
                        hear(note.payload)
            except LOST as error:
                _LOG.info("jobs_news_lost", error=told(error))
            tries += 1
            await asyncio.sleep(pause(tries))

    async def drop(self) -> None:
        """Close the connection; the next use makes a new one."""
        connection, self._connection, self._wakes = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> Wakes:
        async with self._opening:
            if self._wakes is None or self._connection is None or self._connection.closed:
                await self.drop()
                connection = await self._connect()
                wakes = Wakes(connection, self._schema)
                try:
                    await wakes.install()
                except BaseException:
                    await connection.close()
                    raise
                self._connection, self._wakes = connection, wakes
            return self._wakes

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(_address(self._url), autocommit=True)


def _address(url: str) -> str:
    """The address as libpq wants it, with our time limits where it does not say its own."""
    plain = url.replace("postgresql+psycopg:", "postgresql:", 1)
    return make_conninfo("", **{**_CONNECT, **conninfo_to_dict(plain)})


def pause(tries: int) -> float:
    """Seconds before try number `tries` + 1 to reach the database: growing, and soon no more, for it may be back."""
    return min(_LONGEST, _FIRST * 2 ** min(tries, 10))


def told(error: BaseException) -> str:
    """An error in a word or two: class and SQLSTATE, for messages of drivers quote addresses and values."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return f"{type(error).__name__} ({state})" if state else type(error).__name__
