"""What somebody wants in an item's fields into what the item then holds, or every fault with what to do about it.

Used by `connectors.workspace.account` before each write, whoever asks for it. Only what is said of one item is checked here; that
the items which it points to are there is looked up by the caller (`pointing`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

import msgspec

from syncline.core.contracts import NEXT, ContractStatus, may_follow, way
from syncline.core.values import FieldType
from syncline.core.workspace import FORMS, ItemField, ItemForm, ItemRef, ItemType, Plain
from syncline.errors import Problem, ProblemKind

_MOST_LABELS, _LONGEST_LABEL = 100, 250
_MOST_DIGITS = 30
_EMAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CURRENCY = re.compile(r"[A-Z]{3}|default")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Fault(msgspec.Struct, frozen=True):
    """Why one value cannot be taken: what is wrong, and what to do."""

    message: str
    remedy: str
    kind: ProblemKind = ProblemKind.BAD_VALUE


class Checked(msgspec.Struct, frozen=True):
    """What the item then holds, and what is wrong with what was asked for. With a fault, nothing may be kept. `is_barred`: a status
    was asked for that may not follow the one there is."""

    fields: Mapping[str, Plain]
    problems: tuple[Problem, ...] = ()
    is_barred: bool = False


def checked_new(kind: ItemType, given: Mapping[str, object]) -> Checked:
    """The fields of a new item: what was given, and defaults for the rest.

    Laws: without problems, checking the outcome again as a change of itself changes nothing; what is required is there.
    """
    form = FORMS[kind]
    defaults = {each.name: each.default for each in form.fields if each.default is not None}
    missing = [
        _problem(each.name, _missing(), None)
        for each in form.fields
        if each.is_required and given.get(each.name) is None
    ]
    found = _taken(form, defaults, given)
    return Checked(found.fields, (*missing, *(each for each in found.problems if each not in missing)))


def checked_change(
    kind: ItemType, before: Mapping[str, Plain], given: Mapping[str, object], *, may_leap: bool = False
) -> Checked:
    """The fields of an item after a change: only the given ones differ, and None empties one. `may_leap`: whoever asks may have
    missed statuses in between.

    Laws: a field that is not given stays as it is (but a document's version); asking for what is there changes nothing; the order
    of the given fields does not matter.
    """
    found = _taken(FORMS[kind], before, given)
    barred = list[Problem]()
    if kind is ItemType.CONTRACT and not any(each.path == "status" for each in found.problems):
        barred += _status(before, found.fields, may_leap=may_leap)
    fields = dict(found.fields)
    if kind is ItemType.DOCUMENT and _is_reworded(before, fields):
        fields["version"] = int(cast("int", before.get("version", 1))) + 1
    return Checked(fields, (*found.problems, *barred), bool(barred))


def checked_parent(kind: ItemType, parent: ItemRef | None) -> tuple[Problem, ...]:
    """What is wrong with where an item is to be."""
    form = FORMS[kind]
    names = " or ".join(each.value for each in form.parents)
    if parent is None:
        if not form.needs_parent:
            return ()
        fault = Fault("is required", f"A {kind.value} belongs to a {names}: say which.", ProblemKind.MISSING)
        return (_problem(form.parents[0].value, fault, None),)
    if parent.kind in form.parents:
        return ()
    remedy = f"It belongs to a {names}." if names else "Leave it out: it belongs to nothing."
    return (
        _problem(
            "parent", Fault(f"cannot be a {parent.kind.value}", remedy), f"{parent.kind.value} {parent.id}"
        ),
    )


def pointing(kind: ItemType, fields: Mapping[str, Plain]) -> Iterator[tuple[str, ItemRef]]:
    """Which fields point to which other items."""
    for field in FORMS[kind].fields:
        found = fields.get(field.name)
        if field.references is not None and isinstance(found, str):
            yield field.name, ItemRef(field.references, found)


def not_there(name: str, ref: ItemRef) -> Problem:
    """That the item which a field points to is not there."""
    return _problem(
        name, Fault(f"is no {ref.kind.value} that is there", f"Give the id of a {ref.kind.value}."), ref.id
    )


def is_id(text: str) -> bool:
    """Whether a text can be an item's id: letters, digits and `_.-`, at most 64."""
    return _ID.fullmatch(text) is not None


def fits(fields: Mapping[str, Plain], where: Mapping[str, str]) -> bool:
    """Whether an item's fields are as a filter says: the same text, or one label of many; an empty text is an empty field."""
    return all(wanted in _texts(fields.get(name)) for name, wanted in where.items())


def _texts(found: Plain | None) -> tuple[str, ...]:
    match found:
        case None:
            return ("",)
        case bool():
            return ("true" if found else "false",)
        case list():
            return tuple(found) or ("",)
        case dict():
            return (found.get("amount", ""),)
        case _:
            return (str(found),)


def _taken(form: ItemForm, before: Mapping[str, Plain], given: Mapping[str, object]) -> Checked:
    fields, problems = dict(before), list[Problem]()
    for name in sorted(given):
        field = form.field(name)
        if field is None:
            known = ", ".join(each.name for each in form.fields)
            fault = Fault(
                f"is no field of a {form.kind.value}", f"There are: {known}.", ProblemKind.UNKNOWN_FIELD
            )
            problems.append(_problem(name, fault, None))
            continue
        found = plain(field, given[name])
        if not isinstance(found, Fault) and field.is_read_only and found != before.get(name):
            found = Fault("is read-only", field.note or "Leave it out.", ProblemKind.READ_ONLY)
        if isinstance(found, Fault):
            problems.append(_problem(name, found, given[name]))
        elif found is None:
            fields.pop(name, None)
        else:
            fields[name] = found
    return Checked(fields, tuple(problems))


def _status(before: Mapping[str, Plain], after: Mapping[str, Plain], *, may_leap: bool) -> Iterator[Problem]:
    old, new = (ContractStatus(str(fields["status"])) for fields in (before, after))
    if may_follow(old, new) or (may_leap and way(old, new) is not None):
        return
    allowed = ", ".join(each.value for each in NEXT[old])
    remedy = f"Allowed are: {allowed}." if allowed else f"A {old.value} contract stays so: make a new one."
    yield _problem("status", Fault(f"cannot follow {old.value}", remedy), new.value)


def _is_reworded(before: Mapping[str, Plain], after: Mapping[str, Plain]) -> bool:
    return any(before.get(name) != after.get(name) for name in ("title", "body"))


def _problem(name: str, fault: Fault, found: object) -> Problem:
    shown = "" if found is None else str(found)[:100]
    return Problem(name, f"{fault.message}.", fault.remedy, fault.kind, shown)


def _missing() -> Fault:
    return Fault("is required", "Give it a value.", ProblemKind.MISSING)


# --- one value --------------------------------------------------------------------------------------------------------


def plain(field: ItemField, given: object) -> Plain | Fault | None:
    """One given value in the form in which it is kept; None is empty.

    Laws: what came out goes in again unchanged.
    """
    if given is None:
        return field.default if field.default is not None else (_missing() if field.is_required else None)
    found = _TAKERS[field.type](field, given)
    return plain(field, None) if found in ("", []) else found


def _text(field: ItemField, given: object) -> Plain | Fault:
    if not isinstance(given, str):
        return Fault("is no text", "Give a text.")
    if "\0" in given or _SURROGATE.search(given):
        return Fault("holds a character that cannot be stored", "Leave it out.")
    if field.most is not None and len(given) > field.most:
        return Fault(f"has {len(given):,} characters", f"Give at most {field.most:,}.")
    return given if given.strip() else ""


def _number(field: ItemField, given: object) -> Plain | Fault:
    number = _decimal(given)
    if field.is_whole:
        top = f" and at most {field.most}" if field.most is not None else ""
        if number is None or number != number.to_integral_value() or not 0 <= number <= (field.most or 10**9):
            return Fault("is no such number", f"Give a whole number, at least 0{top}.")
        return int(number)
    return (
        Fault("is no number", "Give a decimal number, such as 1.5.") if number is None else _written(number)
    )


def _money(field: ItemField, given: object) -> Plain | Fault:
    remedy = 'Give {"amount": "1200.00", "currency": "EUR"}.'
    if not isinstance(given, Mapping):
        return Fault("is no amount", remedy)
    parts = cast("Mapping[object, object]", given)
    currency, amount = parts.get("currency", "default"), _decimal(parts.get("amount"))
    if amount is None or set(parts) - {"amount", "currency"}:
        return Fault("is no amount", remedy)
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        return Fault("has no such currency", "Give its three capital letters, or leave it out.")
    return {"amount": _written(amount), "currency": currency}


def _decimal(given: object) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(given).strip())
    except InvalidOperation:
        return None
    if (
        not number.is_finite()
        or abs(number.adjusted()) > _MOST_DIGITS
        or len(number.as_tuple().digits) > _MOST_DIGITS
    ):
        return None
    return number


