"""The schemas of a run and those of the run before into lines that rest, and into what stops the whole run.

Called by `runs` before it decides anything: what drifted is taken out of the mapping line by line, and the rest goes
on. `reconcile` asks for what could not be confined. The new state is kept once a run went through; a line that rests
keeps its old one, so that it goes on by itself when the vendor's side is as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from syncline.core.brakes import BrakeName
from syncline.core.decisions import line_fields, line_name
from syncline.core.mapping import Lens
from syncline.core.records import FieldId, FieldSchema, Side, SyncId
from syncline.core.shapes import REMEDY, UNFIT, Paused, Shape, gone, is_needed, shape
from syncline.core.shapes import drift as field_drift
from syncline.engine.sync import Sync, Unfit, World
from syncline.engine.versions import is_approved
from syncline.ports import Store

_PAUSED = "paused"
_SETTINGS = "schema:settings"


def confine(world: World, sync: Sync, release: frozenset[BrakeName] = frozenset()) -> Sync:
    """The sync without the lines that drifted: they are `paused`, with what was found and what to do."""
    known = _known(world, sync)
    resting = [_unfit(sync, each, known) for each in sync.unfit]
    going: list[Lens] = []
    for lens in sync.rules.lenses:
        found = tuple(_of_lens(lens, known))
        is_kept = is_needed(lens.mapping, (lens.left, lens.right), sync.match, sync.may_create)
        if not found or is_kept or BrakeName.SCHEMA_DRIFT in release:
            going.append(lens)
        else:
            resting.append(Paused(_line(lens), f"{'; '.join(found)}.", REMEDY))
    rules = msgspec.structs.replace(sync.rules, lenses=tuple(going))
    return replace(sync, rules=rules, paused=tuple(resting))


def drift(world: World, sync: Sync) -> tuple[str, ...]:
    """What changed since the last run that went through, and cannot be confined to a line, in sentences."""
    known = _known(world, sync)
    found = [text for lens in sync.rules.lenses for text in _of_lens(lens, known)]
    mapped = {side: {lens.mapping.of(side) for lens in sync.rules.lenses} for side in Side}
    for side in Side:
        for field in _watched(sync, side):
            if field.id not in mapped[side] and field.id in known[side]:
                found += field_drift(None, field, side, known[side][field.id])
    return tuple(dict.fromkeys(found))


def resumes(store: Store, sync: Sync) -> bool:
    """Whether a line that rested goes on now: every record is looked at again."""
    resting = {each.line for each in sync.paused}
    return any(each.line not in resting for each in paused(store, sync.id))


def paused(store: Store, sync: SyncId) -> tuple[Paused, ...]:
    """The lines that rest since the last run that went through."""
    kept = store.recall(sync, _PAUSED)
    return msgspec.json.decode(kept, type=tuple[Paused, ...]) if kept else ()


def keep_shapes(world: World, sync: Sync) -> None:
    """Remember the fields as they are now, those of resting lines as they were, and which lines rest."""
    known = _known(world, sync)
    for side in Side:
        lines = [line_fields(each.line) for each in sync.paused]
        names = [left if side is Side.LEFT else right for left, right in lines]
        shapes = {name: known[side][name] for name in names if name in known[side]}
        shapes |= {field.id: shape(field) for field in _watched(sync, side)}
        world.store.remember(sync.id, _name(side), msgspec.json.encode(shapes).decode())
    world.store.remember(sync.id, _SETTINGS, sync.settings_digest)
    world.store.remember(sync.id, _PAUSED, msgspec.json.encode(sync.paused).decode())


def _known(world: World, sync: Sync) -> Mapping[Side, Mapping[FieldId, Shape]]:
    """The fields as remembered. Settings that a person put in force since were checked against the fields as they
    were then: nothing has drifted from before."""
    is_new = world.store.recall(sync.id, _SETTINGS) != sync.settings_digest
    if is_new and is_approved(world.store, sync.id, sync.settings_digest):
        return {side: {} for side in Side}
    kept = {side: world.store.recall(sync.id, _name(side)) for side in Side}
    return {
        side: msgspec.json.decode(text, type=dict[FieldId, Shape]) if text else {}
        for side, text in kept.items()
    }


def _of_lens(lens: Lens, known: Mapping[Side, Mapping[FieldId, Shape]]) -> Iterator[str]:
    for side in Side:
        field = lens.of(side)
        if field.id in known[side]:
            yield from field_drift(lens.mapping, field, side, known[side][field.id])


def _unfit(sync: Sync, unfit: Unfit, known: Mapping[Side, Mapping[FieldId, Shape]]) -> Paused:
    """A line that does not fit any more: what is known of its fields says more than the fault does."""
    found: list[str] = []
    for side in Side:
        name = unfit.mapping.of(side)
        was, field = known[side].get(name), sync.side(side).schema.field(name)
        if was is not None:
            found += (
                [gone(name, side, was)] if field is None else field_drift(unfit.mapping, field, side, was)
            )
    line = line_name(unfit.mapping.left, unfit.mapping.right)
    return Paused(line, f"{'; '.join(found)}." if found else unfit.reason, UNFIT)


def _watched(sync: Sync, side: Side) -> Sequence[FieldSchema]:
    fields = (sync.side(side).schema.field(name) for name in sorted(sync.fields(side)))
    return [field for field in fields if field is not None]


def _line(lens: Lens) -> str:
    return line_name(lens.mapping.left, lens.mapping.right)


def _name(side: Side) -> str:
    return f"schema:{side.value}"
