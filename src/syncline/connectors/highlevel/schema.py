"""A custom object as HighLevel describes it into our fields, and back to its property keys.

Pure. `object_records` builds a `Shape` from three answers (object, users, settings); `records` and `writing` read it.
Facts: highlevel-api.md 1.3-1.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import msgspec

from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option
from syncline.core.values import FieldType, Person
from syncline.errors import ConnectorError

BUSINESS = ObjectTypeId("business")
CUSTOM_PREFIX = "custom_objects."
OWNER = FieldId("owner")
FOLLOWERS = FieldId("followers")
CREATED_AT = FieldId("created_at")
UPDATED_AT = FieldId("updated_at")


class DataType(Enum):
    """HighLevel's own field types. `MONETORY` is its spelling; `EMAIL` exists on creation only."""

    TEXT = "TEXT"
    LARGE_TEXT = "LARGE_TEXT"
    EMAIL = "EMAIL"
    NUMERICAL = "NUMERICAL"
    PHONE = "PHONE"
    MONETORY = "MONETORY"
    CHECKBOX = "CHECKBOX"
    SINGLE_OPTIONS = "SINGLE_OPTIONS"
    MULTIPLE_OPTIONS = "MULTIPLE_OPTIONS"
    RADIO = "RADIO"
    DATE = "DATE"
    TEXTBOX_LIST = "TEXTBOX_LIST"
    FILE_UPLOAD = "FILE_UPLOAD"


TYPES: Mapping[DataType, FieldType] = {
    DataType.TEXT: FieldType.TEXT,
    DataType.LARGE_TEXT: FieldType.TEXT,
    DataType.EMAIL: FieldType.TEXT,
    DataType.NUMERICAL: FieldType.NUMBER,
    DataType.PHONE: FieldType.PHONE,
    DataType.MONETORY: FieldType.MONEY,
    DataType.CHECKBOX: FieldType.MANY_OF,
    DataType.MULTIPLE_OPTIONS: FieldType.MANY_OF,
    DataType.SINGLE_OPTIONS: FieldType.ONE_OF,
    DataType.RADIO: FieldType.ONE_OF,
    DataType.DATE: FieldType.DAY,
    DataType.TEXTBOX_LIST: FieldType.TEXT,
    DataType.FILE_UPLOAD: FieldType.FILES,
}
"""What each of them is to us."""
_CHOICES = frozenset({FieldType.MANY_OF, FieldType.ONE_OF})


# --- wire forms -----------------------------------------------------------------------------------------------------


class WireOption(msgspec.Struct):
    """One option of a field."""

    key: str
    label: str = ""


class WireField(msgspec.Struct, rename="camel"):
    """`ICustomField`. `data_type` stays a text: a new type must not break the others."""

    field_key: str
    data_type: str
    id: str = ""
    name: str = ""
    description: str | None = None
    options: list[WireOption] | None = None
    allow_custom_option: bool | None = None
    parent_id: str | None = None


class WireLabels(msgspec.Struct):
    """What an object is called."""

    singular: str = ""
    plural: str = ""


class WireObject(msgspec.Struct, rename="camel"):
    """`ICustomObjectSchema`."""

    key: str
    labels: WireLabels = msgspec.field(default_factory=WireLabels)
    id: str = ""
    primary_display_property: str = ""


class WireObjectAnswer(msgspec.Struct):
    """`GET /objects/{key}?fetchProperties=true`."""

    object: WireObject
    fields: list[WireField] = msgspec.field(default_factory=list[WireField])
    cache: bool = False


class WireUser(msgspec.Struct, rename="camel"):
    """A user of the location."""

    id: str
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""


# --- people ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class People:
    """The users of a location: ids and e-mail addresses into each other."""

    users: tuple[WireUser, ...] = ()
    is_known: bool = True

    @cached_property
    def _by_id(self) -> Mapping[str, Person]:
        return {user.id: Person(email=user.email, id=user.id, name=_name(user)) for user in self.users}

    @cached_property
    def _id_by_email(self) -> Mapping[str, str]:
        return {user.email.strip().casefold(): user.id for user in self.users if user.email}

    def person(self, user_id: str) -> Person:
        """The person of a user id; only the id when the user is not known."""
        return self._by_id.get(user_id) or Person(id=user_id)

    def id_of(self, person: Person) -> str | None:
        """The user id of a person: by e-mail; by id only where no e-mail is given."""
        if person.email:
            return self._id_by_email.get(person.email.strip().casefold())
        return person.id or None

    @property
    def options(self) -> tuple[Option, ...] | None:
        """The users as choices, None where they may not be read."""
        if not self.is_known:
            return None
        return tuple(Option(user.id, _name(user) or user.email, user.email) for user in self.users)


def _name(user: WireUser) -> str:
    return user.name or f"{user.first_name} {user.last_name}".strip()


