"""Expressions that people write (CEL): text into something that is checked once and evaluated often.

Used by `mapping` (transforms), `bootstrap` (filters) and the command line. `compile_transform` and `compile_condition`
answer an expression, or every fault with its column. An evaluation depends on nothing but the values it is given, takes
a bounded number of steps, and answers a value or `Untranslatable`; it never raises.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from syncline.core.convert import Untranslatable
from syncline.core.expression_check import Checker, Environment
from syncline.core.expression_cost import StopError, TooCostlyError
from syncline.core.expression_hints import hint, option_of
from syncline.core.expression_nodes import Call, Fault, Literal, Node
from syncline.core.expression_parse import parse
from syncline.core.expression_run import Frame, Run
from syncline.core.expression_types import (
    BOOL,
    HTML,
    MONEY,
    NUMBER,
    PERSON,
    STRING,
    TIMESTAMP,
    Choice,
    Kind,
    Plain,
    Reading,
    Type,
    fits,
    list_of,
    type_of,
)
from syncline.core.expression_types import DAY as A_DAY
from syncline.core.records import FieldId, FieldSchema, ObjectSchema
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    RichText,
    Text,
    Value,
    YesNo,
)

Faults = tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. `reads` names the fields that it looks at, `gives` the type of its value."""

    text: str
    gives: Type
    reads: frozenset[FieldId]
    _run: Run
    _readings: Mapping[FieldId, Reading]

    def evaluate(
        self, fields: Mapping[FieldId, Value], *, now: dt.datetime | None = None
    ) -> Plain | Untranslatable:
        """The plain value for these fields, or why there is none. `now` is for conditions, aware."""
        local: dict[str, Plain] = {} if now is None else {"now": now.astimezone(dt.UTC)}
        try:
            return self._run(Frame(fields, self._readings, local))
        except (StopError, TooCostlyError) as error:
            return Untranslatable(str(error))


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that says yes or no of a record."""

    expression: Expression

    @property
    def reads(self) -> frozenset[FieldId]:
        """The fields that it looks at."""
        return self.expression.reads

    def holds(
        self, fields: Mapping[FieldId, Value], *, now: dt.datetime | None = None
    ) -> bool | Untranslatable:
        """Whether it holds; `Untranslatable` when that cannot be said, with the reason."""
        found = self.expression.evaluate(fields, now=now)
        if found is None:
            return Untranslatable("it is neither yes nor no, but blank")
        return found if isinstance(found, Untranslatable) else found is True


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression that makes one field's value of another's."""

    expression: Expression
    source: FieldId
    target: FieldSchema

    def apply(self, value: Value) -> Value | Untranslatable:
        """The target's value. The caller keeps blanks away: they stay blank."""
        plain = self.expression.evaluate({self.source: value})
        return plain if isinstance(plain, Untranslatable) else value_of(plain, self.target)


def compile_expression(text: str, environment: Environment) -> Expression | Faults:
    """Read and check an expression of any type."""
    return _compiled(text, environment, None)


def compile_condition(text: str, schema: ObjectSchema, *, with_now: bool = False) -> Condition | Faults:
    """A condition on records of an object type: its fields by name, `record.field`, and `now` where it will be given."""
    times = {"now": TIMESTAMP} if with_now else {}
    environment = Environment({str(field.id): field for field in schema.fields}, has_record=True, times=times)
    found = _compiled(text, environment, BOOL)
    return Condition(found) if isinstance(found, Expression) else found


def compile_transform(text: str, source: FieldSchema, target: FieldSchema) -> Formula | Faults:
    """How the target's value is made of the source's, which is called `value`."""
    found = _compiled(text, Environment({"value": source}), target)
    return Formula(found, source.id, target) if isinstance(found, Expression) else found


def _compiled(text: str, environment: Environment, wanted: FieldSchema | Type | None) -> Expression | Faults:
    node = parse(text)
    if isinstance(node, Fault):
        return (node,)
    checker = Checker(environment)
    typed = checker.check(node)
    faults = [
        *checker.faults,
        *([] if checker.faults or wanted is None else _result(node, typed.type, wanted)),
    ]
    if faults:
        return tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
    readings = dict(checker.readings)
    return Expression(text, typed.type, frozenset(readings), typed.run, readings)


# --- what comes out -------------------------------------------------------------------------------------------------

