"""A silence is unusual where the same hours of earlier weeks were not silent."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from syncline.core.silence import HOUR, WEEK, silence

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def office_hours(weeks: int, before: dt.datetime = MONDAY) -> dict[dt.datetime, int]:
    """Events from nine to five, Monday to Friday."""
    return {
        before - weeks * WEEK + week * WEEK + dt.timedelta(days=day, hours=hour): 3
        for week in range(weeks)
        for day in range(5)
        for hour in range(9, 17)
    }


LAST = MONDAY - dt.timedelta(days=3) + 16 * HOUR
"""The last event of the last Friday."""


def test_a_week_end_and_a_night_are_nothing_unusual() -> None:
    found = silence(office_hours(4), LAST, MONDAY + 9 * HOUR)

    assert found.chance == 1
    assert not found.is_unusual
    assert found.quiet == MONDAY + 9 * HOUR - LAST


def test_a_silent_working_day_is() -> None:
    hours = office_hours(4)

    assert not silence(hours, LAST, MONDAY + 12 * HOUR).is_unusual
    assert silence(hours, LAST, MONDAY + 17 * HOUR).is_unusual


def test_the_more_weeks_are_known_the_sooner_it_is_told() -> None:
    def told_after(weeks: int) -> int:
        return next(h for h in range(100) if silence(office_hours(weeks), LAST, MONDAY + h * HOUR).is_unusual)

    assert 9 < told_after(4) <= told_after(2) <= 17


def test_nothing_is_said_in_the_first_week() -> None:
    assert silence(office_hours(1), LAST, MONDAY + dt.timedelta(days=30)).chance is None
    assert silence({}, LAST, MONDAY).chance is None
    assert silence(office_hours(4), None, MONDAY).last_at is None


def test_an_hour_that_is_not_over_does_not_count() -> None:
    every_hour = {MONDAY - number * HOUR: 1 for number in range(1, 24 * 28)}
    last = MONDAY - dt.timedelta(minutes=1)

    assert silence(every_hour, last, MONDAY + dt.timedelta(minutes=59)).chance == 1
    assert (silence(every_hour, last, MONDAY + HOUR).chance or 1) < 0.5


@given(
    gaps=st.lists(st.integers(1, 100), max_size=50),
    waited=st.integers(0, 2_000),
    more=st.integers(0, 500),
)
def test_waiting_longer_never_makes_a_silence_more_usual(gaps: list[int], waited: int, more: int) -> None:
    hours: dict[dt.datetime, int] = {}
    at = MONDAY
    for gap in gaps:
        at -= gap * HOUR
        hours[at] = 1

    sooner, later = (silence(hours, MONDAY, MONDAY + number * HOUR) for number in (waited, waited + more))

    assert (sooner.chance is None) == (later.chance is None)
    if sooner.chance is not None and later.chance is not None:
        assert 0 <= later.chance <= sooner.chance <= 1
