"""Nodes into functions that run, checked on the way: names, types, options, patterns.

Called by `expressions`. Every fault is noted and the rest is still checked, so that a person sees all of them at once.
What passes cannot fail on a type when it runs: it gives a value, or stops for a reason that lies in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from syncline.core.expression_cost import StopError
from syncline.core.expression_hints import hint, near, option_of
from syncline.core.expression_nodes import Call, Fault, ListOf, Literal, Name, Node, Select, Spot
from syncline.core.expression_overloads import MACROS, OVERLOADS, SPECIAL, Overload
from syncline.core.expression_patterns import pattern
from syncline.core.expression_run import (
    Frame,
    Run,
    Typed,
    any_of,
    applied,
    equal,
    given,
    items,
    literal,
    looped,
    member,
)
from syncline.core.expression_types import (
    ANY,
    BOOL,
    MEMBERS,
    NUMBER,
    STRING,
    Kind,
    Plain,
    Reading,
    Type,
    common,
    fits,
    list_of,
    reading,
    type_of,
)
from syncline.core.records import FieldId, FieldSchema

MAX_NESTED = 2
"""How deep lists may be gone through within each other."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may name: fields (by themselves, and as `record.field` where `has_record`), and `now`."""

    fields: Mapping[str, FieldSchema]
    has_record: bool = False
    times: Mapping[str, Type] = field(default_factory=dict[str, Type])


def _never(_: Frame) -> Plain:
    raise StopError("the expression has faults")


_PAIR = 2
"""A name and what is done with it, or a text and its pattern."""
_NO_TIME = "There is no time: a record that did not change is not judged again."
_FAULTY = Typed(ANY, _never)


