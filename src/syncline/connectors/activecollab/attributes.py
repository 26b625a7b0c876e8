"""What an attribute of an ActiveCollab object type is: where it is in the JSON, how it is read, how it is written.

The words that the tables of `work_forms`, `project_forms` and `account_forms` are written in; used by
`activecollab.records` and `activecollab.schema` (facts: activecollab-api.md 2).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import cast

from syncline.connectors.activecollab.client import Json
from syncline.core.records import Ability, FieldId
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    File,
    Files,
    ManyOf,
    Moment,
    Number,
    OneOf,
    Person,
    Reference,
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


class Place(Enum):
    """Where the records of an object type are listed, and what their routes begin with (facts: 3)."""

    ACCOUNT = "account"
    """In the account: `companies/9`."""
    PROJECT = "project"
    """In a project: `projects/1/notes/9`."""
    TASK = "task"
    """In a task of a project: `projects/1/tasks/5/subtasks/9`."""
    COMMENTED = "commented"
    """On whatever can be commented: listed at `comments/task/5`, read at `comments/9`."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an object type: where it is in the JSON, how it is read, and how written.

    `send` is None for what no write takes. `clear` is what empties it: `null`, `0` or an empty text or list (facts: 2,
    Ids). `by_route` marks what has routes of its own (completion), `is_fixed` what is set when a record is made and stays.
    `sent_as` is the key to write where it is not the one to read. `references` is the object type that its value is of.
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
    is_fixed: bool = False
    can_clear: bool = True
    sent_as: str = ""
    references: str = ""
    note: str = ""

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can write it."""
        return self.send is None and not self.by_route


def as_is(json: Json) -> Json:
    """The object, with nothing added."""
    return json


WRITABLE = frozenset({Ability.CREATE, Ability.UPDATE, Ability.DELETE, Ability.RESTORE})
COMPLETABLE = WRITABLE | {Ability.ARCHIVE}


@dataclass(frozen=True, slots=True)
class Form:
    """How one object type is read and written. `slug` is its word in the generic routes (facts: 3.1).

    `listed_at` is the path of its listing where that is not `collection`. `roles` tells the role of an object, the value
    that the filter `role` asks for. `has_archive`: completed ones are in a listing of their own. `shows_activity`: a
    change surely shows in what its project says of itself, so that a quiet project need not be listed. `refine` adds what
    is told in another form. `is_discovered`: nobody published what it holds, so its objects tell. `defaults` is sent with a new one where nothing else is.
    """

    slug: str
    title: str
    collection: str
    attributes: tuple[Attribute, ...]
    place: Place = Place.PROJECT
    abilities: frozenset[Ability] = COMPLETABLE
    listed_at: str = ""
    roles: Callable[[Json], str] | None = None
    has_archive: bool = False
    shows_activity: bool = True
    is_discovered: bool = False
    refine: Callable[[Json], Json] = as_is
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def is_global(self) -> bool:
        """Whether one record's route tells nothing of where it is."""
        return self.place in (Place.ACCOUNT, Place.COMMENTED)

    def attribute(self, name: FieldId) -> Attribute | None:
        """The attribute of a field."""
        return next((each for each in self.attributes if each.id == name), None)

    def meant(self, sent: str | None) -> str | None:
        """The field of a key that a refusal names, where it is written under another key than it is read."""
        return next((each.id for each in self.attributes if each.sent_as and each.sent_as == sent), sent)


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


def as_text(value: object, _: Directory) -> Value:
    """Plain text."""
    return Text(str(value)) if value not in (None, "") else BLANK


def as_rich(value: object, _: Directory) -> Value:
    """HTML."""
    return RichText(str(value)) if value else BLANK


def as_number(value: object, _: Directory) -> Value:
    """A number; blank for what is none."""
    try:
        return Number(Decimal(str(value))) if value not in (None, "") else BLANK
    except InvalidOperation:
        return BLANK


def as_amount(value: object, directory: Directory) -> Value:
    """A number whose zero means "none" (an estimate)."""
    number = as_number(value, directory)
    return BLANK if isinstance(number, Number) and not number.number else number


def as_yes_no(value: object, _: Directory) -> Value:
    """Yes or no, as PHP writes it."""
    return YesNo(yes=bool(value))


def as_moment(value: object, _: Directory) -> Value:
    """Unix seconds as a moment."""
    at = moment(value)
    return Moment(at) if at else BLANK


def as_day(value: object, _: Directory) -> Value:
    """A day."""
    on = day(value)
    return Day(on) if on else BLANK


def as_one_of(value: object, _: Directory) -> Value:
    """An id that may be 0 for none, as a choice."""
    return OneOf(str(value)) if value else BLANK


def as_reference(object_type: str) -> Read:
    """An id as a reference to a record of that object type; 0 points nowhere."""

    def read(value: object, _: Directory) -> Value:
        return Reference(object_type, str(value)) if value else BLANK

    return read


def as_person(value: object, directory: Directory) -> Value:
    """A user by id; 0 is nobody."""
    return directory.person(str(value)) if value else BLANK


def as_labels(value: object, _: Directory) -> Value:
    """Names of label objects, or bare names."""
    if not isinstance(value, list):
        return BLANK
    labels = cast("list[object]", value)
    names = [cast("Json", each).get("name") if isinstance(each, dict) else each for each in labels]
    return ManyOf(tuple(str(name) for name in names if name)) if names else BLANK


def as_files(value: object, _: Directory) -> Value:
    """Attachments, by name and size: their addresses hold the place of a short-lived token (facts: 3.8)."""
    if not isinstance(value, list):
        return BLANK
    found = [cast("Json", each) for each in cast("list[object]", value) if isinstance(each, dict)]
    files = tuple(File(str(each.get("name") or ""), _size(each.get("size"))) for each in found)
    return Files(files) if files else BLANK


def _size(value: object) -> int | None:
    return value if isinstance(value, int) else None


# --- writing -------------------------------------------------------------------------------------------------------


class CannotSendError(Exception):
    """A value has no form that the vendor takes."""


def to_json(value: Value, directory: Directory) -> object:
    """The plain JSON form of a value. Raises `CannotSendError`."""
    match value:
        case Text(content):
            return content
        case RichText(html):
            return escaped(without_mentions(html))
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
        case Reference(_, key):
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


_MENTION = re.compile(
    r"""<(a|span)\b[^>]*(?:\bclass\s*=\s*["'][^"'>]*\bmention\b|\bdata-entity-type\s*=)[^>]*>(.*?)</\1\s*>""",
    re.DOTALL | re.IGNORECASE,
)


def without_mentions(html: str) -> str:
    """HTML whose mentions are plain names: whoever is mentioned gets an e-mail (facts: 2, Bodies; 9.12)."""
    return _MENTION.sub(lambda match: match[2], html)


def _send_id(key: str) -> int:
    if not key.isdigit():
        raise CannotSendError("not one of the options")
    return int(key)


def _send_person(person: Person, directory: Directory) -> int:
    user_id = directory.user_id(person)
    if user_id is None:
        raise CannotSendError("no user of this account has that e-mail")
    return _send_id(user_id)
