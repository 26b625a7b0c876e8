"""Limits that tests of job engines share."""

from __future__ import annotations

import datetime as dt

from syncline.jobs.crew import Limits


def limits() -> Limits:
    """Four at once, of which two bulk; short waits after failures, and a second to finish."""
    return Limits(
        at_once=4,
        bulk=frozenset({"bulk"}),
        grace=dt.timedelta(seconds=1),
        first_wait=dt.timedelta(seconds=0.1),
        longest_wait=dt.timedelta(seconds=0.4),
    )
