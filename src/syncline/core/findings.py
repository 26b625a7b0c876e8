"""Facts about syncs and connections into findings: what is wrong by itself, in a sentence, with what to do.

Called by `service.watching`; each answers None where nothing is wrong. Pure: `alerting` decides what becomes of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from syncline.core.alerting import About, AlertKind, Finding
from syncline.core.brakes import Brake
from syncline.core.catalogue import remedy_of
from syncline.core.memory import Parked, Question
from syncline.core.objective import Burn, Objective
from syncline.core.quota import Allowance, Purpose, Quota, Usage, forecast_calls, spoken
from syncline.core.silence import Silence

_DAY = dt.timedelta(days=1)
_HOUR = dt.timedelta(hours=1)


class Limits(msgspec.Struct, frozen=True):
    """From when on something is worth an alert; `silent` is how long no webhook must have come, None: never. `again` is how
    long the channels are left alone while it lasts, `rest` how long one rests that took no message, and `kept` how long a
    closed alert is kept."""

    failures: int = 3
    again: dt.timedelta = dt.timedelta(hours=6)
    expiring: dt.timedelta = dt.timedelta(days=7)
    quota: float = 0.1
    question: dt.timedelta = dt.timedelta(days=2)
    parked: int = 10
    silent: dt.timedelta | None = dt.timedelta(hours=1)
    rest: dt.timedelta = dt.timedelta(minutes=5)
    kept: dt.timedelta = dt.timedelta(days=90)


def failing(sync: str, misses: int, code: str, limits: Limits) -> Finding | None:
    """A sync whose looks failed so many times in a row; `code` is the last error's."""
    if misses < limits.failures:
        return None
    text = f"The sync '{sync}' failed {misses} times in a row; the last error was {code}."
    return Finding(About(AlertKind.SYNC_FAILING, sync), text, remedy_of(code), code)


def lost(connection: str, code: str) -> Finding:
    """A connection whose vendor refuses its credentials."""
    text = f"The connection '{connection}' is refused by its vendor ({code}); its syncs rest."
    return Finding(About(AlertKind.CONNECTION_LOST, connection), text, remedy_of(code), code)


def expiring(connection: str, ends_at: dt.datetime, now: dt.datetime, limits: Limits) -> Finding | None:
    """A connection whose credentials end soon, or have ended."""
    if ends_at - now > limits.expiring:
        return None
    when = f"end in {spoken(ends_at - now)}" if ends_at > now else "have ended"
    text = f"The credentials of the connection '{connection}' {when} ({ends_at:%Y-%m-%d %H:%M} UTC)."
    return Finding(
        About(AlertKind.CONNECTION_EXPIRING, connection), text, "Connect it again.", is_lasting=True
    )


def braked(sync: str, brakes: Sequence[Brake]) -> Finding | None:
    """A sync whose plan was stopped."""
    if not brakes:
        return None
    text = f"The sync '{sync}' wrote nothing: {' '.join(brake.sentence for brake in brakes)}"
    remedy = " ".join(dict.fromkeys(brake.remedy for brake in brakes))
    return Finding(About(AlertKind.BRAKE_PULLED, sync), text, remedy, brakes[0].name.value)


def quota_low(
    connection: str, allowance: Allowance, usage: Iterable[Usage], now: dt.datetime, limits: Limits
) -> Finding | None:
    """A connection with few calls left, or whose edits would need more until the day ends than are left.

    Bulk work does not count for what will be needed: it leaves a reserve alone.
    """
    if allowance.daily_limit is None or allowance.resets_at <= now:
        return None
    left, limit = allowance.daily_left, allowance.daily_limit
    ahead = _ahead(usage, allowance.resets_at - now, now)
    quota = Quota(daily_limit=limit, daily_left=left, resets_at=allowance.resets_at)
    ends = forecast_calls(ahead, quota, now, Purpose.LIVE).finished_at
    is_short = ends is None or ends >= allowance.resets_at
    if left > limit * limits.quota and not is_short:
        return None
    until = f"until {allowance.resets_at:%Y-%m-%d %H:%M} UTC"
    text = f"The connection '{connection}' has {left:,} of {limit:,} calls left {until}."
    if is_short:
        text += f" At the pace of the last hour its edits alone would need {ahead:,}."
    remedy = "Poll less often, move full runs to another day, or ask the vendor for more calls."
    return Finding(About(AlertKind.QUOTA_LOW, connection), text, remedy, is_lasting=True)


