"""Laws of the retry schedule."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.retry import (
    ATTEMPTS,
    DOUBLINGS,
    FIRST,
    KEEP_ATTEMPTS,
    LONGEST,
    ErrorGroup,
    Park,
    TryAgain,
    after,
    delay,
    group_of,
)
from syncline.errors import (
    AuthError,
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    StaleError,
    TransientError,
    UnknownOutcomeError,
)

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
attempts = st.integers(1, 10_000)
jitters = st.floats(0, 1, exclude_max=True)
BOUNDED = (ErrorGroup.FINAL, ErrorGroup.NOT_KEPT)
retried = st.sampled_from([group for group in ErrorGroup if group not in BOUNDED])


@given(attempts, jitters)
def test_a_delay_lies_below_its_doubling_ceiling(attempt: int, jitter: float) -> None:
    ceiling = min(LONGEST, FIRST * 2 ** min(attempt - 1, 40))

    assert dt.timedelta() <= delay(attempt, jitter) <= ceiling


@given(attempts, jitters, jitters)
def test_a_delay_grows_with_its_jitter_and_attempt(attempt: int, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert delay(attempt, low) <= delay(attempt, high) <= delay(attempt + 1, high)


def test_delays_double_until_the_longest() -> None:
    half = [delay(attempt, 0.5).total_seconds() for attempt in (1, 2, 3, 4, 12, 13, 5_000)]

    assert half == [0.5, 1, 2, 4, 1024, 1800, 1800]


def test_no_number_of_attempts_is_too_large_to_wait_for() -> None:
    tick, never = dt.timedelta(microseconds=1), dt.timedelta.max

    assert delay(DOUBLINGS + 1, 1, first=tick, longest=never) == tick * 2**DOUBLINGS
    assert delay(10**9, 1, first=tick, longest=never) == tick * 2**DOUBLINGS


@given(st.sampled_from(ErrorGroup), attempts, jitters, st.timedeltas(dt.timedelta(), dt.timedelta(days=2)))
def test_trying_again_is_never_in_the_past(
    group: ErrorGroup, count: int, jitter: float, asked: dt.timedelta
) -> None:
    decision = after(group, count, NOW, jitter, asked)

    assert isinstance(decision, Park) or decision.at >= NOW


@given(retried, attempts, jitters)
def test_what_may_be_retried_is_parked_only_after_the_last_attempt(
    group: ErrorGroup, count: int, jitter: float
) -> None:
    assert isinstance(after(group, count, NOW, jitter), Park) is (count >= ATTEMPTS)


@pytest.mark.parametrize("group", [each for each in ErrorGroup if each is not ErrorGroup.FINAL])
def test_the_last_attempt_is_the_last(group: ErrorGroup) -> None:
    last = KEEP_ATTEMPTS if group is ErrorGroup.NOT_KEPT else ATTEMPTS

    assert isinstance(after(group, last - 1, NOW, 0.5), TryAgain)
    assert after(group, last, NOW, 0.5) == Park()


@given(attempts, jitters)
def test_a_value_that_is_not_kept_is_written_a_few_times(count: int, jitter: float) -> None:
    assert isinstance(after(ErrorGroup.NOT_KEPT, count, NOW, jitter), Park) is (count >= KEEP_ATTEMPTS)


@given(attempts, jitters)
def test_a_final_failure_is_parked_at_once(count: int, jitter: float) -> None:
    assert after(ErrorGroup.FINAL, count, NOW, jitter) == Park()


@given(st.integers(1, ATTEMPTS - 1), jitters, st.timedeltas(dt.timedelta(), dt.timedelta(days=2)))
def test_the_vendor_is_given_the_time_it_asked_for(count: int, jitter: float, asked: dt.timedelta) -> None:
    decision = after(ErrorGroup.TRANSIENT, count, NOW, jitter, asked)

    assert isinstance(decision, TryAgain)
    assert decision.at >= NOW + asked


def test_a_moved_record_is_decided_again_at_once() -> None:
    assert after(ErrorGroup.MOVED, 3, NOW, 0.9) == TryAgain(NOW)


@pytest.mark.parametrize(
    ("error", "group"),
    [
        (TransientError("later"), ErrorGroup.TRANSIENT),
        (UnknownOutcomeError("who knows"), ErrorGroup.UNKNOWN),
        (StaleError("moved"), ErrorGroup.MOVED),
        (NotFoundError("gone"), ErrorGroup.MOVED),
        (RejectedError("no"), ErrorGroup.FINAL),
        (RejectedError("not kept", detail=Detail.NOT_KEPT), ErrorGroup.NOT_KEPT),
        (AuthError("who are you"), ErrorGroup.FINAL),
        (ConnectorError("wrong address"), ErrorGroup.FINAL),
    ],
)
def test_every_error_has_a_group(error: ConnectorError, group: ErrorGroup) -> None:
    assert group_of(error) is group
