"""Freshness objectives: how fast what they forgive is used up, and when that is an alarm; with laws."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.objective import Objective, burn, quantile

SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)
OBJECTIVE = Objective()

counts = st.dictionaries(st.sampled_from([SECOND, MINUTE, 5 * MINUTE, HOUR]), st.integers(0, 1000))


@given(counts, counts, st.integers(0, 50))
def test_a_late_edit_never_lowers_a_rate_and_one_in_time_never_raises_one(
    recent: dict[dt.timedelta, int], older: dict[dt.timedelta, int], waiting: int
) -> None:
    # The last hour is a part of the whole span.
    whole = {bound: recent.get(bound, 0) + older.get(bound, 0) for bound in {*recent, *older}}
    now = burn(OBJECTIVE, recent, whole, waiting)
    later = burn(
        OBJECTIVE, recent | {HOUR: recent.get(HOUR, 0) + 1}, whole | {HOUR: whole.get(HOUR, 0) + 1}, waiting
    )
    sooner = burn(
        OBJECTIVE,
        recent | {SECOND: recent.get(SECOND, 0) + 1},
        whole | {SECOND: whole.get(SECOND, 0) + 1},
        waiting,
    )

    assert later.fast >= now.fast >= sooner.fast
    assert later.slow >= now.slow >= sooner.slow
    assert now.left == 1 - now.slow
    assert 0 <= now.late <= now.edits
    assert not (now.late == 0 and (now.is_alarming or now.slow or now.fast))


@given(counts, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_grow_with_their_share(found: dict[dt.timedelta, int], one: float, other: float) -> None:
    low, high = (quantile(found, share) for share in sorted((one, other)))

    if low is None or high is None:
        assert low is high is None
        assert not any(found.values())
    else:
        assert low <= high
        assert found[low]


def test_the_forgiven_part_is_used_up_at_a_rate_of_one() -> None:
    found = burn(OBJECTIVE, {}, {MINUTE: 99, 5 * MINUTE: 1})

    assert (found.edits, found.late) == (100, 1)
    assert found.slow == pytest.approx(1)
    assert found.left == pytest.approx(0)
    assert not found.is_alarming


def test_many_late_edits_now_are_an_alarm_and_it_ends_when_they_are_well_again() -> None:
    whole = {SECOND: 400, HOUR: 20}

    assert burn(OBJECTIVE, {SECOND: 20, HOUR: 20}, whole).is_alarming
    assert not burn(OBJECTIVE, {SECOND: 40}, whole).is_alarming


def test_a_single_slow_edit_is_no_alarm() -> None:
    assert not burn(OBJECTIVE, {HOUR: 1}, {HOUR: 1}).is_alarming


def test_a_sync_that_writes_nothing_while_edits_wait_does_not_look_well() -> None:
    assert burn(OBJECTIVE, {}, {SECOND: 10}, waiting=5).is_alarming


def test_half_of_the_edits_were_written_within_the_bound_of_their_bucket() -> None:
    assert quantile({SECOND: 50, MINUTE: 45, HOUR: 5}, 0.5) == SECOND
    assert quantile({SECOND: 50, MINUTE: 45, HOUR: 5}, 0.95) == MINUTE
    assert quantile({SECOND: 50, MINUTE: 45, HOUR: 5}, 0.99) == HOUR


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"share": 0.0}, {"within": dt.timedelta()}])
def test_an_objective_that_forgives_nothing_or_everything_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="share between 0 and 1"):
        Objective(**wrong)  # pyright: ignore[reportArgumentType] - wrong on purpose