_MADE_OF: dict[FieldType, tuple[Type, ...]] = {
    FieldType.TEXT: (STRING,),
    FieldType.RICH_TEXT: (HTML,),
    FieldType.NUMBER: (NUMBER,),
    FieldType.MONEY: (MONEY,),
    FieldType.YES_NO: (BOOL,),
    FieldType.DAY: (A_DAY,),
    FieldType.MOMENT: (TIMESTAMP,),
    FieldType.PHONE: (STRING,),
    FieldType.ONE_OF: (STRING, Type(Kind.OPTION)),
    FieldType.MANY_OF: (list_of(STRING), list_of(Type(Kind.OPTION))),
    FieldType.PERSON: (PERSON, STRING),
    FieldType.REFERENCE: (),
    FieldType.FILES: (),
}
"""What an expression must give for a field of each type; nothing can be made that names another record or file."""


def accepted(kind: FieldType) -> tuple[Type, ...]:
    """The types of expressions that make a value for a field of this type."""
    return _MADE_OF[kind]


def _result(node: Node, given: Type, wanted: FieldSchema | Type) -> list[Fault]:
    takes = (wanted,) if isinstance(wanted, Type) else _MADE_OF[wanted.type]
    if any(fits(given, each) for each in takes):
        return [] if isinstance(wanted, Type) else _no_options(node, wanted)
    if not takes:
        return [node.at.fault("an expression cannot make a value for this field.", "Map it without one.")]
    if isinstance(wanted, Type):
        return [node.at.fault(f"the result is {given}; it must be {wanted}.", "Compare it with something.")]
    kinds = " or ".join(str(each) for each in takes)
    told = f"the result is {given}; '{wanted.id}' takes {kinds}."
    return [node.at.fault(told, next(filter(None, (hint(given, each) for each in takes)), ""))]


def _no_options(node: Node, target: FieldSchema) -> list[Fault]:
    """Texts in the place of the result that name no option of the target."""
    if target.type is not FieldType.ONE_OF or target.options is None or target.is_open:
        return []
    if isinstance(node, Call) and node.name == "_?_:_":
        return [*_no_options(node.arguments[1], target), *_no_options(node.arguments[2], target)]
    if not isinstance(node, Literal) or not isinstance(node.value, str) or not node.value:
        return []
    if option_of(node.value, type_of(target)) is not None:
        return []
    known = ", ".join(option.label or option.key for option in target.options)
    return [node.at.fault(f"'{node.value}' is no option of '{target.id}'.", f"It takes: {known}.")]


def value_of(plain: Plain, target: FieldSchema) -> Value | Untranslatable:
    """What an expression gave as a value of the field; null and empty text are blank."""
    if plain is None or plain in ("", ()):
        return BLANK
    match plain:
        case bool():
            return YesNo(plain)
        case Decimal():
            return Number(plain)
        case dt.datetime():
            return Moment(plain)
        case dt.date():
            return Day(plain)
        case RichText() | Money() | Person():
            return plain
        case tuple():
            return _options(plain, target)
        case Choice():
            return _option(plain, target)
        case str():
            return _text(plain, target)
        case _:
            return Untranslatable("this is no value of a field")


def _text(text: str, target: FieldSchema) -> Value | Untranslatable:
    match target.type:
        case FieldType.PHONE:
            has_digit = any(character.isdigit() for character in text)
            return Phone(text) if has_digit else Untranslatable(f"'{text[:40]}' is not a phone number")
        case FieldType.PERSON:
            return Person(email=text.strip())
        case FieldType.ONE_OF:
            return _option(Choice(text, text), target)
        case _:
            return Text(text)


def _option(choice: Choice, target: FieldSchema) -> OneOf | Untranslatable:
    """The target's option with the same label (people read labels), else with the same key."""
    if target.options is None:
        return OneOf(choice.key)
    folded = choice.label.strip().casefold()
    for option in target.options:
        if (option.label or option.key).strip().casefold() == folded:
            return OneOf(option.key)
    if any(option.key == choice.key for option in target.options):
        return OneOf(choice.key)
    if target.is_open:
        return OneOf(choice.label)
    return Untranslatable(f"'{choice.label}' is no option of '{target.id}'")


def _options(items: tuple[Plain, ...], target: FieldSchema) -> Value | Untranslatable:
    """All of them, or none: half a set would be another."""
    keys: dict[str, None] = {}
    for item in items:
        if item is None or item == "":
            continue
        choice = item if isinstance(item, Choice) else Choice(str(item), str(item))
        made = _option(choice, target)
        if isinstance(made, Untranslatable):
            return made
        keys[made.key] = None
    return ManyOf(tuple(keys)) if keys else BLANK