def _written(number: Decimal) -> str:
    """The shortest way to write it: 12.50 is 12.5."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _yes_no(field: ItemField, given: object) -> Plain | Fault:
    return given if isinstance(given, bool) else Fault("is neither yes nor no", "Give true or false.")


def _day(field: ItemField, given: object) -> Plain | Fault:
    if isinstance(given, dt.date) and not isinstance(given, dt.datetime):
        return given.isoformat()
    try:
        if isinstance(given, str) and (not given or _DAY.fullmatch(given)):
            return given and dt.date.fromisoformat(given).isoformat()
    except ValueError:
        pass
    return Fault("is no day", "Give a day such as 2026-03-31.")


def _option(field: ItemField, given: object) -> Plain | Fault:
    keys = [option.key for option in field.options]
    if given in keys or given == "":
        return str(given)
    return Fault("is not one of the options", f"There are: {', '.join(keys)}.", ProblemKind.UNKNOWN_VALUE)


def _labels(field: ItemField, given: object) -> Plain | Fault:
    if not isinstance(given, list | tuple):
        return Fault("is no list", "Give a list of texts.")
    labels = list[str]()
    for each in cast("list[object]", given):
        text = _text(field, each)
        if not isinstance(text, str) or len(text) > _LONGEST_LABEL:
            return Fault(
                "holds something that is no label", f"Give texts of at most {_LONGEST_LABEL} characters."
            )
        labels.append(text.strip())
    if len(labels) > _MOST_LABELS:
        return Fault(f"has {len(labels)} labels", f"Give at most {_MOST_LABELS}.")
    return [each for each in dict.fromkeys(labels) if each]


def _person(field: ItemField, given: object) -> Plain | Fault:
    if isinstance(given, str) and len(given) <= 254 and (not given or _EMAIL.fullmatch(given)):
        text = _text(field, given)
        return text if isinstance(text, Fault) else given
    return Fault("is no e-mail address", "Give the person's e-mail address.")


def _phone(field: ItemField, given: object) -> Plain | Fault:
    text = _text(field, given)
    if not isinstance(text, str) or len(text) > 50 or (text and not any(each.isdigit() for each in text)):
        return Fault("is no phone number", "Give one such as +14155550100.")
    return text


def _reference(field: ItemField, given: object) -> Plain | Fault:
    if isinstance(given, str) and (not given or is_id(given)):
        return given
    kind = field.references.value if field.references else "item"
    return Fault("is no id", f"Give the id of a {kind}.")


def _never(field: ItemField, given: object) -> Plain | Fault:
    return Fault("cannot be set", "Leave it out.")


_TAKERS: Mapping[FieldType, Callable[[ItemField, object], Plain | Fault]] = {
    FieldType.TEXT: _text,
    FieldType.RICH_TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.MONEY: _money,
    FieldType.YES_NO: _yes_no,
    FieldType.DAY: _day,
    FieldType.MOMENT: _never,
    FieldType.PHONE: _phone,
    FieldType.ONE_OF: _option,
    FieldType.MANY_OF: _labels,
    FieldType.PERSON: _person,
    FieldType.REFERENCE: _reference,
    FieldType.FILES: _never,
}
