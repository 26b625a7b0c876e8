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
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (7505, "2 h 5 min"),
    ],
)
def test_a_duration_has_two_units(seconds: float, text: str) -> None:
    assert spoken(dt.timedelta(seconds=seconds)) == text
