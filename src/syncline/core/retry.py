"""A number of failed attempts into when to try again, or to stop trying.

`delay` is the wait between two tries of one read (used by the connectors) and between two runs over one record (used
by `engine.apply` through `after`). Randomness and time come in as arguments.
"""

from __future__ import annotations

import datetime as dt
from enum import Enum

import msgspec

from syncline.errors import (
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    StaleError,
    TransientError,
    UnknownOutcomeError,
)

FIRST = dt.timedelta(seconds=1)
LONGEST = dt.timedelta(hours=1)
ATTEMPTS = 12
"""How often a record is tried before it waits for a person: about six hours of trouble with the delays above."""
DOUBLINGS = 32
"""A delay grows no further than this often: a second would have become a century."""
KEEP_ATTEMPTS = 3
"""How often a value is written that the vendor does not keep."""


class ErrorGroup(Enum):
    """What kind of failure it was, as far as trying again goes."""

    TRANSIENT = "transient"
    """Surely not applied: the same again, later."""
    UNKNOWN = "unknown"
    """Maybe applied: a look first, later."""
    MOVED = "moved"
    """The record changed or went meanwhile: decide again, at once."""
    NOT_KEPT = "not_kept"
    """Taken, and not kept: the same again a few times, later."""
    FINAL = "final"
    """Never, this way: only a person (or an edit of the record) helps."""


class TryAgain(msgspec.Struct, frozen=True, tag="try_again"):
    """Not before `at`."""

    at: dt.datetime


class Park(msgspec.Struct, frozen=True, tag="park"):
    """Wait for a person, or for the record to change."""


def group_of(error: ConnectorError) -> ErrorGroup:
    """The group of an error; one that says nothing of retrying (credentials, a wrong address) is final."""
    match error:
        case TransientError():
            return ErrorGroup.TRANSIENT
        case UnknownOutcomeError():
            return ErrorGroup.UNKNOWN
        case StaleError() | NotFoundError():
            return ErrorGroup.MOVED
        case RejectedError(detail=Detail.NOT_KEPT):
            return ErrorGroup.NOT_KEPT
        case _:
            return ErrorGroup.FINAL


def delay(
    attempt: int, jitter: float, *, first: dt.timedelta = FIRST, longest: dt.timedelta = LONGEST
) -> dt.timedelta:
    """How long to wait after failed attempt number `attempt` (from 1): exponential, capped, with full jitter.

    Law: for every jitter in [0, 1), 0 <= delay < min(longest, first * 2 ** (attempt - 1)), and growing with the jitter.
    """
    doublings = min(max(0, attempt - 1), DOUBLINGS)
    return min(longest, first * 2**doublings) * jitter


def after(
    group: ErrorGroup, attempts: int, now: dt.datetime, jitter: float, asked: dt.timedelta | None = None
) -> TryAgain | Park:
    """What becomes of a record whose last of `attempts` failed tries was of this group.

    `asked` is how long the vendor told us to wait: never earlier than that. Laws: a final failure parks at once; every
    other one is tried again until `ATTEMPTS` (`KEEP_ATTEMPTS` for a value that is not kept), then parked; the time to try
    again is never before `now`.
    """
    if group is ErrorGroup.FINAL or attempts >= (KEEP_ATTEMPTS if group is ErrorGroup.NOT_KEPT else ATTEMPTS):
        return Park()
    if group is ErrorGroup.MOVED:
        return TryAgain(now)
    return TryAgain(now + max(delay(attempts, jitter), asked or dt.timedelta()))
