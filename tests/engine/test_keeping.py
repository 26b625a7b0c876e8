"""What the vendor makes of a write: kept, put in its own form, left out of the answer, or not kept at all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from syncline.connectors.memory import MemoryConnector
from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.memory import Parked
from syncline.core.records import Create, FieldId, Receipt, RecordKey, Scope, Side, Sighting, Update, Write
from syncline.core.values import BLANK, ManyOf, Number, Text, Value
from syncline.engine import again
from syncline.errors import TransientError
from tests.engine.pair import Pair, edited, task, ticket

EFFORT = FieldId("effort")
NOT_KEPT = "rejected.not_kept"


def parked(pair: Pair) -> list[Parked]:
    return list(pair.store.parked(pair.sync().id))


def effort(pair: Pair) -> Value:
    return next(iter(pair.holds(Side.RIGHT).values()))["effort"]


class Counting(MemoryConnector):
    """Counts writes and direct reads, and answers writes without the `silent` fields (None: without the record)."""

    silent: frozenset[FieldId] | None = frozenset()
    touches = False
    fails = False

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type] - handed on
        self.writes: list[Write] = []
        self.fetches = 0

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """One write; a vendor that `touches` changes the record's time whatever it kept."""
        self.writes.append(write)
        receipt = await super().write(scope, write)
        stored = self.account.records[receipt.key]
        if self.touches:
            self.account.sequence += 1
            now = self.account.clock.now()
            stored = replace(stored, updated_at=now, sequence=self.account.sequence)
            self.account.records[receipt.key] = stored
        record = self._record(stored)
        if self.silent is None:
            return Receipt(receipt.key, None)
        told = {name: value for name, value in record.fields.items() if name not in self.silent}
        return Receipt(receipt.key, msgspec.structs.replace(record, fields=told))

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """One direct read."""
        self.fetches += 1
        if self.fails:
            raise TransientError("no answer")
        return await super().fetch(scope, key)


def round_to_cents(value: Value) -> Value:
    return Number(round(value.number, 2)) if isinstance(value, Number) else value


def watched(pair: Pair) -> Counting:
    pair.connectors[Side.RIGHT] = found = Counting(pair.right, name="right")
    return found


async def ignoring(*, touches: bool = False) -> tuple[Pair, Counting, RecordKey]:
    """A linked record whose effort the right vendor leaves at 1, edited on the left."""
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.right.normalise = lambda name, value: Number(Decimal(1)) if name == EFFORT else value
    connector = watched(pair)
    connector.touches = touches
    pair.left.edit(left, edited(name="Paint it", hours=2))
    return pair, connector, left


@pytest.mark.parametrize("touches", [False, True], ids=["still", "touched"])
async def test_a_value_that_is_not_kept_is_parked_and_the_other_fields_go_through(touches: bool) -> None:
    pair, _, _ = await ignoring(touches=touches)

    report = await pair.run()

    assert [failure.code for failure in report.failures] == [NOT_KEPT]
    assert [(each.code, each.field, each.attempts) for each in parked(pair)] == [(NOT_KEPT, "effort", 1)]
    assert parked(pair)[0].due is not None
    assert set(pair.holds(Side.RIGHT)) == {"Paint it"}
    assert report.right.updated == 1


@pytest.mark.parametrize("touches", [False, True], ids=["still", "touched"])
async def test_a_value_that_is_not_kept_is_written_three_times_and_no_more(touches: bool) -> None:
    pair, connector, _ = await ignoring(touches=touches)

    reports = [await pair.run() for _ in range(8)]

    assert len([write for write in connector.writes if EFFORT in getattr(write, "fields", {})]) == 3
    assert [(each.attempts, each.due) for each in parked(pair)] == [(3, None)]
    assert [held.rule for held in reports[-1].plan.held] == [Rule.PARKED]
    assert reports[-1].is_quiet


async def test_what_was_there_before_may_be_the_vendors_form_of_what_was_sent() -> None:
    pair = Pair(conflicts=ConflictPolicy.LEFT)
    pair.right.normalise = lambda name, value: round_to_cents(value) if name == EFFORT else value
    pair.left.create(task("Paint", hours=4.625))
    pair.right.create(ticket("Paint", effort=4.62))

    await pair.run()

    assert parked(pair) == []
    assert (await pair.run()).is_quiet
    assert [value["hours"] for value in pair.holds(Side.LEFT).values()] == [Number(Decimal("4.625"))]


async def test_a_value_that_is_not_kept_is_never_taken_for_agreed() -> None:
    pair, _, _ = await ignoring()
    for _ in range(5):
        await pair.run()
    pair.right.normalise = lambda name, value: value

    again.retry(pair.world(), pair.sync().id)
    await pair.settled()

    assert effort(pair) == Number(Decimal(2))
    assert parked(pair) == []


