"""The table of functions and operators of expressions: what they take and what they give.

Read by `expression_check`; the page about expressions is made from it. Names and meanings are those of the Common
Expression Language and its string and math extensions; `plain`, `html`, `day`, `money` and `person` are ours, for types
that it does not have.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
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


def free(function: _Apply) -> _Apply:
    """A function whose work does not grow with its values."""

    def apply(_: Budget, *plain: Any) -> Any:
        return function(*plain)

    return apply


_method = functools.partial(Overload, is_method=True)


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
    Overload("_+_", _NUMBERS, NUMBER, calculated(EXACT.add)),
    Overload("_-_", _NUMBERS, NUMBER, calculated(EXACT.subtract)),
    Overload("_*_", _NUMBERS, NUMBER, calculated(EXACT.multiply)),
    Overload("_/_", _NUMBERS, NUMBER, functions.divided),
    Overload("_%_", _NUMBERS, NUMBER, functions.remainder),
    Overload("-_", (NUMBER,), NUMBER, free(Decimal.copy_negate)),
    Overload("-_", (DURATION,), DURATION, functions.negated),
    Overload("!_", (BOOL,), BOOL, free(operator.not_)),
    Overload("_+_", (STRING, STRING), STRING, functions.added),
    Overload("_+_", (TIMESTAMP, DURATION), TIMESTAMP, timed(operator.add)),
    Overload("_+_", (DURATION, TIMESTAMP), TIMESTAMP, timed(operator.add)),
    Overload("_+_", (DURATION, DURATION), DURATION, timed(operator.add)),
    Overload("_-_", (TIMESTAMP, DURATION), TIMESTAMP, timed(operator.sub)),
    Overload("_-_", (TIMESTAMP, TIMESTAMP), DURATION, timed(operator.sub)),
    Overload("_-_", (DURATION, DURATION), DURATION, timed(operator.sub)),
    *(Overload(name, (STRING, STRING), BOOL, looked(compared)) for name, compared in _COMPARED),
    *(
        Overload(name, (each, each), BOOL, free(compared))
        for name, compared in _COMPARED
        for each in (NUMBER, DAY, TIMESTAMP, DURATION)
    ),
)
_ON_TEXTS = (
    Overload("size", (STRING,), NUMBER, free(_length)),
    _method("size", (STRING,), NUMBER, free(_length)),
    Overload("size", (_LIST,), NUMBER, free(_length)),
    _method("size", (_LIST,), NUMBER, free(_length)),
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
    Overload("string", (STRING,), STRING, free(_itself)),
    Overload("string", (NUMBER,), STRING, functions.number_text),
    Overload("string", (BOOL,), STRING, free(_yes_no)),
    Overload("string", (DAY,), STRING, functions.day_text),
    Overload("string", (TIMESTAMP,), STRING, functions.moment_text),
    Overload("double", (STRING,), NUMBER, functions.text_number),
    Overload("double", (NUMBER,), NUMBER, free(_itself)),
    Overload("int", (STRING,), NUMBER, functions.text_truncated),
    Overload("int", (NUMBER,), NUMBER, functions.truncated),
    Overload("math.ceil", (NUMBER,), NUMBER, functions.rounded(ROUND_CEILING)),
    Overload("math.floor", (NUMBER,), NUMBER, functions.rounded(ROUND_FLOOR)),
    Overload("math.round", (NUMBER,), NUMBER, functions.rounded(ROUND_HALF_UP)),
    Overload("math.abs", (NUMBER,), NUMBER, free(Decimal.copy_abs)),
    Overload("plain", (HTML,), STRING, functions.plain_text),
    Overload("html", (STRING,), HTML, functions.html),
    Overload("day", (STRING,), DAY, functions.text_day),
    Overload("day", (TIMESTAMP,), DAY, functions.moment_day),
    Overload("timestamp", (STRING,), TIMESTAMP, functions.text_moment),
    Overload("timestamp", (DAY,), TIMESTAMP, functions.day_moment),
    Overload("duration", (STRING,), DURATION, functions.duration),
    Overload("money", (NUMBER,), MONEY, free(Money)),
    Overload("money", (NUMBER, STRING), MONEY, free(Money)),
    Overload("person", (STRING,), PERSON, free(_person)),
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


def by_name(overloads: Iterable[Overload]) -> dict[str, tuple[Overload, ...]]:
    """The overloads of each name, in their order."""
    out: dict[str, tuple[Overload, ...]] = {}
    for overload in overloads:
        out[overload.name] = (*out.get(overload.name, ()), overload)
    return out


OVERLOADS = by_name((*_OPERATORS, *_ON_TEXTS, *_CONVERSIONS, *_PARTS))
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
