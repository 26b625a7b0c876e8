"""How a project goes: the rule's laws, and its edges."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncline.core.health import Gauge, Health, Progress, Reason, health, is_overdue, reasons

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WORSE = [Health.DONE, Health.ON_TRACK, Health.AT_RISK, Health.LATE]
WELL = Progress(is_over=False, due_on=None, open=10, overdue=0, milestones_overdue=0, moved_at=NOW)


@st.composite
def progresses(draw: st.DrawFn) -> Progress:
    open_ = draw(st.integers(0, 30))
    overdue = draw(st.integers(0, open_))
    return Progress(
        is_over=draw(st.booleans()),
        due_on=draw(st.none() | st.integers(-40, 40).map(lambda days: (NOW + days * DAY).date())),
        open=open_,
        overdue=overdue,
        milestones_overdue=draw(st.integers(0, overdue)),
        moved_at=NOW - draw(st.integers(0, 40)) * DAY,
    )


def _rank(progress: Progress, now: dt.datetime = NOW) -> int:
    return WORSE.index(health(progress, now))


@given(progresses(), st.integers(0, 60))
def test_time_alone_makes_no_project_better(progress: Progress, days: int) -> None:
    assert _rank(progress, NOW + days * DAY) >= _rank(progress)


@given(progresses())
def test_one_more_that_is_overdue_makes_no_project_better(progress: Progress) -> None:
    assume(progress.overdue < progress.open)
    more = msgspec.structs.replace(progress, overdue=progress.overdue + 1)

    assert _rank(more) >= _rank(progress)


@given(progresses())
def test_completing_what_is_overdue_makes_no_project_worse(progress: Progress) -> None:
    assume(progress.overdue)
    less = msgspec.structs.replace(
        progress,
        open=progress.open - 1,
        overdue=progress.overdue - 1,
        milestones_overdue=max(0, progress.milestones_overdue - 1),
    )

    assert _rank(less) <= _rank(progress)


@given(progresses())
def test_there_is_a_reason_exactly_where_a_project_does_not_go_well(progress: Progress) -> None:
    is_well = health(progress, NOW) in (Health.DONE, Health.ON_TRACK)

    assert is_well == (reasons(progress, NOW) == ())
    assert (health(progress, NOW) is Health.DONE) == progress.is_over


@pytest.mark.parametrize(
    ("change", "state", "why"),
    [
        ({}, Health.ON_TRACK, ()),
        ({"due_on": NOW.date() - DAY}, Health.LATE, (Reason.PAST_DUE,)),
        ({"due_on": NOW.date()}, Health.AT_RISK, (Reason.DUE_SOON,)),
        ({"due_on": NOW.date() + 7 * DAY}, Health.AT_RISK, (Reason.DUE_SOON,)),
        ({"due_on": NOW.date() + 8 * DAY}, Health.ON_TRACK, ()),
        ({"due_on": NOW.date(), "open": 0}, Health.ON_TRACK, ()),
        ({"overdue": 1}, Health.ON_TRACK, ()),
        ({"overdue": 2}, Health.AT_RISK, (Reason.PARTLY_OVERDUE,)),
        ({"overdue": 5}, Health.LATE, (Reason.MOSTLY_OVERDUE,)),
        ({"overdue": 1, "milestones_overdue": 1}, Health.AT_RISK, (Reason.MILESTONE_OVERDUE,)),
        ({"moved_at": NOW - 14 * DAY}, Health.AT_RISK, (Reason.IDLE,)),
        ({"moved_at": NOW - 13 * DAY}, Health.ON_TRACK, ()),
        ({"is_over": True, "due_on": NOW.date() - DAY}, Health.DONE, ()),
    ],
)
def test_a_project_is_as_its_dates_say(change: dict[str, object], state: Health, why: object) -> None:
    progress = msgspec.structs.replace(WELL, **change)

    assert (health(progress, NOW), reasons(progress, NOW)) == (state, why)
    assert all(each.sentence.endswith(".") for each in reasons(progress, NOW))


def test_what_counts_as_late_can_be_set() -> None:
    progress = msgspec.structs.replace(WELL, overdue=2)

    assert health(progress, NOW, Gauge(late_share=0.2)) is Health.LATE


def test_the_day_itself_is_in_time() -> None:
    assert not is_overdue(NOW.date(), NOW)
    assert is_overdue(NOW.date(), NOW + DAY)
    assert not is_overdue(None, NOW)
