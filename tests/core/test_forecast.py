"""What the counts of past listings say of the next one."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.forecast import KEPT, NEEDED, Count, Forecast, forecast, moved, with_count

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def counts(*records: int) -> list[Count]:
    """One listing an hour."""
    return [Count(START + HOUR * n, each) for n, each in enumerate(records)]


def soon(series: list[Count]) -> dt.datetime:
    return series[-1].at + HOUR


@pytest.mark.parametrize("length", range(NEEDED))
def test_too_few_listings_tell_nothing(length: int) -> None:
    assert forecast(counts(*[100] * length), START + HOUR) is None


def test_equal_counts_are_forecast_as_they_are() -> None:
    series = counts(100, 100, 100)

    assert forecast(series, soon(series)) == Forecast(100, 0, 3)


def test_a_trend_is_followed() -> None:
    series = counts(100, 110, 120, 130)

    assert forecast(series, soon(series)) == Forecast(140, 0, 4)


def test_a_trend_is_followed_no_longer_than_it_was_watched() -> None:
    series = counts(100, 110, 120)

    assert forecast(series, series[-1].at + 2 * HOUR) == Forecast(140, 0, 3)
    assert forecast(series, series[-1].at + 200 * HOUR) == Forecast(140, 0, 3)


def test_a_clock_that_went_back_is_no_reason_to_follow_backwards() -> None:
    series = counts(100, 110, 120)

    assert forecast(series, START) == Forecast(120, 0, 3)


def test_nothing_is_expected_below_nothing() -> None:
    series = counts(100, 60, 20)

    assert forecast(series, series[-1].at + 2 * HOUR) == Forecast(0, 0, 3)


def test_what_was_usual_is_told() -> None:
    series = counts(100, 130, 100, 70, 100, 130, 70, 100)

    assert forecast(series, soon(series)) == Forecast(100, 15, 8)


@given(st.integers(0, 4), st.integers(0, 10_000), st.integers(0, 10_000))
def test_one_odd_listing_among_five_bends_nothing(place: int, usual: int, odd: int) -> None:
    series = counts(*(odd if n == place else usual for n in range(5)))

    assert forecast(series, soon(series)) == Forecast(usual, 0, 5)


def test_listings_at_one_moment_have_no_trend() -> None:
    assert forecast([Count(START, n) for n in (10, 20, 30)], START + HOUR) == Forecast(20, 10, 3)


@given(st.lists(st.integers(0, 100), max_size=40), st.integers(0, 100))
def test_only_the_latest_are_kept(records: list[int], latest: int) -> None:
    kept = with_count(counts(*records), Count(START, latest))

    assert [each.records for each in kept] == [*records, latest][-KEPT:]


def test_what_we_made_ourselves_moves_the_past() -> None:
    assert [each.records for each in moved(counts(10, 2), 5)] == [15, 7]
    assert [each.records for each in moved(counts(10, 2), -5)] == [5, 0]
