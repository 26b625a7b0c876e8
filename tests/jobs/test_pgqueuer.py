"""PgQueuer on PostgreSQL: the conformance suite on a real server, and what only a shared queue can do."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator

import pytest

from syncline.bootstrap import SystemClock
from syncline.jobs.pgqueuer import PgQueuerJobs
from syncline.ports.wire import LONGEST
from tests.jobs.conformance import Conformance, Work, until, working
from tests.jobs.samples import limits
from tests.store.postgres import empty_database, execute, server

_LISTENING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%notes%'"
)
_LATER = (
    "UPDATE syncline_jobs.pgqueuer SET execute_after = now() + interval '1 hour' "
    "WHERE dedupe_key IS NOT NULL AND execute_after > now() RETURNING convert_from(payload, 'UTF8')"
)


def _listeners(url: str) -> int:
    return len(execute(url, _LISTENING))


class SharedOffice:
    """Engines on one database, and the machine's clock."""

    def __init__(self, url: str) -> None:
        self.clock = SystemClock()
        self.url = url
        self.engines: list[PgQueuerJobs] = []
        self.engine = self.another()

    async def pass_time(self, seconds: float) -> None:
        """Wait: the database's clock cannot be moved."""
        await asyncio.sleep(seconds)

    def another(self) -> PgQueuerJobs:
        """As another process would have it."""
        self.engines.append(PgQueuerJobs(self.url, self.clock, limits(), jitter=lambda: 0.5))
        return self.engines[-1]


@pytest.fixture
async def office() -> AsyncGenerator[SharedOffice]:
    with empty_database() as url:
        made = SharedOffice(url)
        await made.engine.waiting()  # makes the tables: that takes longer than some tests wait
        yield made
        for engine in made.engines:
            await engine.close()


