"""A wished custom object into a real one: made where it is missing, checked where it is there.

Called by the demo, and by users who set up a location. Idempotent. Keys are always read back, never derived: HighLevel
drops letters that it does not like (facts: highlevel-api.md 1.5).

No API makes a field unique. Open Settings, Objects, the object, the field, and switch on "unique" by hand for the field
that carries the external key (facts: 6 row 2; it cannot be switched off again). Without it a repeated create is found
by search only, which lags.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from syncline.connectors.highlevel.client import Client, FieldsAnswer
from syncline.connectors.highlevel.schema import CUSTOM_PREFIX, DataType, WireField, WireOption, short_key
from syncline.core.records import FieldId, ObjectTypeId
from syncline.errors import Problem, SetupError

FOLDER = "Syncline"


@dataclass(frozen=True, slots=True)
class FieldWish:
    """A field: the name that people see, HighLevel's type, and the labels of its options."""

    name: str
    data_type: DataType = DataType.TEXT
    options: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key to ask for; HighLevel may choose another."""
        return slug(self.name)


@dataclass(frozen=True, slots=True)
class ObjectWish:
    """A custom object. `primary` names its records (TEXT or NUMERICAL). A location holds ten objects at most."""

    key: str
    singular: str
    plural: str
    primary: FieldWish
    fields: tuple[FieldWish, ...] = ()
    description: str = ""

    @property
    def full_key(self) -> ObjectTypeId:
        """The key with its prefix, which is how objects are addressed."""
        return ObjectTypeId(CUSTOM_PREFIX + self.key.removeprefix(CUSTOM_PREFIX))


@dataclass(frozen=True, slots=True)
class Made:
    """An object that is there with all wished fields: their ids by wished name, and how many things were created."""

    object_type: ObjectTypeId
    fields: Mapping[str, FieldId]
    created: int


def slug(name: str) -> str:
    """Lower case ASCII letters and digits with underscores between words."""
    plain = "".join(c if c.isascii() and c.isalnum() else " " for c in name.lower())
    return "_".join(plain.split())


@dataclass(frozen=True, slots=True)
class Survey:
    """What of a wished object is there already: its key (None: no such object), and its fields by wished name."""

    object_type: ObjectTypeId | None
    fields: Mapping[str, FieldId]
    missing: tuple[FieldWish, ...]


async def survey_object(client: Client, wish: ObjectWish) -> Survey:
    """What `ensure_object` would find, and make. Nothing is made. Raises `SetupError` as it does."""
    wished = (wish.primary, *wish.fields)
    key = next((o.key for o in await client.objects() if o.key == wish.full_key), None)
    if key is None:
        return Survey(None, {}, wished)
    there = await client.fields(key)
    found = {field.name: _find(field, there.fields, key) for field in wished}
    _refuse_misfits(wish, found)
    ids = {name: FieldId(short_key(each.field_key, key)) for name, each in found.items() if each is not None}
    return Survey(ObjectTypeId(key), ids, tuple(each for each in wished if found[each.name] is None))


async def ensure_object(client: Client, wish: ObjectWish) -> Made:
    """Make the object and those fields that are missing, and answer the field ids by wished name.

    Needs `objects/schema.write` and `locations/customFields.write`. Raises `SetupError` with all fields that are there
    with another type or without a wished option; nothing is created then.
    """
    before = {each.key for each in await client.objects()}
    key, created = (wish.full_key, 0) if wish.full_key in before else (None, 0)
    if key is None:
        await client.create_object(_object_body(wish))
        key, created = await _created_key(client, wish, before), 1
    there = await client.fields(key)
    found = {field.name: _find(field, there.fields, key) for field in (wish.primary, *wish.fields)}
    _refuse_misfits(wish, found)
    missing = [field for field in (wish.primary, *wish.fields) if found[field.name] is None]
    if missing:
        folder = await _folder(client, key, there)
        for field in missing:
            found[field.name] = await client.create_field(_field_body(field, key, folder))
    ids = {
        name: FieldId(short_key(field.field_key, key)) for name, field in found.items() if field is not None
    }
    return Made(ObjectTypeId(key), ids, created + len(missing))


async def _created_key(client: Client, wish: ObjectWish, before: Container[str]) -> str:
    """The key that HighLevel gave to the object just created; others may have the same name."""
    new = [each for each in await client.objects() if each.key not in before]
    named = [each.key for each in new if each.key == wish.full_key or each.labels.plural == wish.plural]
    if not named:
        raise SetupError(
            f"HighLevel does not list the new object {wish.full_key} yet; try again in a minute."
        )
    return named[0]


def _object_body(wish: ObjectWish) -> Mapping[str, object]:
    primary = wish.primary
    body: dict[str, object] = {
        "labels": {"singular": wish.singular, "plural": wish.plural},
        "key": wish.full_key,
        "primaryDisplayPropertyDetails": {
            "key": f"{wish.full_key}.{primary.key}",
            "name": primary.name,
            "dataType": primary.data_type.value,
        },
    }
    return body | ({"description": wish.description} if wish.description else {})


def _field_body(field: FieldWish, object_key: str, folder: str) -> Mapping[str, object]:
    body: dict[str, object] = {
        "name": field.name,
        "dataType": field.data_type.value,
        "fieldKey": f"{object_key}.{field.key}",
        "objectKey": object_key,
        "parentId": folder,
        "showInForms": True,
    }
    if field.options:
        body["options"] = [{"key": key, "label": label} for key, label in _option_keys(field.options)]
    return body


def _option_keys(labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A key of its own for each label, also where two differ in signs only (`C`, `C++`)."""
    taken: set[str] = set()
    for number, label in enumerate(labels, 1):
        key = slug(label)
        if not key or key in taken:
            key = f"{key or 'option'}_{number}"
        taken.add(key)
        yield key, label


