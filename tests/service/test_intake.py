"""A webhook is kept, answered, marked and used once; what is not believed, not understood or not stored is told."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Sequence

import pytest

from syncline.connectors.highlevel import WebhookListener
from syncline.core.records import Side, SyncId
from syncline.errors import BusyError, StoreError
from syncline.ports import DeliveryState
from syncline.service.batch import Batch
from syncline.service.intake import Outcome
from syncline.service.limits import Bucket, Limits
from syncline.service.marking import NOT_KEPT, NOT_THERE
from syncline.service.routes import Route
from tests.clock import START
from tests.service.hall import (
    AC_PATH,
    AC_SECRET,
    HL_PATH,
    LOCATION,
    PUBLIC_KEY,
    ROUTES,
    TICKET,
    TICKETS,
    Hall,
    event,
    signed,
    task_event,
)

IN_AC = {"x-angie-webhooksecret": AC_SECRET}


async def test_a_genuine_event_is_kept_marked_and_wakes_its_sync() -> None:
    hall = Hall()

    answer = await hall.send(event(7, timestamp="2026-03-02T08:59:30Z"))

    (kept,) = hall.kept()
    (mark,) = hall.marks()
    assert (answer.status, answer.outcome) == (200, Outcome.KEPT)
    assert (kept.connection, kept.event, kept.object_type, kept.key) == ("hl", "RecordUpdate", TICKET, "r7")
    assert (kept.state, kept.why) == (DeliveryState.USED, "Marked for tickets (right).")
    assert (mark.sync, mark.side, mark.key, mark.origin) == (TICKETS, Side.RIGHT, "r7", f"delivery {kept.id}")
    assert mark.since == START - dt.timedelta(seconds=30)
    assert hall.store.delivery_body(kept.id) == event(7, timestamp="2026-03-02T08:59:30Z")
    assert hall.woken == [TICKETS]


async def test_an_event_of_the_other_vendor_marks_the_other_side() -> None:
    hall = Hall()

    assert (await hall.send(task_event(34), IN_AC, AC_PATH)).status == 200

    assert [(each.side, each.key) for each in hall.marks()] == [(Side.LEFT, "34")]


async def test_the_same_event_again_is_answered_alike_and_does_nothing() -> None:
    hall = Hall()

    answers = [await hall.send(event(1, attempt=number)) for number in range(3)]

    assert [(each.status, each.outcome.value) for each in answers] == [
        (200, "kept"),
        (200, "known"),
        (200, "known"),
    ]
    assert len(hall.kept()) == len(hall.marks()) == len(hall.woken) == 1


async def test_an_event_without_an_id_is_known_again_by_its_body() -> None:
    hall = Hall()

    for number in (34, 34, 35):
        await hall.send(task_event(number), IN_AC, AC_PATH)

    assert [each.key for each in hall.kept()] == ["34", "35"]


async def test_an_event_that_no_sync_wants_is_answered_and_noted() -> None:
    hall = Hall()

    answers = [
        await hall.send(event(1, objectKey="custom_objects.pet")),
        await hall.send(event(2, type="SomethingNew")),
        await hall.send(event(3, type="INSTALL", id=None)),
    ]

    assert {each.status for each in answers} == {200}
    assert [each.state for each in hall.kept()] == [DeliveryState.IGNORED] * 3
    assert [each.why for each in hall.kept()][:2] == [
        "No running sync wants it.",
        "No sync can look at what this event is about.",
    ]
    assert hall.marks() == hall.woken == []


async def test_a_forged_event_is_kept_without_its_body_and_takes_no_place() -> None:
    hall = Hall()
    body = event(1, properties="planted-body")

    answer = await hall.send(body, {"x-ghl-signature": "QUJD"})
    again = await hall.send(body, {"x-ghl-signature": "QUJD"})
    genuine = await hall.send(body)

    refused, kept = hall.kept()
    assert (answer.status, again.status, genuine.outcome) == (401, 401, Outcome.KEPT)
    assert (refused.state, refused.key, hall.store.delivery_body(refused.id)) == (
        DeliveryState.REFUSED,
        "",
        b"",
    )
    assert "signature" in refused.why
    assert kept.state is DeliveryState.USED
    assert hall.intake.counts["hl", Outcome.REFUSED] == 2


async def test_refusals_are_counted_for_ever_but_kept_only_so_many_an_hour() -> None:
    hall = Hall(Limits(refused=2))

    for number in range(5):
        assert (await hall.send(event(number), {})).status == 401
    hall.clock.advance(3_600)
    await hall.send(event(9), {})

    assert len(hall.kept()) == 3
    assert hall.intake.counts["hl", Outcome.REFUSED] == 6


async def test_a_signed_body_that_makes_no_sense_is_told_apart_from_a_forged_one() -> None:
    assert (await Hall().send(b"[]")).status == 400


async def test_headers_are_kept_without_anything_secret() -> None:
    hall = Hall()
    headers = {**IN_AC, "content-type": "application/json", "cookie": "planted-cookie", "x": "\0" * 3}

    await hall.send(task_event(1), headers, AC_PATH)

    (kept,) = hall.kept()
    assert kept.headers["content-type"] == "application/json"
    assert kept.headers["x-angie-webhooksecret"] == kept.headers["cookie"] == "(not kept)"


async def test_planted_secrets_are_nowhere_in_the_database(tmp_path: object) -> None:
    hall = Hall()

    await hall.send(task_event(1), {**IN_AC, "cookie": "planted-cookie"}, AC_PATH)
    await hall.send(task_event(2), {"x-angie-webhooksecret": "planted-guess"}, AC_PATH)

    dump = "\n".join(hall.store._connection.iterdump())
    assert 'INSERT INTO "delivery"' in dump
    for secret in (AC_SECRET, "planted", HL_PATH, AC_PATH):
        assert secret not in dump


async def test_an_unknown_path_is_told_nothing_and_its_body_is_not_read() -> None:
    hall = Hall()

    async def read(_most: int) -> bytes | None:
        raise AssertionError("the body was read")

    assert (await hall.intake.receive("guess", signed(event()), read)).status == 404
    assert hall.kept() == []


async def test_a_closed_door_is_not_there_any_more() -> None:
    hall = Hall()
    hall.intake.open("hl", "another", WebhookListener(LOCATION, [PUBLIC_KEY]))

    assert (await hall.send(event(), path=HL_PATH)).status == 404
    assert (await hall.send(event(), path="another")).status == 200
    hall.intake.close("hl")
    assert (await hall.send(event(), path="another")).status == 404


async def test_a_body_above_the_limit_is_too_large() -> None:
    hall = Hall(Limits(body=100))

    assert (await hall.send(event(1, properties="x" * 100))).status == 413
    assert hall.kept() == []


async def test_a_connection_that_sends_too_many_is_told_when_to_come_back() -> None:
    hall = Hall(Limits(rate=0.5, burst=2))

    statuses = [(await hall.send(event(number))).status for number in range(3)]
    other = await hall.send(task_event(1), IN_AC, AC_PATH)
    again = await hall.send(event(9))
    hall.clock.advance(again.after)

    assert statuses == [200, 200, 429]
    assert other.status == 200
    assert again.after == 2
    assert (await hall.send(event(9))).status == 200


def test_a_clock_that_goes_back_grants_nothing() -> None:
    bucket = Bucket(1.0, 1.0, START)

    assert bucket.take(START) == 0
    assert bucket.take(START - dt.timedelta(hours=1)) == 1
    assert bucket.take(START) == 0


async def test_a_vendor_may_send_the_events_of_several_accounts_to_one_address() -> None:
    hall = Hall(routes=(*ROUTES, Route(SyncId("pets"), Side.LEFT, "hl2", TICKET)))
    hall.intake.open("hl2", "second", WebhookListener("location-2", [PUBLIC_KEY]))

    await hall.send(event(1, locationId="location-2"))
    await hall.send(event(2, locationId="location-3"))

    assert [(each.connection, each.state.value) for each in hall.kept()] == [
        ("hl2", "used"),
        ("hl", "ignored"),
    ]
    assert hall.woken == ["pets"]


async def test_a_schema_event_marks_the_side_as_a_whole() -> None:
    hall = Hall()

    await hall.send(event(1, type="ObjectSchemaUpdate", key=TICKET))

    assert [(each.side, each.key) for each in hall.marks()] == [(Side.RIGHT, "")]


async def test_a_record_of_an_untold_type_is_looked_for_among_the_known() -> None:
    other = Route(SyncId("pets"), Side.LEFT, "hl", "custom_objects.pet")
    hall = Hall(routes=(*ROUTES, other))
    hall.store.tie(TICKETS, "34", "r1", START)

    await hall.send(event(1, objectKey=None))
    await hall.send(event(2, objectKey=None))

    assert [(each.sync, each.key) for each in hall.marks()] == [(TICKETS, "r1"), (TICKETS, "r2")]
    assert [each.key for each in hall.store.marks(SyncId("pets"), START)] == ["r2"]


async def test_events_that_come_together_share_one_commit() -> None:
    hall = Hall()
    said: list[str] = []
    hall.store._connection.set_trace_callback(said.append)

    answers = await asyncio.gather(*(hall.send(event(number)) for number in range(50)))

    assert {each.status for each in answers} == {200}
    assert len(hall.marks()) == len(hall.kept()) == 50
    assert said.count("COMMIT") == 2, "the webhooks, then their marks"
    assert hall.woken == [TICKETS]


async def test_a_group_is_not_larger_than_allowed() -> None:
    hall = Hall(Limits(group=20))
    said: list[str] = []
    hall.store._connection.set_trace_callback(said.append)

    await asyncio.gather(*(hall.send(event(number)) for number in range(50)))

    assert said.count("COMMIT") == 6
    assert len(hall.kept()) == 50


class _Failing:
    """A store that cannot keep deliveries for so many times."""

    def __init__(self, hall: Hall, method: str, error: Exception, times: int) -> None:
        self._left = times
        self._error = error
        self._right = getattr(hall.store, method)
        setattr(hall.store, method, self)

    def __call__(self, *arguments: object) -> object:
        self._left -= 1
        if self._left >= 0:
            raise self._error
        return self._right(*arguments)


@pytest.mark.parametrize("error", [BusyError("locked"), StoreError("full")])
async def test_what_cannot_be_stored_is_sent_again_by_the_vendor(error: StoreError) -> None:
    hall = Hall()
    _Failing(hall, "keep_deliveries", error, 1)

    failed = await hall.send(event())
    again = await hall.send(event())

    assert (failed.status, failed.after) == (503, 1)
    assert again.outcome is Outcome.KEPT
    assert hall.keys() == ["r1"]


async def test_what_was_kept_but_not_used_is_used_later() -> None:
    hall = Hall()
    _Failing(hall, "add_marks", BusyError("locked"), 1)

    assert (await hall.send(event(1))).status == 200
    assert hall.marks() == []
    assert hall.kept()[0].state is DeliveryState.WAITING

    assert hall.intake.catch_up() == 1
    assert hall.keys() == ["r1"]
    assert hall.woken == [TICKETS]
    assert hall.kept()[0].state is DeliveryState.USED
    assert hall.intake.catch_up() == 0


async def test_catching_up_works_without_the_connection_that_heard_it() -> None:
    hall = Hall()
    _Failing(hall, "add_marks", BusyError("locked"), 1)
    await hall.send(event(1))
    hall.intake.close("hl")

    hall.intake.catch_up()

    assert hall.keys() == ["r1"]


async def test_a_delivery_is_used_again_on_demand() -> None:
    hall = Hall(routes=())
    await hall.send(event(1))
    await hall.send(event(2), {})
    ignored, refused = hall.kept()
    hall.routes = ROUTES

    done = hall.intake.redeliver([ignored.id, refused.id, 99, ignored.id])

    assert [(each.id, each.state.value, each.why) for each in done.settled] == [
        (ignored.id, "used", "Marked for tickets (right)."),
        (refused.id, "refused", NOT_KEPT),
        (99, "refused", NOT_THERE),
    ]
    assert hall.keys() == ["r1"]
    assert hall.woken == [TICKETS]
    assert [each.state for each in hall.kept()] == [DeliveryState.USED, DeliveryState.REFUSED]


async def test_a_delivery_whose_body_is_pruned_is_used_by_what_its_row_tells() -> None:
    hall = Hall()
    await hall.send(event(1))
    hall.store.remove_marks(hall.marks())
    hall.store.prune_deliveries(START + dt.timedelta(days=1), START - dt.timedelta(days=1))

    hall.intake.redeliver([hall.kept()[0].id])

    assert hall.keys() == ["r1"]


async def test_a_body_with_text_that_no_database_takes_is_kept() -> None:
    hall = Hall()

    answer = await hall.send(event(1, id="r\0" + "x" * 1_000, type="Record\0Update", webhookId="w" * 1_000))

    assert answer.status == 200
    (kept,) = hall.kept()
    assert "\0" not in kept.event
    assert len(kept.mark) < 250


async def test_a_time_that_cannot_be_true_is_not_the_start_of_the_way() -> None:
    hall = Hall()

    await hall.send(event(1, timestamp="2020-01-01T00:00:00Z"))
    await hall.send(event(2, timestamp="2030-01-01T00:00:00Z"))

    assert [each.since for each in hall.marks()] == [START, START]


class TestBatch:
    """Group commit by itself."""

    async def test_one_bad_item_does_not_hold_back_the_others(self) -> None:
        written: list[int] = []

        def write(items: Sequence[int]) -> Sequence[int]:
            if 3 in items:
                raise StoreError("bad")
            written.extend(items)
            return items

        batch: Batch[int, int] = Batch(write, lambda _: None, 10)
        answers = await asyncio.gather(*(batch.put(each) for each in range(5)), return_exceptions=True)

        assert written == [0, 1, 2, 4]
        assert [answer for answer in answers if not isinstance(answer, int)] == [answers[3]]
        assert isinstance(answers[3], StoreError)

    async def test_a_bug_in_the_writing_leaves_nobody_waiting(self) -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))

        def write(items: Sequence[int]) -> Sequence[int]:
            raise ZeroDivisionError

        batch: Batch[int, int] = Batch(write, lambda _: None, 10)
        with pytest.raises(StoreError):
            await asyncio.wait_for(batch.put(1), 5)

        assert isinstance(told[0], ZeroDivisionError)

    async def test_the_answers_go_out_before_what_comes_after(self) -> None:
        order: list[str] = []
        batch: Batch[int, int] = Batch(lambda items: items, lambda _: order.append("after"), 10)

        await batch.put(1)
        order.append("answered")
        await asyncio.sleep(0)

        assert order == ["answered", "after"]

    async def test_nobody_is_answered_before_the_disk_has_it(self) -> None:
        order: list[str] = []
        may_go = threading.Event()

        def flush() -> None:
            may_go.wait(5)
            order.append("on the disk")

        batch: Batch[int, int] = Batch(
            lambda items: items, lambda _: order.append("after"), 10, lambda: flush
        )
        first = asyncio.create_task(batch.put(1))
        for _ in range(3):
            await asyncio.sleep(0)
        second = asyncio.create_task(batch.put(2))
        await asyncio.sleep(0)
        assert not first.done()

        may_go.set()
        assert await asyncio.gather(first, second) == [1, 2]
        assert order == ["after", "on the disk", "after", "on the disk"]

    async def test_what_the_disk_refused_is_not_taken_for_written(self) -> None:
        def flush() -> None:
            raise StoreError("full")

        flushes: list[Callable[[], None] | None] = [flush, None]
        batch: Batch[int, int] = Batch(lambda items: items, lambda _: None, 10, lambda: flushes.pop(0))

        with pytest.raises(StoreError, match="full"):
            await batch.put(1)
        assert await batch.put(2) == 2

    async def test_whoever_hung_up_is_written_all_the_same(self) -> None:
        written: list[int] = []
        batch: Batch[int, int] = Batch(lambda items: written.extend(items) or items, lambda _: None, 10)
        task = asyncio.create_task(batch.put(1))
        await asyncio.sleep(0)
        task.cancel()

        assert await batch.put(2) == 2
        assert written == [1, 2]
