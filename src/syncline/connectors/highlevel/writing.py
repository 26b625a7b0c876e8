"""Field values into the bodies of HighLevel's create and update.

Pure. Called by `object_records`. Facts: highlevel-api.md 1.3; what is unconfirmed there is a setting (`WriteStyle`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Literal, cast

import msgspec

from syncline.connectors.highlevel.schema import FOLLOWERS, OWNER, DataType, Property, Shape
from syncline.core.records import Create, FieldId, Update
from syncline.core.values import (
    Blank,
    Day,
    Files,
    ManyOf,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Text,
    Value,
    canonical_phone,
    is_blank,
)
from syncline.errors import Detail, RejectedError

_LISTS = frozenset({DataType.CHECKBOX, DataType.MULTIPLE_OPTIONS, DataType.FILE_UPLOAD})
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class ListUpdate(Enum):
    """How an update of a many-valued field is sent. Which of them live accounts take is unconfirmed."""

    ADD_REMOVE = "add_remove"
    """`{"add": […], "remove": […]}`, as HighLevel's own pages say."""
    PLAIN = "plain"
    """The whole list, as third-party types say."""


@dataclass(frozen=True, slots=True)
class WriteStyle:
    """Choices where the sources contradict each other. `owner_key` names the owners in a body."""

    lists: ListUpdate = ListUpdate.ADD_REMOVE
    owner_key: Literal["owner", "owners"] = "owner"


def create_body(shape: Shape, create: Create, *, location: str, style: WriteStyle) -> msgspec.Raw:
    """The body of `POST /objects/{key}/records`. Blank fields are left out.

    Raises `RejectedError`, with the field, for a value that HighLevel has no form for.
    """
    body: dict[str, object] = {"locationId": location}
    properties: dict[str, object] = {}
    for field, value in create.fields.items():
        if is_blank(value):
            continue
        if _is_system(shape, field):
            body[_body_key(field, style)] = list(_system_keys(shape, field, value))
        else:
            properties[field] = plain_value(_property(shape, field), value)
    if create.external_key and shape.external_key:
        properties[shape.external_key] = create.external_key
    return encoded(body | {"properties": properties})


def update_body(shape: Shape, update: Update, *, style: WriteStyle) -> msgspec.Raw | None:
    """The body of `PUT /objects/{key}/records/{id}`, None when nothing is left to change.

    `update.was` must hold every field that `lists_without_past` names. Raises `RejectedError` as `create_body` does.
    """
    body: dict[str, object] = {}
    properties: dict[str, object] = {}
    for field, value in update.fields.items():
        was = update.was.get(field, Blank())
        if _is_system(shape, field):
            old, new = _system_keys(shape, field, was), _system_keys(shape, field, value)
            _put(body, _body_key(field, style), _list_change(old, new, style))
            continue
        prop = _property(shape, field)
        if prop.data_type in _LISTS:
            change = _list_change(_elements(prop, was), _elements(prop, value), style)
            _put(properties, field, _wrapped(prop, change))
        else:
            properties[field] = None if is_blank(value) else plain_value(prop, value)
    if properties:
        body["properties"] = properties
    return encoded(body) if body else None


def lists_without_past(shape: Shape, update: Update, style: WriteStyle) -> frozenset[FieldId]:
    """The many-valued fields of an update whose old value is needed and not told."""
    if style.lists is ListUpdate.PLAIN:
        return frozenset()
    return frozenset(field for field in update.fields if field not in update.was and _is_list(shape, field))


def _is_list(shape: Shape, field: FieldId) -> bool:
    prop = shape.property_by_id.get(field)
    return prop.data_type in _LISTS if prop else field in shape.system_fields


def encoded(body: Mapping[str, object]) -> msgspec.Raw:
    """JSON with exact numbers: the general encoder would turn a `Decimal` into a text."""
    return msgspec.Raw(_ENCODER.encode(body))


def _put(target: dict[str, object], key: str, value: object) -> None:
    if value is not None:
        target[key] = value


# --- owner and followers --------------------------------------------------------------------------------------------


def _is_system(shape: Shape, field: FieldId) -> bool:
    return field in (OWNER, FOLLOWERS) and field in shape.system_fields


def _body_key(field: FieldId, style: WriteStyle) -> str:
    return style.owner_key if field == OWNER else field


