"""A whole installation as processes on sandbox accounts, people who edit all the time, and the verdict afterwards.

with open_fleet(tmp_path, workers=0) as fleet:
    with fleet.editing(seed=1):
        fleet.kill(fleet.service)
        fleet.start_service()                   # the same command
    fleet.agree()                               # nothing lost, nothing twice, in the end
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from syncline.bootstrap import install
from syncline.config import load
from syncline.config.keys import key_beside
from syncline.service.offering import offer
from tests.cli.office import TICKET, Office, left_is_activecollab, open_office
from tests.cli.walk import free_port

PATIENCE = 90.0
_PAUSE = 0.03
"""Seconds between two edits."""
_RECORDS = 12

Process = subprocess.Popen[str]


@dataclass
class Fleet:
    """The accounts, and the processes that keep them in step. `wanted` is what the last edits made of each record: its due
    day and whether it is done, by name."""

    office: Office
    port: int
    environ: dict[str, str]
    service_words: tuple[str, ...]
    service: Process | None = None
    workers: list[Process] = field(default_factory=list[Process])
    wanted: dict[str, tuple[str, bool]] = field(default_factory=dict[str, tuple[str, bool]])

    # --- processes

    def start_service(self) -> None:
        """`syncline serve`, always with the same words; answers once it is ready."""
        self.service = self._start("serve", "--port", str(self.port), *self.service_words)
        until(self._is_ready, "the service is ready")

    def start_worker(self) -> None:
        """`syncline worker`."""
        self.workers.append(self._start("worker"))

    def kill(self, process: Process | None, how: signal.Signals = signal.SIGKILL) -> None:
        """No last words."""
        assert process is not None
        assert process.poll() is None, "it has ended by itself"
        process.send_signal(how)
        if how is signal.SIGKILL:
            process.wait(30)

    def close(self) -> None:
        """End whatever runs."""
        for process in (*self.workers, self.service):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(30)

    def command(self, *words: str) -> str:
        """One command on the same installation."""
        done = subprocess.run(
            [sys.executable, "-m", "syncline", *words],
            cwd=self.office.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def _start(self, *words: str) -> Process:
        log = self.office.folder / f"{words[0]}.log"
        with log.open("a", encoding="utf-8") as told:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.service.hasty", *words],
                cwd=self.office.folder,
                env=self.environ,
                stdout=told,
                stderr=told,
                text=True,
            )

    def _is_ready(self) -> bool:
        assert self.service is not None
        assert self.service.poll() is None, (self.office.folder / "serve.log").read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
        except OSError:
            return False
        return True

    # --- people

    def hear(self) -> None:
        """Both vendors send their webhooks to the service."""
        key_beside(self.office.folder)
        installation = install(load(self.office.config, self.environ), self.office.folder)
        ac, hl = (offer(installation, name) for name in ("ac", "hl"))
        installation.store.close()
        here = f"http://127.0.0.1:{self.port}"
        self.office.in_activecollab("register_webhook", url=here + ac.path, secret=ac.secret)
        self.office.in_highlevel("subscribe", url=here + hl.path)

    @contextmanager
    def editing(self, seed: int) -> Generator[None]:
        """Meanwhile people make records on both sides, move their due day on the left and finish them on the right."""
        over, faults = threading.Event(), list[BaseException]()

        def edit() -> None:
            try:
                _People(self, random.Random(seed)).work(over)
            except BaseException as error:  # noqa: BLE001 - told to the test's own thread
                faults.append(error)

        thread = threading.Thread(target=edit)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        assert not faults, faults

    # --- the verdict

    def agree(self) -> None:
        """Both sides come to hold exactly what was wanted, each record once."""
        wanted = Counter({(name, due, done): 1 for name, (due, done) in self.wanted.items()})
        until(lambda: self.tasks() == wanted == self.tickets(), "both sides hold the same", self._differences)

    def _differences(self) -> str:
        wanted = Counter({(name, due, done): 1 for name, (due, done) in self.wanted.items()})
        tasks, tickets = self.tasks(), self.tickets()
        log = (self.office.folder / "serve.log").read_text(encoding="utf-8")[-3000:]
        sides = {"left": (wanted - tasks, tasks - wanted), "right": (wanted - tickets, tickets - wanted)}
        return f"{sides}\n{self.command('status')}\n{log}"

    def tasks(self) -> Counter[tuple[str, str, bool]]:
        """Name, due day and whether it is done, of every task, as often as there is one."""
        return Counter(
            (each["name"], _day(each["due_on"]), each["is_completed"]) for each in self.listed_tasks()
        )

    def tickets(self) -> Counter[tuple[str, str, bool]]:
        """The same of every ticket."""
        shown = [each["properties"] for each in self.listed_tickets()]
        return Counter(
            (each["title"], each.get("due_date") or "", each["status"] == "done") for each in shown
        )

    def listed_tasks(self) -> list[Any]:
        """All tasks, open and done, as ActiveCollab tells them."""
        account, project = self.office.activecollab, self.office.project
        found: list[Any] = []
        for path in ("tasks", "tasks/archive"):
            url = f"{account['base_url']}/api/v1/projects/{project}/{path}"
            told = _get(url, {"X-Angie-AuthApiToken": account["token"]})
            found += told["tasks"] if isinstance(told, dict) else told
        return found

    def listed_tickets(self) -> list[Any]:
        """All tickets, as HighLevel tells them."""
        account = self.office.highlevel
        url = f"{account['base_url']}/objects/{TICKET}/records/search"
        body = {
            "locationId": account["location"],
            "page": 1,
            "pageLimit": 100,
            "query": "",
            "searchAfter": [],
        }
        headers = {"Authorization": f"Bearer {account['token']}", "Version": "2021-07-28"}
        return _get(url, headers, body)["records"]


@contextmanager
def open_fleet(folder: Path, *words: str, database: str = "") -> Generator[Fleet]:
    """Both accounts, joined by a file, each with its webhooks; nothing is started yet. `words` are of `syncline serve`."""
    with open_office(folder) as office:
        sync = left_is_activecollab(office.project)
        sync["fields"] = [line for line in sync["fields"] if line["left"] != "labels"]
        sync["schedule"] = {"poll": 5, "slowest": 5, "nightly": False}
        office.write(sync)
        _believe(office)
        # Our own looks must not use up what the service may call.
        _get(f"{office.highlevel['control_url']}quota", {}, {"burst": 10_000})
        here = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
        environ = {**here, **office.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        if database:
            environ["SYNCLINE_DATABASE_URL"] = database
        fleet = Fleet(office, free_port(), environ, words)
        try:
            fleet.hear()
            yield fleet
        finally:
            fleet.close()


def _believe(office: Office) -> None:
    """The sandbox signs with a key of its own."""
    text = yaml.safe_load(office.config.read_text(encoding="utf-8"))
    text["connections"]["hl"]["webhooks"] = {"keys": [office.highlevel["webhook_public_key"]]}
    office.config.write_text(yaml.safe_dump(text), encoding="utf-8")


@dataclass
class _People:
    """Who edits, and the ids of the records that they know of, by name."""

    fleet: Fleet
    dice: random.Random
    tasks: dict[str, int] = field(default_factory=dict[str, int])
    tickets: dict[str, str] = field(default_factory=dict[str, str])

    def make(self, number: int) -> None:
        """A record on one side, then on the other."""
        office, name = self.fleet.office, f"record {number}"
        if number % 2:
            self.tasks[name] = office.in_activecollab("create_task", project=office.project, name=name)["id"]
        else:
            made = office.in_highlevel(
                "create_record", object=TICKET, properties={"title": name, "status": "open"}
            )
            self.tickets[name] = made["id"]
        self.fleet.wanted[name] = ("", False)

    def edit(self) -> None:
        """A due day on the left, or an end on the right."""
        office, wanted = self.fleet.office, self.fleet.wanted
        if self.dice.random() < 0.5 and self.tasks:
            name = self.dice.choice(sorted(self.tasks))
            due = f"2026-{self.dice.randint(1, 12):02}-{self.dice.randint(1, 28):02}"
            office.in_activecollab("update_task", task=self.tasks[name], due_on=due)
            wanted[name] = (due, wanted[name][1])
        elif self.tickets:
            name, is_done = self.dice.choice(sorted(self.tickets)), self.dice.random() < 0.5
            properties = {"status": "done" if is_done else "open"}
            office.in_highlevel("update_record", object=TICKET, id=self.tickets[name], properties=properties)
            wanted[name] = (wanted[name][0], is_done)

    def look(self) -> None:
        """Notice the copies of what was made on the other side."""
        self.tasks |= {task["name"]: task["id"] for task in self.fleet.listed_tasks()}
        self.tickets |= {each["properties"]["title"]: each["id"] for each in self.fleet.listed_tickets()}

    def work(self, over: threading.Event) -> None:
        """Make some records between edits; look around now and then."""
        number = 0
        while not over.wait(_PAUSE):
            number += 1
            if number % 3 == 0 and number <= 3 * _RECORDS:
                self.make(number // 3)
            else:
                self.edit()
            if number % 15 == 0:
                self.look()


def _day(seconds: int | None) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds)) if seconds else ""


def _get(url: str, headers: Mapping[str, str], body: object = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    sent = {"Content-Type": "application/json", **headers}
    with urllib.request.urlopen(urllib.request.Request(url, data, sent), timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def until(is_so: Any, what: str, why: Any = lambda: "") -> None:
    """Wait for something; `why` is asked when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"not in time: {what}. {why()}"
        time.sleep(0.3)  # the vendor counts how often it is asked
