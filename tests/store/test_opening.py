"""A URL into a store: fresh, current, newer, foreign and broken databases, and a schema that fits both dialects."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.schema import CreateTable

from syncline.errors import BusyError, SchemaError, SetupError
from syncline.store import (
    desk,
    journal,
    links,
    memos,
    migrate,
    migrations,
    open_store,
    runs,
    secrets,
    sightings,
)
from syncline.store.postgresql import POSTGRESQL
from syncline.store.session import rendered
from syncline.store.tables import REVISION
from syncline.store.workspace_tables import METADATA
from tests.store.samples import LEFT, SYNC, key, seen


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/syncline.db"


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in rows}


class TestOpening:
    """What there may be at a URL."""

    def test_a_fresh_file_becomes_a_database(self, tmp_path: Path) -> None:
        open_store(_url(tmp_path), secret_key=None).close()

        with sqlite3.connect(tmp_path / "syncline.db") as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.close()
        assert found == [(REVISION,)]

    def test_what_was_stored_is_there_when_opened_again(self, tmp_path: Path) -> None:
        first = open_store(_url(tmp_path), secret_key=None)
        first.see(SYNC, LEFT, [seen(1)])
        first.close()

        migrate(_url(tmp_path))
        again = open_store(_url(tmp_path), secret_key=None)

        assert again.seen(SYNC, LEFT, [key(1)]) == {key(1): seen(1)}
        again.close()

    def test_an_empty_file_is_a_fresh_one(self, tmp_path: Path) -> None:
        (tmp_path / "syncline.db").touch()

        migrate(_url(tmp_path))

        assert (tmp_path / "syncline.db").stat().st_size > 0

    def test_two_memories_are_two_databases(self) -> None:
        one, other = open_store("sqlite://"), open_store("sqlite://")
        one.see(SYNC, LEFT, [seen(1)])

        assert other.counts(SYNC).left == 0
        one.close()
        other.close()

    def test_a_file_that_is_no_database_is_left_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "syncline.db"
        file.write_text("These are my notes, and nobody's database.\n" * 100)
        before = file.read_bytes()

        with pytest.raises(SchemaError, match="not a database"):
            open_store(_url(tmp_path), secret_key=None)

        assert file.read_bytes() == before

    def test_a_database_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        connection = sqlite3.connect(tmp_path / "syncline.db")
        connection.execute("CREATE TABLE recipes (name TEXT)")
        before = _schema(connection)

        with pytest.raises(SchemaError, match="something else"):
            open_store(_url(tmp_path), secret_key=None)

        assert _schema(connection) == before
        connection.close()

    @pytest.mark.parametrize("found", ["9999", "0000", "not even a number"])
    def test_an_unknown_revision_says_what_to_do(self, tmp_path: Path, found: str) -> None:
        migrate(_url(tmp_path))
        _stamp(tmp_path, "UPDATE alembic_version SET version_num = ?", found)

        with pytest.raises(SchemaError, match=r"newer Syncline .* install") as caught:
            open_store(_url(tmp_path), secret_key=None)

        assert found in str(caught.value)

    @pytest.mark.parametrize(
        "change", ["DELETE FROM alembic_version", "INSERT INTO alembic_version VALUES ('9999')"]
    )
    def test_a_database_without_one_version_is_refused(self, tmp_path: Path, change: str) -> None:
        migrate(_url(tmp_path))
        _stamp(tmp_path, change)

        with pytest.raises(SchemaError, match="which version"):
            open_store(_url(tmp_path), secret_key=None)

    def test_a_folder_that_is_not_there_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(SetupError, match="folder exists"):
            open_store(_url(tmp_path / "nowhere"), secret_key=None)

    @pytest.mark.parametrize(
        "url",
        ["", "no url", "oracle://owner:hush@db/x", "postgres://owner:hush@db/x", "mysql://owner:hush@db:x/y"],
    )
    def test_another_database_or_none_is_refused_without_its_password(self, url: str) -> None:
        with pytest.raises(SetupError, match="sqlite:///") as caught:
            open_store(url, secret_key=None)

        assert "hush" not in str(caught.value)

    def test_a_python_with_an_old_sqlite_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

        with pytest.raises(SetupError, match=r"SQLite 3\.35"):
            open_store("sqlite://")

    def test_a_closed_store_does_nothing_more(self) -> None:
        store = open_store("sqlite://")
        store.close()

        with pytest.raises(Exception, match="closed"):
            store.counts(SYNC)
        store.close()

    def test_the_file_is_set_up_for_several_processes(self, tmp_path: Path) -> None:
        store = open_store(_url(tmp_path), secret_key=None)
        connection = sqlite3.connect(tmp_path / "syncline.db")

        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
        store.close()

    def test_a_locked_database_is_busy_not_broken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncline.store.dialects._SQLITE_ARGUMENTS", {"timeout": 0.0})
        store = open_store(_url(tmp_path), secret_key=None)
        other = sqlite3.connect(tmp_path / "syncline.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(BusyError, match="another process"):
            store.see(SYNC, LEFT, [seen(1)])

        other.execute("ROLLBACK")
        other.close()
        store.see(SYNC, LEFT, [seen(1)])
        store.close()


def _stamp(folder: Path, statement: str, *values: str) -> None:
    with sqlite3.connect(folder / "syncline.db") as connection:
        connection.execute(statement, values)
    connection.close()


class TestSchema:
    """One schema, however it came to be."""

    def test_the_migrations_end_where_the_tables_are(self, tmp_path: Path) -> None:
        migrate(_url(tmp_path))
        engine = sa.create_engine(_url(tmp_path))

        with engine.connect() as connection:
            difference = compare_metadata(MigrationContext.configure(connection), METADATA)

        engine.dispose()
        assert difference == []

    def test_a_database_in_memory_is_the_same_as_a_migrated_one(self, tmp_path: Path) -> None:
        migrate(_url(tmp_path))
        migrated = sqlite3.connect(tmp_path / "syncline.db")
        made = open_store("sqlite://")

        assert _parts(_schema(made._connection)) == _parts(_schema(migrated))
        migrated.close()
        made.close()

    def test_a_database_in_memory_carries_the_revision(self) -> None:
        made = open_store("sqlite://")

        found = made._connection.execute("SELECT version_num FROM alembic_version").fetchall()

        assert found == [(REVISION,)]
        made.close()

    def test_the_revision_in_the_code_is_the_last_migration(self) -> None:
        assert _scripts().get_heads() == [REVISION]

    def test_a_migration_that_fails_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        *_, script = _scripts().walk_revisions()
        text = Path(script.path).read_text()
        folder = tmp_path / "migrations"
        (folder / "versions").mkdir(parents=True)
        (folder / "env.py").write_text((Path(migrations.__file__).parent / "env.py").read_text())
        (folder / "versions" / "v0001.py").write_text(
            text.replace("    _desk()\n", "    raise ArithmeticError\n")
        )
        monkeypatch.setattr("syncline.store.migrations.upgrade.__file__", str(folder / "upgrade.py"))

        with pytest.raises(ArithmeticError):
            migrate(_url(tmp_path))

        connection = sqlite3.connect(tmp_path / "syncline.db")
        assert _schema(connection) == {}
        connection.close()

    def test_the_schema_can_be_written_for_postgresql(self) -> None:
        made = [str(CreateTable(table).compile(dialect=POSTGRESQL.sql)) for table in METADATA.sorted_tables]

        assert all("BIGSERIAL" in sql for sql in made if "PRIMARY KEY (id)" in sql and "id TEXT" not in sql)

    @pytest.mark.parametrize(
        "module", [desk, journal, links, memos, runs, secrets, sightings], ids=lambda m: m.__name__
    )
    def test_every_statement_can_be_written_for_postgresql(self, module: ModuleType) -> None:
        statements = [value for value in vars(module).values() if isinstance(value, sa.Executable)]

        assert all("json_each" not in rendered(statement, POSTGRESQL).sql for statement in statements)

    @pytest.mark.parametrize(
        "make",
        [runs._take, sightings._see, links._join, desk._park, memos.keep_memo, secrets._save],
        ids=lambda make: make.__name__,
    )
    def test_every_replacement_can_be_written_for_postgresql(self, make: object) -> None:
        assert "ON CONFLICT" in rendered(make, POSTGRESQL).sql  # pyright: ignore[reportArgumentType] - any of them


def _parts(schema: dict[str, str]) -> dict[str, list[str]]:
    """The parts of each CREATE statement in any order: Alembic puts constraints elsewhere."""
    return {name: sorted(part.strip() for part in re.split("[(),]", sql)) for name, sql in schema.items()}
