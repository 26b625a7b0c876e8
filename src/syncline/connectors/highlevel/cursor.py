"""What a delta listing has seen so far into the time that the next one must go back to.

Pure. HighLevel's search index lags behind writes by an unknown time (facts: highlevel-api.md 6 row 5), so a listing may
miss a change that is older than the newest one it shows. Two rules bound that, with `lag` the longest delay that is
reckoned with:

* a listing that shows the time N was made at N or later, so it shows all changes up to `N - lag`;
* a listing that starts `lag` after another one had shown N shows all changes up to N.

The second uses our own clock, but only the time between two of its readings, so the vendor's clock may differ. It is
what keeps a quiet account from listing its last busy minutes again and again.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from syncline.errors import ConnectorError


class Watch(msgspec.Struct, frozen=True):
    """`newest` was shown by a listing at `seen_at` (our clock), and is not known to be settled yet."""

    newest: dt.datetime
    seen_at: dt.datetime


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Vendor times: `newest` ever shown; every change up to `settled` surely was."""

    newest: dt.datetime | None = None
    settled: dt.datetime | None = None
    watch: Watch | None = None

    def floor(self, lag: dt.timedelta) -> dt.datetime | None:
        """Changes before this need not be listed again; None lists everything."""
        if self.newest is None:
            return None
        early = self.newest - lag
        return early if self.settled is None else max(early, self.settled)

    def after(
        self,
        newest: dt.datetime | None,
        *,
        started_at: dt.datetime,
        seen_at: dt.datetime,
        lag: dt.timedelta,
    ) -> Cursor:
        """The cursor after a whole delta listing that began at `started_at` and showed `newest` at `seen_at`.

        For every cursor: `newest` and `settled` never go back.
        """
        best = max((time for time in (self.newest, newest) if time is not None), default=None)
        if best is None:
            return self
        if self.watch is None:
            return Cursor(best, self.settled, Watch(best, seen_at))
        if started_at - self.watch.seen_at < lag:
            return Cursor(best, self.settled, self.watch)
        settled = self.watch.newest if self.settled is None else max(self.settled, self.watch.newest)
        return Cursor(best, settled, Watch(best, seen_at) if best > settled else None)


def read_cursor(text: str) -> Cursor:
    """The cursor of an earlier ending. Raises `ConnectorError` when it is none of ours."""
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.MsgspecError as error:
        raise ConnectorError("the cursor was not made by this connector") from error


def write_cursor(cursor: Cursor) -> str:
    """Opaque JSON text for `Ending.cursor`."""
    return msgspec.json.encode(cursor).decode()
