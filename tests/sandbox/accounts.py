"""A thin in-process client of the ActiveCollab stand-in, for tests that need no sockets."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from syncline.sandbox.activecollab import OWNER_EMAIL, ActiveCollabVendor, Flavour, Quirks
from syncline.sandbox.wire import Request, Response, SandboxClock

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
START_SECONDS = int(START.timestamp())


@dataclass
class Client:
    """Speaks to one stand-in as one user."""

    vendor: ActiveCollabVendor
    clock: SandboxClock
    headers: dict[str, str]

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        data = b"" if body is None else json.dumps(body).encode()
        url = f"{self.vendor.root_path}/api/v1/{path}"
        return self.vendor.handle(Request.of(method, url, {**self.headers, **headers}, data))

    def get(self, path: str) -> Any:
        return self._json("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._json("POST", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self._json("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self._json("DELETE", path, None)

    def task(self, **fields: Any) -> dict[str, Any]:
        """A new task in project 1."""
        return self.post("projects/1/tasks", {"name": "Task", **fields})["single"]

    def change(self, task_id: int, **fields: Any) -> dict[str, Any]:
        """A task of project 1 after a PUT."""
        return self.put(f"projects/1/tasks/{task_id}", fields)["single"]

    def as_user(self, email: str) -> Client:
        return Client(self.vendor, self.clock, {"x-angie-authapitoken": self.vendor.token(email)})

    def _json(self, method: str, path: str, body: Any) -> Any:
        response = self.send(method, path, body)
        assert response.status == 200, (response.status, response.body)
        return json.loads(response.body)


def open_account(
    quirks: Quirks | None = None, flavour: Flavour = Flavour.SELF_HOSTED, *, with_project: bool = True
) -> Client:
    """A fresh account with one project, seen by its owner."""
    clock = SandboxClock(START)
    vendor = ActiveCollabVendor(clock, seed=7, flavour=flavour, quirks=quirks)
    client = Client(vendor, clock, {"x-angie-authapitoken": vendor.token(OWNER_EMAIL)})
    if with_project:
        client.post("projects", {"name": "Project"})
    return client


def refusal(response: Response) -> dict[str, Any]:
    """The body of an error."""
    assert response.status >= 400
    return json.loads(response.body)
