"""Turns a seed into the history of a tracker that nobody kept: who created, changed and deleted what, and when.

Used by the demo, so that it needs no real data. One event is `{at, by, id, op, fields}` as in a recorded history of
enhancement proposals: `op` is create, update (only the changed fields) or delete. The text is as awkward as people
are: accents, HTML specials, emoji, wrong dates. `tasks_of` replays a history into what `ActiveCollabVendor.load`
takes.
"""

from __future__ import annotations

import datetime as dt
import html
import random
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import cast

Event = dict[str, object]

_START = int(dt.datetime(2024, 1, 8, 9, tzinfo=dt.UTC).timestamp())
_PROJECTS = ("sig-node", "sig-storage", "sig-network", "sig-auth", "sig-cli", "sig-docs")
_STATUSES = ("provisional", "implementable", "implemented", "deferred", "withdrawn")
_STAGES = ("alpha", "beta", "stable")
_VERBS = (
    "Add",
    "Drop",
    "Rework",
    "Speed up",
    "Document",
    "Deprecate",
    "Unify",
    "Tolerate",
    "Measure",
    "Retry",
)
_THINGS = (
    *(
        "volume snapshots",
        "naïve scheduling hints",
        "in-place résize of pods",
        "R&D quota reports",
        "TLS <1.2>",
    ),
    *(
        "“quoted” node labels",
        "Łódź region failover",
        "emoji in names 🚀",
        "time zones (UTC±)",
        "job back-off",
    ),
    *("日本語 error texts", '"strict" decoding', "leases & locks", "probes -> events", "graceful shutdown"),
)
_WHYS = (
    "today every team scripts this by hand",
    "users see <none> where a name should be",
    "two writers race & one of them loses",
    "the old way doesn’t scale past 5 000 nodes",
    "it was asked for again and again… 🙂",
    "the café example in the docs is wrong",
)
_WRONG_DATES = ("yyyy-mm-dd", "2025-10-9", "2024-13-01", "soon")


class _Writer:
    """Invents field values."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - invents text

    def people(self, most: int) -> list[str]:
        count = self.random.randint(1, most)
        return [f"user-{number:04d}" for number in sorted(self.random.sample(range(1, 40), count))]

    def title(self) -> str:
        return f"{self.random.choice(_VERBS)} {self.random.choice(_THINGS)}"

    def milestone(self) -> str:
        return f"v1.{self.random.randint(24, 34)}"

    def day(self, at: int) -> str:
        if self.random.random() < 0.03:
            return self.random.choice(_WRONG_DATES)
        return dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat()

    def summary(self, title: str) -> str:
        reasons = self.random.sample(_WHYS, 2)
        return f"{title}, because {reasons[0]}.\n\n- {reasons[1]}\n- `kubectl get x | grep -v '<'`"

    def gates(self) -> list[str]:
        words = self.random.choice(_THINGS).title()
        return ["".join(letter for letter in words if letter.isascii() and letter.isalnum()) or "NewGate"]

    def created(self, at: int) -> dict[str, object]:
        title = self.title()
        fields: dict[str, object] = {
            "title": title,
            "project": self.random.choice(_PROJECTS),
            "status": self.random.choice(_STATUSES[:2]),
            "created_on": self.day(at),
            "participating": self.random.sample(_PROJECTS, self.random.randint(0, 2)),
            "authors": self.people(3),
            "reviewers": self.people(3),
            "approvers": self.people(2),
            "summary": self.summary(title),
        }
        if self.random.random() < 0.7:
            fields |= {"stage": "alpha", "latest_milestone": self.milestone(), "alpha": self.milestone()}
        if self.random.random() < 0.5:
            fields |= {"feature_gates": self.gates(), "disable_supported": self.random.random() < 0.8}
        return fields

    def changed(self) -> dict[str, object]:
        choices = self.random.choices(list(_CHANGES), _WEIGHTS, k=self.random.choice((1, 1, 2)))
        return {field: _CHANGES[field](self) for field in dict.fromkeys(choices)}


_CHANGES: Mapping[str, Callable[[_Writer], object]] = MappingProxyType(
    {
        "latest_milestone": _Writer.milestone,
        "stage": lambda writer: writer.random.choice(_STAGES),
        "status": lambda writer: writer.random.choice(_STATUSES),
        "beta": _Writer.milestone,
        "stable": lambda writer: writer.random.choice((None, writer.milestone())),
        "title": _Writer.title,
        "reviewers": lambda writer: writer.people(4),
        "feature_gates": _Writer.gates,
        "disable_supported": lambda writer: writer.random.choice((True, False, None)),
    }
)
_WEIGHTS = (12, 7, 5, 4, 5, 2, 2, 2, 1)


def generated_history(seed: int, records: int, events: int) -> list[Event]:
    """A history of `events` edits (never fewer than `records`) on `records` records, oldest first.

    The same arguments give the same history.
    """
    writer = _Writer(seed)
    at, alive, born = _START, list[int](), 0
    history: list[Event] = []
    for left in range(max(events, records), 0, -1):
        at += writer.random.randint(60, 30_000)
        by = writer.people(1)[0]
        missing = records - born
        if missing and (not alive or writer.random.random() < missing / left * 1.5 or missing >= left):
            born += 1
            alive.append(born)
            history.append({"at": at, "by": by, "id": born, "op": "create", "fields": writer.created(at)})
        elif len(alive) > 1 and writer.random.random() < 0.01:
            gone = alive.pop(writer.random.randrange(len(alive)))
            history.append({"at": at, "by": by, "id": gone, "op": "delete", "fields": {}})
        else:
            fields = writer.changed()
            history.append(
                {"at": at, "by": by, "id": writer.random.choice(alive), "op": "update", "fields": fields}
            )
    return history


def tasks_of(history: Iterable[Event]) -> list[dict[str, object]]:
    """The records that are left at the end, as tasks: project, name, body, labels, task list, whether completed."""
    records: dict[object, dict[str, object]] = {}
    for event in history:
        if event["op"] == "delete":
            records.pop(event["id"], None)
        else:
            records.setdefault(event["id"], {}).update(cast("dict[str, object]", event["fields"]))
    return [_task_of(fields) for fields in records.values()]


def _task_of(fields: Mapping[str, object]) -> dict[str, object]:
    paragraphs = str(fields.get("summary") or "").split("\n\n")
    body = "".join(f"<p>{html.escape(each, quote=False)}</p>" for each in paragraphs if each.strip())
    return {
        "project": fields.get("project") or "none",
        "name": str(fields.get("title") or "Untitled"),
        "body": body.replace("\n", "<br>"),
        "labels": [str(fields[name]) for name in ("status", "stage") if fields.get(name)],
        "task_list": fields.get("latest_milestone"),
        "due_on": _day(fields.get("created_on")),
        "is_completed": fields.get("status") == "implemented",
    }


def _day(text: object) -> str | None:
    """A day as typed, where it is one."""
    try:
        return dt.date.fromisoformat(str(text)).isoformat()
    except ValueError:
        return None