# --- shape ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Property:
    """Where a field lives: `properties[key]`, or `properties[key][part]` for one line of a textbox list."""

    id: FieldId
    key: str
    data_type: DataType
    part: str | None = None


@dataclass(frozen=True)
class Shape:
    """An object type: what the engine is told (`schema`), and what decoding and encoding need.

    `key` is the full key of the path (`custom_objects.ticket`). `external_key` is the field that carries our own key,
    None where the object has none.
    """

    key: ObjectTypeId
    schema: ObjectSchema
    properties: tuple[Property, ...]
    people: People
    title_key: str = ""
    external_key: FieldId | None = None

    @cached_property
    def property_by_id(self) -> Mapping[FieldId, Property]:
        """The property of each field that lives in `properties`."""
        return {prop.id: prop for prop in self.properties}

    @cached_property
    def system_fields(self) -> frozenset[FieldId]:
        """The fields outside `properties` that this object has."""
        ids = {field.id for field in self.schema.fields} - self.property_by_id.keys()
        return frozenset(ids)


def shape_of(answer: WireObjectAnswer, people: People, external_key: FieldId | None) -> Shape:
    """The shape of an object type. Raises `ConnectorError` when two fields share a key."""
    wire = answer.object
    pairs = [pair for field in answer.fields for pair in _fields(field, wire.key, external_key)]
    taken = {schema.id for schema, _ in pairs}
    if len(taken) != len(pairs):
        raise ConnectorError(f"{wire.key}: two fields have the same key")
    system = [field for field in _system_fields(wire.key, people) if field.id not in taken]
    schema = ObjectSchema(
        id=ObjectTypeId(wire.key),
        title=wire.labels.plural or wire.labels.singular or wire.key,
        fields=(*(schema for schema, _ in pairs), *system),
    )
    return Shape(
        key=schema.id,
        schema=schema,
        properties=tuple(prop for _, prop in pairs if prop is not None),
        people=people,
        title_key=short_key(wire.primary_display_property, wire.key),
        external_key=external_key if external_key in taken else None,
    )


def short_key(field_key: str, object_key: str) -> str:
    """`custom_objects.ticket.title` into `title`, the form that records are read and written with."""
    prefix = f"{object_key}."
    if field_key.startswith(prefix):
        return field_key[len(prefix) :]
    return field_key.rsplit(".", 1)[-1]


def _fields(
    field: WireField, object_key: str, external_key: FieldId | None
) -> Iterator[tuple[FieldSchema, Property | None]]:
    """One field of ours for each field of theirs; one for each line of a textbox list."""
    key = short_key(field.field_key, object_key)
    title = field.name or key
    data_type = data_type_of(field.data_type)
    if data_type is None:
        note = f"HighLevel's type {field.data_type} is not known here; the field is left alone."
        yield FieldSchema(FieldId(key), title, FieldType.TEXT, is_read_only=True, note=note), None
    elif data_type is DataType.TEXTBOX_LIST:
        for option in field.options or ():
            part = FieldId(f"{key}.{option.key}")
            schema = FieldSchema(part, f"{title}: {option.label or option.key}", FieldType.TEXT)
            yield schema, Property(part, key, data_type, option.key)
    else:
        is_key = key == external_key
        yield (
            _plain_field(field, FieldId(key), data_type, is_key=is_key),
            Property(FieldId(key), key, data_type),
        )


def _plain_field(field: WireField, field_id: FieldId, data_type: DataType, *, is_key: bool) -> FieldSchema:
    kind = TYPES[data_type]
    return FieldSchema(
        id=field_id,
        title=field.name or field_id,
        type=kind,
        is_read_only=is_key,
        options=_options(field.options or ()) if kind in _CHOICES else None,
        is_open=bool(field.allow_custom_option),
        note="Syncline keeps its own key here; make the field unique in HighLevel." if is_key else "",
    )


def data_type_of(text: str) -> DataType | None:
    """HighLevel's type of that name; None for one that is not known here."""
    try:
        return DataType(text)
    except ValueError:
        return None


def _options(options: Iterable[WireOption]) -> tuple[Option, ...]:
    return tuple(Option(option.key, option.label or option.key) for option in options)


def _system_fields(object_key: str, people: People) -> Iterator[FieldSchema]:
    """Fields outside `properties`. Owner and followers exist on custom objects only (facts: 1.3).

    A property of the same key hides one of these.
    """
    if object_key.startswith(CUSTOM_PREFIX):
        note = (
            ""
            if people.is_known
            else "The token may not read users (users.readonly): people are known by id only."
        )
        yield FieldSchema(OWNER, "Owner", FieldType.PERSON, options=people.options, note=note)
        yield FieldSchema(FOLLOWERS, "Followers", FieldType.MANY_OF, options=people.options, note=note)
    yield FieldSchema(CREATED_AT, "Created at", FieldType.MOMENT, is_read_only=True)
    yield FieldSchema(UPDATED_AT, "Updated at", FieldType.MOMENT, is_read_only=True)
