"""`syncline deliveries`: webhooks that came in, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncline.cli import main
from syncline.ports import Delivery, DeliveryState
from syncline.store import open_store
from tests.clock import START
from tests.service.hall import TICKET, TICKETS, event

KEY = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXM="


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of one sync, and two webhooks: one that nobody wanted, one refused."""
    config = {
        "secret_key": KEY,
        "connections": {
            "ac": {"vendor": "activecollab", "url": "https://ac.example.test", "token": "planted-token"},
            "hl": {"vendor": "highlevel", "token": "planted-token", "location": "location-1"},
        },
        "syncs": {
            "tickets": {
                "left": {"connection": "ac", "object": "task"},
                "right": {"connection": "hl", "object": TICKET},
                "fields": [{"left": "name", "right": "title"}],
            }
        },
    }
    (tmp_path / "syncline.yaml").write_text(yaml.safe_dump(config))
    store = open_store(f"sqlite:///{tmp_path}/syncline.db", secret_key=KEY)
    ignored = Delivery("hl", "id:1", "RecordUpdate", DeliveryState.IGNORED, START, TICKET, "r1", "Nobody.")
    refused = Delivery("hl", "refused:1", "", DeliveryState.REFUSED, START, why="It is not signed.")
    store.keep_deliveries([(ignored, event(1)), (refused, b"")])
    store.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as left:
        main(["deliveries", *arguments])
    assert left.value.code == code
    return capsys.readouterr().out


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    return json.loads(_run(capsys, *arguments, "--json", code=code))


@pytest.mark.usefixtures("folder")
def test_they_are_listed_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert [each["state"] for each in _json(capsys, "list")] == ["refused", "ignored"]
    assert [each["key"] for each in _json(capsys, "list", "hl", "--state", "ignored")] == ["r1"]
    assert _json(capsys, "list", "ac") == []
    assert "It is not signed." in _run(capsys, "list")


@pytest.mark.usefixtures("folder")
def test_one_is_shown_with_its_body(capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "show", "1")["body"].encode() == event(1)
    assert "RecordUpdate" in _run(capsys, "show", "1")
    assert "(The body is not kept.)" in _run(capsys, "show", "2")
    assert _json(capsys, "show", "9", code=2)["error"]["code"] == "usage.unknown_record"


def test_one_is_used_once_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settled = _json(capsys, "redeliver", "1", "2")

    assert [(each["id"], each["state"]) for each in settled] == [(1, "used"), (2, "refused")]
    store = open_store(f"sqlite:///{folder}/syncline.db")
    assert store.mark_counts()[TICKETS].count == 1
    store.close()
    _run(capsys, "redeliver", "9", code=2)


@pytest.mark.usefixtures("folder")
def test_the_address_is_made_once_and_anew_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    first, again = (_json(capsys, "address", "hl") for _ in range(2))
    other, new = _json(capsys, "address", "ac"), _json(capsys, "address", "hl", "--new")

    assert first == again
    assert len({each["path"] for each in (first, other, new)}) == 3
    assert len(first["path"].removeprefix("/hooks/")) >= 22
    assert new["path"] in _run(capsys, "address", "hl")
    assert _json(capsys, "address", "nobody", code=2)["error"]["code"] == "usage.unknown_connection"


def test_addresses_are_kept_encrypted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hook = _json(capsys, "address", "ac")

    raw = b"".join(each.read_bytes() for each in folder.glob("syncline.db*"))
    for secret in (hook["path"].removeprefix("/hooks/"), hook["secret"], "planted-token"):
        assert secret.encode() not in raw