async def test_an_edit_gets_a_value_that_was_not_kept_going_again() -> None:
    pair, connector, left = await ignoring(touches=True)
    for _ in range(5):
        await pair.run()
    pair.right.normalise = lambda name, value: value
    connector.writes.clear()
    pair.left.edit(left, edited(hours=3))

    await pair.settled()

    assert effort(pair) == Number(Decimal(3))
    assert len(connector.writes) == 1


async def test_a_refusal_is_moot_when_a_person_mends_it_by_hand() -> None:
    pair, _, left = await ignoring()
    for _ in range(5):
        await pair.run()
    pair.left.edit(left, edited(hours=1))

    await pair.settled()

    assert parked(pair) == []


async def test_a_new_record_that_lost_a_field_is_one_record_with_a_complaint() -> None:
    pair = Pair()
    pair.right.normalise = lambda name, value: BLANK if name == EFFORT else value
    connector = watched(pair)
    pair.left.create(task("Paint", hours=2))

    for _ in range(6):
        await pair.run()

    assert len(pair.right.records) == 1
    assert [type(write) for write in connector.writes] == [Create, Update, Update]
    assert [(each.code, each.attempts, each.due) for each in parked(pair)] == [(NOT_KEPT, 3, None)]


@pytest.mark.parametrize("silent", [frozenset({EFFORT}), None], ids=["field", "record"])
async def test_what_the_answer_leaves_out_is_read_back(silent: frozenset[FieldId] | None) -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.right.normalise = lambda name, value: Number(Decimal(4)) if name == EFFORT else value
    connector = watched(pair)
    connector.silent = silent
    pair.left.edit(left, edited(hours=4.2))

    await pair.run()
    calm = await pair.run()

    link = pair.store.links(pair.sync().id, pair.store.find_link(pair.sync().id, left))
    assert [each.base.right[EFFORT] for each in link.values()] == [Number(Decimal(4))]
    assert connector.fetches == 1
    assert calm.is_quiet
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(Decimal("4.2"))


async def test_a_whole_answer_costs_no_read() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    connector = watched(pair)
    pair.left.edit(left, edited(hours=2))

    await pair.run()

    assert connector.fetches == 0


async def test_a_read_back_that_fails_is_an_unknown_outcome_and_found_out_later() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    connector = watched(pair)
    connector.silent, connector.fails = None, True
    pair.left.edit(left, edited(hours=2))

    report = await pair.run()
    connector.silent, connector.fails = frozenset(), False
    await pair.settled()

    assert [failure.code for failure in report.failures] == ["unknown_outcome.unreadable"]
    assert effort(pair) == Number(Decimal(2))
    assert len(connector.writes) == 1


def rounded(name: FieldId, value: Value) -> Value:
    return Number(Decimal(round(value.number))) if isinstance(value, Number) else value


def lower_case(name: FieldId, value: Value) -> Value:
    return ManyOf(tuple(key.lower() for key in value.keys)) if isinstance(value, ManyOf) else value


def tidy(name: FieldId, value: Value) -> Value:
    return Text(value.text.title()) if isinstance(value, Text) else value


@pytest.mark.parametrize(
    ("normalise", "edit", "field", "kept"),
    [
        (rounded, {"hours": 2.4}, "effort", Number(Decimal(2))),
        (lower_case, {"labels": ["Red", "BLUE"]}, "tags", ManyOf(("red", "blue"))),
        (tidy, {"name": "paint the wall"}, "title", Text("Paint The Wall")),
    ],
    ids=["rounding", "case of labels", "case of text"],
)
async def test_the_vendors_own_form_is_learnt_and_does_not_bounce(
    normalise: object, edit: dict[str, object], field: str, kept: Value
) -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.right.normalise = normalise  # type: ignore[assignment] - one of the three above
    pair.left.edit(left, edited(**edit))
    written = dict(pair.left.records[left].fields)

    report = await pair.run()
    calm = [await pair.run() for _ in range(3)]

    assert report.right.updated == 1
    assert all(each.is_quiet for each in calm)
    assert dict(pair.left.records[left].fields) == written
    told = [e for e in pair.store.history(pair.sync().id, run=report.run) if e.rule is Rule.NORMALISED]
    assert [(e.side, e.new) for e in told] == [(None, kept)]
    assert told[0].old == written[FieldId(next(iter(edit)))]
    line = [e for e in pair.store.history(pair.sync().id, run=report.run) if e.side is Side.RIGHT]
    assert [e.new for e in line] == [kept]


async def test_an_edit_of_the_vendors_own_form_still_flows_back() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.right.normalise = rounded
    pair.left.edit(left, edited(hours=2.4))
    await pair.settled()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=5))

    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(Decimal(5))
