"""A part of what something is called into the items and records that are called so.

A part of `SqlStore`. It looks at every row, which is quick enough for some hundred thousand; an index for parts of words would
have to be another one in each database.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from syncline.core.records import RecordKey, SyncId
from syncline.core.workspace import Item
from syncline.ports.searching import FoundRecord
from syncline.store.codec import moment_or_none, side_of
from syncline.store.session import Rows
from syncline.store.tables import sighting, sync
from syncline.store.workspace import ITEMS, item_of
from syncline.store.workspace_tables import workspace_item

_FIRST = 2**62
_ESCAPE = "~"


def _holds(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.func.lower(column).like(sa.bindparam("small"), escape=_ESCAPE),
        column.like(sa.bindparam("given"), escape=_ESCAPE),
    )


_FOUND_ITEMS = (
    ITEMS.where(
        workspace_item.c.deleted_at.is_(None),
        workspace_item.c.change < sa.bindparam("before"),
        _holds(workspace_item.c.fields),
    )
    .order_by(workspace_item.c.change.desc())
    .limit(sa.bindparam("most"))
)
_FOUND_RECORDS = (
    sa.select(
        sighting.c.id, sync.c.name, sighting.c.side, sighting.c.key, sighting.c.title, sighting.c.updated_at
    )
    .join_from(sighting, sync, sighting.c.sync == sync.c.id)
    .where(
        sighting.c.gone.is_(None),
        sighting.c.id > sa.bindparam("after"),
        sa.or_(_holds(sighting.c.title), _holds(sighting.c.key)),
    )
    .order_by(sighting.c.id)
    .limit(sa.bindparam("most"))
)


class Searching(Rows):
    """Search over items and records."""

    def search_items(self, text: str, limit: int, before: int | None = None) -> Sequence[Item]:
        """Items that hold a text in what is kept of them, last changed first."""
        # As it stands in JSON.
        written = text.replace("\\", "\\\\").replace('"', '\\"')
        most = {"most": limit, "before": _FIRST if before is None else before}
        return [item_of(row) for row in self._rows(_FOUND_ITEMS, **_patterns(written), **most)]

    def search_records(self, text: str, limit: int, after: int = 0) -> Sequence[FoundRecord]:
        """Present records whose title or key holds a text, in the order of their ids."""
        rows = self._rows(_FOUND_RECORDS, **_patterns(text), most=limit, after=after)
        return [
            FoundRecord(id_, SyncId(name), side_of(side), RecordKey(key), title, moment_or_none(updated_at))
            for id_, name, side, key, title, updated_at in rows
        ]


def _patterns(text: str) -> dict[str, str]:
    safe = text
    for each in (_ESCAPE, "%", "_"):
        safe = safe.replace(each, _ESCAPE + each)
    return {"given": f"%{safe}%", "small": f"%{safe.lower()}%"}
