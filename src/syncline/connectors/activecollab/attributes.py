"""The attributes of ActiveCollab's object types: where each is in the JSON, how it is read, how it is written.

Pure tables, used by `activecollab.records` and `activecollab.schema` (facts: activecollab-api.md 2, 3.2 to 3.4).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import cast

from syncline.connectors.activecollab.client import Json
from syncline.core.records import FieldId
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    ManyOf,
    Moment,
    Number,
    OneOf,
    Person,
    RichText,
    Text,
    Value,
    YesNo,
)


@dataclass(frozen=True, slots=True)
class User:
    """One user of the account."""

    id: str
    email: str
    name: str


class Directory:
    """The account's users, by id and by e-mail."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self.users = tuple(users)
        self._by_id = {user.id: Person(user.email, user.id, user.name) for user in self.users}
        self._id_by_email = {user.email.casefold(): user.id for user in self.users}

    def person(self, user_id: str) -> Person:
        """The person of an id; without e-mail when the id is not known."""
        return self._by_id.get(user_id) or Person(id=user_id)

    def user_id(self, person: Person) -> str | None:
        """The id to write for a person: the user with that e-mail, else (no e-mail) a known id."""
        if email := person.email.strip().casefold():
            return self._id_by_email.get(email)
        return person.id if person.id in self._by_id else None


Read = Callable[[object, Directory], Value]
Send = Callable[[Value, Directory], object]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an object type: where it is in the JSON, how it is read, and how written.

    `send` is None for what no write takes. `clear` is what empties it: `null`, `0` or an empty text or list (facts: 2,
    Ids). `by_route` marks what has routes of its own (completion).
    """

    id: FieldId
    key: str
    title: str
    type: FieldType
    read: Read
    send: Send | None = None
    clear: object = None
    is_required: bool = False
    by_route: bool = False
    note: str = ""

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can write it."""
        return self.send is None and not self.by_route


@dataclass(frozen=True, slots=True)
class Form:
    """How one object type is read and written. `slug` is its word in the generic routes (facts: 3.1)."""

    slug: str
    title: str
    collection: str
    attributes: tuple[Attribute, ...]

    def attribute(self, field: FieldId) -> Attribute | None:
        """The attribute of a field."""
        return next((each for each in self.attributes if each.id == field), None)


# --- reading -------------------------------------------------------------------------------------------------------


