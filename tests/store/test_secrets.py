"""Secrets at rest: unreadable in the file, opened by any key of the installation, locked again by the newest."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from syncline.errors import SchemaError, SetupError
from syncline.store import SqlStore, open_store

# The same in every process: they are part of test names.
OLD, NEW = (urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2))
TOKEN = "1-hush-hush"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/syncline.db"


def _kept(url: str, secret_key: str | None) -> str | None:
    store = open_store(url, secret_key=secret_key)
    try:
        return store.secret("ac/token")
    finally:
        store.close()


def _keep(url: str, secret_key: str | None) -> None:
    store = open_store(url, secret_key=secret_key)
    try:
        store.save_secret("ac/token", TOKEN)
    finally:
        store.close()


def _rotate(url: str, secret_key: str) -> int:
    store = open_store(url, secret_key=secret_key)
    try:
        return store.rotate_secrets()
    finally:
        store.close()


def test_a_secret_comes_back(url: str) -> None:
    _keep(url, OLD)

    assert _kept(url, OLD) == TOKEN


def test_a_secret_cannot_be_read_in_the_files(url: str, tmp_path: Path) -> None:
    store = open_store(url, secret_key=OLD)
    store.save_secret("ac/token", TOKEN)

    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()

    assert b"ac/token" in written
    assert TOKEN.encode() not in written


def test_every_secret_can_be_told_by_name_to_whoever_masks_them(url: str) -> None:
    _keep(url, OLD)
    store = open_store(url, secret_key=OLD)
    store.save_secret("channel:mail", "mailto://x")

    assert store.every_secret() == {"ac/token": TOKEN, "channel:mail": "mailto://x"}
    store.close()


def test_the_latest_secret_of_a_name_counts(url: str) -> None:
    store = open_store(url, secret_key=OLD)
    store.save_secret("ac/token", "first")
    store.save_secret("ac/token", "öther ✓")

    assert (store.secret("ac/token"), store.secret("hl/token")) == ("öther ✓", None)
    store.close()


def test_without_a_key_no_secret_is_kept_and_the_remedy_is_told(url: str) -> None:
    with pytest.raises(SetupError, match="openssl"):
        _keep(url, None)

    assert _kept(url, None) is None


def test_without_the_key_a_kept_secret_is_not_opened(url: str) -> None:
    _keep(url, OLD)

    with pytest.raises(SetupError, match="secret key"):
        _kept(url, None)


def test_a_wrong_key_is_told_without_the_secret(url: str) -> None:
    _keep(url, OLD)

    with pytest.raises(SchemaError, match="another key") as caught:
        _kept(url, NEW)

    assert TOKEN not in str(caught.value)
    assert NEW not in str(caught.value)


@pytest.mark.parametrize("text", ["", "short", f"{OLD},", f"{OLD},x", "ключ", OLD[:-2]])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SetupError, match="not a key") as caught:
        open_store("sqlite://", secret_key=text)

    assert OLD[:8] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_older_key_still_opens(url: str) -> None:
    _keep(url, OLD)

    assert _kept(url, f"{NEW}, {OLD}") == TOKEN


def test_rotation_lets_the_old_key_go(url: str) -> None:
    _keep(url, OLD)

    assert _rotate(url, f"{NEW},{OLD}") == 1

    assert _kept(url, NEW) == TOKEN
    with pytest.raises(SchemaError):
        _kept(url, OLD)


def test_a_rotation_that_cannot_open_everything_changes_nothing(url: str) -> None:
    _keep(url, OLD)
    store: SqlStore = open_store(url, secret_key=NEW)
    store.save_secret("a first one", TOKEN)

    with pytest.raises(SchemaError, match="ac/token"):
        store.rotate_secrets()

    assert store.secret("a first one") == TOKEN
    store.close()
    assert _kept(url, OLD) == TOKEN
