"""Search filters, as a test on rows and as hints that save looking at every row.

Used by `search`. Operators and nesting: highlevel-api.md 1.3. Text compares with upper and lower case kept apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from syncline.sandbox.highlevel.jsons import as_list, as_number, as_object
from syncline.sandbox.highlevel.refusals import unprocessable
from syncline.sandbox.highlevel.state import ms_of
from syncline.sandbox.highlevel.table import PEOPLE, TIMES, Row, values_of

Test = Callable[[Row], bool]
_BOUNDS = frozenset({"gt", "gte", "lt", "lte"})
_OPERATORS = frozenset({"eq", "not_eq", "contains", "not_contains", "exists", "not_exists", "range"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition on one field."""

    name: str
    operator: str
    value: object


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all or any must hold."""

    is_any: bool
    parts: tuple[Leaf | Group, ...] = field(default=())


def parse(filters: Sequence[object], *, allows_time_ranges: bool) -> Group:
    """The filters of a request; the outermost list means AND. Raises 422."""
    group = Group(is_any=False, parts=tuple(_part(item) for item in filters))
    for leaf in leaves(group):
        _check(leaf, allows_time_ranges=allows_time_ranges)
    return group


def leaves(group: Group) -> list[Leaf]:
    """All conditions, however deep."""
    found: list[Leaf] = []
    for part in group.parts:
        found += [part] if isinstance(part, Leaf) else leaves(part)
    return found


def required(group: Group) -> list[Leaf]:
    """The conditions that must hold in any case: those under AND alone."""
    if group.is_any and len(group.parts) != 1:
        return []
    found: list[Leaf] = []
    for part in group.parts:
        found += [part] if isinstance(part, Leaf) else required(part)
    return found


def test_of(part: Leaf | Group) -> Test:
    """The filters as one test."""
    if isinstance(part, Leaf):
        return _leaf_test(part)
    tests = [test_of(each) for each in part.parts]
    if part.is_any:
        return lambda row: any(test(row) for test in tests)
    return lambda row: all(test(row) for test in tests)


def bounds_of(leaf: Leaf) -> dict[str, object]:
    """The limits of a `range`; times in milliseconds."""
    given = as_object(leaf.value) or {}
    return {name: _moment(leaf.name, bound) for name, bound in given.items()}


def _part(data: object) -> Leaf | Group:
    item = as_object(data)
    if item is None:
        raise unprocessable("each value in filters must be an object")
    if "group" not in item:
        if item.keys() - {"field", "operator", "value"} or not {"field", "operator"} <= item.keys():
            raise unprocessable("each filter must have field, operator and value")
        return Leaf(str(item["field"]), str(item["operator"]), item.get("value"))
    inner = as_list(item.get("filters"))
    if item["group"] not in {"AND", "OR"} or inner is None:
        raise unprocessable("group must be one of the following values: AND, OR")
    return Group(is_any=item["group"] == "OR", parts=tuple(_part(each) for each in inner))


def _check(leaf: Leaf, *, allows_time_ranges: bool) -> None:
    if leaf.name == "relations":
        return
    known = leaf.name in TIMES | PEOPLE | {"id"} or leaf.name.startswith("properties.")
    if not known:
        raise unprocessable(f"field {leaf.name} is not searchable")
    if leaf.operator not in _OPERATORS:
        raise unprocessable(f"operator must be one of the following values: {', '.join(sorted(_OPERATORS))}")
    if leaf.operator == "range":
        bounds = as_object(leaf.value)
        if not bounds or not bounds.keys() <= _BOUNDS:
            raise unprocessable("value of range must be an object with gt, gte, lt or lte")
        if leaf.name in TIMES and not allows_time_ranges:
            raise unprocessable(f"operator range is not supported for {leaf.name}")


def _leaf_test(leaf: Leaf) -> Test:
    name = leaf.name
    match leaf.operator:
        case "eq":
            return _eq_test(leaf)
        case "not_eq":
            is_equal = _eq_test(leaf)
            return lambda row: not is_equal(row)
        case "contains":
            return _contains_test(leaf)
        case "not_contains":
            is_within = _contains_test(leaf)
            return lambda row: not is_within(row)
        case "exists":
            return lambda row: bool(values_of(row, name))
        case "not_exists":
            return lambda row: not values_of(row, name)
        case "range":
            return _range_test(leaf)
        case _:
            # Conditions on relations: records of the stand-in have none.
            return lambda row: False


def _eq_test(leaf: Leaf) -> Test:
    given = as_list(leaf.value)
    wanted = [_moment(leaf.name, value) for value in (given if given is not None else [leaf.value])]
    return lambda row: any(_equal(value, each) for value in values_of(row, leaf.name) for each in wanted)


def _equal(value: object, wanted: object) -> bool:
    return value == wanted and isinstance(value, str) == isinstance(wanted, str)


def _contains_test(leaf: Leaf) -> Test:
    given = as_list(leaf.value)
    wanted = given if given is not None else [leaf.value]
    return lambda row: any(
        _equal(value, each) or (isinstance(value, str) and isinstance(each, str) and each in value)
        for value in values_of(row, leaf.name)
        for each in wanted
    )


def _range_test(leaf: Leaf) -> Test:
    bounds = bounds_of(leaf)
    return lambda row: any(_within(value, bounds) for value in values_of(row, leaf.name))


def _within(value: object, bounds: dict[str, object]) -> bool:
    return all(_holds(name, value, bound) for name, bound in bounds.items())


def _holds(name: str, value: object, bound: object) -> bool:
    order = _compare(value, bound)
    if order is None:
        return False
    return {"gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0}[name]


def _compare(value: object, bound: object) -> int | None:
    a, b = as_number(value), as_number(bound)
    if a is not None and b is not None:
        return (a > b) - (a < b)
    if isinstance(value, str) and isinstance(bound, str):
        return (value > bound) - (value < bound)
    return None


def _moment(name: str, value: object) -> object:
    """Times may be given as text or in milliseconds."""
    if name in TIMES and isinstance(value, str):
        try:
            return ms_of(value)
        except ValueError:
            raise unprocessable(f"{name} must be a valid ISO 8601 date string") from None
    return value
