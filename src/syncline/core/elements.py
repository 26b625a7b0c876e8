"""Sets of both sides into merged sets: additions and removals of either side survive.

Used by `merge` for many-valued fields. Elements that have no counterpart on the other side (a label without a pair)
belong to their own side alone: they are never carried over and never removed.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncline.core.convert import Untranslatable
from syncline.core.mapping import Lens
from syncline.core.records import Side
from syncline.core.values import BLANK, ManyOf, Value


def merge_elements(
    lens: Lens, base: tuple[Value | None, Value | None], now: tuple[Value | None, Value | None]
) -> tuple[Value, Value]:
    """Both sides' new sets (left, right), given the base and the present set of each."""
    left = _carry(lens, Side.LEFT, base[1], now[1], now[0])
    right = _carry(lens, Side.RIGHT, base[0], now[0], now[1])
    return left, right


def _carry(
    lens: Lens, side: Side, base_source: Value | None, now_source: Value | None, now_target: Value | None
) -> Value:
    """The target's set with what the source added since its base, without what it removed."""
    before, after = _elements(base_source), _elements(now_source)
    kept = {counterpart(lens, side, element) for element in after}
    added = [counterpart(lens, side, element) for element in after if element not in before]
    removed = {counterpart(lens, side, element) for element in before if element not in after} - kept
    target = _elements(now_target)
    represented = {counterpart(lens, side.other, element) for element in target}
    out = [
        element
        for element in target
        if element not in removed and not _was_removed(lens, side, element, before, after)
    ]
    for element, origin in zip(added, (e for e in after if e not in before), strict=True):
        if element is not None and element not in out and origin not in represented:
            out.append(element)
    return ManyOf(tuple(out)) if out else BLANK


def _was_removed(lens: Lens, side: Side, element: str, before: Iterable[str], after: Iterable[str]) -> bool:
    """Whether the source's counterpart of a target element was there and is not any more (several may share it)."""
    origin = counterpart(lens, side.other, element)
    return origin is not None and origin in before and origin not in after


def mirror_elements(lens: Lens, side: Side, source: Value, target: Value) -> Value:
    """The target's set made to follow the source's, its private elements left in place."""
    wanted = [element for element in _elements(source) if counterpart(lens, side, element) is not None]
    covered = set(wanted)
    out: list[str] = []
    represented: set[str] = set()
    for element in _elements(target):
        origin = counterpart(lens, side.other, element)
        if origin is None or origin in covered or element in {counterpart(lens, side, e) for e in wanted}:
            out.append(element)
            represented.add(origin or "")
    for element in wanted:
        image = counterpart(lens, side, element)
        if image is not None and image not in out and element not in represented:
            out.append(image)
    return ManyOf(tuple(out)) if out else BLANK


def counterpart(lens: Lens, side: Side, element: str) -> str | None:
    """One element as `side` would hold it, or None when it has no counterpart there."""
    value = lens.to(side, ManyOf((element,)))
    if isinstance(value, Untranslatable) or not isinstance(value, ManyOf) or not value.keys:
        return None
    return value.keys[0]


def _elements(value: Value | None) -> tuple[str, ...]:
    return value.keys if isinstance(value, ManyOf) else ()
