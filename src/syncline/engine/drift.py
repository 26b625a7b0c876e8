"""The schemas of a run and those of the run before into what changed under the mapping's feet.

Called by `reconcile`, whose brakes look at it, and by `runs`, which keeps the new state once a run went through. A
field that vanished never gets here: the mapping does not fit any more, and that is told before a run begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from syncline.core.records import FieldId, FieldSchema, Side
from syncline.core.values import FieldType
from syncline.engine.sync import Sync, World


class Shape(msgspec.Struct, frozen=True):
    """What a mapping relies on in one field: its type, and the keys of its options where only these may be used."""

    type: FieldType
    options: tuple[str, ...] = ()


def drift(world: World, sync: Sync) -> tuple[str, ...]:
    """What changed in the mapped fields since the last run that went through, in sentences."""
    return tuple(text for side in Side for text in _drift(world, sync, side))


def keep_shapes(world: World, sync: Sync) -> None:
    """Remember the mapped fields as they are now."""
    for side in Side:
        shapes = {field.id: _shape(field) for field in _mapped(sync, side)}
        world.store.remember(sync.id, _name(side), msgspec.json.encode(shapes).decode())


def _drift(world: World, sync: Sync, side: Side) -> Iterator[str]:
    kept = world.store.recall(sync.id, _name(side))
    known: Mapping[FieldId, Shape] = msgspec.json.decode(kept, type=dict[FieldId, Shape]) if kept else {}
    for field in _mapped(sync, side):
        before, now = known.get(field.id), _shape(field)
        if before is None:
            continue
        if before.type is not now.type:
            yield f"'{field.id}' on the {side.value} was {before.type.value} and is {now.type.value}"
        missing = sorted(set(before.options) - set(now.options)) if now.options else []
        if missing:
            yield f"'{field.id}' on the {side.value} lost the options {', '.join(missing)}"


def _mapped(sync: Sync, side: Side) -> Iterator[FieldSchema]:
    return (lens.of(side) for lens in sync.rules.lenses)


def _shape(field: FieldSchema) -> Shape:
    """People come and go, and free labels too: only closed sets of options are relied on."""
    is_closed = field.options is not None and not field.is_open and field.type is not FieldType.PERSON
    return Shape(field.type, tuple(option.key for option in field.options or ()) if is_closed else ())


def _name(side: Side) -> str:
    return f"schema:{side.value}"
