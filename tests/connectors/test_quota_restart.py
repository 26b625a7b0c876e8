"""A day's budget on the HighLevel sandbox: kept for live work, respected by the next process, never answered with 429."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from syncline.connectors.highlevel import HighLevelConnector, PrivateToken, Settings, connect
from syncline.connectors.http import AiohttpTransport, Environment, SlidingWindow
from syncline.core.quota import Purpose, Terms, next_midnight
from syncline.core.records import Create, FieldId
from syncline.core.values import Text
from syncline.errors import Detail, TransientError
from syncline.ports import calling_for
from syncline.store import SqlStore, StoreMeter, open_store
from tests.clock import START, VirtualClock
from tests.connectors.highlevel_world import SCOPE, World, world

DAILY = 100
KEPT = 10


@pytest.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        made.act("quota", daily=DAILY)
        yield made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/syncline.db"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def stores(url: str) -> Iterator[list[SqlStore]]:
    """The same database in two processes."""
    opened = [open_store(url), open_store(url)]
    yield opened
    for each in opened:
        each.close()


def _process(w: World, store: SqlStore) -> HighLevelConnector:
    """A connector as a process makes it."""
    environment = Environment(
        AiohttpTransport(), w.clock, random.Random(1).random, meter=StoreMeter("hl", store, w.clock)
    )
    access = PrivateToken(w.vendor.account.private_tokens[w.location])
    connector = connect(Settings(w.location, access, w.server.base_url), environment, connection="hl")
    w.opened.append(connector)
    return connector


async def _make(connector: HighLevelConnector, purpose: Purpose) -> None:
    with calling_for(purpose):
        await connector.write(SCOPE, Create({FieldId("title"): Text("Ticket")}))


async def _until_refused(connector: HighLevelConnector, purpose: Purpose) -> TransientError:
    for _ in range(2 * DAILY):
        try:
            await _make(connector, purpose)
        except TransientError as error:
            return error
    raise AssertionError("never refused")


def _refused(w: World) -> int:
    return w.act("stats")["refused_429"]


async def test_the_next_process_goes_on_where_the_last_one_stopped(store: SqlStore, w: World) -> None:
    first = _process(w, store)
    error = await _until_refused(first, Purpose.BULK)
    assert error.detail is Detail.DAILY_QUOTA
    assert error.after == next_midnight(w.clock.now()) - w.clock.now()
    await first.close()

    second = _process(w, store)
    assert second.quota.daily_left == KEPT
    before = len(w.requests())
    with pytest.raises(TransientError, match="for bulk work are used up"):
        await _make(second, Purpose.BULK)
    assert len(w.requests()) == before, "a call was made"

    for _ in range(5):
        await _make(second, Purpose.LIVE)
    assert second.quota.daily_left == KEPT - second.calls
    assert (_refused(w), len(store.usage("hl", START))) == (0, 1)
    await second.close()
    assert {each.purpose for each in store.usage("hl", START)} == {Purpose.BULK, Purpose.LIVE}


async def test_the_next_day_has_new_calls_also_for_a_new_process(store: SqlStore, w: World) -> None:
    first = _process(w, store)
    await _until_refused(first, Purpose.LIVE)
    await first.close()
    w.clock.advance((next_midnight(w.clock.now()) - w.clock.now()).total_seconds())

    second = _process(w, store)
    assert second.quota.daily_left == DAILY
    await _make(second, Purpose.BULK)

    assert second.quota.daily_left == DAILY - second.calls
    assert _refused(w) == 0


async def test_a_process_that_died_without_writing_is_corrected_by_the_vendors_next_answer(
    stores: list[SqlStore], w: World
) -> None:
    dead = _process(w, stores[0])
    for _ in range(20):
        await _make(dead, Purpose.BULK)
    assert stores[1].allowance("hl") is None

    second = _process(w, stores[1])
    await _make(second, Purpose.BULK)

    told = next(
        int(response.headers["X-RateLimit-Daily-Remaining"]) for _, response in reversed(w.witness.exchanges)
    )
    assert second.quota.daily_left == told
    await _until_refused(second, Purpose.LIVE)
    assert _refused(w) == 0


async def test_many_calls_at_once_end_with_the_day_and_without_a_429(store: SqlStore, w: World) -> None:
    connector, chance = _process(w, store), random.Random(4)

    for _ in range(4):
        await asyncio.gather(
            *(_make(connector, chance.choice(list(Purpose))) for _ in range(40)), return_exceptions=True
        )

    assert connector.quota.daily_left == 0
    assert _refused(w) == 0


async def test_two_processes_that_take_turns_share_the_day(stores: list[SqlStore], w: World) -> None:
    one, other = (_process(w, each) for each in stores)
    await _make(one, Purpose.BULK)
    for _ in range(20):
        await _make(other, Purpose.BULK)

    for connector in (one, other):
        await _until_refused(connector, Purpose.BULK)
        await _make(connector, Purpose.LIVE)

    assert _refused(w) == 0
    assert one.quota.daily_left == KEPT - 1
    # The other one heard of it by the one bulk call that it still made.
    assert other.quota.daily_left == KEPT - 3


async def test_what_is_configured_for_a_vendor_that_tells_nothing_holds_over_restarts(
    store: SqlStore,
) -> None:
    clock = VirtualClock()
    for _ in range(2):
        limiter = SlidingWindow(clock, terms=Terms(daily=7), meter=StoreMeter("ac", store, clock))
        for _ in range(3):
            async with limiter.slot():
                pass
        limiter.close()

    limiter = SlidingWindow(clock, terms=Terms(daily=7), meter=StoreMeter("ac", store, clock))
    assert limiter.quota.daily_left == 1
    clock.advance(dt.timedelta(days=1).total_seconds())
    assert limiter.quota.daily_left == 7
