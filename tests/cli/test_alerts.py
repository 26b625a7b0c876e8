"""`syncline alerts`: what is wrong is listed and closed, channels are set up, tried and removed; no address is shown."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest

from syncline.bootstrap import install
from syncline.cli.app import main
from syncline.config import load
from syncline.core.alerting import About, Alert, AlertKind
from tests.clock import START
from tests.service.still import CONFIG

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

ADDRESS = "json://owner:hidden-pa55@127.0.0.1:9/x"


class Shell:
    """The command line over an installation with two alerts, one of them over."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.config = folder / "syncline.yaml"
        self.config.write_text(CONFIG)
        self._capsys, self._monkeypatch = capsys, monkeypatch
        installation = install(load(self.config, {}), folder)
        about = About(AlertKind.QUOTA_LOW, "hl")
        over = Alert(about, "Few calls were left.", START, START, closed_at=START)
        for each in (over, Alert(about, "Few calls are left.", START, START, count=3, remedy="Poll less.")):
            installation.store.save_alert(each)
        asyncio.run(installation.close())

    def run(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        """The exit code, and all that was said."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as left:
            main(["--config", str(self.config), "alerts", *arguments])
        said = self._capsys.readouterr()
        assert "hidden-pa55" not in said.out + said.err
        return int(left.value.code or 0), said.out + said.err

    def json(self, *arguments: str, typed: str = "") -> Any:
        """What a command answers with `--json`."""
        return json.loads(self.run(*arguments, "--json", typed=typed)[1])


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, capsys, monkeypatch)


def test_open_alerts_are_listed_with_what_to_do_and_closed(shell: Shell) -> None:
    code, said = shell.run("list")
    assert code == 0
    assert "found 3 times" in said
    assert "Few calls are left." in said
    assert "What to do: Poll less." in said
    assert [each["count"] for each in shell.json("list", "--closed")] == [3, 1]

    assert shell.json("close", "2")["closed_at"]
    assert shell.run("list") == (0, "No alert is open.\n")
    assert shell.run("close", "9")[0] == 2


def test_a_channel_is_set_up_tried_and_removed_without_showing_its_address(shell: Shell) -> None:
    made = shell.json("set", "hook", "--kind", "brake.pulled", typed=ADDRESS + "\n")
    assert made == {
        "name": "hook",
        "service": "json",
        "kinds": ["brake.pulled"],
        "is_on": True,
        "failure": "",
    }

    code, said = shell.run("test", "hook")
    assert code == 75
    assert "the message was not taken" in said
    assert shell.json("channels")[0]["failure"] == "json: the message was not taken."
    assert shell.json("set", "hook", "--keep-address", "--off")["is_on"] is False

    assert shell.run("remove", "hook")[0] == 0
    assert shell.json("channels") == []
    assert shell.run("test", "hook")[0] == 2


def test_an_address_that_cannot_be_used_is_a_fault_of_what_was_typed(shell: Shell) -> None:
    code, said = shell.run("set", "hook", typed="hidden-pa55\n")

    assert code == 2
    assert "The channel's address cannot be used." in said