class TestPgQueuer(Conformance):
    """The suite."""

    async def test_two_workers_share_what_there_is(self, office: SharedOffice) -> None:
        one, two = Work(), Work()
        one.gate.clear()
        two.gate.clear()
        other = office.another()
        async with working(office.engine, {"sync": one}), working(other, {"sync": two}):
            for number in range(8):
                await office.engine.wake("sync", str(number))
            await until(lambda: (len(one.begun), len(two.begun)) == (4, 4))
            one.gate.set()
            two.gate.set()

        assert sorted(one.ended + two.ended) == [str(number) for number in range(8)]

    async def test_workers_that_open_a_new_database_together_make_the_tables_once(self) -> None:
        with empty_database() as url:
            office = SharedOffice(url)
            engines = [office.engine, *(office.another() for _ in range(3))]

            await asyncio.gather(*(engine.wake("sync", str(number)) for number, engine in enumerate(engines)))

            assert len(await office.engine.waiting()) == 4
            await asyncio.gather(*(engine.close() for engine in engines))

    async def test_what_one_process_says_all_that_listen_hear(self, office: SharedOffice) -> None:
        heard: list[str] = []
        other = office.another()
        listening = asyncio.create_task(other.listen(heard.append, lambda: heard.append("missed")))
        try:
            await until(lambda: _listeners(office.url) == 1)
            assert await office.engine.say("one ü 'quoted'")
            assert await office.engine.say("x" * LONGEST)
            assert not await office.engine.say("x" * LONGEST + "ü")
            await until(lambda: len(heard) == 2)

            execute(office.url, _CUT)
            await until(lambda: heard[2:] == ["missed"])
            await until(lambda: _listeners(office.url) == 1)
            # Its own connection was cut, too: the first note after that is lost, and it says so.
            assert [await office.engine.say("lost"), await office.engine.say("two")] == [False, True]
            await until(lambda: "two" in heard)
        finally:
            listening.cancel()

        assert heard == ["one ü 'quoted'", "x" * LONGEST, "missed", "two"]

    async def test_its_tables_are_in_a_schema_of_their_own(self, office: SharedOffice) -> None:
        await office.engine.wake("sync", "tickets")

        made = execute(
            office.url, "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE '%pgqueuer%'"
        )

        assert made == [("syncline_jobs",)]

    async def test_connections_that_are_cut_are_made_anew(self, office: SharedOffice) -> None:
        work = Work()
        async with working(office.engine, {"sync": work}):
            for number in range(5):
                await office.engine.wake("sync", str(number))
                await until(lambda number=number: len(work.ended) > number)
                execute(office.url, _CUT)

    async def test_wakes_that_could_not_be_stored_are_stored_when_the_database_is_back(
        self, office: SharedOffice
    ) -> None:
        name, work = office.url.split("@/")[1].split("?")[0], Work()
        server().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server().execute(_CUT.replace("current_database()", f"'{name}'"))
        await asyncio.gather(*(office.engine.wake("sync", str(number)) for number in range(10)))
        assert not (await office.engine.health()).is_up

        server().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        async with working(office.another(), {"sync": work}):
            await until(lambda: len(work.ended) == 10)

        assert sorted(work.ended) == [str(number) for number in range(10)]

    async def test_tables_that_were_dropped_are_made_anew(self, office: SharedOffice) -> None:
        work = Work()
        async with working(office.engine, {"sync": work}):
            await office.engine.wake("sync", "a")
            await until(lambda: work.ended == ["a"])
            execute(office.url, "DROP SCHEMA syncline_jobs CASCADE")
            await office.engine.wake("sync", "b")
            await until(lambda: work.ended == ["a", "b"])

    async def test_the_log_of_what_ran_does_not_grow_for_ever(self, office: SharedOffice) -> None:
        work = Work()
        async with working(office.engine, {"sync": work}):
            await office.engine.wake("sync", "a")
            await until(lambda: work.ended == ["a"])

        await office.engine.purge()

        assert execute(office.url, "SELECT count(*) FROM syncline_jobs.pgqueuer_log") == [(0,)]

    async def test_a_row_that_was_taken_over_is_not_ended_by_the_worker_that_lost_it(
        self, office: SharedOffice
    ) -> None:
        work = Work()
        work.gate.clear()
        async with working(office.engine, {"sync": work}):
            await office.engine.wake("sync", "a")
            await until(lambda: work.begun == ["a"])
            execute(office.url, "UPDATE syncline_jobs.pgqueuer SET queue_manager_id = gen_random_uuid()")
            work.gate.set()
            await until(lambda: work.ended == ["a"])

        assert execute(office.url, "SELECT count(*) FROM syncline_jobs.pgqueuer") == [(1,)]

    async def test_what_is_woken_while_it_runs_elsewhere_wakes_nobody_before_that_ends(
        self, office: SharedOffice
    ) -> None:
        work = Work()
        work.gate.clear()
        async with working(office.engine, {"sync": work}):
            await office.engine.wake("sync", "a")
            await until(lambda: work.begun == ["a"])
            await office.engine.wake("sync", "a")
            # So long that only the end of the first can be the reason why the second begins.
            assert execute(office.url, _LATER) == [("a",)]
            work.gate.set()
            await until(lambda: work.ended.count("a") == 2)

    async def test_an_idle_worker_asks_seldom(self, office: SharedOffice) -> None:
        async with working(office.engine, {"sync": Work(), "bulk": Work()}):
            await asyncio.sleep(2.2)  # the server counts once a second
            ((count,),) = execute(
                office.url, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            )

        assert 3 <= count < 40

    async def test_a_database_that_cannot_be_reached_is_told_and_wakes_are_kept(self) -> None:
        engine = PgQueuerJobs("postgresql://owner:secret-word@127.0.0.1:1/none", SystemClock(), limits())
        await engine.wake("sync", "tickets")
        await engine.wake("sync", "people", dt.datetime(2030, 1, 1, tzinfo=dt.UTC))

        health = await engine.health()

        assert (health.is_up, health.waiting) == (False, 2)
        assert "OperationalError" in health.problem
        assert "secret-word" not in health.problem
        await engine.close()


_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
