"""`syncline rotate-key`: every stored secret under a new key, and the old one worth nothing afterwards."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
import yaml

from syncline.config.keys import kept_key, key_beside, new_key, replace_keys
from syncline.errors import SchemaError
from syncline.store import open_store
from tests.cli.conftest import Call

TOKEN = "planted-token"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation with nothing configured."""
    (tmp_path / "syncline.yaml").write_text("connections: {}\n")
    return tmp_path


def keep(folder: Path, key: str) -> None:
    """A secret encrypted with this key."""
    store = open_store(f"sqlite:///{folder}/syncline.db", secret_key=key)
    store.save_secret("hl/refresh", TOKEN)
    store.close()


def opened(folder: Path, key: str) -> str | None:
    store = open_store(f"sqlite:///{folder}/syncline.db", secret_key=key)
    try:
        return store.secret("hl/refresh")
    finally:
        store.close()


def test_a_key_beside_the_configuration_is_replaced(folder: Path, call: Call) -> None:
    old = key_beside(folder).get_secret_value()
    keep(folder, old)

    said = call("rotate-key", "--json")

    new = (folder / "syncline.key").read_text().strip()
    assert (said.code, said.json) == (0, {"secrets": 1, "is_kept_here": True})
    assert new not in said.out
    assert opened(folder, new) == TOKEN
    with pytest.raises(SchemaError):
        opened(folder, old)
    assert stat.S_IMODE((folder / "syncline.key").stat().st_mode) == 0o600
    assert [path.name for path in folder.glob("syncline.key*")] == ["syncline.key"]
    entries = call("audit", "--json").json
    assert [each["kind"] for each in entries["entries"]] == ["key_rotated"]


def test_a_rotation_that_was_interrupted_is_made_anew(folder: Path, call: Call) -> None:
    old = key_beside(folder).get_secret_value()
    keep(folder, old)
    replace_keys(folder, new_key(), old)
    (folder / "syncline.key.new").write_text("half")

    assert call("rotate-key", "--json").code == 0

    key = kept_key(folder)
    assert key is not None
    assert "," not in key.get_secret_value()
    assert opened(folder, key.get_secret_value()) == TOKEN


def test_keys_of_the_environment_are_changed_by_whoever_set_them(
    folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "syncline.yaml").write_text(yaml.safe_dump({"secret_key": "${SYNCLINE_SECRET_KEY}"}))
    old, new = new_key(), new_key()
    keep(folder, old)
    monkeypatch.setenv("SYNCLINE_SECRET_KEY", old)
    refused = call("rotate-key", "--json")
    monkeypatch.setenv("SYNCLINE_SECRET_KEY", f"{new},{old}")
    done = call("rotate-key", "--json")

    assert (refused.code, refused.json["error"]["field"]) == (2, "secret_key")
    assert old not in refused.out
    assert done.json == {"secrets": 1, "is_kept_here": False}
    assert opened(folder, new) == TOKEN
    assert not (folder / "syncline.key").exists()


def test_a_secret_that_does_not_open_stops_the_rotation_and_changes_nothing(folder: Path, call: Call) -> None:
    lost = new_key()
    keep(folder, lost)
    old = key_beside(folder).get_secret_value()

    said = call("rotate-key", "--json")

    assert said.code != 0
    assert opened(folder, lost) == TOKEN
    kept = kept_key(folder)
    assert kept is not None
    assert old in kept.get_secret_value().split(",")


def test_without_a_key_there_is_nothing_to_change(folder: Path, call: Call) -> None:
    assert call("rotate-key", "--json").json["error"]["field"] == "secret_key"
    assert not (folder / "syncline.key").exists()


def test_whoever_does_not_know_that_it_must_be_stopped_is_asked(
    folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    old = key_beside(folder).get_secret_value()

    assert call("rotate-key").code != 0

    kept = kept_key(folder)
    assert kept is not None
    assert kept.get_secret_value() == old
