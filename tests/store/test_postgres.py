"""The store over PostgreSQL: its suite, opening, leases by the server's clock, zombies, and a server that restarts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from syncline.core.memory import Counts, RunState, Seen
from syncline.core.records import RecordKey
from syncline.errors import BusyError, SchemaError, SetupError, StoreError
from syncline.store import SqlStore, links, migrate, open_store, postgresql, sightings
from syncline.store.session import rendered
from syncline.store.tables import REVISION
from syncline.store.workspace_tables import METADATA
from tests.store.postgres import execute, fresh_database, server
from tests.store.samples import (
    LEASE,
    LEFT,
    MINUTE,
    NOW,
    SECRET_KEY,
    SYNC,
    entry,
    key,
    let_leases_run_out,
    seen,
    step,
)
from tests.store.suite import StoreSuite

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    """An empty store."""
    store = open_store(postgres_url, secret_key=SECRET_KEY)
    yield store
    store.close()


@pytest.fixture
def other(postgres_url: str) -> Iterator[SqlStore]:
    """A second connection to the same database."""
    store = open_store(postgres_url)
    yield store
    store.close()


class TestPostgres(StoreSuite):
    """A server."""

    @pytest.fixture
    def store(self, postgres_url: str) -> Iterator[SqlStore]:
        store = open_store(postgres_url, secret_key=SECRET_KEY)
        yield store
        store.close()


def _start(story: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.contender", story, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


class TestOpening:
    """What there may be at a URL."""

    def test_the_migrations_end_where_the_tables_are(self, empty_postgres_url: str) -> None:
        migrate(empty_postgres_url)
        engine, _ = postgresql.connect(sa.make_url(empty_postgres_url))

        with engine.connect() as connection:
            difference = compare_metadata(MigrationContext.configure(connection), METADATA)

        engine.dispose()
        assert difference == []

    def test_processes_that_start_together_migrate_once(self, empty_postgres_url: str) -> None:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: migrate(empty_postgres_url), range(3)))

        assert execute(empty_postgres_url, "SELECT version_num FROM alembic_version") == [(REVISION,)]

    def test_a_database_of_something_else_is_left_alone(self, empty_postgres_url: str) -> None:
        execute(empty_postgres_url, "CREATE TABLE recipes (name TEXT)")

        with pytest.raises(SchemaError, match="something else"):
            open_store(empty_postgres_url)

        assert execute(empty_postgres_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
            ("recipes",)
        ]

    def test_the_job_engines_tables_may_have_come_first(self, empty_postgres_url: str) -> None:
        execute(empty_postgres_url, "CREATE TABLE pgqueuer_log (id BIGINT)")

        migrate(empty_postgres_url)

        assert execute(empty_postgres_url, "SELECT version_num FROM alembic_version") == [(REVISION,)]

    @pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
    def test_both_forms_of_the_url_open(self, postgres_url: str, scheme: str) -> None:
        store = open_store(postgres_url.replace("postgresql", scheme, 1))

        assert store.counts(SYNC) == Counts(0, 0, 0)
        store.close()

    def test_another_driver_is_refused(self) -> None:
        with pytest.raises(SetupError, match="postgresql://") as caught:
            open_store("postgresql+asyncpg://owner:hush@db/x")

        assert "hush" not in str(caught.value)

    def test_a_server_that_is_not_there_may_be_tried_again(self) -> None:
        with pytest.raises(StoreError, match="server runs") as caught:
            open_store("postgresql://owner:hush@127.0.0.1:1/x")

        assert not isinstance(caught.value, BusyError | SchemaError)
        assert "hush" not in str(caught.value)

    def test_a_database_that_is_not_there_is_for_a_person(self, postgres_url: str) -> None:
        url = sa.make_url(postgres_url).set(database="nowhere", password="hush")

        with pytest.raises(SetupError, match="name") as caught:
            open_store(url.render_as_string(hide_password=False))

        assert "hush" not in str(caught.value)

    def test_a_user_without_rights_is_for_a_person(self, empty_postgres_url: str) -> None:
        url = sa.make_url(empty_postgres_url).set(username="guest", password="hush")
        server().execute("CREATE ROLE guest LOGIN")
        try:
            with pytest.raises(SetupError, match=r"permission denied.*right to create tables") as caught:
                open_store(url.render_as_string(hide_password=False))
        finally:
            server().execute("DROP ROLE guest")

        assert "hush" not in str(caught.value)


class TestTogether:
    """Two connections to one database."""

    def test_one_of_two_gets_the_lease(self, store: SqlStore, other: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)

        with pytest.raises(BusyError, match=run.id):
            other.begin_run(SYNC, NOW, LEASE)

    def test_a_lease_counts_in_the_servers_time(self, store: SqlStore, other: SqlStore) -> None:
        store.begin_run(SYNC, NOW, LEASE)

        with pytest.raises(BusyError):
            other.begin_run(SYNC, NOW + 1_000 * LEASE, LEASE)

        let_leases_run_out(other)
        assert other.begin_run(SYNC, NOW - 1_000 * LEASE, LEASE).state is RunState.RUNNING

    def test_of_processes_that_start_together_one_gets_the_lease(self, postgres_url: str) -> None:
        racers = [_start("contend", postgres_url) for _ in range(2)]
        assert [_line(racer) for racer in racers] == ["ready", "ready"]

        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(lambda racer: racer.communicate("go\n", timeout=60), racers))

        assert sorted(out.strip() for out, _ in told) == ["busy", "tickets-1"], told

    def test_processes_that_write_together_lose_nothing(self, postgres_url: str, store: SqlStore) -> None:
        racers = [_start("write_many", postgres_url) for _ in range(2)]
        assert [_line(racer) for racer in racers] == ["ready", "ready"]

        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(lambda racer: racer.communicate("go\n", timeout=60), racers))

        assert [racer.returncode for racer in racers] == [0, 0], told
        assert len(store.history(SYNC)) == 200

    def test_who_reads_before_writing_waits_for_who_wrote_before(
        self, store: SqlStore, postgres_url: str
    ) -> None:
        store.see(SYNC, LEFT, [seen(0)])

        def see(first: int) -> None:
            mine = open_store(postgres_url)
            for number in range(first, first + 50):
                mine.see(SYNC, LEFT, [seen(number)])
            mine.close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(see, (100, 200)))

        assert store.counts(SYNC) == store.recount(SYNC) == Counts(101, 0, 0)

    def test_a_zombie_settles_intends_and_renews_nothing(self, postgres_url: str, store: SqlStore) -> None:
        zombie = _start("settle_late", postgres_url)
        assert _line(zombie) == "tickets-1"
        let_leases_run_out(store)
        heir = store.begin_run(SYNC, NOW, LEASE)

        told, errors = zombie.communicate("go\n", timeout=60)

        assert told.strip() == "refused refused refused", errors
        assert len(store.intents(SYNC)) == 1
        store.renew(heir.id, NOW, LEASE)

    def test_a_run_that_settles_holds_on_to_its_lease(
        self, store: SqlStore, other: SqlStore, postgres_url: str
    ) -> None:
        run = store.begin_run(SYNC, NOW, LEASE).id
        with store.transaction():
            store.settle(run, {}, NOW)

            with pytest.raises(psycopg.errors.LockNotAvailable):
                execute(postgres_url, "SELECT 1 FROM lease FOR UPDATE NOWAIT")

    def test_who_stands_still_inside_a_transaction_is_let_go_of(
        self, postgres_url: str, store: SqlStore
    ) -> None:
        still = _start("stand_still", postgres_url)
        assert _line(still) == "inside"
        # What the server does by itself after some seconds of silence.
        execute(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'",
        )
        store.remember(SYNC, "cursor", "mine")

        told, errors = still.communicate("go\n", timeout=60)

        assert "lost: the connection to the database was lost" in told, errors
        assert still.returncode == 0
        assert (store.recall(SYNC, "cursor"), store.recall(SYNC, "other")) == ("mine", "again")

    def test_a_lock_that_is_held_too_long_is_busy(self, store: SqlStore, postgres_url: str) -> None:
        store._execute("SET lock_timeout = '1ms'")
        with psycopg.connect(postgres_url) as holder:
            holder.execute(f"SELECT pg_advisory_xact_lock({postgresql._LOCK})")

            with pytest.raises(BusyError, match="try again"):
                store.remember(SYNC, "cursor", "c")

        store.remember(SYNC, "cursor", "c")
        assert store.recall(SYNC, "cursor") == "c"

    def test_a_connection_is_not_held_up_by_a_silent_transaction_for_ever(self, store: SqlStore) -> None:
        row = store._execute(
            "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout')"
        ).fetchall()

        assert row == [("10s", "15s")]


class TestHealing:
    """A server that goes away and comes back."""

    def test_a_restart_in_between_is_not_noticed(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1)])

        server().restart()

        assert store.seen(SYNC, LEFT, [key(1)]) == {key(1): seen(1)}
        store.see(SYNC, LEFT, [seen(2)])
        assert store.counts(SYNC) == Counts(2, 0, 0)

    def test_a_restart_inside_a_transaction_undoes_it_and_the_next_one_goes_on(self, store: SqlStore) -> None:
        def _interrupted() -> None:
            with store.transaction():
                store.see(SYNC, LEFT, [seen(1)])
                server().restart()
                store.see(SYNC, LEFT, [seen(2)])

        with pytest.raises(StoreError, match="connection to the database was lost"):
            _interrupted()

        assert store.counts(SYNC) == Counts(0, 0, 0)
        store.record(SYNC, [entry()])
        assert len(store.history(SYNC)) == 1

    def test_while_the_server_is_away_calls_fail_after_a_few_tries_and_later_ones_after_one(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited: list[float] = []
        monkeypatch.setattr("syncline.store.session.time", SimpleNamespace(sleep=waited.append))
        server().stop()
        try:
            with pytest.raises(StoreError, match="cannot be reached"):
                store.counts(SYNC)
            with pytest.raises(StoreError, match="cannot be reached"):
                store.remember(SYNC, "cursor", "c")
        finally:
            server().start()

        assert waited == [*postgresql.POSTGRESQL.rebuffs, 0.0]
        store.remember(SYNC, "cursor", "c")
        assert store.recall(SYNC, "cursor") == "c"

    def test_a_server_that_comes_back_while_it_is_tried_is_found(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited: list[float] = []

        def wait(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == 3:
                server().start()

        monkeypatch.setattr("syncline.store.session.time", SimpleNamespace(sleep=wait))
        server().stop()

        assert store.counts(SYNC) == Counts(0, 0, 0)
        assert len(waited) == 3

    def test_a_closed_store_does_not_come_back(self, postgres_url: str) -> None:
        store = open_store(postgres_url)
        store.close()

        with pytest.raises(StoreError, match="closed"):
            store.counts(SYNC)


class TestValues:
    """Where PostgreSQL is stricter than SQLite."""

    def test_a_text_with_a_zero_character_is_kept_without_it(self, store: SqlStore) -> None:
        odd = Seen(key(1), b"", seen(1).standing, is_settled=False, title="a\0b")

        store.see(SYNC, LEFT, [odd])

        assert store.seen(SYNC, LEFT, [key(1)])[key(1)].title == "a\ufffdb"

    def test_a_transaction_with_a_failed_statement_does_not_seem_to_have_been_kept(
        self, store: SqlStore
    ) -> None:
        def _fail_and_go_on() -> None:
            with store.transaction():
                store.remember(SYNC, "cursor", "c")
                with pytest.raises(StoreError, match="refused"):
                    store._execute("SELECT 1 / 0")

        with pytest.raises(StoreError, match="nothing of the transaction was kept"):
            _fail_and_go_on()

        assert store.recall(SYNC, "cursor") is None

    def test_an_inner_group_with_a_failed_statement_is_taken_back_alone(self, store: SqlStore) -> None:
        def _fail() -> None:
            with store.transaction():
                store.remember(SYNC, "other", "x")
                store._execute("SELECT 1 / 0")

        with store.transaction():
            store.remember(SYNC, "cursor", "c")
            with pytest.raises(StoreError):
                _fail()
            store.remember(SYNC, "third", "y")

        assert [store.recall(SYNC, name) for name in ("cursor", "other", "third")] == ["c", None, "y"]

    def test_what_the_server_says_of_a_row_is_not_repeated(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE).id
        (intent,) = store.intend(SYNC, run, [step()], NOW + MINUTE)

        again = (
            f"INSERT INTO intent (id, sync, run, step, state, at) VALUES ({intent}, 1, 'x', 'hush', '', 0)"  # noqa: S608 - a number
        )
        with pytest.raises(StoreError) as caught:
            store._execute(again)

        assert "hush" not in str(caught.value)
        assert "(" not in str(caught.value)


def _touched(plan: dict[str, Any]) -> float:
    """How many rows the nodes of a plan handed on or threw away."""
    passed = (plan["Actual Rows"] + plan.get("Rows Removed by Join Filter", 0)) * plan["Actual Loops"]
    return passed + sum(_touched(each) for each in plan.get("Plans", ()))


def test_records_are_found_one_by_one_also_in_tables_that_were_never_analysed() -> None:
    keys, ids = {"side": 0, "keys": ["k300", "k7"]}, {"ids": [300, 7]}
    statements = [
        (sightings._seen_rows, keys),
        (sightings._recognised_rows, keys),
        (sightings._present_among, keys),
        (links._links, ids),
        (sightings._seen_by_id, ids),
    ]
    with fresh_database() as url:
        store = open_store(url, secret_key=SECRET_KEY)
        with store.transaction():
            for number in range(400):
                store.tie(SYNC, RecordKey(f"k{number}"), RecordKey(f"r{number}"), NOW)
        ((sync,),) = store._execute("SELECT id FROM sync").fetchall()
        touched: list[float] = []
        for statement, given in statements:
            sql = f"EXPLAIN (ANALYZE, FORMAT JSON) {rendered(statement, postgresql.POSTGRESQL).sql}"
            ((told,),) = store._execute(sql, {"sync": sync, **given}).fetchall()
            touched.append(_touched(told[0]["Plan"]))
        store.close()

    assert max(touched) < 50


def test_only_what_may_be_lost_does_not_wait_for_the_disk(store: SqlStore) -> None:
    def waits() -> str:
        ((told,),) = store._execute("SHOW synchronous_commit").fetchall()
        return told

    store._execute("SET synchronous_commit = on")
    with store.transaction(may_be_lost=True):
        hurried = waits()
        with store.transaction():
            within = waits()
    with store.transaction():
        careful = waits()

    assert (hurried, within, careful) == ("off", "off", "on")
