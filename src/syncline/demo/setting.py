"""Sandbox accounts and a configuration that joins them: the stage of the demo.

The configuration is written as a file and read back, as a user's would be; the secrets come from the environment that
the file names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml

from syncline.bootstrap import Installation, install
from syncline.config import load
from syncline.config.keys import key_beside
from syncline.connectors.highlevel import FieldWish, HighLevelConnector, ObjectWish, ensure_object
from syncline.connectors.highlevel.schema import DataType
from syncline.demo.people import Office
from syncline.errors import ConfigError
from syncline.sandbox.data import generated_history, tasks_of

_EVENTS_PER_RECORD = 4
_PROJECTS = 4
OBJECT = "custom_objects.task_mirror"
SYNC = "tasks"


@dataclass(frozen=True, slots=True)
class Tracker:
    """Real (or generated) tracker records, as tasks. `source` says which, for the story."""

    tasks: Sequence[Mapping[str, object]]
    source: str

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels in use: they become the options of HighLevel's field."""
        found = {str(label) for task in self.tasks for label in cast("list[object]", task["labels"])}
        return tuple(sorted(found))


def tracker(file: Path | None, records: int, seed: int) -> Tracker:
    """The last state of a recorded history, or of a generated one of the same shape; its busiest projects."""
    if file is not None:
        try:
            events = [
                msgspec.json.decode(line, type=dict[str, object]) for line in file.read_bytes().splitlines()
            ]
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
        except msgspec.DecodeError as error:
            raise ConfigError(f"{file} is not one JSON object a line: {error}.") from error
        source = f"real data: {file.name}"
    else:
        events = generated_history(seed, records * 2, records * 2 * _EVENTS_PER_RECORD)
        source = "generated data"
    return Tracker(_busiest(tasks_of(events), records), source)


def _busiest(tasks: Sequence[dict[str, object]], records: int) -> list[dict[str, object]]:
    """Distinct titles (people tell tasks apart by them) of the projects with the most tasks."""
    counts: dict[object, int] = {}
    for task in tasks:
        counts[task["project"]] = counts.get(task["project"], 0) + 1
    chosen = sorted(counts, key=lambda name: (-counts[name], str(name)))[:_PROJECTS]
    by_title = {str(task["name"]): task for task in tasks if task["project"] in chosen}
    return list(by_title.values())[:records]


def write_config(folder: Path, office: Office, projects: Sequence[int]) -> Path:
    """Write `syncline.yaml`; secrets stay in the environment."""
    text: dict[str, Any] = {
        "connections": {
            "ac": {"vendor": "activecollab", "url": office.activecollab.base_url, "token": "${AC_TOKEN}"},
            "hl": {
                "vendor": "highlevel",
                "url": office.highlevel.base_url,
                "token": "${HL_TOKEN}",
                "location": office.highlevel.location,
                "search_lag": 5,
            },
        },
        "syncs": {
            SYNC: {
                "left": {"connection": "ac", "object": "task", "where": {"project": list(projects)}},
                "right": {"connection": "hl", "object": OBJECT},
                "match": {"on": [["name", "title"]], "mode": "match_then_create"},
                "fields": [
                    {"left": "name", "right": "title", "conflict": "ask"},
                    {"left": "body", "right": "details", "direction": "to_right"},
                    {"left": "due_on", "right": "due_date"},
                    {"left": "estimate", "right": "hours", "direction": "to_right"},
                    {"left": "labels", "right": "tags", "conflict": "merge"},
                    {"left": "is_completed", "right": "status", "values": [[False, "Open"], [True, "Done"]]},
                ],
                "conflicts": "newest",
                "deletes": "ask",
                "brakes": {"changes": "50%", "deletes": "10%"},
                "schedule": {"poll": 5},
            }
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "syncline.yaml"
    path.write_text(yaml.safe_dump(text, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def open_installation(path: Path, office: Office, seed: int) -> Installation:
    """Read the file back, with the secrets that the sandbox gave out."""
    environ = {"AC_TOKEN": office.activecollab.token, "HL_TOKEN": office.highlevel.token}
    folder = path.resolve().parent
    key_beside(folder)
    return install(load(path, environ), folder, seed=seed)


async def make_object(installation: Installation, office: Office, labels: Sequence[str]) -> int:
    """The custom object with its fields; answers how many things were made."""
    connector = installation.connector("hl")
    if not isinstance(connector, HighLevelConnector):
        raise ConfigError("connections.hl is no HighLevel connection.")
    wish = ObjectWish(
        "task_mirror",
        "Task",
        "Tasks",
        FieldWish("Title"),
        (
            FieldWish("Details", DataType.LARGE_TEXT),
            FieldWish("Due date", DataType.DATE),
            FieldWish("Hours", DataType.NUMERICAL),
            FieldWish("Tags", DataType.MULTIPLE_OPTIONS, tuple(labels)),
            FieldWish("Status", DataType.SINGLE_OPTIONS, ("Open", "Done")),
            FieldWish("Syncline key"),
        ),
    )
    made = await ensure_object(connector.client, wish)
    # No API makes a field unique: a person does it in the settings.
    await office.in_highlevel("make_unique", field=f"{OBJECT}.{made.fields['Syncline key']}", object=OBJECT)
    return made.created
