"""The engine over PostgreSQL: whole runs, stops after single effects, a restarting server, and a run that lost its sync."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from syncline.connectors.memory import When
from syncline.core.records import Side, Write
from syncline.errors import BusyError
from syncline.store import open_store
from tests.engine.crashing import Fuse
from tests.engine.pair import Pair
from tests.engine.test_crash import check, crashed, finished, prepared, undisturbed
from tests.store.postgres import fresh_database, server
from tests.store.samples import LEASE, SYNC, let_leases_run_out

STOPS = (1, 11, 22, 33, 44, 54)


@pytest.fixture
async def pair(postgres_url: str) -> AsyncIterator[Pair]:
    """The world of the crash tests, with its memory in PostgreSQL."""
    pair = await prepared(has_external_keys=False, url=postgres_url)
    yield pair
    pair.store.close()


def _at_the_third_write(act: Callable[[], object]) -> Callable[[When, Write], None]:
    count = 0

    def fault(when: When, _write: Write) -> None:
        nonlocal count
        count += when is When.AFTER
        if count == 3 and when is When.AFTER:
            act()

    return fault


async def test_a_whole_life_is_the_same_as_on_sqlite(pair: Pair) -> None:
    await finished(pair)

    check(pair, await undisturbed(has_external_keys=False), "never stopped")
    assert pair.store.counts(SYNC) == pair.store.recount(SYNC)
    assert (await pair.run()).is_quiet


@pytest.mark.usefixtures("_running")
@pytest.mark.parametrize("has_external_keys", [True, False], ids=["keys", "look"])
async def test_stopping_after_an_effect_changes_nothing_in_the_end(has_external_keys: bool) -> None:
    wanted = await undisturbed(has_external_keys=has_external_keys)
    for at in STOPS:
        with fresh_database() as url:
            pair = await prepared(has_external_keys=has_external_keys, url=url)
            assert await crashed(pair, Fuse(at)) is None, f"fewer than {at} effects"
            pair.store.close()
            pair.store = open_store(url)
            let_leases_run_out(pair.store)
            await finished(pair)
            check(pair, wanted, f"stopped after effect {at}")
            pair.store.close()


async def test_a_server_that_restarts_between_two_writes_changes_nothing(pair: Pair) -> None:
    pair.right.faults = _at_the_third_write(server().restart)

    report = await pair.run()

    assert not report.failures
    await finished(pair)
    check(pair, await undisturbed(has_external_keys=False), "restarted")


async def test_a_run_that_lost_its_sync_while_it_wrote_settles_nothing_more(
    pair: Pair, postgres_url: str
) -> None:
    """Two of its writes have happened by then, and a third one has no answer yet: nothing says which until somebody looks."""
    heir = open_store(postgres_url)

    def take_over() -> None:
        let_leases_run_out(heir)
        heir.begin_run(pair.sync().id, pair.clock.now(), LEASE)

    calm, pair.right.faults = pair.right.faults, _at_the_third_write(take_over)
    with pytest.raises(BusyError):
        await pair.run()

    assert heir.intents(pair.sync().id)
    let_leases_run_out(heir)
    heir.close()
    pair.right.faults = calm
    await finished(pair)
    check(pair, await undisturbed(has_external_keys=False), "taken over")


async def test_both_sides_are_read_and_compared_as_on_sqlite(pair: Pair) -> None:
    """The fast path: a quiet account is compared in the database, a page at a time."""
    await finished(pair)
    keys = [record.key for record in pair.left.records.values()]
    known = pair.store.recognise(pair.sync().id, Side.LEFT, keys)
    page = sorted((one for one in known.items() if one[1].is_settled), key=lambda one: one[1].id)[:2]

    stretch = pair.store.compare(
        pair.sync().id, Side.LEFT, [key for key, _ in page], [one.digest for _, one in page]
    )

    assert list(stretch.ids) == [one.id for _, one in page]
