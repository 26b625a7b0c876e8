"""Links and their bases, in and out of the `link` table.

A part of `SqlStore`. Which records a link ties is kept with the records (`sighting.link`); a base is one JSON object a
side. A closed link keeps its row, and is otherwise as good as gone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from syncline.core.memory import Link, Spoken
from syncline.core.records import Base, FieldId, LinkId, RecordKey, Side, SyncId
from syncline.core.values import Value
from syncline.errors import StoreError
from syncline.store.codec import FIELDS, RAW_FIELDS, SPOKEN, micros, side_number
from syncline.store.dialects import Dialect, fixed, found_by, listed
from syncline.store.session import Query
from syncline.store.sightings import LINKED, RELEASED, SEEN_COLUMNS, seen_of
from syncline.store.tables import link, sighting
from syncline.store.tally import Tally

_IDS = listed("ids", are_numbers=True)
_LEFT, _RIGHT = sighting.alias("l"), sighting.alias("r")
_ID = link.c.id == sa.bindparam("link")
_IS_OPEN = link.c.closed_at.is_(None)
_WIDTH = len(SEEN_COLUMNS)

_UNSETTLED = (
    sa.select(sighting.c.link)
    .distinct()
    .where(
        sighting.c.sync == sa.bindparam("sync"),
        sighting.c.is_settled == fixed(0),
        sighting.c.link.is_not(None),
    )
    .order_by(sighting.c.link)
)
_WITH_KEY = (
    sa.select(sighting.c.link)
    .distinct()
    .where(
        sighting.c.sync == sa.bindparam("sync"),
        sighting.c.side.in_([fixed(0), fixed(1)]),
        sighting.c.key == sa.bindparam("key"),
        sighting.c.link.is_not(None),
    )
    .order_by(sighting.c.link)
)
_TIED = sa.select(sighting.c.link).where(
    sighting.c.sync == sa.bindparam("sync"),
    sighting.c.side == sa.bindparam("side"),
    sighting.c.key == sa.bindparam("key"),
)
_FORGOTTEN = (sighting.c.sync, sighting.c.side, sighting.c.gone)
_FORGET = (
    sa.delete(sighting)
    .where(sighting.c.link == sa.bindparam("link"), sighting.c.side == sa.bindparam("side"))
    .returning(*_FORGOTTEN)
)
_RELEASE = (
    sa.update(sighting)
    .where(sighting.c.link == sa.bindparam("link"), sighting.c.side == sa.bindparam("side"))
    .values(link=sa.null(), standing=RELEASED)
)
_FORGET_TIED = sa.delete(sighting).where(sighting.c.link == sa.bindparam("link")).returning(*_FORGOTTEN)
_OPEN = (
    sa.insert(link)
    .inline()
    .values(
        sync=sa.bindparam("sync"),
        base_left=fixed("{}"),
        base_right=fixed("{}"),
        opened_at=sa.bindparam("now"),
    )
    .returning(link.c.id)
)
_CLOSE = sa.update(link).where(_ID, _IS_OPEN).values(closed_at=sa.bindparam("now")).returning(link.c.sync)
_OPEN_LINK = sa.select(link.c.sync, link.c.base_left, link.c.base_right).where(_ID, _IS_OPEN)
_SET_BASE = (
    sa.update(link).where(_ID).values(base_left=sa.bindparam("left"), base_right=sa.bindparam("right"))
)
_SPOKEN = sa.select(link.c.spoken).where(_ID)
_SPEAK = sa.update(link).where(_ID).values(spoken=sa.bindparam("spoken"))


def _links(dialect: Dialect) -> sa.ClauseElement:
    """Links by their numbers; one that is closed or of another sync is a row of NULLs. The sum keeps a planner from the
    index by sync."""
    of_sync = link.c.sync + fixed(0) == sa.bindparam("sync")
    source, found = found_by(dialect, _IDS, link, link.c.id == _IDS.c.value, of_sync, _IS_OPEN)
    for side, number in ((_LEFT, 0), (_RIGHT, 1)):
        source = source.outerjoin(side, sa.and_(side.c.link == found.id, side.c.side == fixed(number)))
    names = ("id", "base_left", "base_right", "spoken")
    sides = (side.c[name] for side in (_LEFT, _RIGHT) for name in SEEN_COLUMNS)
    return sa.select(*(found[name] for name in names), *sides).select_from(source)


def _join(dialect: Dialect) -> sa.Insert:
    """A record into a link; one not seen yet is remembered with an empty digest and unsettled."""
    insert = dialect.insert(sighting).values(
        {name: sa.bindparam(name) for name in ("sync", "side", "key", "digest", "link")}
    )
    blank = {"standing": LINKED, "is_settled": fixed(0), "in_scope": fixed(1)}
    return insert.values(blank | {"title": fixed(""), "external_key": fixed("")}).on_conflict_do_update(
        index_elements=["sync", "side", "key"],
        set_={"link": insert.excluded.link, "standing": insert.excluded.standing},
    )


class Links(Tally):
    """Links and bases."""

    def links(self, sync: SyncId, ids: Iterable[LinkId]) -> Mapping[LinkId, Link]:
        """These open links with their bases."""
        wanted = list(ids)
        if not wanted:
            return {}
        rows = self._rows(_links, sync=self._number(sync), ids=self._dialect.pack(wanted))
        return {
            row[0]: Link(
                row[0],
                seen_of(row[4 : 4 + _WIDTH]),
                seen_of(row[4 + _WIDTH :]),
                Base(FIELDS.value(row[1]), FIELDS.value(row[2])),
                SPOKEN.value_or_none(row[3]) or Spoken(),
            )
            for row in rows
            if row[0] is not None and row[4] is not None and row[4 + _WIDTH] is not None
        }

    def unsettled(self, sync: SyncId) -> Sequence[LinkId]:
        """Open links with at least one side that is not settled."""
        return [row[0] for row in self._rows(_UNSETTLED, sync=self._number(sync))]

    def find_link(self, sync: SyncId, key: RecordKey) -> Sequence[LinkId]:
        """Open links one of whose records has this key."""
        return [row[0] for row in self._rows(_WITH_KEY, sync=self._number(sync), key=key)]

    def tie(self, sync: SyncId, left: RecordKey, right: RecordKey, now: dt.datetime) -> LinkId:
        """Make a link between two records (both become LINKED; a key not seen yet is remembered with an empty digest
        and unsettled). Answers the link that is there already when the two are tied. Raises `StoreError` when one of
        them is tied to something else."""
        with self._together():
            number = self._numbered(sync)
            tied, other = self._tied(number, Side.LEFT, left), self._tied(number, Side.RIGHT, right)
            if tied is None and other is None:
                return self._tie(number, left, right, now)
            if tied is not None and tied == other:
                return tied
            raise StoreError(f"'{left}' and '{right}' cannot be tied: one of them is tied to another record")

    def retie(self, link: LinkId, side: Side, key: RecordKey) -> None:
        """Tie one side of a link to another record (a re-created one); the old one is forgotten."""
        with self._together():
            sync, *_ = self._open_link(link)
            tied = self._tied(sync, side, key)
            if tied == link:
                return
            if tied is not None:
                raise StoreError(f"'{key}' cannot be tied: it is tied to another record")
            spoken = self._spoken(link)
            self._forget(_FORGET, link=link, side=side_number(side))
            # The new record has not said anything yet.
            self._speak(link, Spoken((), spoken.right) if side is Side.LEFT else Spoken(spoken.left, ()))
            self._join(sync, side, key, link)

    def move_base(self, link: LinkId, left: Mapping[FieldId, Value], right: Mapping[FieldId, Value]) -> None:
        """Set these fields of the base; the others stay."""
        with self._together():
            _, old_left, old_right = self._open_link(link)
            self._run(_SET_BASE, link=link, left=_merged(old_left, left), right=_merged(old_right, right))

    def unbase(self, link: LinkId, side: Side, fields: Iterable[FieldId]) -> None:
        """Forget these fields of one side's base: they were never agreed on."""
        with self._together():
            _, left, right = self._open_link(link)
            if side is Side.LEFT:
                left = _without(left, fields)
            else:
                right = _without(right, fields)
            self._run(_SET_BASE, link=link, left=left, right=right)

    def speak(self, link: LinkId, left: Iterable[FieldId], right: Iterable[FieldId]) -> None:
        """Note fields that hold a value which was never agreed on; those noted before stay noted."""
        with self._together():
            noted = self._spoken(link)
            self._speak(link, Spoken(_united(noted.left, left), _united(noted.right, right)))

    def _spoken(self, link: LinkId) -> Spoken:
        row = self._row(_SPOKEN, link=link)
        return (SPOKEN.value_or_none(row[0]) if row else None) or Spoken()

    def _speak(self, link: LinkId, spoken: Spoken) -> None:
        if spoken != self._spoken(link):
            self._run(_SPEAK, link=link, spoken=SPOKEN.text(spoken))

    def untie(self, link: LinkId, release: Side | None, now: dt.datetime) -> None:
        """Close a link. The released side's record stays for itself; records not released are forgotten."""
        with self._together():
            if release is not None:
                self._run(_RELEASE, link=link, side=side_number(release))
            self._forget(_FORGET_TIED, link=link)
            for (sync,) in self._rows(_CLOSE, link=link, now=micros(now)):
                self._tally(sync, links=-1)

    def _tied(self, sync: int, side: Side, key: RecordKey) -> LinkId | None:
        """The link that ties a record."""
        row = self._row(_TIED, sync=sync, side=side_number(side), key=key)
        return None if row is None else row[0]

    def _tie(self, sync: int, left: RecordKey, right: RecordKey, now: dt.datetime) -> LinkId:
        made = LinkId(self._rows(_OPEN, sync=sync, now=micros(now))[0][0])
        self._tally(sync, links=1)
        for side, key in ((Side.LEFT, left), (Side.RIGHT, right)):
            self._join(sync, side, key, made)
        return made

    def _join(self, sync: int, side: Side, key: RecordKey, link: LinkId) -> None:
        """Put a record into a link."""
        number = side_number(side)
        is_new = self._row(_TIED, sync=sync, side=number, key=key) is None
        self._run(_join, sync=sync, side=number, key=key, digest=b"", link=link)
        if is_new:
            self._tally_side(sync, number, 1)

    def _forget(self, query: Query, **which: object) -> None:
        """Take records out; the gone ones among them were not counted."""
        for sync, side, gone in self._rows(query, **which):
            self._tally_side(sync, side, -1 if gone is None else 0)

    def _open_link(self, link: LinkId) -> tuple[int, str, str]:
        row = self._row(_OPEN_LINK, link=link)
        if row is None:
            raise StoreError(f"link {link} is not open")
        sync, left, right = row
        return sync, left, right


def _united(noted: tuple[FieldId, ...], more: Iterable[FieldId]) -> tuple[FieldId, ...]:
    return tuple(sorted({*noted, *more}))


def _merged(stored: str, fields: Mapping[FieldId, Value]) -> str:
    """The stored values are not decoded: only the moved ones are new."""
    if not fields:
        return stored
    moved: dict[str, object] = {**RAW_FIELDS.value(stored), **fields}
    return msgspec.json.encode(moved).decode()


def _without(stored: str, fields: Iterable[FieldId]) -> str:
    kept = RAW_FIELDS.value(stored)
    for field in fields:
        kept.pop(field, None)
    return RAW_FIELDS.text(kept)