class Checker:
    """Checks one expression; `faults` and `readings` (of the fields it reads) tell what was found."""

    def __init__(self, environment: Environment) -> None:
        self.faults: list[Fault] = []
        self.readings: dict[FieldId, Reading] = {}
        self._environment = environment
        self._local = dict(environment.times)
        self._slots = {name: name for name in environment.times}
        self._nested = 0

    def check(self, node: Node) -> Typed:
        """One node and all below it."""
        match node:
            case Literal():
                return literal(node)
            case Name():
                return self._name(node)
            case Select():
                return self._select(node)
            case ListOf():
                return self._list([(item, self.check(item)) for item in node.items])
            case Call():
                return self._call(node)

    def _fault(self, at: Spot, message: str, remedy: str) -> Typed:
        self.faults.append(at.fault(message, remedy))
        return _FAULTY

    # --- names ------------------------------------------------------------------------------------------------------

    def _name(self, node: Name) -> Typed:
        if node.name in self._local:
            slot = self._slots[node.name]
            return Typed(self._local[node.name], lambda frame: frame.local[slot], f"'{node.name}'")
        if node.name in self._environment.fields:
            return self._field(node.name)
        if node.name == "record" and self._environment.has_record:
            return self._fault(node.at, "'record' is not a value.", "Write record.field.")
        known = [
            *self._environment.fields,
            *self._local,
            *(["record"] if self._environment.has_record else []),
        ]
        remedy = _NO_TIME if node.name == "now" else near(node.name, known)
        return self._fault(node.at, f"there is no '{node.name}' here.", remedy)

    def _field(self, name: str) -> Typed:
        schema = self._environment.fields[name]
        self.readings[schema.id] = reading(schema)
        return Typed(type_of(schema), lambda frame: frame.field(schema.id), f"'{schema.id}'")

    def _is_record(self, node: Node | None) -> bool:
        is_named = isinstance(node, Name) and node.name == "record" and "record" not in self._local
        return is_named and self._environment.has_record

    def _of_record(self, at: Spot, name: str) -> Typed:
        if name in self._environment.fields:
            return self._field(name)
        return self._fault(at, f"there is no field '{name}'.", near(name, self._environment.fields))

    def _select(self, node: Select) -> Typed:
        if self._is_record(node.of):
            return self._of_record(node.at, node.name)
        of = self.check(node.of)
        if of.type.kind is Kind.ANY:
            return _FAULTY
        members = MEMBERS.get(of.type.kind, {})
        if node.name not in members:
            return self._fault(node.at, f"{of.type} has no '{node.name}'.", near(node.name, members))
        name = node.name
        label = f"{of.label[:-1]}.{name}'" if of.label.endswith("'") else f"'{name}'"
        return Typed(members[name], member(given(of.run, of.label), name), label)

    # --- lists ------------------------------------------------------------------------------------------------------

    def _list(self, checked: Sequence[tuple[Node, Typed]]) -> Typed:
        item = ANY
        for written, one in checked:
            both = common(item, one.type)
            if both is None:
                return self._fault(
                    written.at, f"a list of {item} cannot hold {one.type}.", "Keep to one type."
                )
            item = both
        runs = tuple(one.run for _, one in checked)

        def run(frame: Frame) -> Plain:
            frame.budget.items(len(runs))
            return tuple(one(frame) for one in runs)

        return Typed(list_of(item), run)

    def _index(self, node: Call) -> Typed:
        of, at = node.arguments
        if self._is_record(of):
            if isinstance(at, Literal) and isinstance(at.value, str):
                return self._of_record(at.at, at.value)
            return self._fault(at.at, "a field is named by a text that is written out.", 'Write record["…"].')
        listed, place = self.check(of), self.check(at)
        if not fits(listed.type, list_of(ANY)) or not fits(place.type, NUMBER):
            return self._fault(at.at, f"{listed.type} is not a list to count in.", "Write list[0].")
        many, number = given(listed.run, listed.label), given(place.run, place.label)

        def run(frame: Frame) -> Plain:
            frame.budget.spend()
            found, index = cast("tuple[Plain, ...]", many(frame)), cast("Decimal", number(frame))
            if not 0 <= index < len(found) or index != index.to_integral_value():
                raise StopError(f"the list of {len(found)} has no item {index.normalize()}")
            return found[int(index)]

        return Typed(listed.type.item or ANY, run)

    # --- calls ------------------------------------------------------------------------------------------------------

    def _call(self, node: Call) -> Typed:
        if isinstance(node.of, Name) and f"{node.of.name}.{node.name}" in OVERLOADS:
            return self._overloaded(Call(node.of.at, f"{node.of.name}.{node.name}", node.arguments))
        special = self._special().get(node.name)
        if special is not None:
            return special(node)
        if node.of is not None and node.name in MACROS:
            return self._macro(node, node.of)
        return self._overloaded(node)

    def _special(self) -> Mapping[str, Callable[[Call], Typed]]:
        return {
            "_&&_": self._junction,
            "_||_": self._junction,
            "_?_:_": self._choice,
            "_==_": self._equality,
            "_!=_": self._equality,
            "_in_": self._in,
            "_[_]": self._index,
            "matches": self._matches,
            "has": self._has,
        }

    def _overloaded(self, node: Call) -> Typed:
        all_of_name = OVERLOADS.get(node.name)
        written = (node.of, *node.arguments) if node.of is not None else node.arguments
        checked = [(each, self.check(each)) for each in written]
        typed = [one for _, one in checked]
        if all_of_name is None:
            known = {*SPECIAL, *MACROS, *OVERLOADS}
            meant = near(node.name, [name for name in known if "_" not in name])
            return self._fault(node.at, f"there is no function '{node.name}'.", meant)
        candidates = [
            each
            for each in all_of_name
            if each.is_method is (node.of is not None) and len(each.takes) == len(written)
        ]
        fitting = [each for each in candidates if all(map(fits, (one.type for one in typed), each.takes))]
        nulls = [each for each, one in checked if one.type.kind is Kind.NULL]
        if nulls:
            return self._fault(nulls[0].at, "null is no operand here.", "Compare with == null instead.")
        if not fitting:
            return self._misfit(node, checked, candidates or all_of_name)
        return applied(fitting[0], typed)

    def _misfit(
        self, node: Call, checked: Sequence[tuple[Node, Typed]], offered: Sequence[Overload]
    ) -> Typed:
        """Point at the first operand that no version takes."""
        if any(one.type is ANY for _, one in checked):
            return _FAULTY  # told of already
        forms = "; ".join(dict.fromkeys(each.shown for each in offered))
        name = node.name.replace("_", "")
        left = list(offered)
        for place, (each, one) in enumerate(checked):
            going = [
                version
                for version in left
                if len(version.takes) > place and fits(one.type, version.takes[place])
            ]
            if not going:
                wanted = [version.takes[place] for version in left if len(version.takes) > place]
                told = next(filter(None, (hint(one.type, each) for each in wanted)), "")
                return self._fault(
                    each.at, f"'{name}' does not take {one.type} here.", f"{told} It is: {forms}.".strip()
                )
            left = going
        return self._fault(node.at, f"'{name}' does not take {len(checked)} of these.", f"It is: {forms}.")

    def _bools(self, node: Call) -> list[Run]:
        out: list[Run] = []
        for each in node.arguments:
            typed = self.check(each)
            if not fits(typed.type, BOOL):
                told = f"'{node.name.replace('_', '')}' joins bool, and this is {typed.type}."
                self._fault(each.at, told, "Compare it with something.")
            out.append(given(typed.run, typed.label))
        return out

    def _junction(self, node: Call) -> Typed:
        left, right = self._bools(node)
        decides = node.name == "_||_"

        def run(frame: Frame) -> Plain:
            frame.budget.spend()
            return any_of((lambda: left(frame), lambda: right(frame)), decides=decides)

        return Typed(BOOL, run)

    def _choice(self, node: Call) -> Typed:
        asked, yes_node, no_node = node.arguments
        (condition,) = self._bools(Call(node.at, "?", (asked,)))
        yes, no = self._alike(yes_node, no_node)
        both = common(yes.type, no.type)
        if both is None:
            told = f"one branch is {yes.type}, the other {no.type}."
            return self._fault(no_node.at, told, "Make both the same type.")

        def run(frame: Frame) -> Plain:
            frame.budget.spend()
            return yes.run(frame) if condition(frame) else no.run(frame)

        return Typed(both, run)

    def _alike(self, a: Node, b: Node) -> tuple[Typed, Typed]:
        """Both, with a text that stands beside an option read as one of its options."""
        one, other = self.check(a), self.check(b)
        return self._as_option(a, one, other.type), self._as_option(b, other, one.type)

    def _as_option(self, node: Node, typed: Typed, beside: Type) -> Typed:
        is_text = isinstance(node, Literal) and isinstance(node.value, str)
        if beside.kind is not Kind.OPTION or not is_text:
            return typed
        text = cast("str", cast("Literal", node).value)
        found = option_of(text, beside)
        if found is None:
            labels = [option.label or option.key for option in beside.options or ()]
            return self._fault(node.at, f"'{text}' is none of the options.", near(text, labels))
        return Typed(beside, lambda _: found)

    def _equality(self, node: Call) -> Typed:
        a, b = node.arguments
        one, other = self._alike(a, b)
        if common(one.type, other.type) is None:
            told = hint(one.type, other.type) or hint(other.type, one.type)
            return self._fault(b.at, f"{one.type} is never equal to {other.type}.", told)
        wanted = node.name == "_==_"
        return Typed(BOOL, lambda frame: equal(frame, one.run(frame), other.run(frame)) is wanted)

    def _in(self, node: Call) -> Typed:
        a, b = node.arguments
        one = self.check(a)
        if isinstance(b, ListOf) and one.type.kind is Kind.OPTION:
            listed = self._list(
                [(item, self._as_option(item, self.check(item), one.type)) for item in b.items]
            )
        else:
            listed = self.check(b)
        item = listed.type.item or ANY
        one = self._as_option(a, one, item)
        if not fits(listed.type, list_of(ANY)) or common(one.type, item) is None:
            return self._fault(b.at, f"{one.type} is never in {listed.type}.", "Write value in [a, b].")
        many = given(listed.run, listed.label)

        def run(frame: Frame) -> Plain:
            sought = one.run(frame)
            return any(equal(frame, sought, each) for each in items(frame, many))

        return Typed(BOOL, run)

    def _matches(self, node: Call) -> Typed:
        written = (node.of, *node.arguments) if node.of is not None else node.arguments
        if len(written) != _PAIR:
            return self._fault(
                node.at, "'matches' takes one text and one pattern.", 'Write text.matches("…").'
            )
        text, wanted = self.check(written[0]), written[1]
        if not fits(text.type, STRING):
            told = hint(text.type, STRING)
            return self._fault(written[0].at, f"'matches' does not take {text.type} here.", told)
        if not isinstance(wanted, Literal) or not isinstance(wanted.value, str):
            return self._fault(wanted.at, "a pattern must be written out.", 'Write text.matches("…").')
        found = pattern(wanted.value)
        if isinstance(found, str):
            return self._fault(
                wanted.at, f"the pattern cannot be used: {found}.", "RE2 patterns are: no look-around."
            )
        run = given(text.run, text.label)

        def matches(frame: Frame) -> Plain:
            plain = cast("str", run(frame))
            frame.budget.text(len(plain))
            return found(plain)

        return Typed(BOOL, matches)

    def _has(self, node: Call) -> Typed:
        is_one = node.of is None and len(node.arguments) == 1
        asked = node.arguments[0] if is_one else None
        is_index = isinstance(asked, Call) and asked.name == "_[_]" and self._is_record(asked.arguments[0])
        if asked is None or not (isinstance(asked, Select) or is_index):
            return self._fault(node.at, "'has' takes one value with a dot.", "Write has(record.field).")
        typed = self.check(asked)

        def run(frame: Frame) -> Plain:
            frame.budget.spend()
            return typed.run(frame) not in (None, "")

        return Typed(BOOL, run)

    # --- lists, item by item ----------------------------------------------------------------------------------------

    def _macro(self, node: Call, of: Node) -> Typed:
        form = f"Write {MACROS[node.name]}."
        if len(node.arguments) != _PAIR or not isinstance(node.arguments[0], Name):
            return self._fault(node.at, f"'{node.name}' takes a name and what is done with it.", form)
        listed = self.check(of)
        if not fits(listed.type, list_of(ANY)):
            told = f"'{node.name}' goes through a list, and this is {listed.type}."
            return self._fault(of.at, told, form)
        if self._nested >= MAX_NESTED:
            told = f"lists are gone through more than {MAX_NESTED} deep."
            return self._fault(node.at, told, "Make it flatter.")
        name, slot = node.arguments[0].name, f"{node.arguments[0].name}@{node.at.line}:{node.at.column}"
        body = self._within(name, slot, listed.type.item or ANY, node.arguments[1])
        if node.name != "map" and not fits(body.type, BOOL):
            told = f"'{node.name}' asks for bool, and this is {body.type}."
            return self._fault(node.arguments[1].at, told, form)
        gives = {"map": list_of(body.type), "filter": listed.type}.get(node.name, BOOL)
        return Typed(gives, looped(node.name, slot, given(listed.run, listed.label), body))

    def _within(self, name: str, slot: str, item: Type, node: Node) -> Typed:
        """A node that may use one more name."""
        local, slots = dict(self._local), dict(self._slots)
        self._local[name], self._slots[name] = item, slot
        self._nested += 1
        typed = self.check(node)
        self._nested -= 1
        self._local, self._slots = local, slots
        return typed
