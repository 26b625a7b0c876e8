"""An installation moved from SQLite to PostgreSQL and back: everything arrives, and nothing is written because of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from syncline.config import load
from syncline.core.memory import Counts
from syncline.core.records import Side
from syncline.errors import BusyError, SchemaError, SetupError, StoreError
from syncline.store import compare, migrate, move, moving, open_store
from syncline.store.opening import connect, parsed_url
from syncline.store.workspace_tables import METADATA
from tests.cli.conftest import Call
from tests.engine.pair import Pair, edited, task, ticket
from tests.store.postgres import execute, fresh_database
from tests.store.samples import LEASE, LEFT, NOW, SYNC, key, let_leases_run_out, seen

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
CONFIG = """
database: sqlite:///syncline.db
connections:
  ac: {vendor: activecollab, url: "http://127.0.0.1:1", token: "x"}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Where a file may be."""
    return f"sqlite:///{tmp_path}/syncline.db"


@pytest.fixture
def second(tmp_path: Path) -> str:
    """Where another file may be."""
    return f"sqlite:///{tmp_path}/second.db"


def _value(column: sa.Column[object], number: int) -> object:
    if column.foreign_keys:
        (foreign,) = column.foreign_keys
        return _value(foreign.column, number)
    match column.type:
        case sa.LargeBinary():
            return bytes([number, 0, 255])
        case sa.Text():
            return f"{number} ü ' \\ % \U0001f600 \n\x01" if column.name != "state" else "waiting"
        case sa.SmallInteger():
            return number % 2
        case sa.BigInteger():
            return 10**15 + number if column.name in ("at", "since", "hour") else number
        case _:
            return number


def _fill(url: str, count: int = 3) -> None:
    """Some rows in every table, whatever tables there are."""
    migrate(url)
    engine, _ = connect(parsed_url(url))
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            rows = [{c.name: _value(c, number) for c in table.c} for number in range(1, count + 1)]
            for row in rows:
                if "closed_at" in row:
                    row["closed_at"] = None if row["id"] == 1 else 7
            connection.execute(table.insert(), rows)
        if "lease" in METADATA.tables:
            connection.execute(METADATA.tables["lease"].update().values(run=None))
    engine.dispose()


class TestMove:
    """`move` and `compare`."""

    def test_there_and_back_everything_is_the_same(self, file: str, second: str, postgres_url: str) -> None:
        _fill(file)

        there, back = move(file, postgres_url, NOW), move(postgres_url, second, NOW)

        assert there.is_equal
        assert back.is_equal
        assert {table.rows for table in there.tables} == {3}
        assert {table.name for table in there.tables} == set(METADATA.tables)
        assert [table.digest for table in there.tables] == [table.digest for table in back.tables]
        assert compare(file, second).is_equal

    def test_more_rows_than_fit_into_memory_at_a_time_arrive(
        self, file: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(moving, "_CHUNK", 7)
        _fill(file, 40)

        assert move(file, postgres_url, NOW).rows == 40 * len(METADATA.tables)

    def test_new_rows_get_numbers_of_their_own(self, file: str, postgres_url: str) -> None:
        before = open_store(file)
        before.see(SYNC, LEFT, [seen(number) for number in range(20)])
        link = before.tie(SYNC, key(1), key("r1"), NOW)
        before.close()
        move(file, postgres_url, NOW)

        store = open_store(postgres_url)
        store.see(SYNC, LEFT, [seen(100)])

        assert store.tie(SYNC, key(2), key("r2"), NOW) > link
        assert store.counts(SYNC) == store.recount(SYNC) == Counts(21, 2, 2)
        store.close()

    def test_secrets_stay_encrypted_and_open_with_the_same_key(self, file: str, postgres_url: str) -> None:
        before = open_store(file, secret_key=KEY)
        before.save_secret("oauth:hl", "hush")
        before.close()

        move(file, postgres_url, NOW)

        ((token,),) = execute(postgres_url, "SELECT token FROM secret")
        assert b"hush" not in token
        store = open_store(postgres_url, secret_key=KEY)
        assert store.secret("oauth:hl") == "hush"
        store.close()

    def test_a_text_that_postgresql_cannot_hold_does_not_stop_the_move(
        self, file: str, postgres_url: str
    ) -> None:
        before = open_store(file)
        before.remember(SYNC, "odd", "a\0b")
        before.close()

        assert move(file, postgres_url, NOW).is_equal

    @pytest.mark.parametrize("way", ["there", "back"])
    def test_a_run_that_is_on_is_not_moved(self, file: str, postgres_url: str, way: str) -> None:
        source, target = (file, postgres_url) if way == "there" else (postgres_url, file)
        store = open_store(source)
        run = store.begin_run(SYNC, NOW, LEASE).id

        with pytest.raises(BusyError, match=run):
            move(source, target, NOW)

        let_leases_run_out(store)
        assert move(source, target, NOW + LEASE).is_equal
        store.close()

    def test_a_target_that_holds_something_is_left_alone(self, file: str, postgres_url: str) -> None:
        _fill(file)
        store = open_store(postgres_url)
        store.remember(SYNC, "cursor", "mine")

        with pytest.raises(SetupError, match=r"holds something already \(sync, memo\)"):
            move(file, postgres_url, NOW)

        assert store.recall(SYNC, "cursor") == "mine"
        store.close()

    def test_nothing_is_not_moved(self, file: str, postgres_url: str) -> None:
        with pytest.raises(SetupError, match="holds nothing"):
            move(file, postgres_url, NOW)

    def test_a_database_is_not_moved_into_itself(self, file: str) -> None:
        with pytest.raises(SetupError, match="itself"):
            move(file, file, NOW)
        with pytest.raises(SetupError, match="itself"):
            move("postgresql://a@h/x", "postgresql+psycopg://a@h/x", NOW)

    def test_what_is_gone_with_the_process_is_neither_source_nor_target(self, file: str) -> None:
        for pair in ((file, "sqlite://"), ("sqlite:///:memory:", file)):
            with pytest.raises(SetupError, match="in memory"):
                move(*pair, NOW)

    def test_a_copy_that_is_not_the_same_is_not_kept(
        self, file: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _fill(file)
        # A server that changes what it is given.
        execute(
            postgres_url,
            "CREATE FUNCTION shorten() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN NEW.value = left(NEW.value, 1); RETURN NEW; END'",
        )
        execute(
            postgres_url,
            "CREATE TRIGGER shorten BEFORE INSERT ON memo FOR EACH ROW EXECUTE FUNCTION shorten()",
        )
        try:
            with pytest.raises(StoreError, match="differs in memo"):
                move(file, postgres_url, NOW)
        finally:
            execute(postgres_url, "DROP FUNCTION shorten CASCADE")

        assert execute(postgres_url, "SELECT count(*) FROM sync") == [(0,)]

    def test_a_row_that_differs_is_found(self, file: str, postgres_url: str) -> None:
        _fill(file)
        move(file, postgres_url, NOW)
        execute(postgres_url, "UPDATE history SET title = 'x' WHERE id = 2")
        execute(postgres_url, "DELETE FROM audit WHERE id = 3")

        found = compare(file, postgres_url)

        assert not found.is_equal
        assert {table.name: table.target_rows for table in found.tables if not table.is_equal} == {
            "history": 3,
            "audit": 2,
        }

    def test_comparing_makes_nothing(self, file: str, second: str) -> None:
        _fill(file)

        with pytest.raises(SchemaError, match="same version"):
            compare(file, second)

    def test_two_servers_can_be_compared(self, file: str, postgres_url: str) -> None:
        _fill(file)
        with fresh_database() as other:
            move(file, postgres_url, NOW)
            move(postgres_url, other, NOW)

            assert compare(postgres_url, other).is_equal


class TestLifeGoesOn:
    """Runs before, between and after moves."""

    async def test_a_sync_goes_on_after_the_move_without_writing(
        self, file: str, second: str, postgres_url: str
    ) -> None:
        pair = Pair(url=file)
        pair.left.create(task("kept", hours=1, labels=["a"]))
        pair.left.create(task("changed"))
        pair.right.create(ticket("theirs", effort=2))
        await pair.settled()

        for hours, source, target in ((7, file, postgres_url), (8, postgres_url, second)):
            pair.store.close()
            move(source, target, pair.clock.now())
            pair.store = open_store(target)
            calls = {side: pair.connectors[side].calls for side in Side}

            report = await pair.run()

            assert report.is_quiet
            assert report.plan.steps == ()
            assert calls != {side: pair.connectors[side].calls for side in Side}
            pair.left.edit(pair.key(Side.LEFT, "changed"), edited(hours=hours))
            await pair.settled()
            assert pair.holds(Side.LEFT)["changed"]["hours"] == pair.holds(Side.RIGHT)["changed"]["effort"]
        pair.store.close()


class TestCommand:
    """`syncline migrate`."""

    @pytest.fixture
    def folder(self, tmp_path: Path, file: str) -> Path:
        _fill(file)
        (tmp_path / "syncline.yaml").write_text(CONFIG)
        return tmp_path

    @pytest.mark.usefixtures("folder")
    def test_it_moves_and_says_so(self, call: Call, postgres_url: str) -> None:
        moved = call("migrate", "--to", postgres_url, "--json")
        verified = call("migrate", "--to", postgres_url, "--verify")

        assert (moved.code, moved.json["is_equal"], moved.json["rows"]) == (0, True, 3 * len(METADATA.tables))
        assert (verified.code, verified.err) == (0, "")
        assert "hold the same" in verified.out

    @pytest.mark.usefixtures("folder")
    def test_a_difference_is_an_exit_code(self, call: Call, postgres_url: str) -> None:
        call("migrate", "--to", postgres_url)
        execute(postgres_url, "DELETE FROM audit WHERE id = 3")

        found = call("migrate", "--to", postgres_url, "--verify")

        assert found.code == 6
        assert "audit differs: 3 and 2 rows" in found.out

    @pytest.mark.usefixtures("folder")
    def test_a_password_in_the_environment_is_not_told(
        self, call: Call, monkeypatch: pytest.MonkeyPatch, postgres_url: str
    ) -> None:
        url = parsed_url(postgres_url).set(password="hush").render_as_string(hide_password=False)
        monkeypatch.setenv("SYNCLINE_MIGRATE_TO", url)

        moved = call("migrate", "--json")

        assert moved.code == 0
        assert "hush" not in moved.out + moved.err

    def test_a_relative_file_lies_beside_the_configuration(self, call: Call, folder: Path) -> None:
        before = hashlib.sha256((folder / "syncline.db").read_bytes()).hexdigest()

        assert call("migrate", "--to", "sqlite:///moved.db").code == 0

        assert (folder / "moved.db").exists()
        assert hashlib.sha256((folder / "syncline.db").read_bytes()).hexdigest() == before

    def test_the_environment_names_the_database_before_the_file_does(self, folder: Path) -> None:
        config = folder / "syncline.yaml"
        config.write_text(CONFIG.replace("sqlite:///syncline.db", "${NOT_SET}"))
        url = "postgresql://owner:hu${sh}@db/syncline"

        found = load(config, {"SYNCLINE_DATABASE_URL": url})

        assert found.database_url(folder) == url
        assert "hu$" not in repr(found)

    def test_an_empty_variable_names_none(self, folder: Path) -> None:
        found = load(folder / "syncline.yaml", {"SYNCLINE_DATABASE_URL": ""})

        assert found.database_url(folder) == f"sqlite:///{folder}/syncline.db"


@pytest.fixture(autouse=True)
def _no_database_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have named one."""
    monkeypatch.delenv("SYNCLINE_DATABASE_URL", raising=False)