def _ahead(usage: Iterable[Usage], span: dt.timedelta, now: dt.datetime) -> int:
    """The calls that urgent work will make in a span, if it goes on as in the last whole hour."""
    since = now.replace(minute=0, second=0, microsecond=0) - _HOUR
    hourly = sum(each.calls for each in usage if each.hour == since and not each.purpose.is_bulk)
    return round(hourly * (span / _HOUR))


def silent(connection: str, silence: Silence, limits: Limits) -> Finding | None:
    """A connection from which webhooks usually come at this time of the week."""
    if not silence.is_unusual or silence.quiet is None or limits.silent is None:
        return None
    if silence.quiet < limits.silent:
        return None
    text = f"No webhook has come from '{connection}' for {spoken(silence.quiet)}, which is unusual there."
    remedy = (
        "See that the webhook is still set up at the vendor, and that its address reaches us; edits are found by polling "
        "meanwhile."
    )
    return Finding(About(AlertKind.WEBHOOKS_SILENT, connection), text, remedy, is_lasting=True)


def waiting(sync: str, questions: Iterable[Question], now: dt.datetime, limits: Limits) -> Finding | None:
    """A sync with questions that nobody has answered for long."""
    old = [each for each in questions if each.choice is None and now - each.asked_at >= limits.question]
    if not old:
        return None
    oldest = min(each.asked_at for each in old)
    many = "One question waits" if len(old) == 1 else f"{len(old)} questions wait"
    text = f"{many} in the sync '{sync}', the oldest for {spoken(now - oldest)}."
    return Finding(
        About(AlertKind.QUESTION_WAITING, sync),
        text,
        "See `syncline conflicts` and `syncline deletes`.",
        is_lasting=True,
    )


def parking(sync: str, parked: Iterable[Parked], now: dt.datetime, limits: Limits) -> Finding | None:
    """A sync that had to park many records within a day."""
    new = [each for each in parked if now - each.since < _DAY]
    if len(new) < limits.parked:
        return None
    code = max({each.code for each in new}, key=lambda code: (sum(each.code == code for each in new), code))
    text = f"The sync '{sync}' parked {len(new)} records within a day, most of them for {code}."
    return Finding(About(AlertKind.PARKED_GROWING, sync), text, remedy_of(code), code, is_lasting=True)


def late(sync: str, burn: Burn, objective: Objective) -> Finding | None:
    """A sync that uses up what its objective forgives too fast."""
    if not burn.is_alarming:
        return None
    share = f"{objective.share:.4%}".rstrip("0%").rstrip(".")
    text = (
        f"{burn.late} of the last {burn.edits} edits of the sync '{sync}' took longer than {spoken(objective.within)}; its "
        f"objective is {share} % in time over {spoken(objective.over)}."
    )
    remedy = "See the sync's runs and its connections' quota: what holds it up is told there."
    return Finding(About(AlertKind.FRESHNESS_MISSED, sync), text, remedy, is_lasting=True)


def undelivered(subscription: str, host: str, why: str) -> Finding:
    """A subscription that was turned off."""
    text = f"Events for {host} (subscription {subscription}) are not sent any more: {why}"
    remedy = "Mend the receiver, turn the subscription on again, and replay what it missed."
    return Finding(About(AlertKind.EVENTS_UNDELIVERED, subscription), text, remedy, is_lasting=True)
