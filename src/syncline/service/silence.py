"""Kept deliveries into how long each connection has been silent, and whether that is unusual for it.

Asked by the delivery view and by whoever raises the alert.
"""

from __future__ import annotations

import datetime as dt

from syncline.core.silence import LOOKED_BACK, Silence, silence
from syncline.ports import Inbox


def silence_of(inbox: Inbox, connection: str, now: dt.datetime) -> Silence:
    """How long no genuine webhook of a connection has come."""
    last = inbox.last_delivery(connection)
    return silence(inbox.delivery_hours(connection, (last or now) - LOOKED_BACK), last, now)
