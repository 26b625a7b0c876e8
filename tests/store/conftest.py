"""Fixtures of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import call
from tests.store.postgres import empty_database, fresh_database, server

__all__ = ["call"]


@pytest.fixture(scope="session")
def _running() -> Iterator[None]:
    """One server for all tests of a process. A worker of pytest-xdist may end without running exit handlers."""
    server()
    yield
    server().remove()
    server.cache_clear()


@pytest.fixture
def postgres_url(_running: None) -> Iterator[str]:
    """A PostgreSQL database with our tables and nothing in them."""
    with fresh_database() as url:
        yield url


@pytest.fixture
def empty_postgres_url(_running: None) -> Iterator[str]:
    """A PostgreSQL database with nothing in it at all."""
    with empty_database() as url:
        yield url
