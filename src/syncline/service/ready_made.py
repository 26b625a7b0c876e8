"""The ready-made syncs: which records of which products belong together, and what has to be there on the other side.

Data only. `service.making` turns one of them, and two connections, into objects that are made and a draft that a person
looks over and puts in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from syncline.connectors.highlevel import FieldWish, ObjectWish
from syncline.connectors.highlevel.schema import DataType
from syncline.core.mapping import Direction
from syncline.errors import Refusal, RequestError

KEY_FIELD = FieldWish("Syncline key")
"""Carries our own key, so that a create which got no answer is found again. Make it unique by hand."""

_DONE: tuple[tuple[Any, Any], ...] = ((False, "Open"), (True, "Done"))
_STATUS = FieldWish("Status", DataType.SINGLE_OPTIONS, ("Open", "Done"))


@dataclass(frozen=True, slots=True)
class End:
    """One side: a vendor and its object type, or the custom object that is to be there. `needs` names the filters that a
    person has to give: without them it is not known where new records go. `where` is what holds unless somebody says
    otherwise."""

    vendor: str
    object_type: str = ""
    wish: ObjectWish | None = None
    needs: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType[str, tuple[str, ...]]({})
    )

    @property
    def title(self) -> str:
        """What a person reads."""
        return self.wish.plural if self.wish is not None else self.object_type


@dataclass(frozen=True, slots=True)
class Line:
    """One field line. Where the right side is a custom object, `right` is the name that people see."""

    left: str
    right: str
    direction: Direction = Direction.BOTH
    values: tuple[tuple[Any, Any], ...] = ()
    more: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType[str, Any]({}))


@dataclass(frozen=True, slots=True)
class Template:
    """A ready-made sync. `on` are the key fields of a first meeting, `policies` what else a draft says."""

    id: str
    title: str
    summary: str
    left: End
    right: End
    lines: tuple[Line, ...]
    on: tuple[tuple[str, str], ...]
    policies: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType[str, Any]({}))


def _object(key: str, singular: str, plural: str, primary: str, *fields: FieldWish) -> End:
    return End("highlevel", wish=ObjectWish(key, singular, plural, FieldWish(primary), (*fields, KEY_FIELD)))


def _day(name: str) -> FieldWish:
    return FieldWish(name, DataType.DATE)


def _number(name: str) -> FieldWish:
    return FieldWish(name, DataType.NUMERICAL)


def _text(name: str) -> FieldWish:
    return FieldWish(name, DataType.LARGE_TEXT)


_TO_RIGHT = Direction.TO_RIGHT
_ASK = MappingProxyType({"conflict": "ask"})

_TASKS = Template(
    "tasks",
    "Tasks as records",
    "Each ActiveCollab task is a record of a HighLevel object, with its dates, hours and whether it is done.",
    End("activecollab", "task", needs=("project",)),
    _object(
        "ac_task", "Project task", "Project tasks", "Title", _text("Details"), _day("Starts"), _day("Due"),
        _number("Hours"), _STATUS,
    ),
    (
        Line("name", "Title", more=_ASK),
        Line("body", "Details", _TO_RIGHT),
        Line("start_on", "Starts"),
        Line("due_on", "Due"),
        Line("estimate", "Hours", _TO_RIGHT),
        Line("is_completed", "Status", values=_DONE),
    ),
    (("name", "Title"),),
)  # fmt: skip

_MILESTONES = Template(
    "milestones",
    "Milestones as records",
    "Each ActiveCollab task list with its dates (a milestone) is a record of a HighLevel object.",
    End("activecollab", "task_list", needs=("project",)),
    _object(
        "ac_milestone", "Milestone", "Milestones", "Title", _day("Starts"), _day("Due"), _number("Open tasks"),
        _number("Completed tasks"), _STATUS,
    ),
    (
        Line("name", "Title", more=_ASK),
        Line("start_on", "Starts"),
        Line("due_on", "Due"),
        Line("open_tasks", "Open tasks", _TO_RIGHT),
        Line("completed_tasks", "Completed tasks", _TO_RIGHT),
        Line("is_completed", "Status", values=_DONE),
    ),
    (("name", "Title"),),
)  # fmt: skip

_PROJECTS = Template(
    "projects",
    "Projects as records",
    "Each ActiveCollab project is a record of a HighLevel object, with its budget and whether it is completed.",
    End("activecollab", "project"),
    _object(
        "ac_project", "Project", "Projects", "Name", _text("Description"), _number("Budget"), _number("Tasks"),
        _STATUS,
    ),
    (
        Line("name", "Name", more=_ASK),
        Line("body", "Description", _TO_RIGHT),
        Line("budget", "Budget"),
        Line("count_tasks", "Tasks", _TO_RIGHT),
        Line("is_completed", "Status", values=_DONE),
    ),
    (("name", "Name"),),
)  # fmt: skip

_NOTES = Template(
    "notes",
    "Notes as records",
    "Each ActiveCollab note (text document) is a record of a HighLevel object, with its text.",
    End("activecollab", "note", needs=("project",)),
    _object("ac_note", "Note", "Notes", "Title", _text("Text")),
    (Line("name", "Title", more=_ASK), Line("body", "Text", _TO_RIGHT)),
    (("name", "Title"),),
)

_TIME = Template(
    "time",
    "Time as records",
    "Each ActiveCollab time record is a record of a HighLevel object: hours, day, and whether it is billable. Time is "
    "entered in ActiveCollab, so it flows one way.",
    End("activecollab", "time_record", needs=("project",)),
    _object(
        "ac_time", "Time record", "Time records", "Summary", _number("Hours"), _day("Day"),
        FieldWish("Billable", DataType.SINGLE_OPTIONS, ("Yes", "No")),
    ),
    (
        Line("summary", "Summary", _TO_RIGHT),
        Line("value", "Hours", _TO_RIGHT),
        Line("record_date", "Day", _TO_RIGHT),
        Line("is_billable", "Billable", _TO_RIGHT, values=((True, "Yes"), (False, "No"))),
    ),
    (),
    MappingProxyType({"create": "right", "match": {"mode": "create_only"}}),
)  # fmt: skip

_COMPANIES = Template(
    "companies",
    "Clients as companies",
    "Each client company of ActiveCollab is a company of HighLevel, with its address, phone and home page.",
    End("activecollab", "company", where=MappingProxyType({"role": ("client",)})),
    End("highlevel", "business"),
    (
        Line("name", "name", more=_ASK),
        Line("phone", "phone"),
        Line("homepage_url", "website"),
        Line("address", "address"),
        Line("city", "city"),
        Line("region", "state"),
        Line("zip_code", "postal_code"),
    ),
    (("name", "name"),),
)

_CONTRACTS = Template(
    "contracts",
    "Contracts as records",
    "Each contract of the workspace is a record of a HighLevel object: number, client, value, dates and status.",
    End("workspace", "contract"),
    _object(
        "ws_contract", "Contract", "Contracts", "Title", FieldWish("Number"), FieldWish("Client"),
        FieldWish("Value", DataType.MONETORY), _day("Begins"), _day("Ends"), _day("Signed"),
        FieldWish(
            "Status", DataType.SINGLE_OPTIONS,
            ("Draft", "Sent", "Viewed", "Signed", "Active", "Completed", "Expired", "Cancelled", "Declined"),
        ),
    ),
    (
        Line("title", "Title", more=_ASK),
        Line("number", "Number"),
        Line("client", "Client"),
        Line("value", "Value"),
        Line("starts_on", "Begins"),
        Line("ends_on", "Ends"),
        Line("signed_on", "Signed"),
        Line("status", "Status"),
    ),
    (("title", "Title"),),
)  # fmt: skip

TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {each.id: each for each in (_TASKS, _MILESTONES, _PROJECTS, _COMPANIES, _NOTES, _TIME, _CONTRACTS)}
)


def template_of(name: str) -> Template:
    """One of them. Raises `RequestError` when there is none of this name."""
    found = TEMPLATES.get(name)
    if found is None:
        told = f"There is no template '{name}'; there are {', '.join(TEMPLATES)}."
        raise RequestError(told, Refusal.NOT_THERE)
    return found
