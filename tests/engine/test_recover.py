"""Single cases that the simulation brought to light, each as small as it can be."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal

from syncline.connectors.memory import MemoryConnector, When
from syncline.core.decisions import DeletedEdit, DeletePolicy, Rule
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping
from syncline.core.match import MatchMode
from syncline.core.records import Create, Delete, FieldId, Receipt, RecordKey, Scope, Side, Update, Write
from syncline.core.values import BLANK, Number, Text, Value
from syncline.engine.runs import Report, run
from syncline.engine.sync import Patience
from syncline.errors import UnknownOutcomeError
from syncline.ports import Ending, Page
from syncline.store import open_store
from tests.engine.pair import MAPPINGS, Pair, edited, task, ticket


def losses(pair: Pair) -> list[tuple[str, Value | None]]:
    """Field and value of everything that was overridden or deleted."""
    return [(e.field, e.lost) for e in pair.store.history(pair.sync().id) if e.lost is not None and e.field]


def cut_after(kind: type[Write]) -> Callable[[When, Write], None]:
    """The first write of a kind takes effect, and its answer is lost."""
    return cut(kind, When.AFTER)


def cut(kind: type[Write], moment: When) -> Callable[[When, Write], None]:
    """The first write of a kind gets no answer."""
    struck: list[Write] = []

    def strike(when: When, write: Write) -> None:
        if when is moment and isinstance(write, kind) and not struck:
            struck.append(write)
            raise UnknownOutcomeError("cut")

    return strike


async def patiently(pair: Pair, patience: Patience) -> Report:
    """One run with other patience."""
    pair.clock.advance(60)
    return await run(pair.world(), replace(pair.sync(), patience=patience), random.Random(1).random)


async def test_a_deletion_without_answer_still_tells_what_was_deleted() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.delete(left)
    pair.right.faults = cut_after(Delete)

    await pair.run()
    await pair.settled()

    assert ("effort", Number(3)) in losses(pair)


async def test_a_deletion_tells_what_the_record_kept_for_itself() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    pair.left.create(task("Stays"))
    right = pair.right.create(ticket("Paint", remark="ours alone"))
    await pair.settled()
    pair.left.delete(pair.key(Side.LEFT, "Paint"))

    await pair.settled()

    assert pair.right.records[right].trashed_at is not None
    assert ("remark", Text("ours alone")) in losses(pair)


async def test_an_override_without_answer_is_told_though_its_record_was_deleted_since() -> None:
    pair = Pair()
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.edit(left, edited(hours=4))
    pair.clock.advance(5)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=5))
    pair.left.faults = cut_after(Update)
    await pair.run()
    pair.left.delete(left)

    await pair.run()

    assert ("hours ↔ effort", Number(4)) in losses(pair)


async def test_a_deletion_is_not_wanted_for_ever_when_the_other_record_is_back_out_of_sight() -> None:
    pair = Pair(deletes=DeletePolicy.ASK)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.delete(left)
    await pair.run()
    pair.left.restore(left)
    pair.left.hidden.add(left)
    pair.deletes = DeletePolicy.PROPAGATE

    first = await pair.run()
    second = await pair.run()

    assert [failure.code for failure in first.failures] == ["stale.back_again"]
    assert second.is_quiet
    assert set(pair.holds(Side.RIGHT)) == {"Stays", "Paint"}


async def test_a_restored_record_is_not_deleted_because_of_our_own_unheard_deletion() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.delete(left)
    pair.right.faults = cut_after(Delete)
    await pair.run()
    pair.left.restore(left)

    await pair.settled()

    assert set(pair.holds(Side.LEFT)) == set(pair.holds(Side.RIGHT)) == {"Stays", "Paint"}


async def test_an_unheard_deletion_says_nothing_of_a_record_that_cannot_be_seen() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.delete(left)
    pair.right.faults = cut_after(Delete)
    await pair.run()
    pair.left.restore(left)
    pair.left.unreadable.add(left)
    pair.left.hidden.add(left)
    report = await pair.run()

    assert report.unknown == 1

    pair.left.unreadable.clear()
    pair.left.hidden.clear()
    await pair.settled()
    assert set(pair.holds(Side.LEFT)) == set(pair.holds(Side.RIGHT)) == {"Stays", "Paint"}


async def test_a_copy_whose_link_is_forgotten_is_not_copied_back() -> None:
    pair = Pair(mode=MatchMode.CREATE_ONLY)
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.store = open_store("sqlite://")
    pair.left.hidden.add(left)

    report = await pair.run()

    assert len(pair.left.records) == 1
    assert [held.rule for held in report.plan.held] == [Rule.NO_COUNTERPART]


class Overtaken(MemoryConnector):
    """A connector whose listing is out of date as soon as it was read: `meanwhile` happens right after it."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """The listing, and then what people did."""
        async for part in super().pages(scope, since):
            if isinstance(part, Ending):
                self.meanwhile()
            yield part


async def test_a_listing_that_lags_is_no_look() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    right = pair.key(Side.RIGHT, "Paint")
    overtaken = Overtaken(pair.right, name="right")
    pair.connectors[Side.RIGHT] = overtaken
    pair.left.edit(left, edited(hours=4))
    pair.clock.advance(1)
    overtaken.meanwhile = lambda: pair.right.edit(right, edited(effort=5))

    report = await patiently(pair, Patience(lag={Side.RIGHT: dt.timedelta(seconds=30)}))
    overtaken.meanwhile = lambda: None
    await pair.settled()

    assert [failure.code for failure in report.failures] == ["stale.edited"]
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(5)
    assert ("hours ↔ effort", Number(4)) in losses(pair)


class TwoCalls(MemoryConnector):
    """A connector that needs a second call for one field of a new record; the first such call is cut."""

    is_cut = True

    def cost(self, write: Write) -> int:
        """Two calls for a new record."""
        return 2 if isinstance(write, Create) else super().cost(write)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Create without the hours first."""
        if isinstance(write, Create) and self.is_cut:
            self.is_cut = False
            first = {name: value for name, value in write.fields.items() if name != FieldId("effort")}
            await super().write(scope, Create(first, write.external_key))
            raise UnknownOutcomeError("only a part of the write happened")
        return await super().write(scope, write)


