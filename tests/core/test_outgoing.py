"""Events are tried again, slower and slower, for three days; a receiver that is gone is left alone; with laws."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.outgoing import (
    PATIENCE,
    WAITS,
    Dispatch,
    DispatchState,
    Event,
    EventType,
    Sent,
    Subscription,
    after_try,
    subscription_after,
)
from tests.clock import START

DISPATCH = Dispatch(1, "sub_1", START, id=1)
SUBSCRIPTION = Subscription("sub_1", "https://a.test/", START)
statuses = st.one_of(st.none(), st.integers(100, 599))


@given(st.lists(st.tuples(statuses, st.floats(0, 1)), max_size=14))
def test_what_arrived_is_over_and_what_did_not_comes_again_until_it_has_failed(
    tries: list[tuple[int | None, float]],
) -> None:
    dispatch, now = DISPATCH, START
    for status, chance in tries:
        assert dispatch.due is not None
        now = dispatch.due
        sent = Sent(status, "it answered")
        dispatch = after_try(dispatch, sent, now, chance)
        assert (dispatch.due is None) == (dispatch.state is not DispatchState.WAITING)
        assert (dispatch.state is DispatchState.SENT) == sent.has_arrived
        if dispatch.due is None:
            break
        assert dispatch.due > now
    assert dispatch.tries <= len(WAITS) + 1
    assert now - START <= 1.1 * sum(WAITS, dt.timedelta())


def test_the_waits_grow_and_take_three_days() -> None:
    assert all(sooner < later for sooner, later in pairwise(WAITS))
    assert dt.timedelta(days=3) <= sum(WAITS, dt.timedelta()) <= dt.timedelta(days=3.5)


@given(st.lists(st.tuples(statuses, st.integers(1, 40)), max_size=30))
def test_a_subscription_is_turned_off_only_by_410_or_by_failing_for_long(
    tries: list[tuple[int | None, int]],
) -> None:
    subscription, now, since = SUBSCRIPTION, START, None
    for status, hours in tries:
        now += dt.timedelta(hours=hours)
        sent = Sent(status)
        subscription = subscription_after(subscription, sent, now)
        since = None if sent.has_arrived else (since or now)
        assert subscription.failing_since == since
        is_over = status == 410 or (since is not None and now - since >= PATIENCE)
        assert subscription.is_on != is_over
        assert bool(subscription.why_off) == is_over
        if is_over:
            break


def test_who_was_turned_off_keeps_the_reason_when_other_tries_end() -> None:
    off = subscription_after(SUBSCRIPTION, Sent(410), START)

    assert subscription_after(off, Sent(500), START).why_off == off.why_off
    assert not subscription_after(off, Sent(200), START).is_on


@given(st.sampled_from(list(EventType)), st.booleans())
def test_values_go_along_only_when_they_are_asked_for(type_: EventType, with_values: bool) -> None:
    event = Event(type_, START, {"sync": "tickets", "values": {"title": "Paint"}}, 7)

    told = json.loads(event.payload(with_values=with_values))

    assert told["type"] == type_.value
    assert told["timestamp"] == "2026-03-02T09:00:00Z"
    assert ("values" in told["data"]) == with_values
    assert told["data"]["sync"] == "tickets"


def test_two_events_never_have_the_same_mark() -> None:
    marks = {Event(EventType.RUN_FINISHED, START + dt.timedelta(days=n // 2), {}, n).mark for n in range(10)}

    assert len(marks) == 10


@pytest.mark.parametrize("wanted", list(EventType))
def test_a_subscription_wants_what_it_names_or_all(wanted: EventType) -> None:
    assert SUBSCRIPTION.wants(wanted)
    named = Subscription("x", "https://a.test/", START, frozenset({wanted}))
    assert [each for each in EventType if named.wants(each)] == [wanted]
