"""The standard fields of contacts, opportunities, tasks and notes: HighLevel's own keys into our fields and back.

Pure. `Attribute` says where a field lives in an answer and in a body, `read_attribute` and `written` translate. What the
vendor's custom fields hold is the matter of `custom_values`. Facts: highlevel-api.md 1.8.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from typing import cast

from syncline.connectors.highlevel.schema import People
from syncline.core.records import FieldId, FieldSchema, ObjectTypeId, Option
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    ManyOf,
    Moment,
    Money,
    OneOf,
    Person,
    Phone,
    Reference,
    Text,
    Value,
    YesNo,
    canonical_phone,
    is_blank,
)
from syncline.errors import ConnectorError, Detail, RejectedError


class Form(Enum):
    """What a standard field holds, on the wire and with us."""

    TEXT = auto()
    PHONE = auto()
    YES_NO = auto()
    DAY = auto()
    MOMENT = auto()
    AMOUNT = auto()
    CHOICE = auto()
    LABELS = auto()
    PERSON = auto()
    RECORD = auto()


TYPES: Mapping[Form, FieldType] = {
    Form.TEXT: FieldType.TEXT,
    Form.PHONE: FieldType.PHONE,
    Form.YES_NO: FieldType.YES_NO,
    Form.DAY: FieldType.DAY,
    Form.MOMENT: FieldType.MOMENT,
    Form.AMOUNT: FieldType.MONEY,
    Form.CHOICE: FieldType.ONE_OF,
    Form.LABELS: FieldType.MANY_OF,
    Form.PERSON: FieldType.PERSON,
    Form.RECORD: FieldType.REFERENCE,
}


class Emptied(Enum):
    """What is sent to empty a field. `null` only where the official files allow it."""

    NULL = auto()
    TEXT = auto()
    NO = auto()
    ZERO = auto()
    NEVER = auto()


_EMPTY: Mapping[Emptied, object] = {
    Emptied.NULL: None,
    Emptied.TEXT: "",
    Emptied.NO: False,
    Emptied.ZERO: 0,
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One standard field. `key` is the vendor's, in answers and bodies; `others` are its names elsewhere.

    `is_fixed`: told when the record is made, and never changed after. `references` is the object type that a record
    field points to.
    """

    id: FieldId
    title: str
    key: str
    form: Form = Form.TEXT
    emptied: Emptied = Emptied.NULL
    is_required: bool = False
    is_read_only: bool = False
    is_fixed: bool = False
    is_open: bool = False
    others: tuple[str, ...] = ()
    references: ObjectTypeId | None = None
    note: str = ""

    def schema(self, options: tuple[Option, ...] | None = None, note: str = "") -> FieldSchema:
        """As the engine is told of it."""
        return FieldSchema(
            id=self.id,
            title=self.title,
            type=TYPES[self.form],
            is_required=self.is_required,
            is_read_only=self.is_read_only,
            options=options,
            is_open=self.is_open,
            references=self.references,
            note=" ".join(part for part in (self.note, note) if part),
        )


def read_attribute(attribute: Attribute, wire: Mapping[str, object], people: People, what: str) -> Value:
    """The value of a field in an answer; what is absent is blank. Raises `ConnectorError` with the field."""
    names = (attribute.key, *attribute.others)
    found = next((wire[name] for name in names if wire.get(name) is not None), None)
    if found is None or found in ("", []):
        return BLANK
    try:
        if attribute.form is Form.PERSON:
            return people.person(_text(found))
        if attribute.form is Form.RECORD:
            return Reference(str(attribute.references), _text(found))
        return _READERS[attribute.form](found)
    except (ValueError, InvalidOperation) as error:
        message = f"{what}: {attribute.key} does not hold what HighLevel promises"
        raise ConnectorError(message, field=attribute.id) from error


def written(attribute: Attribute, value: Value, people: People, *, is_new: bool) -> object:
    """The value as a body holds it. Raises `RejectedError` with the field for what HighLevel has no form for."""
    if attribute.is_read_only or (attribute.is_fixed and not is_new):
        reason = attribute.note or "HighLevel does not let anybody write it"
        detail = Detail.READ_ONLY if attribute.is_read_only else Detail.UNSUPPORTED
        raise RejectedError(f"{attribute.id} cannot be changed: {reason}", field=attribute.id, detail=detail)
    if is_blank(value):
        if attribute.emptied is Emptied.NEVER:
            raise RejectedError(
                f"{attribute.id} cannot be empty", field=attribute.id, detail=Detail.REQUIRED_FIELD
            )
        return _EMPTY[attribute.emptied]
    return _full(attribute, value, people)


def _full(attribute: Attribute, value: Value, people: People) -> object:
    match value, attribute.form:
        case Text(text), Form.TEXT:
            return text
        case Phone(number), Form.PHONE:
            standard = canonical_phone(number)
            return standard if standard.startswith("+") else number
        case YesNo(yes), Form.YES_NO:
            return yes
        case Day(day), Form.DAY:
            return day.isoformat()
        case Moment(at), Form.MOMENT:
            return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case Money(amount, currency), Form.AMOUNT if currency.casefold() == "default" and amount.is_finite():
            return amount
        case OneOf(key), Form.CHOICE:
            return key
        case ManyOf(keys), Form.LABELS:
            return list(dict.fromkeys(keys))
        case Person(), Form.PERSON:
            return _user(attribute, value, people)
        case Reference(_, key), Form.RECORD:
            return key
        case _:
            raise RejectedError(
                f"{attribute.id} cannot hold this value of type {type(value).__name__}",
                field=attribute.id,
                detail=Detail.VALIDATION,
            )


def _user(attribute: Attribute, person: Person, people: People) -> str:
    user = people.id_of(person)
    if user is None:
        raise RejectedError(
            "this person is no user of the HighLevel location",
            field=attribute.id,
            detail=Detail.UNKNOWN_PERSON,
        )
    return user


def _text(found: object) -> str:
    if isinstance(found, str):
        return found
    raise ValueError


def _yes_no(found: object) -> YesNo:
    if isinstance(found, bool):
        return YesNo(found)
    raise ValueError


def _day(found: object) -> Day:
    """`1990-09-25`, with or without a time after it."""
    return Day(dt.date.fromisoformat(_text(found)[:10]))


def _moment(found: object) -> Moment:
    at = dt.datetime.fromisoformat(_text(found))
    return Moment(at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC))


def _amount(found: object) -> Money:
    """A bare number in the location's own currency."""
    amount = Decimal(found) if isinstance(found, str | int | Decimal) else None
    if amount is None or not amount.is_finite():
        raise ValueError
    return Money(amount)


def _labels(found: object) -> ManyOf:
    if isinstance(found, list):
        return ManyOf(tuple(_text(label) for label in cast("list[object]", found)))
    raise ValueError


_READERS: Mapping[Form, Callable[[object], Value]] = {
    Form.TEXT: lambda found: Text(_text(found)),
    Form.PHONE: lambda found: Phone(_text(found)),
    Form.YES_NO: _yes_no,
    Form.DAY: _day,
    Form.MOMENT: _moment,
    Form.AMOUNT: _amount,
    Form.CHOICE: lambda found: OneOf(_text(found)),
    Form.LABELS: _labels,
}
