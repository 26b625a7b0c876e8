"""A lens and some values into those that do not survive the way there and back.

Called by `engine.trial` before a mapping may be switched on, with generated values of each type and with values of the
customer's own records. What it checks is the round trip law of `mapping`; where a line joins two fields of one type, or
by a transform, real values have to come back themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.decisions import line_name
from syncline.core.mapping import Direction, Lens
from syncline.core.records import FieldSchema, Option, Side
from syncline.core.values import (
    BLANK,
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
    same,
)

_OPTIONS = 100

_NUMBERS = ("0", "1", "-1.5", "0.25", "0.1", "12345678.91")
_TEXTS = ("a", "Ab", "Ä é ß", "one\ntwo", "0", "1,5", "a, b", "<b>x</b> & y", "2026-03-01", "yes")
_PLAIN: dict[FieldType, tuple[Value, ...]] = {
    FieldType.TEXT: tuple(Text(each) for each in _TEXTS),
    FieldType.RICH_TEXT: (RichText("<p>a</p>"), RichText("<p>a <b>b</b></p><ul><li>c &amp; d</li></ul>")),
    FieldType.NUMBER: tuple(Number(Decimal(each)) for each in _NUMBERS),
    FieldType.MONEY: (Money(Decimal("0.01")), Money(Decimal("-19.99")), Money(Decimal(7), "EUR")),
    FieldType.YES_NO: (YesNo(yes=True), YesNo(yes=False)),
    FieldType.DAY: (Day(dt.date(2024, 2, 29)), Day(dt.date(1999, 12, 31))),
    FieldType.MOMENT: (
        Moment(dt.datetime(2026, 3, 1, 23, 59, 59, tzinfo=dt.UTC)),
        Moment(dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)),
    ),
    FieldType.PHONE: (Phone("+14155550100"), Phone("+442079460000 ext. 7")),
    FieldType.ONE_OF: (OneOf("a"),),
    FieldType.MANY_OF: (ManyOf(("a", "b")),),
    FieldType.PERSON: (Person(email="owner@example.test"),),
    FieldType.REFERENCE: (Reference("thing", "1"),),
    FieldType.FILES: (Files((File("a.txt", 3, "", "https://example.test/a.txt"),)),),
}
_CHOICES = frozenset({FieldType.ONE_OF, FieldType.MANY_OF, FieldType.PERSON})


class Loss(msgspec.Struct, frozen=True):
    """A value of `side` that becomes `there` on the other one, and comes back as something else."""

    line: str
    side: Side
    value: Value
    there: Value
    back: Value


class Uncarried(msgspec.Struct, frozen=True):
    """A value of `side` that has no counterpart: a record that holds it is held in this field."""

    line: str
    side: Side
    value: Value
    reason: str


def samples(field: FieldSchema) -> tuple[Value, ...]:
    """Values that a field may hold, always the same: each of its options, else some of its type; and blank."""
    options = (field.options or ())[:_OPTIONS]
    match field.type:
        case FieldType.ONE_OF if options:
            made: tuple[Value, ...] = tuple(OneOf(each.key) for each in options)
        case FieldType.MANY_OF if options:
            keys = tuple(each.key for each in options)
            made = (*(ManyOf((key,)) for key in keys), ManyOf(keys[:2]))
        case FieldType.PERSON if options:
            made = tuple(_person(each) for each in options)
        case _:
            made = _PLAIN[field.type]
    return (*made, BLANK)


def _person(option: Option) -> Value:
    return Person(option.email, option.key, option.label)


def losses(lens: Lens, side: Side, values: Iterable[Value], *, is_exact: bool = False) -> Iterator[Loss]:
    """The values of one side that do not survive; none for a line that is one-way or declared lossy. `is_exact`: the
    value itself has to come back, where each value stands for itself."""
    mapping = lens.mapping
    if mapping.direction is not Direction.BOTH or mapping.is_lossy:
        return
    is_exact = is_exact and _is_plain(lens)
    line = line_name(mapping.left, mapping.right)
    for value in values:
        there = lens.to(side.other, value)
        back = there if isinstance(there, Untranslatable) else lens.to(side, there)
        if isinstance(there, Untranslatable) or isinstance(back, Untranslatable):
            continue
        again = lens.to(side.other, back)
        is_kept = not isinstance(again, Untranslatable) and same(again, there)
        if not is_kept or (is_exact and not same(back, value)):
            yield Loss(line, side, value, there, back)


def generated_losses(lens: Lens) -> tuple[Loss, ...]:
    """What does not survive of generated values. One side may have several ways to say the same, so it is enough when
    the values of the other come back as they were."""
    exact = [tuple(losses(lens, side, samples(lens.of(side)), is_exact=True)) for side in Side]
    if all(exact):
        return tuple(loss for found in exact for loss in found)
    return tuple(loss for side in Side for loss in losses(lens, side, samples(lens.of(side))))


def uncarried(lens: Lens, side: Side, values: Iterable[Value]) -> Iterator[Uncarried]:
    """The values of one side that have no counterpart, where the line would carry them over. What points to a record that is
    still to be linked will have one."""
    if not lens.flows_to(side.other):
        return
    for value in values:
        there = lens.to(side.other, value)
        if isinstance(there, Untranslatable) and not there.is_awaited:
            yield Uncarried(line_name(lens.mapping.left, lens.mapping.right), side, value, there.reason)


def _is_plain(lens: Lens) -> bool:
    """Whether each value stands for itself. Several options, people, paired values, or texts that say the same number,
    may share a counterpart: there only the law of `mapping` holds, by expressions as well."""
    mapping, types = lens.mapping, {lens.left.type, lens.right.type}
    is_shared = bool(mapping.values or mapping.people or types & _CHOICES)
    return not is_shared and (len(types) == 1 or mapping.transform is not None)
