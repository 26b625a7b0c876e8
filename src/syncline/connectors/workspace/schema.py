"""The workspace's forms into the engine's schemas, and its plain values into typed ones and back.

Used by `connector`. What an item is under (its project, say) is a field here like any other reference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import assert_never, cast

from syncline.core.records import Ability, FieldId, FieldSchema, ObjectSchema, ObjectTypeId
from syncline.core.values import (
    BLANK,
    Blank,
    Day,
    FieldType,
    File,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)
from syncline.core.workspace import FORMS, Attachment, Item, ItemField, ItemForm, ItemType, Plain

ATTACHMENTS = FieldId("attachments")
_ABILITIES = frozenset({Ability.CREATE, Ability.UPDATE, Ability.DELETE, Ability.RESTORE})
_FILES = FieldSchema(
    ATTACHMENTS,
    "Attachments",
    FieldType.FILES,
    is_read_only=True,
    note="Files are attached through the workspace's own API.",
)


def schema_of(kind: ItemType) -> ObjectSchema:
    """An object type with its fields."""
    form = FORMS[kind]
    fields = (*(_field(each) for each in form.fields), *parent_fields(form), _FILES)
    return ObjectSchema(ObjectTypeId(kind.value), form.title, fields, _ABILITIES)


def parent_fields(form: ItemForm) -> Sequence[FieldSchema]:
    """One reference for each kind of item that its items can be under."""
    return [
        FieldSchema(
            FieldId(parent.value),
            FORMS[parent].title.removesuffix("s"),
            FieldType.REFERENCE,
            is_required=form.needs_parent and len(form.parents) == 1,
            references=ObjectTypeId(parent.value),
            note="" if len(form.parents) == 1 else "One of these is needed.",
        )
        for parent in form.parents
    ]


def _field(field: ItemField) -> FieldSchema:
    return FieldSchema(
        FieldId(field.name),
        field.title,
        field.type,
        is_required=field.is_required,
        is_read_only=field.is_read_only,
        options=field.options or None,
        is_open=field.type is FieldType.MANY_OF,
        max_length=None if field.is_whole else field.most,
        references=ObjectTypeId(field.references.value) if field.references else None,
        note=field.note,
    )


def values_of(item: Item, attachments: Sequence[Attachment]) -> dict[FieldId, Value]:
    """All fields of an item; what is empty is `Blank`."""
    form = FORMS[item.kind]
    values = {FieldId(each.name): value_of(each, item.fields.get(each.name)) for each in form.fields}
    for kind in form.parents:
        is_under = item.parent is not None and item.parent.kind is kind
        values[FieldId(kind.value)] = (
            Reference(kind.value, item.parent.id) if item.parent and is_under else BLANK
        )
    files = tuple(File(each.name, each.size, each.sha256) for each in attachments)
    values[ATTACHMENTS] = Files(files) if files else BLANK
    return values


def value_of(field: ItemField, found: Plain | None) -> Value:
    """One plain value as a typed one."""
    match field.type, found:
        case _, None:
            return BLANK
        case FieldType.MONEY, dict():
            return Money(Decimal(found["amount"]), found["currency"])
        case FieldType.MANY_OF, list():
            return ManyOf(tuple(found))
        case FieldType.YES_NO, bool():
            return YesNo(found)
        case FieldType.NUMBER, _:
            return Number(Decimal(cast("str | int", found)))
        case _:
            return _text_value(field, str(found))


def _text_value(field: ItemField, text: str) -> Value:
    match field.type:
        case FieldType.RICH_TEXT:
            return RichText(text)
        case FieldType.DAY:
            return Day(dt.date.fromisoformat(text))
        case FieldType.PHONE:
            return Phone(text)
        case FieldType.ONE_OF:
            return OneOf(text)
        case FieldType.PERSON:
            return Person(email=text)
        case FieldType.REFERENCE:
            return Reference(field.references.value if field.references else "", text)
        case _:
            return Text(text)


def given_of(value: Value) -> object:
    """One typed value as it is given to the checks; None is empty."""
    match value:
        case Blank():
            return None
        case Number(number):
            return str(number)
        case Money(amount, currency):
            return {"amount": str(amount), "currency": currency}
        case YesNo(yes):
            return yes
        case Day(day):
            return day.isoformat()
        case Moment(at):
            return at.isoformat()
        case ManyOf(keys):
            return list(keys)
        case _:
            return _given_text(value)


def _given_text(value: Text | RichText | Phone | OneOf | Person | Reference | Files) -> object:
    match value:
        case Text(text) | RichText(text) | Phone(text):
            return text
        case OneOf(key) | Reference(_, key):
            return key
        case Person(email, id_, name):
            # Somebody without an e-mail cannot be named here: the checks say so, showing who was meant.
            return email or name or id_
        case Files():
            return ()
        case _:
            assert_never(value)


def filter_value(name: str, form: ItemForm, accepted: str) -> Mapping[FieldId, Value]:
    """What a new item needs so that it passes a filter."""
    field = form.field(name)
    if field is None:
        return {FieldId(name): Reference(name, accepted)}
    if field.is_read_only:
        return {}
    if field.type is FieldType.MANY_OF:
        return {FieldId(name): ManyOf((accepted,))}
    if field.type is FieldType.YES_NO:
        return {FieldId(name): YesNo(accepted == "true")}
    return {FieldId(name): _text_value(field, accepted)}
