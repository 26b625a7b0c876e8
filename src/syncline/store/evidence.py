"""What a run decided, and on what, as compressed lines of JSON; and forgetting it again.

A part of `SqlStore`. Evidence is written once when a run has decided, read by `replay` and `explain`, and pruned when
it is old, together with the intents that were settled by then.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
import sqlalchemy as sa

from syncline.core.case import Decided
from syncline.core.records import RunId, SyncId
from syncline.store.codec import micros
from syncline.store.dialects import fixed
from syncline.store.session import Rows
from syncline.store.tables import evidence, intent, run

_PART = 500
_QUICK = 1
"""zlib's level: three times as fast as its default, for a tenth more bytes."""

_ENCODE = msgspec.json.Encoder().encode_lines
_DECODE = msgspec.json.Decoder(Decided).decode_lines

_OF_RUN = evidence.c.run == sa.bindparam("run")
_PARTS = sa.select(sa.func.coalesce(sa.func.max(evidence.c.part), fixed(0))).where(_OF_RUN)
_NUMBERS = sa.select(evidence.c.part).where(_OF_RUN).order_by(evidence.c.part)
_BODY = sa.select(evidence.c.body).where(_OF_RUN, evidence.c.part == sa.bindparam("part"))
_KEEP = (
    sa.insert(evidence)
    .inline()
    .values(run=sa.bindparam("run"), part=sa.bindparam("part"), body=sa.bindparam("body"))
)
_PRUNE = sa.delete(evidence).where(
    evidence.c.run.in_(
        sa.select(run.c.id).where(
            run.c.sync == sa.bindparam("sync"), run.c.started_at < sa.bindparam("before")
        )
    )
)
# Goes through all intents, for no index finds the settled ones: called once a day, not in every run.
_PRUNE_INTENTS = sa.delete(intent).where(
    intent.c.sync == sa.bindparam("sync"),
    intent.c.state.not_in([fixed("open"), fixed("unknown")]),
    intent.c.settled_at < sa.bindparam("before"),
)


class Evidence(Rows):
    """What runs decided, and on what."""

    def keep_evidence(self, run: RunId, decided: Iterable[Decided]) -> None:
        """Keep what a run decided, and on what. Calling again adds to it."""
        rest = iter(decided)
        some = list(islice(rest, _PART))
        if not some:
            return
        with self._together():
            row = self._row(_PARTS, run=run)
            part = row[0] if row else 0
            while some:
                part += 1
                self._run(_KEEP, run=run, part=part, body=zlib.compress(_ENCODE(some), _QUICK))
                some = list(islice(rest, _PART))

    def evidence(self, run: RunId) -> Iterator[Decided]:
        """What a run decided, in the order it was kept; nothing for a quiet run, or one whose evidence is pruned."""
        for (part,) in self._rows(_NUMBERS, run=run):
            row = self._row(_BODY, run=run, part=part)
            if row is not None:
                yield from _DECODE(zlib.decompress(row[0]))

    def prune_evidence(self, sync: SyncId, before: dt.datetime) -> int:
        """Forget the evidence of runs that began before, and intents settled before; answers how many rows went.
        History, links and intents without a known outcome stay."""
        asked = {"sync": self._number(sync), "before": micros(before)}
        with self._together():
            return self._run(_PRUNE, **asked) + self._run(_PRUNE_INTENTS, **asked)
