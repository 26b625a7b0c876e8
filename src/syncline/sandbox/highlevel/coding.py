"""The `properties` of a request, checked by field type and brought into the form that HighLevel stores.

Called by `records` for the API and for people in the web app. Sources: highlevel-api.md 1.3 (encodings), 6 (pitfalls).
A value that is cleared or empty is not stored at all, so that it is absent when read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import phonenumbers

from syncline.sandbox.highlevel.jsons import as_list, as_number, as_object, as_texts
from syncline.sandbox.highlevel.options import PlainArray
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request, unprocessable
from syncline.sandbox.highlevel.state import DataType, Field

T = TypeVar("T")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EDIT_KEYS = frozenset({"add", "remove"})


class WrongValueError(Exception):
    """A value does not fit its field; the text becomes one message of a 422."""


class WrongOptionError(WrongValueError):
    """The value is of the right type, but no option of the field."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How strictly to read. `plain_array` is None for a create, where an array is the documented form."""

    plain_array: PlainArray | None
    invalid_option_status: int


@dataclass(frozen=True, slots=True)
class _Slot:
    field: Field
    before: object
    rules: Rules


def apply_properties(
    fields: Mapping[str, Field], before: Mapping[str, object], given: Mapping[str, object], rules: Rules
) -> dict[str, object]:
    """The properties after a write; `null` clears. Raises 400 for an unknown key and 422 for wrong values."""
    after = dict(before)
    problems: list[str] = []
    status = 422
    for key, value in given.items():
        field, option = _addressed(fields, key)
        try:
            stored = _stored(_Slot(field, after.get(field.key), rules), option, value)
        except WrongValueError as exc:
            problems.append(f"{key} {exc}")
            status = rules.invalid_option_status if isinstance(exc, WrongOptionError) else status
            continue
        if stored is None:
            after.pop(field.key, None)
        else:
            after[field.key] = stored
    if problems:
        raise RefusalError(status, "; ".join(problems)) if status == 400 else unprocessable(*problems)
    return after


def _addressed(fields: Mapping[str, Field], key: str) -> tuple[Field, str | None]:
    """The field a key means, and the option for `<text box list>.<option>`."""
    if key in fields:
        return fields[key], None
    head, _, option = key.partition(".")
    field = fields.get(head)
    if field is None or field.data_type is not DataType.TEXTBOX_LIST or option not in field.option_keys:
        raise bad_request("Invalid Key Passed")
    return field, option


def _stored(slot: _Slot, option: str | None, value: object) -> object:
    if option is not None:
        return _box(slot, option, value)
    if value is None:
        return None
    return _CODERS[slot.field.data_type](slot, value)


def _text(slot: _Slot, value: object) -> object:
    if not isinstance(value, str):
        raise WrongValueError("must be a string")
    return value or None


def _number(slot: _Slot, value: object) -> object:
    number = as_number(value)
    if number is None:
        raise WrongValueError("must be a number")
    return js_number(number)


def _money(slot: _Slot, value: object) -> object:
    money = as_object(value)
    if money is None or money.keys() != {"currency", "value"}:
        raise WrongValueError("must be an object with currency and value")
    number = as_number(money["value"])
    if number is None:
        raise WrongValueError("must have a number as value")
    if money["currency"] != "default":
        raise WrongValueError("must have the currency default")
    return {"currency": "default", "value": js_number(number)}


def _phone(slot: _Slot, value: object) -> object:
    if not isinstance(value, str):
        raise WrongValueError("must be a string")
    if not value:
        return None
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as exc:
        raise WrongValueError("must be a valid phone number with country code") from exc
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _day(slot: _Slot, value: object) -> object:
    if not isinstance(value, str):
        raise WrongValueError("must be a date string")
    if not value:
        return None
    try:
        if not _DAY.fullmatch(value):
            raise ValueError
        dt.date.fromisoformat(value)
    except ValueError:
        raise WrongValueError("must be a date of the form YYYY-MM-DD") from None
    return value


def _choice(slot: _Slot, value: object) -> object:
    return _option(slot.field, value) if value != "" else None


def _choices(slot: _Slot, value: object) -> object:
    before = as_texts(slot.before) or []
    return merged(before, value, slot.rules.plain_array, lambda item: _option(slot.field, item)) or None


def _files(slot: _Slot, value: object) -> object:
    before = [_file(item) for item in as_list(slot.before) or []]
    urls = merged(before, value, slot.rules.plain_array, _file)
    limit = slot.field.max_file_limit
    if limit is not None and len(urls) > limit:
        raise WrongValueError(f"must have no more than {limit} files")
    return [{"url": url} for url in urls] or None


def _box_list(slot: _Slot, value: object) -> object:
    raise WrongValueError("must be written as <field>.<option>")


def _box(slot: _Slot, option: str, value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise WrongValueError("must be a string")
    boxes = dict(as_object(slot.before) or {})
    boxes.pop(option, None)
    return (boxes | {option: value} if value else boxes) or None


def _option(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError("must be the key of an option")
    if value not in field.option_keys and not field.allow_custom_option:
        raise WrongOptionError(f"must be one of the following values: {', '.join(sorted(field.option_keys))}")
    return value


def _file(value: object) -> str:
    url = (as_object(value) or {}).get("url")
    if not isinstance(url, str) or not url:
        raise WrongValueError("must be a list of objects with a url")
    return url


def merged(
    before: Sequence[T], value: object, plain_array: PlainArray | None, parse: Callable[[object], T]
) -> list[T]:
    """A multi-valued field after a write: an array, or (in an update) `{"add": [...], "remove": [...]}`.

    `plain_array` says what an array does in an update; None when the record is being made. Raises `WrongValueError`.
    """
    items = as_list(value)
    if items is not None:
        return _from_array(before, [parse(item) for item in items], plain_array)
    edit = as_object(value)
    if edit is None or plain_array is None or not edit.keys() <= _EDIT_KEYS:
        raise WrongValueError(
            "must be an array" if plain_array is None else "must be an object with add and remove"
        )
    added, removed = as_list(edit.get("add", [])), as_list(edit.get("remove", []))
    if added is None or removed is None:
        raise WrongValueError("must have arrays as add and remove")
    gone = [parse(item) for item in removed]
    return _once([item for item in before if item not in gone] + [parse(item) for item in added])


def _from_array(before: Sequence[T], given: list[T], plain_array: PlainArray | None) -> list[T]:
    if plain_array is PlainArray.REJECT:
        raise WrongValueError("must be an object with add and remove")
    return _once([*before, *given]) if plain_array is PlainArray.MERGE else _once(given)


def _once(items: list[T]) -> list[T]:
    return list(dict.fromkeys(items))


def js_number(number: float) -> float:
    """As a vendor written in JavaScript keeps and prints it: a double, whole numbers without a point."""
    try:
        value = float(number)
    except OverflowError:
        raise WrongValueError("must be a number") from None
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


_CODERS: Mapping[DataType, Callable[[_Slot, object], object]] = {
    DataType.TEXT: _text,
    DataType.LARGE_TEXT: _text,
    DataType.NUMERICAL: _number,
    DataType.PHONE: _phone,
    DataType.MONETORY: _money,
    DataType.CHECKBOX: _choices,
    DataType.SINGLE_OPTIONS: _choice,
    DataType.MULTIPLE_OPTIONS: _choices,
    DataType.DATE: _day,
    DataType.TEXTBOX_LIST: _box_list,
    DataType.FILE_UPLOAD: _files,
    DataType.RADIO: _choice,
}
