"""Calls counted one by one become few rows, add up over processes, and are there after a restart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncline.core.quota import Allowance, Purpose, Usage
from syncline.store import SqlStore, StoreMeter, open_store
from syncline.store.meter import AGE, CALLS
from tests.clock import START, VirtualClock

HOUR = dt.timedelta(hours=1)
MIDNIGHT = START - 9 * HOUR


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/syncline.db"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url)
    yield opened
    opened.close()


def _count(meter: StoreMeter, calls: int, purpose: Purpose = Purpose.BULK) -> None:
    for _ in range(calls):
        meter.count(purpose)


def _used(store: SqlStore) -> int:
    return sum(each.calls for each in store.usage("hl", MIDNIGHT))


def test_calls_are_written_a_hundred_at_a_time(store: SqlStore) -> None:
    meter = StoreMeter("hl", store, VirtualClock())

    _count(meter, CALLS - 1)
    assert (_used(store), meter.today()) == (0, CALLS - 1)
    _count(meter, CALLS + 1)

    assert (_used(store), meter.today()) == (2 * CALLS, 2 * CALLS)


def test_a_slow_trickle_is_written_with_time(store: SqlStore) -> None:
    clock = VirtualClock()
    meter = StoreMeter("hl", store, clock)
    _count(meter, 2)

    clock.advance(AGE.total_seconds())
    _count(meter, 1, Purpose.LIVE)

    assert store.usage("hl", START) == [Usage(START, Purpose.BULK, 2), Usage(START, Purpose.LIVE, 1)]


def test_calls_belong_to_the_hour_in_which_they_went_out(store: SqlStore) -> None:
    clock = VirtualClock()
    meter = StoreMeter("hl", store, clock)
    _count(meter, 3)
    clock.advance(3600)
    _count(meter, 4)
    meter.flush()

    assert [(each.hour, each.calls) for each in store.usage("hl", START)] == [(START, 3), (START + HOUR, 4)]
    assert meter.today() == 7


def test_a_new_day_begins_with_nothing(store: SqlStore) -> None:
    clock = VirtualClock()
    meter = StoreMeter("hl", store, clock)
    _count(meter, 3)

    clock.advance(15 * 3600)

    assert meter.today() == 0
    assert _used(store) == 3


def test_two_processes_count_together(url: str, store: SqlStore) -> None:
    other_store = open_store(url)
    meter, other = (StoreMeter("hl", each, VirtualClock()) for each in (store, other_store))
    _count(meter, 5)
    _count(other, 7)
    other.flush()
    meter.flush()

    assert meter.today() == 12
    assert StoreMeter("hl", store, VirtualClock()).today() == 12
    other_store.close()


def test_the_vendors_last_word_outlives_the_process(store: SqlStore) -> None:
    meter = StoreMeter("hl", store, VirtualClock())
    said = Allowance(200_000, 12, START, START + HOUR)
    meter.keep(said)
    assert store.allowance("hl") is None

    meter.flush()

    assert StoreMeter("hl", store, VirtualClock()).allowance() == said
    assert StoreMeter("ac", store, VirtualClock()).allowance() is None


def test_a_database_that_is_busy_loses_nothing(url: str, store: SqlStore) -> None:
    meter = StoreMeter("hl", store, VirtualClock())
    store._execute("PRAGMA busy_timeout = 1")  # pyright: ignore[reportPrivateUsage] - no waiting in a test
    other = open_store(url)

    with other.transaction():
        _count(meter, CALLS)
        assert _used(store) == 0
    _count(meter, CALLS)

    assert _used(store) == 2 * CALLS
    other.close()


def test_nothing_is_written_where_nothing_happened(store: SqlStore) -> None:
    StoreMeter("hl", store, VirtualClock()).flush()

    assert _used(store) == 0
