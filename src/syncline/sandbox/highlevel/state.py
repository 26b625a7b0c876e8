"""What an account is made of: company, locations, users, objects, fields, folders and records.

Plain data; the operations on it live in `objects`, `fields`, `records` and `people`, all of which share one `World`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from syncline.sandbox.highlevel.crm import Crm
from syncline.sandbox.highlevel.documents import Shelf
from syncline.sandbox.highlevel.ids import Ids
from syncline.sandbox.highlevel.options import Options
from syncline.sandbox.highlevel.quota import Quota
from syncline.sandbox.highlevel.refusals import bad_request
from syncline.sandbox.highlevel.table import RecordTable, Row
from syncline.sandbox.highlevel.ties import Ties
from syncline.sandbox.highlevel.tokens import Tokens
from syncline.sandbox.highlevel.uploads import Media
from syncline.sandbox.highlevel.webhooks import Webhooks
from syncline.sandbox.wire import SandboxClock

CUSTOM_PREFIX = "custom_objects."
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


class DataType(Enum):
    """The types of custom fields, in the vendor's spelling."""

    TEXT = "TEXT"
    LARGE_TEXT = "LARGE_TEXT"
    NUMERICAL = "NUMERICAL"
    PHONE = "PHONE"
    MONETORY = "MONETORY"
    CHECKBOX = "CHECKBOX"
    SINGLE_OPTIONS = "SINGLE_OPTIONS"
    MULTIPLE_OPTIONS = "MULTIPLE_OPTIONS"
    DATE = "DATE"
    TEXTBOX_LIST = "TEXTBOX_LIST"
    FILE_UPLOAD = "FILE_UPLOAD"
    RADIO = "RADIO"


CHOICE_TYPES = frozenset({DataType.SINGLE_OPTIONS, DataType.RADIO})
CHOICES_TYPES = frozenset({DataType.MULTIPLE_OPTIONS, DataType.CHECKBOX})
OPTION_TYPES = CHOICE_TYPES | CHOICES_TYPES | {DataType.TEXTBOX_LIST}
UNIQUE_TYPES = frozenset({DataType.TEXT, DataType.LARGE_TEXT, DataType.NUMERICAL, DataType.PHONE})


class Option(msgspec.Struct, frozen=True, omit_defaults=True):
    """One choice of a field."""

    key: str
    label: str
    url: str = ""


class Field(msgspec.Struct, frozen=True):
    """One field of an object. `key` is the short key, as used in records."""

    id: str
    key: str
    name: str
    data_type: DataType
    parent_id: str
    added_ms: int
    updated_ms: int
    show_in_forms: bool = True
    description: str | None = None
    placeholder: str | None = None
    options: tuple[Option, ...] = ()
    accepted_formats: str | None = None
    max_file_limit: int | None = None
    allow_custom_option: bool | None = None
    is_unique: bool = False

    @property
    def option_keys(self) -> frozenset[str]:
        """The keys of all choices."""
        return frozenset(option.key for option in self.options)


class Folder(msgspec.Struct, frozen=True):
    """A group of fields."""

    id: str
    name: str


@dataclass(slots=True)
class ObjectType:
    """A custom or standard object of one location, with its records."""

    id: str
    key: str
    location_id: str
    singular: str
    plural: str
    primary: str
    added_ms: int
    updated_ms: int
    is_standard: bool = False
    description: str | None = None
    searchable: tuple[str, ...] = ()
    fields: dict[str, Field] = field(default_factory=dict[str, Field])
    folders: dict[str, Folder] = field(default_factory=dict[str, Folder])
    table: RecordTable = field(default_factory=RecordTable)
    cached: tuple[int, dict[str, object]] | None = None

    @property
    def has_records(self) -> bool:
        """Whether the records API and custom fields serve it: custom objects and `business` only (facts 1.3, 1.5)."""
        return not self.is_standard or self.key == "business"

    def full_key(self, short: str) -> str:
        """`custom_objects.pet.name` of `name`."""
        return f"{self.key}.{short}"


class User(msgspec.Struct, frozen=True):
    """A person who can sign in to some locations."""

    id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    role: str
    location_ids: tuple[str, ...]

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class Location:
    """A sub-account."""

    id: str
    name: str
    email: str
    timezone: str
    objects: dict[str, ObjectType] = field(default_factory=dict[str, ObjectType])
    crm: Crm = field(default_factory=Crm)
    shelf: Shelf = field(default_factory=Shelf)
    ties: Ties = field(default_factory=Ties)
    media: dict[str, Media] = field(default_factory=dict[str, Media])
    is_active: bool = True

    def rows_of(self, object_key: str) -> Mapping[str, Row]:
        """The records of an object, wherever they are kept."""
        if object_key == "contact":
            return self.crm.contacts.rows
        if object_key == "opportunity":
            return self.crm.opportunities.rows
        return self.objects[object_key].table.rows


@dataclass(slots=True)
class World:
    """One company with everything in it."""

    clock: SandboxClock
    ids: Ids
    options: Options
    company_id: str
    tokens: Tokens
    webhooks: Webhooks
    quota: Quota
    locations: dict[str, Location] = field(default_factory=dict[str, Location])
    users: dict[str, User] = field(default_factory=dict[str, User])
    search_lag_ms: int = 0
    served: int = 0

    def now_ms(self) -> int:
        """The current time in milliseconds since 1970."""
        return (self.clock.now() - _EPOCH) // _MILLISECOND

    def object_of(self, location_id: str, key: str) -> ObjectType:
        """By key, id or (where the options say so) key without prefix. Raises 400."""
        objects = self.locations[location_id].objects
        found = objects.get(key)
        if found is None and self.options.bare_object_key:
            found = objects.get(CUSTOM_PREFIX + key)
        if found is None:
            found = next((each for each in objects.values() if each.id == key), None)
        if found is None:
            raise bad_request(f"Object with key {key} not found")
        return found

    def all_objects(self) -> list[ObjectType]:
        """The objects of all locations."""
        return [each for location in self.locations.values() for each in location.objects.values()]


def iso(ms: int) -> str:
    """`2025-01-02T09:35:39.032Z`."""
    return (_EPOCH + ms * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms_of(text: str) -> int:
    """The other way. Raises `ValueError`."""
    at = dt.datetime.fromisoformat(text)
    return ((at if at.tzinfo else at.replace(tzinfo=dt.UTC)) - _EPOCH) // _MILLISECOND
