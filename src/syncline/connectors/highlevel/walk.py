"""Searches, page after page, into the pages and the ending of a listing.

Called by `object_records` and `contacts`. Two walks: all records in order of creation, which a change does not move; or the changed
ones, newest first, back to where the last walk surely saw everything (`cursor`). Facts: highlevel-api.md 1.3, section 4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from syncline.connectors.highlevel.client import Search
from syncline.connectors.highlevel.cursor import Cursor, write_cursor
from syncline.connectors.highlevel.listing import SearchPage
from syncline.core.records import RecordKey
from syncline.ports import Clock, Ending


@dataclass(frozen=True, slots=True)
class Walk:
    """A listing of one object type. `look` runs one search; `limit` records a page; `lag` as in `cursor`; `created` and
    `updated` are what the type calls its two times."""

    look: Callable[[Search], Awaitable[SearchPage]]
    clock: Clock
    limit: int
    lag: dt.timedelta
    created: str = "createdAt"
    updated: str = "updatedAt"

    async def full(self) -> AsyncIterator[SearchPage | Ending]:
        """All records. The cursor goes back to the newest change at the beginning of the walk.

        A record that changes while the walk goes on, after its page, is therefore seen by the next delta.
        """
        seen: set[RecordKey] = set()
        search: Search | None = Search(self.limit, self.created, "asc")
        cursor: Cursor | None = None
        total = 0
        while search is not None:
            page = await self.look(search)
            total = page.total
            if cursor is None:
                cursor = await self._beginning(page)
            seen.update(page.keys)
            search = None if self._is_last(page, len(seen)) else _next(search, page)
            if page.keys:
                yield page
        text = write_cursor(cursor) if cursor else None
        is_complete = len(seen) == total
        reason = "" if is_complete else f"{len(seen)} records came, HighLevel counts {total}"
        yield Ending(is_complete, text, reason)

    async def delta(self, cursor: Cursor) -> AsyncIterator[SearchPage | Ending]:
        """Records changed since the cursor, and some before it again."""
        started_at = self.clock.now()
        floor = cursor.floor(self.lag)
        search: Search | None = Search(self.limit, self.updated, "desc")
        following: Cursor | None = None
        seen = 0
        while search is not None:
            page = await self.look(search)
            if following is None:
                following = cursor.after(
                    page.newest(), started_at=started_at, seen_at=self.clock.now(), lag=self.lag
                )
            changed = page.since(floor)
            seen += len(page.keys)
            is_over = len(changed.keys) < len(page.keys) or self._is_last(page, seen)
            search = None if is_over else _next(search, page)
            if changed.keys:
                yield changed
        text = write_cursor(following or cursor)
        yield Ending(is_complete=False, cursor=text, reason="only what may have changed was listed")

    async def _beginning(self, first: SearchPage) -> Cursor:
        """The cursor of a full walk. A single page tells it itself; more pages need a look at the newest change."""
        if not self._is_last(first, len(first.keys)):
            first = await self.look(Search(1, self.updated, "desc"))
        now = self.clock.now()
        return Cursor().after(first.newest(), started_at=now, seen_at=now, lag=self.lag)

    def _is_last(self, page: SearchPage, seen: int) -> bool:
        """Whether nothing can follow. A full page proves nothing, even when the total is reached: it may be capped."""
        return not page.keys or (len(page.keys) < self.limit and seen >= page.total)


def _next(search: Search, page: SearchPage) -> Search | None:
    """The search for the following page: after the last record, or by number where records tell no place.

    None after an empty page, and when the place does not move on.
    """
    place = page.place()
    if not page.keys or (place is not None and place == search.after):
        return None
    return replace(search, page=search.page + 1) if place is None else replace(search, after=place)
