"""Facts become findings only where a person should know: one sentence, and what to do."""

from __future__ import annotations

import datetime as dt

import pytest

from syncline.core import findings
from syncline.core.alerting import AlertKind
from syncline.core.brakes import Brake, BrakeName
from syncline.core.decisions import Rule
from syncline.core.findings import Limits
from syncline.core.memory import Parked, Question
from syncline.core.objective import Burn, Objective
from syncline.core.plan import Held
from syncline.core.quota import Allowance, Purpose, Usage
from syncline.core.records import RecordKey, RunId, Side, SyncId
from syncline.core.silence import Silence
from tests.clock import START

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LIMITS = Limits()
SYNC = SyncId("tickets")


def parked(code: str, age: dt.timedelta) -> Parked:
    """A record that was parked so long ago."""
    return Parked(Side.LEFT, RecordKey("1"), "A title", code, "no", None, 1, None, START - age)


def question(age: dt.timedelta) -> Question:
    """A question that was asked so long ago."""
    return Question(1, SYNC, Held(Rule.CONFLICT, "both", "A title"), None, None, START - age, RunId(1))


@pytest.mark.parametrize(("misses", "is_wrong"), [(0, False), (2, False), (3, True), (9, True)])
def test_a_sync_fails_repeatedly_from_three_times_in_a_row(misses: int, *, is_wrong: bool) -> None:
    found = findings.failing(SYNC, misses, "transient.rate_limited", LIMITS)

    assert (found is not None) == is_wrong
    if found is not None:
        assert (
            found.text
            == f"The sync 'tickets' failed {misses} times in a row; the last error was transient.rate_limited."
        )
        assert found.remedy
        assert not found.is_lasting


def test_credentials_are_told_to_end_within_a_week_and_when_they_have() -> None:
    soon = findings.expiring("hl", START + 2 * DAY, START, LIMITS)
    over = findings.expiring("hl", START - DAY, START, LIMITS)

    assert findings.expiring("hl", START + 8 * DAY, START, LIMITS) is None
    assert soon is not None
    assert "end in 2 d" in soon.text
    assert over is not None
    assert "have ended" in over.text


def test_a_pulled_brake_is_told_with_its_own_sentence_and_remedy() -> None:
    found = findings.braked(
        SYNC, [Brake(BrakeName.DELETES, "12 of 40 are gone.", "Release it if that is meant.")]
    )

    assert findings.braked(SYNC, []) is None
    assert found is not None
    assert found.text == "The sync 'tickets' wrote nothing: 12 of 40 are gone."
    assert (found.remedy, found.code) == ("Release it if that is meant.", "deletes")


@pytest.mark.parametrize(
    ("left", "live", "bulk", "is_wrong"),
    [
        (5000, 0, 0, False),
        (1000, 0, 0, True),
        (1001, 0, 0, False),
        (5000, 400, 0, False),
        (5000, 600, 0, True),
        (5000, 0, 9000, False),
    ],
)
def test_a_quota_is_low_when_little_is_left_or_edits_will_need_more(
    left: int, live: int, bulk: int, *, is_wrong: bool
) -> None:
    allowance = Allowance(10_000, left, START, START + 10 * HOUR)
    usage = [Usage(START - HOUR, Purpose.LIVE, live), Usage(START - HOUR, Purpose.BULK, bulk)]

    assert (findings.quota_low("hl", allowance, usage, START, LIMITS) is not None) == is_wrong


def test_a_day_that_is_over_and_a_day_without_limit_are_not_low() -> None:
    assert findings.quota_low("hl", Allowance(100, 0, START - DAY, START), [], START, LIMITS) is None
    assert findings.quota_low("hl", Allowance(None, 0, START, START + DAY), [], START, LIMITS) is None


def test_only_an_unusual_silence_is_told() -> None:
    assert findings.silent("hl", Silence(START, DAY, 0.5), LIMITS) is None
    assert findings.silent("hl", Silence(None, None, None), LIMITS) is None
    found = findings.silent("hl", Silence(START, 2 * DAY, 0.0001), LIMITS)

    assert found is not None
    assert "for 2 d, which is unusual there" in found.text


@pytest.mark.parametrize(("silent", "is_told"), [(2 * DAY, True), (2 * DAY + HOUR, False), (None, False)])
def test_a_silence_is_told_when_it_has_lasted_as_long_as_it_may(
    silent: dt.timedelta | None, is_told: bool
) -> None:
    limits = findings.Limits(silent=silent)

    assert (findings.silent("hl", Silence(START, 2 * DAY, 0.0001), limits) is not None) == is_told


def test_questions_are_told_after_two_days() -> None:
    found = findings.waiting(SYNC, [question(3 * DAY), question(2 * DAY), question(HOUR)], START, LIMITS)

    assert findings.waiting(SYNC, [question(DAY)], START, LIMITS) is None
    assert found is not None
    assert found.text == "2 questions wait in the sync 'tickets', the oldest for 3 d."


def test_records_parked_within_a_day_are_told_from_ten_on_with_the_commonest_reason() -> None:
    new = [parked("rejected.validation", HOUR)] * 7 + [parked("rejected.read_only", HOUR)] * 3
    found = findings.parking(SYNC, [*new, *[parked("x", 2 * DAY)] * 90], START, LIMITS)

    assert findings.parking(SYNC, [*new[1:], *[parked("x", 2 * DAY)] * 90], START, LIMITS) is None
    assert found is not None
    assert "parked 10 records within a day, most of them for rejected.validation" in found.text
    assert "A title" not in found.text


def test_lateness_is_told_only_when_it_alarms() -> None:
    calm, alarm = Burn(200, 2, 1, 1, 0, is_alarming=False), Burn(200, 20, 20, 10, -9, is_alarming=True)
    found = findings.late(SYNC, alarm, Objective())

    assert findings.late(SYNC, calm, Objective()) is None
    assert found is not None
    assert found.text == (
        "20 of the last 200 edits of the sync 'tickets' took longer than 1 min; its objective is 99 % in time over 1 d."
    )
    assert found.about.kind is AlertKind.FRESHNESS_MISSED
