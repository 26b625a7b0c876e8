"""Custom fields of contacts and opportunities: their description into our fields, their values back and forth.

Pure. They are described by the location, not by the object (facts: highlevel-api.md 1.5): options are plain texts, a value is
written as `{id, field_value}` and read as `{id, value}` of a contact, `{id, fieldValue}` of an opportunity.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import cast

import msgspec

from syncline.connectors.highlevel.records import read_value
from syncline.connectors.highlevel.schema import TYPES, DataType, Property, data_type_of
from syncline.connectors.highlevel.writing import plain_value
from syncline.core.records import FieldId, FieldSchema, Option
from syncline.core.values import BLANK, FieldType, File, Files, Money, Value, is_blank
from syncline.errors import ConnectorError, Detail, RejectedError

_LISTS = frozenset({DataType.CHECKBOX, DataType.MULTIPLE_OPTIONS})
_CHOICES = frozenset({DataType.SINGLE_OPTIONS, DataType.RADIO})
_UPLOAD_ONLY = (
    "Files of contacts and opportunities come through an upload of HighLevel's own; they are only read."
)
_UNKNOWN = "HighLevel's type {} is not known here; the field is left alone."


class WireLocationField(msgspec.Struct, rename="camel"):
    """`CustomFieldSchema` of a location."""

    id: str
    field_key: str
    data_type: str
    name: str = ""
    picklist_options: list[str] | None = None
    is_allowed_custom_option: bool | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class CustomField:
    """One custom field: what the engine is told, and how it is read and written. `data_type` is None for one that is left
    alone."""

    id: str
    schema: FieldSchema
    data_type: DataType | None
    full_key: str


def custom_fields(
    wires: Iterable[WireLocationField], model: str, taken: Iterable[FieldId]
) -> tuple[CustomField, ...]:
    """The custom fields of contacts, or of opportunities. A key that a standard field has becomes `custom.<key>`."""
    used, found = set(taken), list[CustomField]()
    for wire in wires:
        if wire.model not in ("", model):
            continue
        key = wire.field_key.removeprefix(f"{model}.") or wire.id
        field_id = FieldId(f"custom.{key}" if key in used else key)
        if field_id not in used:
            used.add(field_id)
            found.append(_custom_field(wire, field_id))
    return tuple(found)


def read_customs(fields: Sequence[CustomField], listed: object, what: str) -> dict[FieldId, Value]:
    """The values of all custom fields; blank where the record holds none. Raises `ConnectorError` with the field."""
    held: dict[str, object] = {}
    for entry in cast("list[object]", listed) if isinstance(listed, list) else ():
        item = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
        held[str(item.get("id"))] = next(
            (value for name, value in item.items() if name == "value" or name.lower().startswith("field")),
            None,
        )
    return {
        field.schema.id: _value(field, held.get(field.id), what)
        for field in fields
        if field.data_type is not None
    }


@dataclass(frozen=True, slots=True)
class CustomStyle:
    """How values are written: under which key, and whether numbers are texts (opportunities have no number there)."""

    key: str = "field_value"
    has_numbers: bool = True


def written_custom(field: CustomField, value: Value, style: CustomStyle) -> Mapping[str, object]:
    """`{id, field_value}`; an empty text or list empties. Raises `RejectedError` with the field."""
    wire = _wire_value(field, value)
    return {
        "id": field.id,
        style.key: f"{wire:f}" if isinstance(wire, Decimal) and not style.has_numbers else wire,
    }


def _custom_field(wire: WireLocationField, field_id: FieldId) -> CustomField:
    data_type = data_type_of(wire.data_type)
    if data_type is DataType.TEXTBOX_LIST:
        data_type = None
    title = wire.name or field_id
    if data_type is None:
        note = _UNKNOWN.format(wire.data_type)
        schema = FieldSchema(field_id, title, FieldType.TEXT, is_read_only=True, note=note)
        return CustomField(wire.id, schema, None, wire.field_key)
    is_file = data_type is DataType.FILE_UPLOAD
    options = tuple(Option(label, label) for label in wire.picklist_options or ())
    schema = FieldSchema(
        id=field_id,
        title=title,
        type=TYPES[data_type],
        is_read_only=is_file,
        options=options if data_type in _LISTS | _CHOICES else None,
        is_open=bool(wire.is_allowed_custom_option),
        note=_UPLOAD_ONLY if is_file else "",
    )
    return CustomField(wire.id, schema, data_type, wire.field_key)


def _value(field: CustomField, found: object, what: str) -> Value:
    if field.data_type is None or found is None or found in ("", [], {}):
        return BLANK
    try:
        if field.data_type is DataType.FILE_UPLOAD:
            return _files(found)
        if field.data_type is DataType.DATE and isinstance(found, int):
            # Live answers tell some days in milliseconds.
            found = dt.datetime.fromtimestamp(found / 1000, dt.UTC).date().isoformat()
        return read_value(field.data_type, found)
    except (ValueError, OverflowError, OSError, InvalidOperation) as error:
        message = (
            f"{what}: {field.full_key} does not hold what HighLevel promises for {field.data_type.value}"
        )
        raise ConnectorError(message, field=field.schema.id) from error


def _files(found: object) -> Value:
    """`{"<uuid>": {"meta": {"originalname": …, "size": …}, "url": …}}`, as the specification's example has it."""
    if not isinstance(found, dict):
        return read_value(DataType.FILE_UPLOAD, found)
    return Files(tuple(_file(entry) for entry in cast("dict[str, object]", found).values()))


def _file(entry: object) -> File:
    item = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    meta = item.get("meta")
    about = cast("dict[str, object]", meta) if isinstance(meta, dict) else {}
    name, size, url = about.get("originalname"), about.get("size"), item.get("url")
    if not isinstance(url, str):
        raise ValueError
    return File(
        name=name if isinstance(name, str) else "", size=size if isinstance(size, int) else None, url=url
    )


def _wire_value(field: CustomField, value: Value) -> object:
    if field.data_type is None or field.schema.is_read_only:
        field_id = field.schema.id
        raise RejectedError(
            f"{field_id} cannot be changed: {field.schema.note}", field=field_id, detail=Detail.READ_ONLY
        )
    if is_blank(value):
        return [] if field.data_type in _LISTS else ""
    plain = plain_value(Property(field.schema.id, field.schema.id, field.data_type), value)
    # Unlike a record's, this amount is a bare number (specification: MonetoryField).
    return value.amount if isinstance(value, Money) else plain
