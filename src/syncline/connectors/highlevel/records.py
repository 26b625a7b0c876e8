"""A record as HighLevel answers it into a `Record`.

Pure. Both read shapes are understood: `dateAdded`/`dateUpdated` of a direct read or write, `createdAt`/`updatedAt` of a
search (facts: highlevel-api.md 1.3). Called by `listing` and `object_records`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

import msgspec

from syncline.connectors.highlevel.schema import (
    CREATED_AT,
    FOLLOWERS,
    OWNER,
    UPDATED_AT,
    DataType,
    Property,
    Shape,
)
from syncline.core.records import FieldId, Record, RecordKey
from syncline.core.values import (
    BLANK,
    Day,
    File,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Phone,
    Text,
    Value,
)
from syncline.errors import ConnectorError


class WireRecord(msgspec.Struct, rename="camel"):
    """A record in either read shape. Empty properties are simply absent."""

    id: str
    properties: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    owner: list[str] | None = None
    followers: list[str] | None = None
    date_added: dt.datetime | None = None
    date_updated: dt.datetime | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    last_updated_by: object = None


_DECODER = msgspec.json.Decoder(WireRecord, float_hook=Decimal)


def to_record(shape: Shape, raw: bytes | msgspec.Raw) -> Record:
    """One record. Fields that the shape knows and the record lacks are blank.

    Raises `ConnectorError`, with the field where one is at fault, when it is not of the expected form.
    """
    try:
        wire = _DECODER.decode(raw)
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{shape.key}: a record is not of the expected form ({error})") from error
    created, updated = wire.date_added or wire.created_at, wire.date_updated or wire.updated_at
    fields = {prop.id: _value(shape, prop, wire.properties) for prop in shape.properties}
    external = fields.get(shape.external_key) if shape.external_key else None
    return Record(
        key=RecordKey(wire.id),
        fields={**fields, **_system_values(shape, wire, created, updated)},
        updated_at=updated,
        created_at=created,
        updated_by=_author(shape, wire.last_updated_by),
        title=_plain(wire.properties.get(shape.title_key)),
        external_key=external.text if isinstance(external, Text) else "",
    )


def _author(shape: Shape, told: object) -> str:
    """Who changed a record last: a user's e-mail, else the id of the user or program. Only a search tells (facts: 1.3,
    provenance)."""
    source = cast("dict[object, object]", told).get("sourceId") if isinstance(told, dict) else None
    return (shape.people.person(source).email or source) if isinstance(source, str) else ""


def _plain(value: object) -> str:
    return str(value) if isinstance(value, str | int | Decimal) else ""


def _system_values(
    shape: Shape, wire: WireRecord, created: dt.datetime | None, updated: dt.datetime | None
) -> Mapping[FieldId, Value]:
    owner, followers = wire.owner or (), tuple(wire.followers or ())
    values: dict[FieldId, Value] = {
        OWNER: shape.people.person(owner[0]) if owner else BLANK,
        FOLLOWERS: ManyOf(followers) if followers else BLANK,
        CREATED_AT: Moment(created) if created else BLANK,
        UPDATED_AT: Moment(updated) if updated else BLANK,
    }
    return {field: value for field, value in values.items() if field in shape.system_fields}


def _value(shape: Shape, prop: Property, properties: Mapping[str, object]) -> Value:
    found = properties.get(prop.key) if prop.part is None else _part(prop, properties)
    if found is None or found == "" or found == [] or found == {}:
        return BLANK
    try:
        return read_value(prop.data_type, found)
    except (ValueError, InvalidOperation) as error:
        message = f"{shape.key}: {prop.id} does not hold what HighLevel promises for {prop.data_type.value}"
        raise ConnectorError(message, field=prop.id) from error


def read_value(data_type: DataType, found: object) -> Value:
    """What a property holds. Raises `ValueError` and `InvalidOperation` for what its type does not promise."""
    return _READERS[data_type](found)


def _part(prop: Property, properties: Mapping[str, object]) -> object:
    """One line of a textbox list: read nested, written (and shown in the specification) dotted."""
    nested = properties.get(prop.key)
    if isinstance(nested, dict) and prop.part in nested:
        return cast("dict[str | None, object]", nested)[prop.part]
    return properties.get(prop.id)


def _text(value: object) -> Text:
    if isinstance(value, str | int | Decimal):
        return Text(str(value))
    raise ValueError


def _decimal(value: object) -> Decimal:
    number = Decimal(value) if isinstance(value, str | int | Decimal) else None
    if number is None or not number.is_finite():
        raise ValueError
    return number


def _number(value: object) -> Number:
    return Number(_decimal(value))


def _money(value: object) -> Money:
    """`{"currency": "default", "value": 100}`; a bare number is an amount in the location's currency."""
    if not isinstance(value, dict):
        return Money(_decimal(value))
    parts = cast("dict[str, object]", value)
    currency = parts.get("currency") or "default"
    if not isinstance(currency, str):
        raise ValueError
    return Money(_decimal(parts.get("value")), currency)


def _phone(value: object) -> Phone:
    return Phone(_text(value).text)


def _day(value: object) -> Day:
    """`2024-07-11`; a time after it is cut off, since HighLevel has no date with time (facts: 6 row 8)."""
    if isinstance(value, str):
        return Day(dt.date.fromisoformat(value[:10]))
    raise ValueError


def _one_of(value: object) -> OneOf:
    return OneOf(_text(value).text)


def _many_of(value: object) -> ManyOf:
    if not isinstance(value, list):
        return ManyOf((_text(value).text,))
    return ManyOf(tuple(_text(key).text for key in cast("list[object]", value)))


def _files(value: object) -> Files:
    if not isinstance(value, list):
        raise ValueError
    return Files(tuple(_file(file) for file in cast("list[object]", value)))


def _file(value: object) -> File:
    """`{"url": …}`. Further data about a file is unconfirmed (facts: 1.3) and only taken in the obvious form."""
    if isinstance(value, str):
        return File(url=value)
    if not isinstance(value, dict):
        raise ValueError
    parts = cast("dict[str, object]", value)
    url, name, size = parts.get("url"), parts.get("name"), parts.get("size")
    if not isinstance(url, str):
        raise ValueError
    return File(
        name=name if isinstance(name, str) else "", size=size if isinstance(size, int) else None, url=url
    )


_READERS: Mapping[DataType, Callable[[object], Value]] = {
    DataType.TEXT: _text,
    DataType.LARGE_TEXT: _text,
    DataType.EMAIL: _text,
    DataType.NUMERICAL: _number,
    DataType.PHONE: _phone,
    DataType.MONETORY: _money,
    DataType.CHECKBOX: _many_of,
    DataType.SINGLE_OPTIONS: _one_of,
    DataType.MULTIPLE_OPTIONS: _many_of,
    DataType.RADIO: _one_of,
    DataType.DATE: _day,
    DataType.TEXTBOX_LIST: _text,
    DataType.FILE_UPLOAD: _files,
}
