"""A field as it was and as it is now into what changed at the vendor under a mapping's feet, and what to do about it.

Called by `engine.drift`. A line that drifted is paused by itself while all others go on; only what cannot be confined
to a line (a match key, a field that new records need) pulls the brake `schema_drift`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from syncline.core.mapping import FieldMapping
from syncline.core.match import MatchRule
from syncline.core.records import FieldId, FieldSchema, Side
from syncline.core.values import FieldType


class Paused(msgspec.Struct, frozen=True):
    """A field line that rests: nothing is carried over either way until a person has looked."""

    line: str
    reason: str
    remedy: str


class Shape(msgspec.Struct, frozen=True):
    """What a mapping relies on in one field: its type, and the keys and labels of its options where only these may be
    used. `labels` run beside `options`; they are empty in what older versions remembered."""

    type: FieldType
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def named(self) -> Mapping[str, str]:
        """Labels by key, as far as they are known."""
        return dict(zip(self.options, self.labels, strict=False))


UNFIT = "Mend it at the vendor; or change the line in syncline.yaml and apply it."
REMEDY = "Change the line in syncline.yaml and apply it; or, if all is well, run with --release schema_drift."


def is_needed(
    mapping: FieldMapping,
    fields: tuple[FieldSchema | None, FieldSchema | None],
    match: MatchRule,
    may_create: frozenset[Side],
) -> bool:
    """Whether the sync cannot do without the line: records are recognised by it, or new ones need it. `fields` are the
    left and the right one, as far as they are there."""
    if any(mapping.left == one or mapping.right == other for one, other in match.on):
        return True
    left, right = fields
    return any(
        field is not None and field.is_required and side in may_create and mapping.direction.flows_to(side)
        for side, field in ((Side.LEFT, left), (Side.RIGHT, right))
    )


def shape(field: FieldSchema) -> Shape:
    """People come and go, and free labels too: only closed sets of options are relied on."""
    is_closed = field.options is not None and not field.is_open and field.type is not FieldType.PERSON
    options = (field.options or ()) if is_closed else ()
    return Shape(field.type, tuple(each.key for each in options), tuple(each.label for each in options))


def gone(field: FieldId, side: Side, was: Shape) -> str:
    """A field that is not there any more."""
    return f"'{field}' on the {side.value} was {was.type.value} and is not there any more"


def drift(mapping: FieldMapping | None, field: FieldSchema, side: Side, was: Shape) -> Iterator[str]:
    """What changed in one field that matters to a line (None: to a match key), in sentences without a full stop."""
    now, where = shape(field), f"'{field.id}' on the {side.value}"
    if was.type is not now.type:
        yield f"{where} was {was.type.value} and is {now.type.value}"
    if now.options:
        yield from _lost(where, was, now)
        yield from _renamed(mapping, where, was, now)


def _lost(where: str, was: Shape, now: Shape) -> Iterator[str]:
    """Options whose keys vanished; where another one took their place, it is named."""
    lost = [key for key in was.options if key not in now.options]
    new = [key for key in now.options if key not in was.options]
    by_label = {now.named[key].casefold(): key for key in new}
    unexplained: list[str] = []
    for key in lost:
        label = was.named.get(key)
        if label and label.casefold() in by_label:
            yield f"{where} has a new key for the option {label}: {key} is now {by_label[label.casefold()]}"
        else:
            unexplained.append(key)
    if len(unexplained) == len(new) == 1:
        old = _named(was, unexplained[0])
        yield f"{where} lost the option {old}, and {_named(now, new[0])} is new: it may have been renamed"
    elif unexplained:
        yield f"{where} lost the options {', '.join(_named(was, key) for key in sorted(unexplained))}"


def _named(of: Shape, key: str) -> str:
    label = of.named.get(key, key)
    return key if label == key else f"{label} ({key})"


def _renamed(mapping: FieldMapping | None, where: str, was: Shape, now: Shape) -> Iterator[str]:
    """Options that kept their key and got another label, where the line goes by labels."""
    pairs = mapping.values if mapping else ()
    named = {str(scalar) for pair in pairs for scalar in pair}
    folded = {each.casefold() for each in named}
    for key in was.options:
        old, new = was.named.get(key), now.named.get(key)
        if old is None or new is None or old == new:
            continue
        if not pairs or (old.casefold() in folded and key not in named):
            yield f"{where} calls the option {key} now {new}, not {old}"
