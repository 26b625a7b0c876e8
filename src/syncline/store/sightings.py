"""Records as last seen, in and out of the `sighting` table.

A part of `SqlStore`. `recognise` is the fast path of every run: nearly all records of a quiet account stop there.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from syncline.core.memory import Counts, Seen, Standing
from syncline.core.records import Gone, Proof, RecordKey, Side, SyncId
from syncline.ports import Recognised, Stretch
from syncline.store.codec import FIELDS, micros, moment_or_none, side_number, side_of
from syncline.store.dialects import Dialect, NumberList, Slice, fixed, found_by, listed
from syncline.store.session import Row
from syncline.store.tables import sighting
from syncline.store.tally import Tally

_STANDINGS = (Standing.LINKED, Standing.WAITING, Standing.RELEASED)
_NUMBERS = {standing: number for number, standing in enumerate(_STANDINGS)}
LINKED = fixed(_NUMBERS[Standing.LINKED])
RELEASED = fixed(_NUMBERS[Standing.RELEASED])

# What the constructor of a NamedTuple does in the end, at a third of its price.
_recognised: Callable[[tuple[int, bytes, bool, int]], Recognised] = functools.partial(
    tuple[Any, ...].__new__, Recognised
)

DIGEST_LENGTH = 16

_CHUNK = 5_000
"""Rows in memory at a time while streaming."""

_AT = (sighting.c.sync == sa.bindparam("sync"), sighting.c.side == sa.bindparam("side"))
_KEYS = listed("keys")
_IDS = listed("ids", are_numbers=True)

SEEN_COLUMNS = (
    "key",
    "digest",
    "standing",
    "is_settled",
    "updated_at",
    "title",
    "fields",
    "gone",
    "gone_at",
    "link",
    "external_key",
    "in_scope",
    "wrote_at",
)

_OF_KEY = (*_AT, sighting.c.key == _KEYS.c.value)
_FIRST = sa.select(sighting.c.id).where(*_AT, sighting.c.key == sa.bindparam("key")).scalar_subquery()
_GIVEN = Slice(
    sa.bindparam("digests"), (sighting.c.id - _FIRST) * fixed(DIGEST_LENGTH) + fixed(1), fixed(DIGEST_LENGTH)
)
# The sums keep the planner from an index by sync and side: the rows lie side by side in the order of their numbers.
_COMPARED = sa.select(
    sa.func.count(),
    sa.func.min(sighting.c.id),
    NumberList(sa.case((sighting.c.digest != _GIVEN, sighting.c.id))),
).where(
    sighting.c.sync + fixed(0) == sa.bindparam("sync"),
    sighting.c.side + fixed(0) == sa.bindparam("side"),
    sighting.c.id >= _FIRST,
    sighting.c.id < _FIRST + sa.bindparam("most"),
    sighting.c.gone.is_(None),
    sighting.c.is_settled == fixed(1),
)
_PRESENT = (
    sa.select(sighting.c.id)
    .where(
        *_AT,
        sighting.c.gone.is_(None),
        sighting.c.standing != RELEASED,
        sighting.c.id > sa.bindparam("after"),
    )
    .order_by(sighting.c.id)
    .limit(sa.bindparam("most"))
)
_WAITING = (
    sa.select(*(sighting.c[name] for name in SEEN_COLUMNS))
    .where(
        *_AT,
        sighting.c.link.is_(None),
        sighting.c.gone.is_(None),
        sighting.c.standing != RELEASED,
        sighting.c.in_scope == sa.bindparam("in_scope"),
    )
    .order_by(sighting.c.id)
)
# Goes through all records of the sync: asked when a name was mistyped, never by a run.
_RESEMBLING = (
    sa.select(sighting.c.side, *(sighting.c[name] for name in SEEN_COLUMNS))
    .where(
        sighting.c.sync == sa.bindparam("sync"),
        sa.or_(
            sighting.c.title.ilike(sa.bindparam("within"), escape="\\"),
            sighting.c.key.ilike(sa.bindparam("begins"), escape="\\"),
        ),
    )
    .order_by(sighting.c.gone.is_not(None), sighting.c.side, sighting.c.id)
    .limit(sa.bindparam("most"))
)


def _recognised_rows(dialect: Dialect) -> sa.ClauseElement:
    source, found = found_by(dialect, _KEYS, sighting, *_OF_KEY, sighting.c.gone.is_(None))
    columns = (found[name] for name in ("key", "id", "digest", "is_settled", "updated_at"))
    return sa.select(*columns).select_from(source)


def _seen_rows(dialect: Dialect) -> sa.ClauseElement:
    source, found = found_by(dialect, _KEYS, sighting, *_OF_KEY)
    return sa.select(*(found[name] for name in SEEN_COLUMNS)).select_from(source)


def _seen_by_id(dialect: Dialect) -> sa.ClauseElement:
    source, found = found_by(dialect, _IDS, sighting, sighting.c.id == _IDS.c.value)
    return sa.select(*(found[name] for name in SEEN_COLUMNS)).select_from(source)


def _present_among(dialect: Dialect) -> sa.ClauseElement:
    source, found = found_by(dialect, _KEYS, sighting, *_OF_KEY, sighting.c.gone.is_(None))
    return sa.select(sa.func.count(found.id)).select_from(source)


def _see(dialect: Dialect) -> sa.Insert:
    names = ("sync", "side", *SEEN_COLUMNS)
    insert = dialect.insert(sighting).values({name: sa.bindparam(name) for name in names})
    new = insert.excluded
    kept = sa.case((sa.and_(new.link.is_(None), new.standing == LINKED), sighting.c.link), else_=new.link)
    replaced = {name: new[name] for name in SEEN_COLUMNS if name not in ("key", "link")}
    return insert.on_conflict_do_update(
        index_elements=["sync", "side", "key"], set_={**replaced, "link": kept}
    )


class Sightings(Tally):
    """What was seen."""

    def recognise(
        self, sync: SyncId, side: Side, keys: Sequence[RecordKey]
    ) -> Mapping[RecordKey, Recognised]:
        """Which of these records we know and are not gone: the fast path, called once a page."""
        if not keys:
            return {}
        rows = self._rows(
            _recognised_rows, sync=self._number(sync), side=side_number(side), keys=self._dialect.pack(keys)
        )
        return {
            key: _recognised((number, digest, is_settled == 1, at or 0))
            for key, number, digest, is_settled, at in rows
            if key is not None
        }

    def compare(
        self, sync: SyncId, side: Side, keys: Sequence[RecordKey], digests: Sequence[bytes]
    ) -> Stretch:
        """Compare a whole page at once where the database can: the fastest path. `recognise` looks after the others.

        Records of one listing are numbered in its order, so that a page is mostly a stretch of numbers. The database
        then hands over one row for the page instead of one for each record. A digest covers the record's key.
        """
        everything = range(len(keys))
        if not keys:
            return Stretch((), everything)
        at = {"sync": self._number(sync), "side": side_number(side), "key": keys[0]}
        found = self._row(_COMPARED, **at, most=len(keys), digests=b"".join(digests))
        if found is None or found[0] != len(keys):
            return Stretch((), everything)
        _, first, listed_others = found
        ids = range(first, first + len(keys))
        if not listed_others:
            return Stretch(ids, ())
        others = {int(number) for number in listed_others.split(",")}
        return Stretch(
            [number for number in ids if number not in others], sorted(number - first for number in others)
        )

    def seen(self, sync: SyncId, side: Side, keys: Sequence[RecordKey]) -> Mapping[RecordKey, Seen]:
        """These records as last seen, gone ones too."""
        if not keys:
            return {}
        rows = self._rows(
            _seen_rows, sync=self._number(sync), side=side_number(side), keys=self._dialect.pack(keys)
        )
        return {row[0]: seen_of(row) for row in rows if row[0] is not None}

    def absent(self, sync: SyncId, side: Side, listed: Container[int]) -> Iterator[Seen]:
        """Known records, not yet proven gone and not released, whose `Recognised.id` is not among the listed."""
        at = {"sync": self._number(sync), "side": side_number(side)}
        after = 0
        while chunk := [row[0] for row in self._rows(_PRESENT, **at, after=after, most=_CHUNK)]:
            after = chunk[-1]
            missing = [number for number in chunk if number not in listed]
            if missing:
                rows = self._rows(_seen_by_id, ids=self._dialect.pack(missing))
                yield from (seen_of(row) for row in rows if row[0] is not None)

    def waiting(self, sync: SyncId, side: Side) -> Sequence[Seen]:
        """Present records in scope that no link ties and that are not released."""
        return self._waiting(sync, side, in_scope=1)

    def outside(self, sync: SyncId, side: Side) -> Sequence[Seen]:
        """Present records out of scope that no link ties and that are not released."""
        return self._waiting(sync, side, in_scope=0)

    def _waiting(self, sync: SyncId, side: Side, *, in_scope: int) -> Sequence[Seen]:
        at = {"sync": self._number(sync), "side": side_number(side)}
        return [seen_of(row) for row in self._rows(_WAITING, **at, in_scope=in_scope)]

    def resembling(self, sync: SyncId, text: str, limit: int) -> Sequence[tuple[Side, Seen]]:
        """Records whose title holds this text, or whose key begins with it, in whatever case; present ones first."""
        plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = self._rows(
            _RESEMBLING, sync=self._number(sync), within=f"%{plain}%", begins=f"{plain}%", most=limit
        )
        return [(side_of(row[0]), seen_of(row[1:])) for row in rows]

    def see(self, sync: SyncId, side: Side, seen: Sequence[Seen]) -> None:
        """Remember records as they are now (insert, or replace by key). The link of a known record is kept when
        `link` is None and its standing is LINKED."""
        if not seen:
            return
        with self._together():
            at = {"sync": self._numbered(sync), "side": side_number(side)}
            is_present = {one.key: one.gone is None for one in seen}
            ((before,),) = self._rows(_present_among, **at, keys=self._dialect.pack(list(is_present)))
            self._many(_see, [at | _columns(one) for one in seen])
            self._tally_side(at["sync"], at["side"], sum(is_present.values()) - before)

    def counts(self, sync: SyncId) -> Counts:
        """How many records (not gone) and open links there are, as kept with every change."""
        return self._tallied(self._number(sync))

    def recount(self, sync: SyncId) -> Counts:
        """The same, counted: takes as long as there are records."""
        return self._counted(self._number(sync))


def _columns(seen: Seen) -> dict[str, object]:
    return {
        "key": seen.key,
        "digest": seen.digest,
        "standing": _NUMBERS[seen.standing],
        "is_settled": int(seen.is_settled),
        "updated_at": micros(seen.updated_at),
        "title": seen.title,
        "fields": FIELDS.text(seen.fields),
        "gone": seen.gone and f"{seen.gone.proof.value} {seen.gone.by}".rstrip(),
        "gone_at": seen.gone and micros(seen.gone.at),
        "link": seen.link,
        "external_key": seen.external_key,
        "in_scope": int(seen.in_scope),
        "wrote_at": micros(seen.wrote_at),
    }


def _gone(text: str, at: dt.datetime | None) -> Gone:
    """The proof's name and, after a space, who deleted the record where the vendor told."""
    proof, _, by = text.partition(" ")
    return Gone(Proof(proof), at, by)


def _standing(number: int) -> Standing:
    return _STANDINGS[number]


def seen_of(row: Row) -> Seen:
    """A row of `SEEN_COLUMNS` as the record it stands for."""
    (
        key,
        digest,
        standing,
        is_settled,
        updated_at,
        title,
        fields,
        gone,
        gone_at,
        link_id,
        mark,
        in_scope,
        wrote_at,
    ) = row
    return Seen(
        key=key,
        digest=digest,
        standing=_standing(standing),
        is_settled=is_settled == 1,
        updated_at=moment_or_none(updated_at),
        title=title,
        fields=FIELDS.value_or_none(fields),
        gone=None if gone is None else _gone(gone, moment_or_none(gone_at)),
        link=link_id,
        external_key=mark,
        in_scope=in_scope == 1,
        wrote_at=moment_or_none(wrote_at),
    )
