"""A delta listing misses no change, however the search index lags, and does not repeat old ones for ever."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.connectors.highlevel.cursor import Cursor, read_cursor, write_cursor
from syncline.errors import ConnectorError

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
LAG = dt.timedelta(seconds=120)


def at(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def poll(cursor: Cursor, newest: float | None, *, now: float) -> Cursor:
    shown = None if newest is None else at(newest)
    return cursor.after(shown, started_at=at(now), seen_at=at(now), lag=LAG)


class TestFloor:
    def test_nothing_seen_lists_everything(self) -> None:
        assert Cursor().floor(LAG) is None
        assert poll(Cursor(), None, now=0) == Cursor()

    def test_a_listing_is_repeated_by_the_lag(self) -> None:
        assert poll(Cursor(), 1000, now=1000).floor(LAG) == at(880)

    def test_a_quiet_account_settles_after_the_lag(self) -> None:
        first = poll(Cursor(), 1000, now=1000)

        assert poll(first, 1000, now=1060).floor(LAG) == at(880)
        assert poll(first, 1000, now=1120).floor(LAG) == at(1000)

    def test_an_older_answer_does_not_go_back(self) -> None:
        cursor = poll(poll(Cursor(), 1000, now=1000), 1000, now=1120)

        assert poll(cursor, 500, now=1121).newest == at(1000)
        assert poll(cursor, 500, now=1121).floor(LAG) == at(1000)

    def test_a_clock_that_jumps_back_settles_nothing(self) -> None:
        first = poll(Cursor(), 1000, now=1000)

        assert poll(first, 1000, now=0).floor(LAG) == at(880)

    def test_the_text_reads_back(self) -> None:
        cursor = poll(poll(Cursor(), 1000, now=1000), 1500, now=1120)

        assert read_cursor(write_cursor(cursor)) == cursor

    @pytest.mark.parametrize("text", ["", "null", "[]", '{"newest": 3}', "yesterday"])
    def test_a_foreign_text_is_refused(self, text: str) -> None:
        with pytest.raises(ConnectorError):
            read_cursor(text)


@settings(deadline=None)
@given(
    writes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 120)), max_size=12),
    polls=st.lists(st.integers(0, 2000), max_size=12),
    skew=st.integers(-5000, 5000),
)
def test_every_change_is_listed_once_the_index_shows_it(
    writes: list[tuple[int, int]], polls: list[int], skew: int
) -> None:
    """Each write is a record of its own: made at the vendor's time, shown by search some seconds later."""
    cursor = Cursor()
    listed: set[int] = set()
    for now in [*sorted(polls), 2200]:
        shown = {number: when for number, (when, delay) in enumerate(writes) if when + delay <= now}
        floor = cursor.floor(LAG)
        listed |= {number for number, when in shown.items() if floor is None or at(when) >= floor}
        newest = max((at(when) for when in shown.values()), default=None)
        ours = at(now + skew)
        following = cursor.after(newest, started_at=ours, seen_at=ours, lag=LAG)
        assert (following.floor(LAG) or at(-999)) >= (cursor.floor(LAG) or at(-999))
        cursor = following

    assert listed == set(range(len(writes)))