async def test_what_a_copy_made_in_one_call_lacks_was_taken_away_by_somebody() -> None:
    pair = Pair(has_external_keys=False, mode=MatchMode.CREATE_ONLY)
    whole = TwoCalls(pair.right, name="right")
    whole.cost = lambda _write: 1  # type: ignore[method-assign]
    pair.connectors[Side.RIGHT] = whole
    pair.left.create(task("Paint", hours=3, labels=["a"]))

    await pair.run()
    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["hours"] == BLANK


async def test_a_half_made_copy_is_found_and_finished() -> None:
    pair = Pair(has_external_keys=False, mode=MatchMode.CREATE_ONLY)
    pair.connectors[Side.RIGHT] = TwoCalls(pair.right, name="right")
    pair.left.create(task("Paint", hours=3, labels=["a"]))

    await pair.run()
    report = await pair.settled()

    assert (len(pair.left.records), len(pair.right.records), report.counts.links) == (1, 1, 1)
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(3)
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(3)


async def test_a_copy_that_its_vendor_put_in_its_own_form_is_found() -> None:
    pair = Pair(mode=MatchMode.CREATE_ONLY, has_external_keys=False)
    pair.left.create(task("Paint", hours=0.625))
    pair.right.normalise = lambda name, value: Number(Decimal("0.62")) if name == "effort" else value
    pair.right.faults = cut_after(Create)

    await pair.run()
    await pair.settled()

    assert (len(pair.left.records), len(pair.right.records)) == (1, 1)


async def test_a_value_that_still_is_as_it_was_is_not_taken_for_our_write() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.left.edit(left, edited(name="PAINT", hours=2))
    pair.right.faults = cut(Update, When.BEFORE)
    await pair.run()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=5))

    await pair.settled()

    assert "PAINT" in pair.holds(Side.RIGHT)


SLOW = Patience(lag={Side.RIGHT: dt.timedelta(seconds=90)})


