"""`syncline serve` as a person starts it: an edit on one side is on the other within moments, and a kill loses nothing."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncline.config.keys import NAME
from tests.cli.office import Office, left_is_activecollab, open_office

PATIENCE = 90.0
"""Seconds; far more than it takes: a run that was killed holds its sync for a minute."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as office:
        sync = left_is_activecollab(office.project)
        office.write({**sync, "schedule": {"poll": 5, "slowest": 5, "nightly": False}})
        office.in_activecollab("create_task", project=office.project, name="Paint")
        yield office


@dataclass
class Served:
    """A running service, and how to reach it."""

    office: Office
    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


def _command(office: Office, *words: str) -> str:
    command = [sys.executable, "-m", "syncline", "--config", str(office.config), *words]
    done = subprocess.run(
        command, env=_environ(office), capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def _environ(office: Office) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", **office.environ}


@contextmanager
def served(office: Office, *words: str, **environ: str) -> Generator[Served]:
    """A process that serves the office, ready to answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "syncline", "--config", str(office.config), "serve", "--port", str(port)]
    around = {**_environ(office), **environ}
    with subprocess.Popen([*command, *words], env=around, stdout=subprocess.PIPE, text=True) as process:
        service = Served(office, process, f"http://127.0.0.1:{port}")
        try:
            _until(lambda: _is_up(service))
            yield service
        finally:
            process.kill()


def _is_up(service: Served) -> bool:
    assert service.process.poll() is None, "the service has ended"
    try:
        return bool(service.get("/readyz"))
    except OSError:
        return False


def _until(is_so: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.25)  # the vendor counts how often it is asked


def _hear_activecollab(service: Served) -> None:
    """Let ActiveCollab send its webhooks to the service."""
    told = json.loads(_command(service.office, "deliveries", "address", "ac", "--json"))
    service.office.in_activecollab(
        "register_webhook", url=f"{service.url}{told['path']}", secret=told["secret"]
    )


def _due(office: Office) -> object:
    ticket = office.tickets().get("Paint")
    return ticket["properties"].get("due_date") if ticket else None


def test_an_edit_that_is_heard_of_is_on_the_other_side_within_moments_and_a_kill_loses_nothing(
    office: Office,
) -> None:
    _command(office, "run")
    _command(office, "deliveries", "address", "ac")
    with served(office) as service:
        _hear_activecollab(service)
        task = office.tasks()["Paint"]["id"]

        begun = time.monotonic()
        office.in_activecollab("update_task", task=task, due_on="2026-05-01")
        _until(lambda: _due(office) == "2026-05-01")
        assert time.monotonic() - begun < PATIENCE

        office.in_activecollab("update_task", task=task, due_on="2026-05-02")
        assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    with served(office) as service:
        _until(lambda: _due(office) == "2026-05-02")
        assert service.stop(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert (office.folder / NAME).stat().st_mode & 0o077 == 0
