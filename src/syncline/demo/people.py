"""The people of the demo: they edit in the vendors' own web apps, and they read both sides to see whether they agree.

Everything goes over HTTP to the two sandboxes: edits by their control API, reads by the vendors' public APIs. Nothing
is asked of the engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from syncline.sandbox.run import AccountCard

Fields = dict[str, object]


@dataclass(slots=True)
class Office:
    """Two accounts and a browser."""

    activecollab: AccountCard
    highlevel: AccountCard
    browser: aiohttp.ClientSession

    async def in_activecollab(self, action: str, **arguments: object) -> Any:
        """Do something in ActiveCollab's web app."""
        return await self._act(self.activecollab, action, arguments)

    async def in_highlevel(self, action: str, **arguments: object) -> Any:
        """Do something in HighLevel's web app."""
        return await self._act(self.highlevel, action, arguments)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass at both vendors: people do not edit everything in the same second."""
        for card in (self.activecollab, self.highlevel):
            async with self.browser.post(f"{card.control_url}clock", json={"advance": seconds}) as answer:
                answer.raise_for_status()

    async def _act(self, card: AccountCard, action: str, arguments: Mapping[str, object]) -> Any:
        url = f"{card.control_url}act"
        async with self.browser.post(url, json={"action": action, **arguments}) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def tasks(self, projects: list[int]) -> dict[int, Fields]:
        """Every task of some projects, read from ActiveCollab."""
        found: dict[int, Fields] = {}
        for project in projects:
            listing = await self._read_activecollab(f"projects/{project}/tasks")
            for task in listing["tasks"]:
                found[task["id"]] = _of_task(task)
            page = 1
            while tasks := await self._read_activecollab(f"projects/{project}/tasks/archive?page={page}"):
                found.update({task["id"]: _of_task(task) for task in tasks})
                page += 1
        return found

    async def projects(self) -> list[int]:
        """The ids of all projects, read from ActiveCollab."""
        return [project["id"] for project in await self._read_activecollab("projects")]

    async def _read_activecollab(self, path: str) -> Any:
        url = f"{self.activecollab.base_url.rstrip('/')}/api/v1/{path}"
        headers = {"X-Angie-AuthApiToken": self.activecollab.token}
        async with self.browser.get(url, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def records(self, object_type: str) -> dict[str, Fields]:
        """Every record of a custom object, read from HighLevel."""
        found: dict[str, Fields] = {}
        headers = {"Authorization": f"Bearer {self.highlevel.token}", "Version": "2021-07-28"}
        url = f"{self.highlevel.base_url}/objects/{object_type}/records/search"
        page = 1
        while True:
            body: dict[str, object] = {
                "locationId": self.highlevel.location,
                "page": page,
                "pageLimit": 100,
                "query": "",
                "searchAfter": [],
            }
            async with self.browser.post(url, json=body, headers=headers) as answer:
                answer.raise_for_status()
                records = (await answer.json())["records"]
            found.update({record["id"]: _of_record(record) for record in records})
            if len(records) < 100:
                return found
            page += 1


def _of_task(task: Mapping[str, Any]) -> Fields:
    due = task["due_on"]
    return {
        "title": task["name"],
        "due": dt.datetime.fromtimestamp(due, dt.UTC).date().isoformat() if due else None,
        "labels": frozenset(_option(label["name"]) for label in task["labels"]),
        "done": bool(task["is_completed"]),
        "hours": float(task["estimate"] or 0),
    }


def _of_record(record: Mapping[str, Any]) -> Fields:
    held = record["properties"]
    return {
        "title": held.get("title"),
        "due": held.get("due_date"),
        "labels": frozenset(held.get("tags") or ()),
        "done": held.get("status") == "done",
        "hours": float(held.get("hours") or 0),
    }


def _option(label: str) -> str:
    """HighLevel keeps the key of an option, made of its label."""
    joined = "_".join(label.lower().split())
    return "".join(letter for letter in joined if letter.isascii() and (letter.isalnum() or letter == "_"))
