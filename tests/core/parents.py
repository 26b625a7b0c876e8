"""What is known of the records that the lines of `worlds` point to: linked, half gone, unlinked, gone."""

from __future__ import annotations

from syncline.core.records import ObjectTypeId, RecordKey, Side, SyncId
from syncline.core.references import Parent, Parents, Through

THINGS = Through(SyncId("things"), ObjectTypeId("thing"), ObjectTypeId("thing"))
PARENTS: Parents = {
    (THINGS.sync, side, RecordKey(f"{own}{number}")): parent
    for side, own, other in ((Side.LEFT, "p", "q"), (Side.RIGHT, "q", "p"))
    for number, parent in {
        1: Parent(RecordKey(f"{other}1")),
        # The left one of the second two is gone, the right one of the third.
        2: Parent(RecordKey(f"{other}2"), "", "", side is Side.LEFT, side is Side.RIGHT),
        3: Parent(RecordKey(f"{other}3"), "", "", side is Side.RIGHT, side is Side.LEFT),
        4: Parent(why="has no counterpart yet"),
        5: Parent(why="is gone", is_gone=True),
    }.items()
}
"""What is known of the records that lines point to; nothing of the sixth."""
