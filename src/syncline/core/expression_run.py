"""One evaluation: the values of a record behind the names of an expression, the budget, and the ways to go on.

Made by `expressions` for every evaluation; `expression_check` builds the functions that get it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from syncline.core.convert import Untranslatable
from syncline.core.expression_cost import Budget, StopError
from syncline.core.expression_nodes import Literal
from syncline.core.expression_overloads import Overload
from syncline.core.expression_types import BOOL, NULL, NUMBER, STRING, Choice, Plain, Reading, Type
from syncline.core.records import FieldId
from syncline.core.values import File, Files, Money, Person, Reference, RichText, Value, same


class Frame:
    """What an expression sees while it runs. `local` holds the names that it gave to items, and `now`."""

    __slots__ = ("_fields", "_known", "_readings", "budget", "local")

    def __init__(
        self, fields: Mapping[FieldId, Value], readings: Mapping[FieldId, Reading], local: dict[str, Plain]
    ) -> None:
        self.budget = Budget()
        self.local = local
        self._fields = fields
        self._readings = readings
        self._known: dict[FieldId, Plain] = {}

    def field(self, name: FieldId) -> Plain:
        """A field's value; null when it is blank. Stops when the record does not show it."""
        self.budget.spend()
        if name not in self._known:
            value = self._fields.get(name)
            if value is None:
                raise StopError(f"'{name}' was not seen")
            plain = self._readings[name](value)
            if isinstance(plain, Untranslatable):
                raise StopError(plain.reason)
            self._known[name] = plain
        return self._known[name]


Run = Callable[[Frame], Plain]


def given(run: Run, label: str) -> Run:
    """The value, which must not be null."""

    def checked(frame: Frame) -> Plain:
        plain = run(frame)
        if plain is None:
            raise StopError(f"{label} is blank")
        return plain

    return checked


def equal(frame: Frame, a: Plain, b: Plain) -> bool:
    """Whether two values are the same; null is only null."""
    frame.budget.spend()
    if isinstance(a, str) and isinstance(b, str):
        frame.budget.text(len(a))
        return a == b
    if isinstance(a, Choice) and isinstance(b, Choice):
        return a.key == b.key
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(functools.partial(equal, frame), a, b))
    if isinstance(a, File) and isinstance(b, File):
        return same(Files((a,)), Files((b,)))
    if isinstance(a, RichText) and isinstance(b, RichText):
        frame.budget.spend((len(a.html) + len(b.html)) // 32)
        return same(a, b)
    if isinstance(a, Money | Person | Reference) and isinstance(b, Money | Person | Reference):
        return same(a, b)
    return type(a) is type(b) and a == b


def any_of(outcomes: Iterable[Callable[[], Plain]], *, decides: bool) -> bool:
    """Whether one of them is `decides`; one that has no value matters only when no other decides."""
    stopped: StopError | None = None
    for outcome in outcomes:
        try:
            if outcome() is decides:
                return decides
        except StopError as error:
            stopped = stopped or error
    if stopped is not None:
        raise stopped
    return not decides


def items(frame: Frame, run: Run) -> tuple[Plain, ...]:
    """The items of a list, paid for."""
    listed = cast("tuple[Plain, ...]", run(frame))
    frame.budget.items(len(listed))
    return listed


@dataclass(frozen=True, slots=True)
class Typed:
    """A node that was checked: its type, how it runs, and what it is called in a sentence."""

    type: Type
    run: Run
    label: str = "a value"


def literal(node: Literal) -> Typed:
    """A value that is written out."""
    value = node.value
    if isinstance(value, bool):
        kind = BOOL
    else:
        kind = STRING if isinstance(value, str) else NUMBER if value is not None else NULL
    return Typed(kind, lambda _: value, "null" if value is None else "a value")


def member(run: Run, name: str) -> Run:
    """What is behind a dot."""

    def read(frame: Frame) -> Plain:
        frame.budget.spend()
        found: Plain | int = getattr(run(frame), name)
        return found if isinstance(found, str | Decimal | None) else Decimal(cast("int", found))

    return read


def applied(overload: Overload, typed: Sequence[Typed]) -> Typed:
    """A function of the table on what stands in its places."""
    runs = [given(one.run, one.label) for one in typed]
    apply = overload.apply

    def run(frame: Frame) -> Plain:
        frame.budget.spend()
        return apply(frame.budget, *[one(frame) for one in runs])

    return Typed(overload.gives, run, f"the result of {overload.name.strip('_')}")


def looped(name: str, slot: str, listed: Run, body: Typed) -> Run:
    """One of the `MACROS`, item by item; each item stands in the slot while it is looked at."""
    held = given(body.run, body.label)

    def each(frame: Frame, item: Plain, run: Run) -> Plain:
        frame.budget.spend()
        frame.local[slot] = item
        return run(frame)

    def exists(frame: Frame) -> Plain:
        calls = ((lambda item=item: each(frame, item, held)) for item in items(frame, listed))
        return any_of(calls, decides=name == "exists")

    def exists_one(frame: Frame) -> Plain:
        return sum(each(frame, item, held) is True for item in items(frame, listed)) == 1

    def kept(frame: Frame) -> Plain:
        return tuple(item for item in items(frame, listed) if each(frame, item, held) is True)

    def mapped(frame: Frame) -> Plain:
        return tuple(each(frame, item, body.run) for item in items(frame, listed))

    return {"all": exists, "exists": exists, "exists_one": exists_one, "filter": kept, "map": mapped}[name]
