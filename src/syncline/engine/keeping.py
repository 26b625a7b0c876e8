"""What a vendor answered to a write into what it made of it: kept, put in its own form, or not kept at all.

Called by `apply` after every write. An answer that lacks what was written, or shows it
as it was before, is not believed: the record is read once more.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from syncline.core.forms import resembles
from syncline.core.plan import Step
from syncline.core.records import (
    Create,
    FieldId,
    Present,
    Receipt,
    Restore,
    Update,
)
from syncline.core.values import BLANK, Value, is_blank, same
from syncline.engine.sync import SideSetup
from syncline.errors import ConnectorError, Detail, RejectedError, UnknownOutcomeError

Held = Mapping[FieldId, Value]


def sent_fields(step: Step) -> Held:
    """What a step writes; nothing where it deletes, archives or only notes."""
    match step.write:
        case Create(fields) | Update(_, fields) | Restore(_, fields):
            return fields
        case _:
            return {}


def not_kept(step: Step, receipt: Receipt, base: Held) -> frozenset[FieldId]:
    """The written fields that the vendor left as they were, or blank; what was there may have been its own form of the
    sent value already. `base` tells what a record held that is brought
    back; an update says itself what was there, and a new record held nothing."""
    if receipt.record is None:
        return frozenset()
    now, was = receipt.record.fields, _before(step, base)
    return frozenset(
        name
        for name, value in sent_fields(step).items()
        if name in now and not resembles(value, now[name]) and _is_untouched(now[name], was.get(name))
    )


def _before(step: Step, base: Held) -> Held:
    match step.write:
        case Update(_, _, was):
            return was
        case Create(fields):
            return dict.fromkeys(fields, BLANK)
        case _:
            return base


def _is_untouched(now: Value, was: Value | None) -> bool:
    return is_blank(now) or (was is not None and same(now, was))


async def read_back(side: SideSetup, step: Step, receipt: Receipt, base: Held) -> Receipt:
    """The receipt, completed by a direct read where the answer left something open.

    Raises `UnknownOutcomeError` when that read fails: the write happened, and the next run looks.
    """
    names = sent_fields(step).keys()
    if not names:
        return receipt
    is_whole = receipt.record is not None and names <= receipt.record.fields.keys()
    if is_whole and not not_kept(step, receipt, base):
        return receipt
    try:
        sighting = await side.connector.fetch(side.scope, receipt.key)
    except ConnectorError as error:
        text = f"written, but what became of it could not be read: {error.args[0]}"
        raise UnknownOutcomeError(text, connection=error.connection, detail=Detail.UNREADABLE) from error
    if not isinstance(sighting, Present):
        return receipt
    return Receipt(receipt.key, sighting.record)


def without(step: Step, names: frozenset[FieldId]) -> Step:
    """The step as if it had never been meant to write these fields."""
    fields = {name: value for name, value in sent_fields(step).items() if name not in names}
    write = step.write
    if isinstance(write, Create | Update | Restore):
        write = msgspec.structs.replace(write, fields=fields)
    settled = tuple(each for each in step.fields if each.of(step.side) not in names)
    later = tuple(each for each in step.later if each.of(step.side) not in names)
    return msgspec.structs.replace(step, write=write, fields=settled, later=later)


def complaint(names: frozenset[FieldId]) -> RejectedError:
    """What to say of fields that were not kept."""
    listed = ", ".join(f"'{name}'" for name in sorted(names))
    text = f"the vendor took the write, but did not keep the value of {listed}"
    return RejectedError(text, field=min(names), detail=Detail.NOT_KEPT)