async def _folder(client: Client, object_key: str, there: FieldsAnswer) -> str:
    """Fields live in a folder: our own, else the one that is there, else a new one."""
    named = [folder.id for folder in there.folders if folder.name == FOLDER]
    if named or there.folders:
        return (named or [there.folders[0].id])[0]
    return (await client.create_folder(object_key, FOLDER)).id


def _find(wish: FieldWish, fields: Sequence[WireField], object_key: str) -> WireField | None:
    """The field of that name, else of that key."""
    by_name = [field for field in fields if field.name.casefold() == wish.name.casefold()]
    by_key = [field for field in fields if short_key(field.field_key, object_key) == wish.key]
    return next(iter(by_name or by_key), None)


def _refuse_misfits(wish: ObjectWish, found: Mapping[str, WireField | None]) -> None:
    problems: list[Problem] = []
    for field in (wish.primary, *wish.fields):
        there = found[field.name]
        if there is None:
            continue
        path = f"{wish.full_key}.{field.name}"
        if there.data_type not in _accepted(field.data_type):
            fault = f"is there as {there.data_type}, wished as {field.data_type.value}."
            problems.append(Problem(path, fault, "Rename the field in HighLevel, or choose another name."))
        elif lacking := _lacking(field, there.options or ()):
            fault = f"lacks the options {', '.join(lacking)}."
            problems.append(Problem(path, fault, "Add them in HighLevel."))
    if problems:
        raise SetupError("The object is there, but does not fit.", tuple(problems))


def _accepted(wished: DataType) -> frozenset[str]:
    """`EMAIL` can only be asked for; whether it then reads as `TEXT` is unconfirmed (facts: 1.5)."""
    also = {DataType.TEXT.value} if wished is DataType.EMAIL else set[str]()
    return frozenset({wished.value} | also)


def _lacking(field: FieldWish, there: Sequence[WireOption]) -> list[str]:
    labels = {option.label.casefold() for option in there} | {option.key for option in there}
    return [label for label in field.options if label.casefold() not in labels and slug(label) not in labels]
