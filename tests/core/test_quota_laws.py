"""Budgets and forecasts: the reserve stays, nothing ends before the rate allows, more work never ends earlier."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncline.core.quota import (
    DAY,
    IN_A_ROW,
    Purpose,
    Quota,
    forecast_calls,
    is_bulk_next,
    kept,
    next_midnight,
    spoken,
)
from tests.clock import START

purposes = st.sampled_from(Purpose)
urgent = st.sampled_from([each for each in Purpose if not each.is_bulk])
shares = st.floats(0, 1)
calls = st.integers(0, 400_000)


@st.composite
def quotas(draw: st.DrawFn) -> Quota:
    """Any mixture of limits that vendors tell, and of those that they do not."""
    burst = draw(st.none() | st.integers(1, 200))
    daily = draw(st.none() | st.integers(1, 200_000))
    left = draw(st.integers(0, daily)) if daily is not None else None
    return Quota(
        burst,
        None if burst is None else draw(st.sampled_from([1.0, 10.0, 60.0])),
        daily,
        left,
        None if daily is None else START + dt.timedelta(seconds=draw(st.integers(0, 86_400))),
        draw(shares),
        draw(st.sampled_from([0.0, 0.0, 0.02, 0.4])),
    )


@given(st.integers(1, 10**6), shares)
def test_the_reserve_never_is_the_whole_limit(limit: int, share: float) -> None:
    assert 0 <= kept(limit, share) < limit


@pytest.mark.parametrize(
    ("limit", "share", "reserve"),
    [(10, 1.0, 9), (10, 0.95, 9), (10, 0.85, 8), (10, 0.05, 0), (10, 0.0, 0), (1, 1.0, 0), (0, 0.5, 0)],
)
def test_the_reserve_is_a_share_of_the_limit_and_leaves_one_call(
    limit: int, share: float, reserve: int
) -> None:
    assert kept(limit, share) == reserve


@given(quotas())
def test_bulk_never_eats_the_reserve(quota: Quota) -> None:
    left = quota.left(Purpose.BULK)
    assume(left is not None and quota.daily_limit is not None and quota.daily_left is not None)
    assert left is not None
    assert quota.daily_left is not None
    assert quota.daily_limit is not None

    assert left == 0 or quota.daily_left - left >= kept(quota.daily_limit, quota.reserve)


@given(quotas(), urgent)
def test_urgent_work_may_use_all_that_is_left(quota: Quota, purpose: Purpose) -> None:
    assert quota.left(purpose) == quota.daily_left
    assert quota.burst(purpose) == quota.burst_limit
    assert (quota.left(Purpose.BULK) or 0) <= (quota.left(purpose) or 0)


@given(st.booleans(), st.integers(0, IN_A_ROW - 1))
def test_an_urgent_call_goes_before_a_waiting_bulk_call(bulk_waits: bool, overtaken: int) -> None:
    assert not is_bulk_next(urgent_waits=True, bulk_waits=bulk_waits, overtaken=overtaken)


@given(st.booleans())
def test_a_bulk_call_that_was_overtaken_often_enough_has_its_turn(urgent_waits: bool) -> None:
    assert is_bulk_next(urgent_waits=urgent_waits, bulk_waits=True, overtaken=IN_A_ROW)
    assert not is_bulk_next(urgent_waits=urgent_waits, bulk_waits=False, overtaken=IN_A_ROW)


@given(quotas(), purposes, calls, calls)
def test_more_calls_never_end_earlier(quota: Quota, purpose: Purpose, one: int, other: int) -> None:
    few, many = sorted((one, other))
    early = forecast_calls(few, quota, START, purpose).finished_at
    late = forecast_calls(many, quota, START, purpose).finished_at

    assert late is None or (early is not None and early <= late)


@given(quotas(), purposes, calls)
def test_nothing_ends_before_the_rate_allows(quota: Quota, purpose: Purpose, count: int) -> None:
    end = forecast_calls(count, quota, START, purpose).finished_at
    burst = quota.burst(purpose)
    if end is None or burst is None:
        return

    windows = int((end - START).total_seconds() // (quota.burst_seconds or 1)) + 1
    assert count <= burst * windows


@given(quotas(), purposes, calls)
def test_no_day_is_used_beyond_what_it_has(quota: Quota, purpose: Purpose, count: int) -> None:
    end = forecast_calls(count, quota, START, purpose).finished_at
    left, day = quota.left(purpose), quota.day(purpose)
    if end is None or left is None or day is None:
        return

    assert quota.resets_at is not None
    days = 0 if end < quota.resets_at else (end - quota.resets_at) // DAY + 1
    assert count <= left + days * day or end == quota.resets_at + (days - 1) * DAY


@given(quotas(), purposes, calls, st.integers(0, 50_000))
def test_a_quota_that_allows_more_never_ends_later(
    quota: Quota, purpose: Purpose, count: int, more: int
) -> None:
    assume(quota.daily_left is not None and quota.daily_limit is not None)
    assert quota.daily_left is not None
    assert quota.daily_limit is not None
    wider = msgspec.structs.replace(
        quota, daily_left=quota.daily_left + more, daily_limit=quota.daily_limit + more, reserve=0.0
    )
    narrow = msgspec.structs.replace(quota, reserve=0.0)

    end = forecast_calls(count, narrow, START, purpose).finished_at
    sooner = forecast_calls(count, wider, START, purpose).finished_at

    assert end is None or (sooner is not None and sooner <= end)


@given(quotas(), urgent, calls)
def test_urgent_work_never_ends_later_than_bulk_work(quota: Quota, purpose: Purpose, count: int) -> None:
    bulk = forecast_calls(count, quota, START, Purpose.BULK).finished_at
    live = forecast_calls(count, quota, START, purpose).finished_at

    assert bulk is None or (live is not None and live <= bulk)


@given(st.datetimes(timezones=st.just(dt.UTC), max_value=dt.datetime(9000, 1, 1)))  # noqa: DTZ001 - a bound
def test_a_day_ends_within_a_day(now: dt.datetime) -> None:
    assert dt.timedelta() < next_midnight(now) - now <= DAY


def _hl(left: int, reserve: float = 0.0, limit: int = 200_000) -> Quota:
    return Quota(100, 10.0, limit, left, next_midnight(START), reserve)


@pytest.mark.parametrize(
    ("count", "quota", "sentence"),
    [
        (0, Quota(), "no calls"),
        (1, Quota(), "1 call; under 1 s"),
        (1240, _hl(41_000), "1,240 calls; 2 min; 41,000 calls left today"),
        (1240, _hl(41_000, 0.1), "1,240 calls; 2 min 10 s; 21,000 calls left today"),
        (1240, Quota(pace=0.5), "1,240 calls; 10 min 20 s"),
        (10, _hl(10), "10 calls; under 1 s; 10 calls left today"),
        (10, Quota(None, None, 10, 10, START + DAY, pace=8640), "10 calls; 1 d; 10 calls left today"),
        (
            11,
            Quota(None, None, 10, 10, START + dt.timedelta(hours=3)),
            "needs 11 calls, 10 left today: finishes today 12:00 UTC",
        ),
        (
            230_000,
            _hl(41_000),
            "needs 230,000 calls, 41,000 left today: finishes tomorrow 05:14 UTC",
        ),
        (
            600_000,
            _hl(0),
            "needs 600,000 calls, 0 left today: finishes 2026-03-05 05:33 UTC",
        ),
    ],
)
def test_a_forecast_reads_like_this(count: int, quota: Quota, sentence: str) -> None:
    assert forecast_calls(count, quota, START).sentence == sentence


@pytest.mark.usefixtures("far_west")
def test_a_forecast_is_told_in_utc_wherever_it_is_read() -> None:
    east = START.astimezone(dt.timezone(dt.timedelta(hours=9)))

    here, there = (forecast_calls(230_000, _hl(41_000), now).sentence for now in (START, east))

    assert here == there == "needs 230,000 calls, 41,000 left today: finishes tomorrow 05:14 UTC"
    assert forecast_calls(600_000, _hl(0), east).sentence.endswith("finishes 2026-03-05 05:33 UTC")
    late = START.replace(hour=23)
    assert next_midnight(late) == next_midnight(late.astimezone(east.tzinfo)) == late + HOUR
    ends_at_four = Quota(None, None, 1, 0, START + dt.timedelta(hours=19))
    told = "needs 1 call, 0 left today: finishes tomorrow 04:00 UTC"
    assert forecast_calls(1, ends_at_four, START).sentence == told


def _ends(quota: Quota, now: dt.datetime, *counts: int) -> list[dt.timedelta | None]:
    """How long after `now` so many calls are done."""
    found = (forecast_calls(count, quota, now).finished_at for count in counts)
    return [None if end is None else end - now for end in found]


HOUR, SECOND, NOTHING = dt.timedelta(hours=1), dt.timedelta(seconds=1), dt.timedelta()
LATE = START.replace(hour=23)


def test_the_last_call_of_a_day_goes_out_in_it_and_the_next_one_after_the_reset() -> None:
    quota = Quota(None, None, 5, 3, LATE + HOUR)

    waits = [NOTHING, NOTHING, HOUR, HOUR, HOUR + DAY, HOUR + DAY, HOUR + 2 * DAY]
    assert _ends(quota, LATE, 1, 3, 4, 8, 9, 13, 14) == waits


def test_a_day_of_one_call_has_one() -> None:
    assert _ends(Quota(None, None, 1, 0, LATE + HOUR), LATE, 1, 2, 3) == [HOUR, HOUR + DAY, HOUR + 2 * DAY]


def test_a_day_that_has_no_calls_any_more_ends_with_what_is_left() -> None:
    assert _ends(Quota(None, None, 0, 5, LATE + HOUR), LATE, 0, 5, 6) == [NOTHING, NOTHING, None]


def test_calls_after_the_reset_wait_for_their_windows() -> None:
    quota = Quota(2, 60.0, 100, 0, LATE + HOUR)
    minute = dt.timedelta(minutes=1)

    waits = [HOUR, HOUR, HOUR + minute, HOUR + minute, HOUR + 2 * minute]
    assert _ends(quota, LATE, 1, 2, 3, 4, 5) == waits


def test_the_rate_bounds_what_is_still_possible_today() -> None:
    quota = Quota(1, 3600.0, 5, 5, LATE + HOUR)

    # One call fits before midnight, five in the day after it.
    assert _ends(quota, LATE, 1, 6, 7) == [NOTHING, 5 * HOUR, HOUR + DAY]
    # And one in the half hour that is left of a later evening.
    half = dt.timedelta(minutes=30)
    assert _ends(quota, LATE + half, 1, 6, 7) == [NOTHING, 5 * HOUR, half + DAY]


def test_the_pace_bounds_what_is_still_possible_today() -> None:
    quota = Quota(None, None, 100, 100, LATE + HOUR, pace=0.5)
    now = LATE + HOUR - 10 * SECOND

    # Twenty fit before midnight; the hundred of the next day end with the 120th.
    assert _ends(quota, now, 20, 120) == [10 * SECOND, 60 * SECOND]
    assert _ends(quota, now, 121) == [10 * SECOND + DAY + 0.5 * SECOND]


def test_what_was_left_of_a_day_that_is_over_counts_no_more() -> None:
    for resets_at in (LATE, LATE - HOUR):
        quota = Quota(None, None, 10, 10, resets_at)
        assert _ends(quota, LATE, 1, 10, 11) == [NOTHING, NOTHING, resets_at + DAY - LATE]


def test_the_last_second_of_a_day_has_all_that_is_left() -> None:
    assert _ends(Quota(None, None, 10, 10, LATE + SECOND), LATE, 10, 11) == [NOTHING, SECOND]


def test_a_limit_without_its_window_or_without_calls_keeps_nobody_waiting() -> None:
    assert _ends(Quota(2), LATE, 0, 1, 5) == [NOTHING] * 3
    assert _ends(Quota(0, 60.0), LATE, 0, 5) == [NOTHING] * 2


def test_a_window_is_waited_for_only_when_it_is_full() -> None:
    assert _ends(Quota(2, 60.0), LATE, 0, 1, 2, 3) == [NOTHING, NOTHING, NOTHING, 60 * SECOND]


def test_a_forecast_across_the_reset_counts_from_there() -> None:
    found = forecast_calls(101, _hl(1), START)

    assert found.finished_at == next_midnight(START)
    assert found.left_today == 1
    assert found.seconds == 15 * 3600


def test_a_slow_rate_keeps_a_day_from_being_used_up() -> None:
    quota = Quota(1, 3600.0, 200, 200, next_midnight(START))

    # 15 calls fit before midnight and 24 in each day after it: the 40th is the first of the day after tomorrow.
    assert forecast_calls(40, quota, START).finished_at == next_midnight(START) + DAY
    assert forecast_calls(15, quota, START).finished_at == START + dt.timedelta(hours=14)


def test_work_that_can_never_be_done_has_no_end() -> None:
    quota = Quota(1, 200_000.0, 5, 0, next_midnight(START), 0.0, 90_000.0)

    found = forecast_calls(7, quota, START)

    assert (found.finished_at, found.seconds) == (None, None)
    assert found.sentence == "needs 7 calls, and no day has any for this work"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "under 1 s"),
        (1, "1 s"),
        (70, "1 min 10 s"),
        (86_400, "1 d"),
        (86_399, "23 h 59 min"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (7505, "2 h 5 min"),
    ],
)
def test_a_duration_has_two_units(seconds: float, text: str) -> None:
    assert spoken(dt.timedelta(seconds=seconds)) == text
