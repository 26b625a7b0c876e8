"""Alerts open once, are counted, told at once and then seldom, and recover; with laws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.alerting import (
    TITLES,
    About,
    Alert,
    AlertKind,
    Finding,
    Move,
    Telling,
    closed,
    message,
    moves,
    telling,
    told,
)
from tests.clock import START

AGAIN = dt.timedelta(hours=6)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
ABOUT = About(AlertKind.SYNC_FAILING, "tickets")
FINDING = Finding(ABOUT, "It failed.", "Mend it.", "transient.timeout")


def opened(at: dt.datetime = START) -> Alert:
    """An alert that was just found."""
    return moves([ABOUT], [FINDING], [], at)[0].alert


abouts = st.builds(About, st.sampled_from(list(AlertKind)[:3]), st.sampled_from(["a", "b"]))
looks = st.lists(
    st.tuples(st.sets(abouts, max_size=4), st.sets(abouts, max_size=3), st.integers(0, 600)), max_size=12
)


@given(looks)
def test_one_alert_is_open_for_each_kind_and_subject_and_only_looks_change_it(
    history: Sequence[tuple[set[About], set[About], int]],
) -> None:
    alerts: dict[About, Alert] = {}
    now = START
    for well, wrong, minutes in history:
        now += minutes * MINUTE
        before = dict(alerts)
        found = moves([*well, *wrong], [Finding(about, "x") for about in wrong], alerts.values(), now)

        assert len({each.alert.about for each in found}) == len(found)
        for each in found:
            about = each.alert.about
            assert (each.move is Move.OPENED) == (about in wrong and about not in before)
            assert (each.move is Move.REPEATED) == (about in wrong and about in before)
            assert (each.move is Move.RECOVERED) == (about not in wrong)
            if each.move is Move.REPEATED:
                assert each.alert.count == before[about].count + 1
                assert each.alert.first_at == before[about].first_at
            alerts[about] = each.alert
            if not each.alert.is_open:
                del alerts[about]
        assert set(alerts) == (set(before) - (well - wrong)) | wrong
        assert moves(well - wrong, [], alerts.values(), now) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 500)), max_size=30))
def test_channels_are_told_at_once_then_seldom_and_once_when_it_is_over(
    history: Sequence[tuple[bool, int]],
) -> None:
    alert: Alert | None = None
    now, tellings = START, list[tuple[Telling, dt.datetime]]()
    for is_wrong, minutes in history:
        now += minutes * MINUTE
        found = moves([ABOUT], [FINDING] if is_wrong else [], [alert] if alert else [], now)
        alert = found[0].alert if found else alert
        why = telling(alert, now, AGAIN) if alert else None
        assert not (alert and alert.is_open and alert.told_at is None and why is not Telling.NEW)
        if alert and why:
            tellings.append((why, now))
            alert = told(alert, why, now)
            assert telling(alert, now, AGAIN) is None
        if alert and not alert.is_open:
            alert = None

    for (before, then), (why, at) in pairwise(tellings):
        assert (why is Telling.NEW) == (before is Telling.OVER)
        if why is Telling.LASTING:
            assert at - then >= AGAIN


def test_what_only_lasts_is_not_counted_each_time_somebody_looks() -> None:
    lasting = msgspec.structs.replace(FINDING, is_lasting=True)

    again = moves([ABOUT], [lasting], [opened()], START + MINUTE)[0].alert

    assert (again.count, again.last_at) == (1, START + MINUTE)


def test_what_was_over_before_anybody_was_told_stays_untold() -> None:
    over = moves([ABOUT], [], [opened()], START + MINUTE)[0].alert

    assert telling(over, START + MINUTE, AGAIN) is None


def test_what_ends_while_it_is_told_is_told_to_be_over() -> None:
    over = moves([ABOUT], [], [opened()], START + MINUTE)[0].alert

    noted = told(over, Telling.NEW, START)

    assert telling(noted, START + MINUTE, AGAIN) is Telling.OVER


def test_an_alert_that_nobody_finds_again_is_not_repeated() -> None:
    known = told(opened(), Telling.NEW, START)

    assert telling(known, START + 10 * AGAIN, AGAIN) is None


def test_what_a_person_closes_is_told_to_nobody() -> None:
    known = told(opened(), Telling.NEW, START)

    assert telling(closed(known, START + HOUR), START + HOUR, AGAIN) is None


def test_a_message_has_the_sentence_the_count_and_the_remedy() -> None:
    alert = msgspec.structs.replace(opened(), count=4)

    text = message([(Telling.NEW, alert)])

    assert text.title == "Syncline: A sync keeps failing (tickets)"
    for part in ("It failed.", "Found 4 times since 2026-03-02 09:00 UTC.", "What to do: Mend it."):
        assert part in text.text
    assert not text.is_good


def test_several_alerts_go_in_one_message() -> None:
    over = msgspec.structs.replace(opened(), closed_at=START + HOUR)

    text = message([(Telling.LASTING, opened()), (Telling.OVER, over)])

    assert text.title == "Syncline: 2 alerts"
    assert "Still: A sync keeps failing (tickets)" in text.text
    assert "It is over since 2026-03-02 10:00 UTC. It was: It failed." in text.text
    assert message([(Telling.OVER, over)]).is_good


def test_every_kind_has_a_title() -> None:
    assert set(TITLES) == set(AlertKind)
