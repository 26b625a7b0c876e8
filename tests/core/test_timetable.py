"""When a sync is looked at again: polls that adapt, a night that changes its clocks, tries that back off."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.timetable import Timetable, next_nightly, next_poll, next_try, problem

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
CHANCES = st.floats(0, 1)
INTERVALS = st.timedeltas(dt.timedelta(seconds=1), dt.timedelta(hours=2))


@given(INTERVALS, INTERVALS, st.none() | INTERVALS, CHANCES, st.booleans())
def test_a_poll_comes_within_its_bounds(
    fastest: dt.timedelta, slowest: dt.timedelta, every: dt.timedelta | None, chance: float, found: bool
) -> None:
    ahead = next_poll(Timetable(fastest, slowest), NOW, every, chance, found=found)

    assert ahead is not None
    at, interval = ahead
    assert fastest <= interval <= max(fastest, slowest)
    assert 0.9 * interval <= at - NOW <= 1.1 * interval


@given(CHANCES)
def test_what_finds_something_makes_the_next_poll_come_soon(chance: float) -> None:
    table = Timetable(MINUTE, 15 * MINUTE)

    ahead = next_poll(table, NOW, 10 * MINUTE, chance, found=True)

    assert ahead is not None
    assert ahead[1] == MINUTE


def test_polls_that_find_nothing_slow_down_to_the_slowest() -> None:
    table, every = Timetable(MINUTE, 15 * MINUTE), None
    intervals: list[dt.timedelta] = []
    for _ in range(10):
        ahead = next_poll(table, NOW, every, 0.5, found=False)
        assert ahead is not None
        every = ahead[1]
        intervals.append(every)

    assert intervals[0] == MINUTE
    assert intervals == sorted(intervals)
    assert intervals[-1] == 15 * MINUTE


def test_a_sync_without_polls_has_none() -> None:
    assert next_poll(Timetable(None, None), NOW, MINUTE, 0.5, found=True) is None


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ((2026, 3, 28, 12), (2026, 3, 29, 1, 0)),  # 02:30 is skipped: right after the gap
        ((2026, 3, 29, 2), (2026, 3, 30, 0, 30)),
        ((2026, 10, 24, 12), (2026, 10, 25, 0, 30)),  # 02:30 is there twice: the first one
        ((2026, 10, 25, 0, 31), (2026, 10, 26, 1, 30)),  # and only the first one
    ],
)
def test_the_night_comes_once_when_the_clocks_change(now: tuple[int, ...], then: tuple[int, ...]) -> None:
    table = Timetable(nightly="30 2 * * *", zone="Europe/Berlin")

    assert next_nightly(table, dt.datetime(*now, tzinfo=dt.UTC)) == dt.datetime(*then, tzinfo=dt.UTC)


@given(st.integers(0, 365 * 24 * 60))
def test_every_day_has_one_night(minutes: int) -> None:
    now = NOW + dt.timedelta(minutes=minutes)
    table = Timetable(nightly="30 2 * * *", zone="America/New_York")

    at = next_nightly(table, now)

    assert at is not None
    assert dt.timedelta() < at - now <= dt.timedelta(hours=25)


@pytest.mark.parametrize(
    ("nightly", "zone", "is_fine"),
    [
        ("30 2 * * *", "Europe/Berlin", True),
        ("0 3 * * 1-5", "UTC", True),
        ("30 25 * * *", "UTC", False),
        ("nightly", "UTC", False),
        ("0 0 30 2 *", "UTC", False),
        ("30 2 * * *", "Mars/Olympus", False),
        ("30 2 * * *", "", False),
    ],
)
def test_a_line_that_cannot_be_kept_is_told(nightly: str, zone: str, is_fine: bool) -> None:
    assert (problem(nightly, zone) == "") is is_fine


def test_a_timetable_that_cannot_be_kept_raises_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="Mars"):
        next_nightly(Timetable(zone="Mars"), NOW)


def test_a_sync_without_nights_has_none() -> None:
    assert next_nightly(Timetable(nightly=None), NOW) is None


@given(st.integers(1, 60), CHANCES, st.none() | INTERVALS)
def test_tries_back_off_and_wait_as_long_as_asked(
    misses: int, chance: float, asked: dt.timedelta | None
) -> None:
    at = next_try(NOW, misses, chance, asked)

    assert at - NOW >= (asked or dt.timedelta())
    assert at - NOW <= max(dt.timedelta(hours=1), asked or dt.timedelta())
    assert at - NOW >= dt.timedelta(seconds=2.5)


def test_a_later_try_waits_longer() -> None:
    waits = [next_try(NOW, misses, 1, None) - NOW for misses in range(1, 15)]

    assert waits == sorted(waits)
    assert waits[0] == dt.timedelta(seconds=10)
    assert waits[-1] == dt.timedelta(hours=1)
