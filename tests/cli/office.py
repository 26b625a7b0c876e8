"""Sandbox accounts in a process of their own, a configuration that joins them, and the command line to work it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TICKET = "custom_objects.ticket"
KEY_FIELD = "syncline_key"


def left_is_activecollab(project: int) -> dict[str, Any]:
    """A sync of tasks (left) and tickets (right)."""
    return {
        "left": {"connection": "ac", "object": "task", "where": {"project": [project]}},
        "right": {"connection": "hl", "object": TICKET},
        "match": {"on": [["name", "title"]], "mode": "match_then_create"},
        "fields": [
            {"left": "name", "right": "title", "conflict": "ask"},
            {"left": "due_on", "right": "due_date"},
            {"left": "labels", "right": "tags", "conflict": "merge"},
            {"left": "is_completed", "right": "status", "values": [[False, "Open"], [True, "Done"]]},
        ],
        "conflicts": "newest",
        "deletes": "ask",
        "brakes": {"at_least": 100},
    }


def left_is_highlevel(project: int) -> dict[str, Any]:
    """The same sync with its sides swapped."""
    straight = left_is_activecollab(project)
    lines = [{**line, "left": line["right"], "right": line["left"]} for line in straight["fields"]]
    for line in lines:
        if "values" in line:
            line["values"] = [[b, a] for a, b in line["values"]]
    match = {"on": [["title", "name"]], "mode": "match_then_create"}
    return {**straight, "left": straight["right"], "right": straight["left"], "fields": lines, "match": match}


@dataclass
class Office:
    """Two accounts and a folder."""

    folder: Path
    activecollab: Mapping[str, str]
    highlevel: Mapping[str, str]
    project: int = 0

    @property
    def environ(self) -> dict[str, str]:
        """The secrets that the configuration names."""
        return {"AC_TOKEN": self.activecollab["token"], "HL_TOKEN": self.highlevel["token"]}

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "syncline.yaml"

    def write(self, sync: Mapping[str, Any]) -> None:
        """Write the configuration with one sync, `tickets`."""
        text = {
            "connections": {
                "ac": {
                    "vendor": "activecollab",
                    "url": self.activecollab["base_url"],
                    "token": "${AC_TOKEN}",
                },
                "hl": {
                    "vendor": "highlevel",
                    "url": self.highlevel["base_url"],
                    "token": "${HL_TOKEN}",
                    "location": self.highlevel["location"],
                    "search_lag": 0,
                },
            },
            "syncs": {"tickets": dict(sync)},
        }
        self.config.write_text(yaml.safe_dump(text), encoding="utf-8")

    def in_activecollab(self, action: str, **arguments: object) -> Any:
        """Do something in ActiveCollab's web app."""
        return _post(f"{self.activecollab['control_url']}act", {"action": action, **arguments})

    def in_highlevel(self, action: str, **arguments: object) -> Any:
        """Do something in HighLevel's web app."""
        return _post(f"{self.highlevel['control_url']}act", {"action": action, **arguments})

    def refuse_in_highlevel(self, method: str, times: int = 1) -> None:
        """Let HighLevel refuse the next writes of records."""
        body = {"statusCode": 422, "message": "refused"}
        fault = {
            "kind": "status",
            "method": method,
            "path": "/objects/",
            "status": 422,
            "body": body,
            "times": times,
        }
        _post(f"{self.highlevel['control_url']}faults", fault)

    def cut_off_in_highlevel(self, method: str, times: int = 1) -> None:
        """Let HighLevel carry out the next writes of records, and close the connection before it answers."""
        fault = {"kind": "cut_after", "method": method, "path": "/objects/", "times": times}
        _post(f"{self.highlevel['control_url']}faults", fault)

    def break_activecollab(self) -> None:
        """Let ActiveCollab answer nothing but errors."""
        _post(f"{self.activecollab['control_url']}faults", {"kind": "status", "path": "/", "status": 503})

    def mend_activecollab(self) -> None:
        """Let ActiveCollab answer again."""
        url = f"{self.activecollab['control_url']}faults"
        request = urllib.request.Request(url, method="DELETE")  # noqa: S310 - loopback
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - loopback

    def advance(self, seconds: float) -> None:
        """Let time pass at both vendors."""
        for account in (self.activecollab, self.highlevel):
            _post(f"{account['control_url']}clock", {"advance": seconds})

    def tasks(self) -> dict[str, dict[str, Any]]:
        """ActiveCollab's open tasks by name, over its API."""
        url = f"{self.activecollab['base_url']}/api/v1/projects/{self.project}/tasks"
        listing = _get(url, {"X-Angie-AuthApiToken": self.activecollab["token"]})
        return {task["name"]: task for task in listing["tasks"]}

    def tickets(self, object_type: str = TICKET, title: str = "title") -> dict[str, dict[str, Any]]:
        """HighLevel's records by title, over its API."""
        url = f"{self.highlevel['base_url']}/objects/{object_type}/records/search"
        body = {
            "locationId": self.highlevel["location"],
            "page": 1,
            "pageLimit": 100,
            "query": "",
            "searchAfter": [],
        }
        headers = {"Authorization": f"Bearer {self.highlevel['token']}", "Version": "2021-07-28"}
        return {record["properties"][title]: record for record in _post(url, body, headers)["records"]}


def _post(url: str, body: object, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def _get(url: str, headers: Mapping[str, str]) -> Any:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


@contextmanager
def open_office(folder: Path) -> Generator[Office]:
    """`syncline sandbox --json` in a process of its own, with a project, a custom object and its fields."""
    command = [sys.executable, "-m", "syncline", "sandbox", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            card = json.loads(process.stdout.readline())
            office = Office(folder, *card["accounts"])
            office.project = office.in_activecollab("create_project", name="Shop")["id"]
            _make_object(office)
            yield office
        finally:
            process.terminate()


def _make_object(office: Office) -> None:
    office.in_highlevel(
        "create_object", key="ticket", singular="Ticket", plural="Tickets", primary_name="Title"
    )
    for name, kind, options in (
        ("Due date", "DATE", []),
        ("Tags", "MULTIPLE_OPTIONS", ["red", "blue"]),
        ("Status", "SINGLE_OPTIONS", ["Open", "Done"]),
        ("Syncline key", "TEXT", []),
    ):
        office.in_highlevel("create_field", object=TICKET, name=name, type=kind, options=options)
    office.in_highlevel("make_unique", object=TICKET, field=f"{TICKET}.{KEY_FIELD}")
