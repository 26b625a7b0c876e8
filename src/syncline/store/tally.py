"""How many records and links a sync has, kept beside them, so that a run of a few changes need not count millions.

A part of `SqlStore`, for `sightings` and `links`: whoever puts a row in, takes one out, or lets a record go or come back
says so in the same transaction. The figures lie in a memo; a database that has none yet counts once.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from syncline.core.memory import Counts
from syncline.core.records import Side
from syncline.store.codec import Codec, side_number
from syncline.store.dialects import fixed
from syncline.store.memos import keep_memo
from syncline.store.session import NOWHERE, Rows
from syncline.store.tables import link, memo, sighting

_NAME = "tally"
_COUNTS: Codec[Counts] = Codec(msgspec.json.Decoder(Counts))

_RECALL = sa.select(memo.c.value).where(memo.c.sync == sa.bindparam("sync"), memo.c.name == fixed(_NAME))
_COUNT = (
    sa.select(sa.func.count())
    .select_from(sighting)
    .where(sighting.c.sync == sa.bindparam("sync"), sighting.c.side == sa.bindparam("side"))
)
_COUNT_GONE = _COUNT.where(sighting.c.gone >= fixed(""))
_COUNT_LINKS = (
    sa.select(sa.func.count())
    .select_from(link)
    .where(link.c.sync == sa.bindparam("sync"), link.c.closed_at.is_(None))
)


class Tally(Rows):
    """Counts that are kept up to date."""

    def _tallied(self, sync: int) -> Counts:
        """What is kept; counted where nothing is."""
        row = self._row(_RECALL, sync=sync)
        return self._counted(sync) if row is None else _COUNTS.value(row[0])

    def _counted(self, sync: int) -> Counts:
        """Go through the indexes: takes as long as there are records."""
        if sync == NOWHERE:
            return Counts(0, 0, 0)
        links = self._rows(_COUNT_LINKS, sync=sync)[0][0]
        return Counts(self._present(sync, Side.LEFT), self._present(sync, Side.RIGHT), links)

    def _present(self, sync: int, side: Side) -> int:
        """All of them less the gone ones: each is counted in an index alone."""
        at = {"sync": sync, "side": side_number(side)}
        return self._rows(_COUNT, **at)[0][0] - self._rows(_COUNT_GONE, **at)[0][0]

    def _tally(self, sync: int, *, left: int = 0, right: int = 0, links: int = 0) -> None:
        """Note what was just put in (more than 0) or taken out. Only inside the transaction that did it."""
        kept: Counts | None = self._within.get(sync)
        if kept is None:
            row = self._row(_RECALL, sync=sync)
            kept = None if row is None else _COUNTS.value(row[0])
        if kept is None:
            counts = self._counted(sync)
        elif left or right or links:
            counts = Counts(kept.left + left, kept.right + right, kept.links + links)
        else:
            self._within[sync] = kept
            return
        self._within[sync] = counts
        self._run(keep_memo, sync=sync, name=_NAME, value=_COUNTS.text(counts))

    def _tally_side(self, sync: int, side: int, more: int) -> None:
        """The same for the present records of one side."""
        self._tally(sync, **{"right" if side else "left": more})
