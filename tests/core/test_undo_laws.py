"""Laws of taking back: only what still holds our value is touched, and only old values come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncline.core.decisions import Rule, line_name
from syncline.core.memory import Entry, Link, Seen, Standing
from syncline.core.records import (
    Base,
    Delete,
    FieldId,
    FieldSchema,
    Gone,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Record,
    RecordKey,
    RunId,
    Side,
    Sighting,
    SyncId,
    Unseen,
    Update,
)
from syncline.core.steps import Effect
from syncline.core.undo import Means, Traces, Undo, trace, undo
from syncline.core.values import FieldType, Text, Value, same
from tests.clock import START

NAMES = ("a", "b", "c")
KEYS = {Side.LEFT: RecordKey("l"), Side.RIGHT: RecordKey("r")}
SCHEMA = ObjectSchema(
    ObjectTypeId("thing"), "Thing", tuple(FieldSchema(FieldId(n), n, FieldType.TEXT) for n in NAMES)
)
MEANS = Means(SyncId("things"), RunId("things-1"), (), dict.fromkeys(Side, SCHEMA))

values = st.sampled_from([Text("x"), Text("y"), Text("z")])
sides = st.sampled_from(list(Side))
lines = st.lists(st.tuples(st.sampled_from(NAMES), sides, values, values), min_size=1, max_size=5)
held = st.fixed_dictionaries({FieldId(name): values for name in NAMES})


def entry(name: str, side: Side | None, old: Value | None, new: Value | None, rule: Rule) -> Entry:
    """A line of the run's history."""
    field = line_name(FieldId(name), FieldId(name)) if name else ""
    return Entry(
        RunId("things-1"), LinkId(1), KEYS[Side.LEFT], KEYS[Side.RIGHT], field, side, old, new, None, rule, START, "T"
    )  # fmt: skip


def present(side: Side, fields: dict[FieldId, Value]) -> Present:
    """A record as it is now."""
    return Present(Record(KEYS[side], fields))


def planned(entries: list[Entry], now: dict[Side, Sighting], base: Base, **more: bool) -> Undo:
    """The undo of these lines."""
    seen = {side: Seen(KEYS[side], b"", Standing.LINKED, is_settled=True) for side in Side}
    link = Link(LinkId(1), seen[Side.LEFT], seen[Side.RIGHT], base)
    return undo(MEANS, [Traces(each, link, now, seen, frozenset(NAMES), **more) for each in trace(entries)])


def full_base() -> Base:
    """Both sides agreed on every field, on something that no test writes."""
    return Base({FieldId(n): Text("base") for n in NAMES}, {FieldId(n): Text("base") for n in NAMES})


@given(lines, held, held)
def test_only_our_own_values_are_replaced_and_only_by_what_was_there_before(
    written: list[tuple[str, Side, Value, Value]], left: dict[FieldId, Value], right: dict[FieldId, Value]
) -> None:
    entries = [entry(name, side, old, new, Rule.ONE_SIDE_CHANGED) for name, side, old, new in written]
    now: dict[Side, Sighting] = {Side.LEFT: present(Side.LEFT, left), Side.RIGHT: present(Side.RIGHT, right)}

    made = planned(entries, now, full_base())

    for step in made.steps:
        assert isinstance(step.write, Update)
        assert (step.rule, step.effect) == (Rule.UNDONE, Effect.KEEP)
        holds = left if step.side is Side.LEFT else right
        for name, value in step.write.fields.items():
            mine = [each for each in written if each[0] == name and each[1] is step.side]
            assert same(value, mine[0][2])
            assert same(holds[name], mine[-1][3])
            assert not same(holds[name], value)


@given(lines, held, held)
def test_every_written_value_is_put_back_or_kept_with_a_reason_or_there_already(
    written: list[tuple[str, Side, Value, Value]], left: dict[FieldId, Value], right: dict[FieldId, Value]
) -> None:
    entries = [entry(name, side, old, new, Rule.ONE_SIDE_CHANGED) for name, side, old, new in written]
    now: dict[Side, Sighting] = {Side.LEFT: present(Side.LEFT, left), Side.RIGHT: present(Side.RIGHT, right)}

    made = planned(entries, now, full_base())

    put_back = sum(len(step.fields) for step in made.steps)
    assert put_back + len(made.kept) + made.already == len({(name, side) for name, side, _, _ in written})
    assert all(kept.reason for kept in made.kept)


@given(lines, held)
def test_the_base_moves_on_the_written_side_only(
    written: list[tuple[str, Side, Value, Value]], fields: dict[FieldId, Value]
) -> None:
    entries = [entry(name, side, old, new, Rule.ONE_SIDE_CHANGED) for name, side, old, new in written]
    now: dict[Side, Sighting] = {side: present(side, fields) for side in Side}

    for step in planned(entries, now, full_base()).steps:
        for decision in step.fields:
            assert decision.target(step.side.other) is None
            assert decision.now(step.side.other) is None


@given(lines, st.sampled_from([Gone(Proof.NOT_FOUND), Unseen("busy")]))
def test_nothing_is_written_to_what_is_gone_or_not_seen(
    written: list[tuple[str, Side, Value, Value]], sighting: Sighting
) -> None:
    entries = [entry(name, side, old, new, Rule.ONE_SIDE_CHANGED) for name, side, old, new in written]

    made = planned(entries, dict.fromkeys(Side, sighting), full_base())

    assert made.steps == ()
    assert made.kept


@given(lines, held)
def test_nothing_is_touched_while_an_outcome_is_unknown(
    written: list[tuple[str, Side, Value, Value]], fields: dict[FieldId, Value]
) -> None:
    entries = [entry(name, side, old, new, Rule.ONE_SIDE_CHANGED) for name, side, old, new in written]
    now: dict[Side, Sighting] = {side: present(side, fields) for side in Side}

    assert planned(entries, now, full_base(), is_frozen=True).steps == ()


@given(held, held, sides)
def test_a_copy_goes_only_while_it_holds_what_we_wrote(
    made_of: dict[FieldId, Value], holds: dict[FieldId, Value], side: Side
) -> None:
    entries = [entry(name, side, None, value, Rule.CREATED) for name, value in made_of.items()]

    made = planned(entries, {side: present(side, holds)}, full_base())

    is_untouched = all(same(made_of[name], holds[name]) for name in made_of)
    assert [type(step.write) for step in made.steps] == ([Delete] if is_untouched else [])
    assert bool(made.kept) is not is_untouched
    assert all((step.effect, step.release) == (Effect.CLOSE, side.other) for step in made.steps)


@given(held)
def test_a_base_that_only_one_side_has_is_left_alone(fields: dict[FieldId, Value]) -> None:
    entries = [entry("a", Side.RIGHT, Text("old"), fields[FieldId("a")], Rule.ONE_SIDE_CHANGED)]

    made = planned(entries, {Side.RIGHT: present(Side.RIGHT, fields)}, Base({}, {FieldId("a"): Text("base")}))

    assert made.steps == ()
    assert [kept.reason for kept in made.kept] == ["another line of the same field still waits for a person"]