async def lagging(faults: Callable[[When, Write], None]) -> tuple[Pair, RecordKey | None]:
    """A create without an answer, on a side whose listing does not show yet what it made, if anything."""
    pair = Pair(has_external_keys=False, mode=MatchMode.CREATE_ONLY)
    pair.right.skew = dt.timedelta(seconds=2)
    pair.left.create(task("Paint"))
    pair.right.faults = faults
    await patiently(pair, SLOW)
    pair.right.hidden.update(pair.right.records)
    return pair, next(iter(pair.right.records), None)


async def test_a_lagging_listing_proves_no_absence_until_it_began_long_after_the_run() -> None:
    pair, made = await lagging(cut_after(Create))

    early = await patiently(pair, SLOW)
    pair.right.hidden.clear()
    await patiently(pair, SLOW)

    assert [held.rule for held in early.plan.held] == [Rule.UNKNOWN_OUTCOME]
    assert list(pair.right.records) == [made]


async def test_a_clock_that_jumps_ahead_makes_no_time_pass_at_the_vendor() -> None:
    pair, made = await lagging(cut_after(Create))

    pair.clock.jump(9000)
    pair.right.skew -= dt.timedelta(seconds=9000)
    early = await patiently(pair, SLOW)
    pair.clock.advance(100)
    pair.right.hidden.clear()
    await patiently(pair, SLOW)

    assert [held.rule for held in early.plan.held] == [Rule.UNKNOWN_OUTCOME]
    assert list(pair.right.records) == [made]


async def test_a_clock_that_was_set_back_delays_nothing_at_the_vendor() -> None:
    pair, _ = await lagging(cut(Create, When.BEFORE))

    pair.clock.advance(100)
    pair.clock.jump(-9000)
    pair.right.skew += dt.timedelta(seconds=9000)
    await patiently(pair, SLOW)

    assert not pair.store.intents(pair.sync().id)


async def test_a_revived_record_does_not_hide_an_edit_that_does_not_flow_its_way() -> None:
    one_way = FieldMapping(FieldId("hours"), FieldId("effort"), Direction.TO_RIGHT)
    pair = Pair(
        deletes=DeletePolicy.PROPAGATE,
        mappings=[one_way if each.left == one_way.left else each for each in MAPPINGS],
    )
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.delete(left)
    pair.left.purge(left)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(title="Paint it", effort=9))

    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint it"]["hours"] == Number(3)
    assert pair.holds(Side.RIGHT)["Paint it"]["effort"] == Number(3)
    assert ("hours ↔ effort", Number(9)) in losses(pair)


async def test_what_a_following_side_kept_is_told_when_the_leading_side_speaks_at_last() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint"))
    pair.right.create(ticket("Paint", remark="ours alone"))
    await pair.settled()
    pair.left.edit(left, edited(note="theirs"))

    await pair.settled()

    assert pair.holds(Side.RIGHT)["Paint"]["remark"] == Text("theirs")
    assert ("note ↔ remark", Text("ours alone")) in losses(pair)


async def test_a_record_purged_before_its_revival_is_made_anew_instead_of_tried_for_ever() -> None:
    pair = Pair(deletes=DeletePolicy.ASK, deleted_edit=DeletedEdit.ASK)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.left.delete(left)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))
    await pair.run()
    pair.left.purge(left)
    pair.deleted_edit = DeletedEdit.EDIT

    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(9)
    assert len(pair.left.records) == 2


async def test_the_first_of_two_writes_is_told_of_though_the_second_was_never_heard_of() -> None:
    pair = Pair(conflicts=ConflictPolicy.MERGE)
    left = pair.left.create(task("Paint", labels=["blue"]))
    await pair.settled()
    pair.left.edit(left, edited(labels=["blue", "red"]))
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(tags=["blue", "green"]))
    pair.right.faults = cut(Update, When.BEFORE)

    first = await pair.run()
    await pair.settled()

    told = [
        (entry.run, entry.side)
        for entry in pair.store.history(pair.sync().id, left)
        if entry.rule is Rule.MERGED
    ]
    assert told[0] == (first.run, Side.LEFT)
    assert [side for _, side in told] == [Side.LEFT, Side.RIGHT]