def _system_keys(shape: Shape, field: FieldId, value: Value) -> tuple[str, ...]:
    """The user ids of an owner or of followers."""
    match value:
        case Person() if field == OWNER:
            user = shape.people.id_of(value)
            if user is None:
                if is_blank(value):
                    return ()
                raise RejectedError(
                    "this person is no user of the HighLevel location",
                    field=field,
                    detail=Detail.UNKNOWN_PERSON,
                )
            return (user,)
        case ManyOf(keys) if field == FOLLOWERS:
            return keys
        case Blank():
            return ()
        case _:
            raise _misfit(field, value)


# --- properties -----------------------------------------------------------------------------------------------------


def _property(shape: Shape, field: FieldId) -> Property:
    prop = shape.property_by_id.get(field)
    if prop is None:
        raise RejectedError(
            f"{shape.key} has no field {field} that can be written", field=field, detail=Detail.UNKNOWN_FIELD
        )
    return prop


def _misfit(field: FieldId, value: Value) -> RejectedError:
    return RejectedError(
        f"{field} cannot hold a value of type {type(value).__name__}", field=field, detail=Detail.VALIDATION
    )


def plain_value(prop: Property, value: Value) -> object:
    """A value as the whole content of its property. Raises `RejectedError` as `create_body` does."""
    if prop.data_type in _LISTS:
        return _wrapped(prop, list(_elements(prop, value)))
    match value, prop.data_type:
        case Text(text), DataType.TEXT | DataType.LARGE_TEXT | DataType.EMAIL | DataType.TEXTBOX_LIST:
            return text
        case Number(number), DataType.NUMERICAL:
            return _finite(prop, number)
        case Phone(number), DataType.PHONE:
            standard = canonical_phone(number)
            return standard if standard.startswith("+") else number
        case Money(), DataType.MONETORY:
            return _money(prop, value)
        case OneOf(key), DataType.SINGLE_OPTIONS | DataType.RADIO:
            return key
        case Day(day), DataType.DATE:
            return day.isoformat()
        case _:
            raise _misfit(prop.id, value)


def _finite(prop: Property, number: Decimal) -> Decimal:
    """HighLevel keeps numbers as JavaScript does: what is no finite double cannot be stored."""
    if not math.isfinite(float(number)):
        raise RejectedError(f"{prop.id} cannot hold this number", field=prop.id, detail=Detail.VALIDATION)
    return number


def _money(prop: Property, money: Money) -> Mapping[str, object]:
    if money.currency.casefold() != "default":
        fault = f"{prop.id} holds money in the location's own currency only, not in {money.currency}"
        raise RejectedError(fault, field=prop.id, detail=Detail.VALIDATION)
    return {"currency": "default", "value": _finite(prop, money.amount)}


# --- many-valued properties -----------------------------------------------------------------------------------------


def _elements(prop: Property, value: Value) -> tuple[str, ...]:
    """The option keys, or the addresses of the files: what adding and removing goes by."""
    match value:
        case Blank():
            return ()
        case ManyOf(keys) if prop.data_type is not DataType.FILE_UPLOAD:
            return keys
        case Files(files) if prop.data_type is DataType.FILE_UPLOAD:
            if not all(file.url for file in files):
                raise RejectedError(
                    f"{prop.id}: a file must be uploaded first", field=prop.id, detail=Detail.VALIDATION
                )
            return tuple(file.url for file in files)
        case _:
            raise _misfit(prop.id, value)


def _list_change(old: tuple[str, ...], new: tuple[str, ...], style: WriteStyle) -> object:
    """The change from old to new in the chosen style, None when there is none."""
    add = [key for key in dict.fromkeys(new) if key not in old]
    remove = [key for key in dict.fromkeys(old) if key not in new]
    if style.lists is ListUpdate.PLAIN:
        return list(dict.fromkeys(new))
    return {"add": add, "remove": remove} if add or remove else None


def _wrapped(prop: Property, change: object) -> object:
    """File addresses as the objects that HighLevel expects; everything else as it is."""
    if prop.data_type is not DataType.FILE_UPLOAD:
        return change
    if isinstance(change, list):
        return [{"url": url} for url in cast("list[str]", change)]
    if isinstance(change, dict):
        parts = cast("dict[str, list[str]]", change)
        return {part: [{"url": url} for url in urls] for part, urls in parts.items()}
    return None
