"""Delays grow with failed tries, never beyond their cap, and tries from elsewhere do not count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.errors import AccessError
from syncline.service.people import People
from syncline.service.throttle import (
    BY_ACCOUNT,
    BY_ADDRESS,
    Delays,
    account_name,
    address_name,
    count_try,
    succeeded,
    sweep,
)
from syncline.store import open_store
from tests.clock import VirtualClock

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def people(clock: VirtualClock) -> Iterator[People]:
    store = open_store("sqlite://")
    yield People(store, clock)
    store.close()


@given(st.integers(0, 10_000), st.sampled_from([BY_ACCOUNT, BY_ADDRESS]))
def test_delays_grow_up_to_their_cap(count: int, delays: Delays) -> None:
    assert dt.timedelta() <= delays.after(count) <= delays.after(count + 1) <= delays.longest
    assert (delays.after(count) == dt.timedelta()) == (count < delays.free)


def test_a_refused_try_counts_for_nothing(people: People, clock: VirtualClock) -> None:
    delays = {"x": Delays(1, 10 * SECOND)}
    count_try(people, delays)
    for _ in range(5):
        with pytest.raises(AccessError) as caught:
            count_try(people, delays)
        assert caught.value.after == SECOND
    clock.advance(1)
    count_try(people, delays)
    with pytest.raises(AccessError) as caught:
        count_try(people, delays)
    assert caught.value.after == 2 * SECOND


def test_one_name_that_waits_is_enough_and_the_other_is_not_counted(people: People) -> None:
    count_try(people, {"x": Delays(1, 10 * SECOND)})
    with pytest.raises(AccessError):
        count_try(people, {"x": Delays(1, 10 * SECOND), "y": Delays(9, SECOND)})

    assert people.store.tries("y") is None


def test_an_hour_of_quiet_is_forgotten_and_swept_away(people: People, clock: VirtualClock) -> None:
    delays = {"x": Delays(1, 10 * SECOND)}
    count_try(people, delays)
    clock.advance(3602)
    count_try(people, delays)
    kept = people.store.tries("x")
    assert kept is not None
    assert kept.count == 1

    clock.advance(3602)
    sweep(people)
    assert people.store.tries("x") is None


def test_success_forgets_the_account_and_gives_the_address_one_try_back(people: People) -> None:
    delays = {"account": BY_ACCOUNT, "address": BY_ADDRESS}
    for _ in range(3):
        count_try(people, delays)

    succeeded(people, "account", "address")

    kept = people.store.tries("address")
    assert people.store.tries("account") is None
    assert kept is not None
    assert kept.count == 2


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "unknown", False),
    ],
)
def test_addresses_of_one_ipv6_network_are_one(one: str, other: str, is_same: bool) -> None:
    assert (address_name(one) == address_name(other)) == is_same


def test_an_account_is_counted_under_a_digest_of_what_was_typed() -> None:
    assert account_name(" Ann@example.test ") == account_name("ann@EXAMPLE.test")
    assert "ann" not in account_name("ann@example.test")