def moment(value: object) -> dt.datetime | None:
    """Unix seconds as a time; None for nothing."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value:
        return None
    return dt.datetime.fromtimestamp(value, dt.UTC)


def day(value: object) -> dt.date | None:
    """A date: Unix seconds at UTC midnight, or `YYYY-MM-DD` (facts: 2, Dates)."""
    if isinstance(value, str):
        return dt.date.fromisoformat(value[:10]) if value else None
    at = moment(value)
    return at.date() if at else None


def _text(value: object, _: Directory) -> Value:
    return Text(str(value)) if value not in (None, "") else BLANK


def _rich(value: object, _: Directory) -> Value:
    return RichText(str(value)) if value else BLANK


def _number(value: object, _: Directory) -> Value:
    try:
        return Number(Decimal(str(value))) if value not in (None, "") else BLANK
    except InvalidOperation:
        return BLANK


def _amount(value: object, directory: Directory) -> Value:
    """A number whose zero means "none" (an estimate)."""
    number = _number(value, directory)
    return BLANK if isinstance(number, Number) and not number.number else number


def _yes_no(value: object, _: Directory) -> Value:
    return YesNo(yes=bool(value))


def _moment(value: object, _: Directory) -> Value:
    at = moment(value)
    return Moment(at) if at else BLANK


def _day(value: object, _: Directory) -> Value:
    on = day(value)
    return Day(on) if on else BLANK


def _one_of(value: object, _: Directory) -> Value:
    return OneOf(str(value)) if value else BLANK


def _person(value: object, directory: Directory) -> Value:
    return directory.person(str(value)) if value else BLANK


def _labels(value: object, _: Directory) -> Value:
    """Names of label objects, or bare names."""
    if not isinstance(value, list):
        return BLANK
    labels = cast("list[object]", value)
    names = [cast("Json", each).get("name") if isinstance(each, dict) else each for each in labels]
    return ManyOf(tuple(str(name) for name in names if name)) if names else BLANK


# --- writing -------------------------------------------------------------------------------------------------------


class CannotSendError(Exception):
    """A value has no form that the vendor takes."""


def _send(value: Value, directory: Directory) -> object:
    """The plain JSON form of a value."""
    match value:
        case Text(content):
            return content
        case RichText(html):
            return escaped(html)
        case Number(number):
            return int(number) if number == number.to_integral_value() else float(number)
        case YesNo(yes):
            return yes
        case Day(on):
            return on.isoformat()
        case ManyOf(names):
            return sorted(set(names))
        case OneOf(key):
            return _send_id(key)
        case Person():
            return _send_person(value, directory)
        case _:
            raise CannotSendError("cannot be written")


_SPECIAL = re.compile(r"<(?:/?[a-zA-Z][^<>]*|!--.*?--)>|&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);|[<>&]", re.DOTALL)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def escaped(html: str) -> str:
    """HTML whose loose `<`, `>` and `&` are entities: the vendor cuts a text off at a raw one (facts: 2, Bodies)."""
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[0], match[0]), html)


def _send_id(key: str) -> int:
    if not key.isdigit():
        raise CannotSendError("not one of the options")
    return int(key)


def _send_person(person: Person, directory: Directory) -> int:
    user_id = directory.user_id(person)
    if user_id is None:
        raise CannotSendError("no user of this account has that e-mail")
    return _send_id(user_id)


# --- the object types -----------------------------------------------------------------------------------------------

IS_COMPLETED = FieldId("is_completed")
JOB_TYPE = FieldId("job_type")
ESTIMATE = FieldId("estimate")
PROJECT = FieldId("project")
URL = FieldId("url")


_NAME = Attribute(FieldId("name"), "name", "Name", FieldType.TEXT, _text, send=_send, is_required=True)
_STARTS = Attribute(FieldId("start_on"), "start_on", "Starts on", FieldType.DAY, _day, send=_send)
_DUE = Attribute(FieldId("due_on"), "due_on", "Due on", FieldType.DAY, _day, send=_send)
_BODY = Attribute(FieldId("body"), "body", "Description", FieldType.RICH_TEXT, _rich, send=_send, clear="")
_COMPLETED = Attribute(
    FieldId("is_completed"), "is_completed", "Completed", FieldType.YES_NO, _yes_no, by_route=True
)
_PROJECT = Attribute(
    PROJECT,
    "project_id",
    "Project",
    FieldType.ONE_OF,
    _one_of,
    note="A new one goes into the first project of the filter; moving between projects is not offered.",
)
_TIMES = (
    Attribute(FieldId("created_on"), "created_on", "Created", FieldType.MOMENT, _moment),
    Attribute(FieldId("created_by"), "created_by_id", "Created by", FieldType.PERSON, _person),
    Attribute(FieldId("updated_on"), "updated_on", "Updated", FieldType.MOMENT, _moment),
    Attribute(FieldId("completed_at"), "completed_on", "Completed at", FieldType.MOMENT, _moment),
    Attribute(FieldId("completed_by"), "completed_by_id", "Completed by", FieldType.PERSON, _person),
)

TASK = Form(
    "task",
    "Task",
    "tasks",
    (
        _NAME,
        _BODY,
        Attribute(
            FieldId("assignee"), "assignee_id", "Assignee", FieldType.PERSON, _person, send=_send, clear=0
        ),
        Attribute(
            FieldId("task_list"), "task_list_id", "Task list", FieldType.ONE_OF, _one_of, send=_send, clear=0
        ),
        Attribute(FieldId("labels"), "labels", "Labels", FieldType.MANY_OF, _labels, send=_send, clear=[]),
        _STARTS,
        _DUE,
        Attribute(
            FieldId("estimate"),
            "estimate",
            "Estimate (hours)",
            FieldType.NUMBER,
            _amount,
            send=_send,
            clear=0,
        ),
        Attribute(
            FieldId("job_type"), "job_type_id", "Job type", FieldType.ONE_OF, _one_of, send=_send, clear=0
        ),
        Attribute(
            FieldId("is_important"),
            "is_important",
            "Important",
            FieldType.YES_NO,
            _yes_no,
            send=_send,
            clear=False,
        ),
        Attribute(
            FieldId("is_hidden_from_clients"),
            "is_hidden_from_clients",
            "Hidden from clients",
            FieldType.YES_NO,
            _yes_no,
            send=_send,
            clear=False,
        ),
        _COMPLETED,
        _PROJECT,
        Attribute(FieldId("task_number"), "task_number", "Number in project", FieldType.NUMBER, _number),
        Attribute(FieldId("comments_count"), "comments_count", "Comments", FieldType.NUMBER, _number),
        *_TIMES,
    ),
)

TASK_LIST = Form(
    "task-list",
    "Task list",
    "task-lists",
    (
        _NAME,
        _STARTS,
        _DUE,
        _COMPLETED,
        _PROJECT,
        Attribute(FieldId("open_tasks"), "open_tasks", "Open tasks", FieldType.NUMBER, _number),
        Attribute(
            FieldId("completed_tasks"), "completed_tasks", "Completed tasks", FieldType.NUMBER, _number
        ),
        *_TIMES,
    ),
)

PROJECT_FORM = Form(
    "project",
    "Project",
    "projects",
    (
        _NAME,
        _BODY,
        Attribute(FieldId("company"), "company_id", "Client", FieldType.ONE_OF, _one_of, send=_send, clear=0),
        Attribute(FieldId("leader"), "leader_id", "Leader", FieldType.PERSON, _person, send=_send, clear=0),
        Attribute(FieldId("budget"), "budget", "Budget", FieldType.NUMBER, _number, send=_send),
        _COMPLETED,
        Attribute(FieldId("budget_type"), "budget_type", "Budget type", FieldType.TEXT, _text),
        Attribute(FieldId("count_tasks"), "count_tasks", "Tasks", FieldType.NUMBER, _number),
        Attribute(FieldId("project_number"), "project_number", "Number", FieldType.NUMBER, _number),
        *_TIMES,
        Attribute(
            FieldId("last_activity_on"), "last_activity_on", "Last activity", FieldType.MOMENT, _moment
        ),
    ),
)

FORMS: Mapping[str, Form] = {"task": TASK, "task_list": TASK_LIST, "project": PROJECT_FORM}
