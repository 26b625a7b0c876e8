"""The table of functions and operators of expressions: what they take and what they give.

Read by `expression_check`; the page about expressions is made from it. Names and meanings are those of the Common
Expression Language and its string and math extensions; `plain`, `html`, `day`, `money` and `person` are ours, for types
that it does not have.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from syncline.core import expression_functions as functions
from syncline.core.expression_cost import Budget
from syncline.core.expression_functions import EXACT, calculated, changed, looked, of_time, timed, whole
from syncline.core.expression_types import (
    ANY,
    BOOL,
    DAY,
    DURATION,
    HTML,
    MONEY,
    NUMBER,
    PERSON,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
)
from syncline.core.values import Money, Person

_Apply = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Overload:
    """One function for one row of types. `takes` begins with what a method is called on; `apply` gets the budget first."""

    name: str
    takes: tuple[Type, ...]
    gives: Type
    apply: _Apply
    is_method: bool = False

    @property
    def shown(self) -> str:
        """How it is written."""
        takes = [str(each) for each in self.takes]
        if self.is_method:
            return f"{takes[0]}.{self.name}({', '.join(takes[1:])})"
        if "_" not in self.name:
            return f"{self.name}({', '.join(takes)})"
        sign = self.name.strip("_")
        return f"{takes[0]} {sign} {takes[1]}" if len(takes) > 1 else f"{sign}{takes[0]}"


def _free(function: _Apply) -> _Apply:
    """A function whose work does not grow with its values."""

    def apply(_: Budget, *plain: Any) -> Any:
        return function(*plain)

    return apply


def _function(name: str, takes: tuple[Type, ...], gives: Type, apply: _Apply) -> Overload:
    return Overload(name, takes, gives, apply)


def _method(name: str, takes: tuple[Type, ...], gives: Type, apply: _Apply) -> Overload:
    return Overload(name, takes, gives, apply, is_method=True)


def _length(of: Any) -> Decimal:
    return Decimal(len(of))


def _yes_no(yes: bool) -> str:  # noqa: FBT001 - a value of an expression
    return "true" if yes else "false"


def _person(email: str) -> Person:
    return Person(email=email.strip())


def _place(text: str, part: str) -> Decimal:
    return Decimal(text.find(part))


def _last_place(text: str, part: str) -> Decimal:
    return Decimal(text.rfind(part))


def _itself(plain: Any) -> Any:
    return plain


_TEXTS, _LIST, _NUMBERS = list_of(STRING), list_of(ANY), (NUMBER, NUMBER)
_COMPARED = (("_<_", operator.lt), ("_<=_", operator.le), ("_>_", operator.gt), ("_>=_", operator.ge))

_OPERATORS = (
    _function("_+_", _NUMBERS, NUMBER, calculated(EXACT.add)),
    _function("_-_", _NUMBERS, NUMBER, calculated(EXACT.subtract)),
    _function("_*_", _NUMBERS, NUMBER, calculated(EXACT.multiply)),
    _function("_/_", _NUMBERS, NUMBER, functions.divided),
    _function("_%_", _NUMBERS, NUMBER, functions.remainder),
    _function("-_", (NUMBER,), NUMBER, _free(Decimal.copy_negate)),
    _function("-_", (DURATION,), DURATION, functions.negated),
    _function("!_", (BOOL,), BOOL, _free(operator.not_)),
    _function("_+_", (STRING, STRING), STRING, functions.added),
    _function("_+_", (TIMESTAMP, DURATION), TIMESTAMP, timed(operator.add)),
    _function("_+_", (DURATION, TIMESTAMP), TIMESTAMP, timed(operator.add)),
    _function("_+_", (DURATION, DURATION), DURATION, timed(operator.add)),
    _function("_-_", (TIMESTAMP, DURATION), TIMESTAMP, timed(operator.sub)),
    _function("_-_", (TIMESTAMP, TIMESTAMP), DURATION, timed(operator.sub)),
    _function("_-_", (DURATION, DURATION), DURATION, timed(operator.sub)),
    *(_function(name, (STRING, STRING), BOOL, looked(compared)) for name, compared in _COMPARED),
    *(
        _function(name, (each, each), BOOL, _free(compared))
        for name, compared in _COMPARED
        for each in (NUMBER, DAY, TIMESTAMP, DURATION)
    ),
)
_ON_TEXTS = (
    _function("size", (STRING,), NUMBER, _free(_length)),
    _method("size", (STRING,), NUMBER, _free(_length)),
    _function("size", (_LIST,), NUMBER, _free(_length)),
    _method("size", (_LIST,), NUMBER, _free(_length)),
    _method("contains", (STRING, STRING), BOOL, looked(operator.contains)),
    _method("startsWith", (STRING, STRING), BOOL, looked(str.startswith)),
    _method("endsWith", (STRING, STRING), BOOL, looked(str.endswith)),
    _method("indexOf", (STRING, STRING), NUMBER, looked(_place)),
    _method("lastIndexOf", (STRING, STRING), NUMBER, looked(_last_place)),
    _method("lowerAscii", (STRING,), STRING, changed(functions.lower)),
    _method("upperAscii", (STRING,), STRING, changed(functions.upper)),
    _method("trim", (STRING,), STRING, changed(str.strip)),
    _method("replace", (STRING, STRING, STRING), STRING, functions.replaced),
    _method("replace", (STRING, STRING, STRING, NUMBER), STRING, functions.replaced),
    _method("substring", (STRING, NUMBER), STRING, functions.cut),
    _method("substring", (STRING, NUMBER, NUMBER), STRING, functions.cut),
    _method("split", (STRING, STRING), _TEXTS, functions.split),
    _method("join", (_TEXTS,), STRING, functions.joined),
    _method("join", (_TEXTS, STRING), STRING, functions.joined),
)
_CONVERSIONS = (
    _function("string", (STRING,), STRING, _free(_itself)),
    _function("string", (NUMBER,), STRING, functions.number_text),
    _function("string", (BOOL,), STRING, _free(_yes_no)),
    _function("string", (DAY,), STRING, functions.day_text),
    _function("string", (TIMESTAMP,), STRING, functions.moment_text),
    _function("double", (STRING,), NUMBER, functions.text_number),
    _function("double", (NUMBER,), NUMBER, _free(_itself)),
    _function("int", (STRING,), NUMBER, functions.text_truncated),
    _function("int", (NUMBER,), NUMBER, functions.truncated),
    _function("math.ceil", (NUMBER,), NUMBER, functions.rounded(ROUND_CEILING)),
    _function("math.floor", (NUMBER,), NUMBER, functions.rounded(ROUND_FLOOR)),
    _function("math.round", (NUMBER,), NUMBER, functions.rounded(ROUND_HALF_UP)),
    _function("math.abs", (NUMBER,), NUMBER, _free(Decimal.copy_abs)),
    _function("plain", (HTML,), STRING, functions.plain_text),
    _function("html", (STRING,), HTML, functions.html),
    _function("day", (STRING,), DAY, functions.text_day),
    _function("day", (TIMESTAMP,), DAY, functions.moment_day),
    _function("timestamp", (STRING,), TIMESTAMP, functions.text_moment),
    _function("timestamp", (DAY,), TIMESTAMP, functions.day_moment),
    _function("duration", (STRING,), DURATION, functions.duration),
    _function("money", (NUMBER,), MONEY, _free(Money)),
    _function("money", (NUMBER, STRING), MONEY, _free(Money)),
    _function("person", (STRING,), PERSON, _free(_person)),
)
_PARTS = (
    *(
        _method(name, (each,), NUMBER, of_time(part))
        for name, part in functions.DATE_PARTS.items()
        for each in (DAY, TIMESTAMP)
    ),
    *(_method(name, (TIMESTAMP,), NUMBER, of_time(part)) for name, part in functions.TIME_PARTS.items()),
    _method("getHours", (DURATION,), NUMBER, of_time(lambda span: whole(span, "h"))),
    _method("getMinutes", (DURATION,), NUMBER, of_time(lambda span: whole(span, "m"))),
    _method("getSeconds", (DURATION,), NUMBER, of_time(lambda span: whole(span, "s"))),
)


def _by_name() -> dict[str, tuple[Overload, ...]]:
    out: dict[str, tuple[Overload, ...]] = {}
    for overload in (*_OPERATORS, *_ON_TEXTS, *_CONVERSIONS, *_PARTS):
        out[overload.name] = (*out.get(overload.name, ()), overload)
    return out


OVERLOADS = _by_name()
"""Every function and operator by its name."""

SPECIAL = {
    "_==_": "any == any",
    "_!=_": "any != any",
    "_in_": "any in list",
    "_&&_": "bool && bool",
    "_||_": "bool || bool",
    "_?_:_": "bool ? any : any",
    "_[_]": "list[number]",
    "matches": "string.matches(pattern)",
    "has": "has(record.field)",
}
"""What takes more than a row of types, as it is written."""

MACROS = {
    "all": "list.all(item, bool)",
    "exists": "list.exists(item, bool)",
    "exists_one": "list.exists_one(item, bool)",
    "filter": "list.filter(item, bool)",
    "map": "list.map(item, any)",
}
"""What gives a name to each item of a list."""
