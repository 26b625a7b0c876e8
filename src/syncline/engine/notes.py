"""A record as it was seen now into what the store keeps of it.

Used by whoever remembers something: `remember` after a plan is made, `settle` after a write, `sift` for what a recheck
found nothing to do about, `recover`, `look` and `by_hand` for single records.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from syncline.core.memory import Link, Seen, Standing
from syncline.core.merge import is_agreed
from syncline.core.records import Base, FieldId, Gone, LinkId, Present, Record, RecordKey, Side, Sighting
from syncline.core.values import BLANK, Value, is_blank, same
from syncline.engine.sync import Sync


def seen_now(
    record: Record,
    digest: bytes,
    *,
    link: LinkId | None,
    is_settled: bool,
    base: Mapping[FieldId, Value] | None = None,
    standing: Standing = Standing.LINKED,
) -> Seen:
    """A present record as the store keeps it: its values while it is not settled, and afterwards those that its base
    does not tell (where `base` is given)."""
    fields = (
        record.fields if not is_settled else _beyond(record.fields, base or {}) if base is not None else None
    )
    return Seen(
        record.key,
        digest,
        standing,
        is_settled,
        updated_at=record.updated_at,
        title=record.title,
        fields=fields or None if is_settled else fields,
        link=link,
        external_key=record.external_key,
        in_scope=record.in_scope,
        wrote_at=record.wrote_at,
    )


def linked_now(link: Link, side: Side, record: Record, digest: bytes, *, is_settled: bool) -> Seen:
    """The same for a record of a link. When we wrote it last, nobody knows but we."""
    record = msgspec.structs.replace(record, wrote_at=link.of(side).wrote_at)
    return seen_now(record, digest, link=link.id, is_settled=is_settled, base=link.base.of(side))


def lone_now(sync: Sync, side: Side, record: Record, digest: bytes, known: Seen | None) -> Seen:
    """The same for a record that no link ties, as it stood before (`known`): it stays by itself, or it waits."""
    if known is not None and known.gone is None and known.standing is Standing.RELEASED:
        return seen_now(record, digest, link=None, is_settled=True, standing=Standing.RELEASED)
    seen = seen_now(record, digest, link=None, is_settled=False, standing=Standing.WAITING)
    is_left_out = side in sync.filters and not record.in_scope
    kept = _keys_only(sync, side, record.fields) if is_left_out else record.fields
    return msgspec.structs.replace(seen, is_settled=is_left_out, fields=kept)


def tombstone(key: RecordKey, gone: Gone, title: str = "") -> Seen:
    """A record that is gone and that no link ties: kept, so that a listing that lags does not bring it back."""
    return Seen(key, b"", Standing.RELEASED, is_settled=True, title=title, gone=gone)


def unagreed(sync: Sync, side: Side, base: Base, sighting: Sighting) -> list[FieldId]:
    """The fields of a record that hold a value on a line that both sides never agreed on."""
    if not isinstance(sighting, Present):
        return []
    names = (lens.mapping.of(side) for lens in sync.rules.lenses if not is_agreed(base, lens))
    return [name for name in names if not is_blank(sighting.record.fields.get(name, BLANK))]


def _beyond(fields: Mapping[FieldId, Value], base: Mapping[FieldId, Value]) -> Mapping[FieldId, Value]:
    """What a settled record holds that its base does not tell: a field that the other side does not show."""
    return {name: value for name, value in fields.items() if name not in base or not same(base[name], value)}


def _keys_only(sync: Sync, side: Side, fields: Mapping[FieldId, Value]) -> dict[FieldId, Value]:
    """What is kept of a record that is left out: just what it would be matched by."""
    wanted = {pair[0] if side is Side.LEFT else pair[1] for pair in sync.match.on}
    return {name: value for name, value in fields.items() if name in wanted}
