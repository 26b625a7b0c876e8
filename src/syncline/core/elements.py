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
    (base_left, base_right), (now_left, now_right) = base, now
    left = _carry(lens, Side.LEFT, (base_right, now_right), (base_left, now_left))
    right = _carry(lens, Side.RIGHT, (base_left, now_left), (base_right, now_right))
    return left, right


def _carry(
    lens: Lens,
    side: Side,
    source: tuple[Value | None, Value | None],
    target: tuple[Value | None, Value | None],
) -> Value:
    """The target's set with what the source added since its base, without what it removed.

    Several elements may mean the same on the other side. What the source still holds under another name is not
    removed, and what the target itself has just added survives a removal of its namesake. Where the field goes one
    way the target gets back what it dropped on its own: it may have more than the source, never less.
    """
    before, after = _elements(source[0]), _elements(source[1])
    own_before, own = _elements(target[0]), _elements(target[1])
    dropped = {element for element in before if element not in after}
    kept = _images(lens, side, after)
    removed = _images(lens, side, dropped)
    out: list[str] = []
    origins: set[str | None] = set()
    for element in own:
        origin = counterpart(lens, side.other, element)
        still = element in kept or (origin is not None and counterpart(lens, side, origin) in kept)
        goes = element in own_before and not still and (element in removed or origin in dropped)
        if not goes:
            out.append(element)
            origins.add(origin)
    is_led = not lens.flows_to(side.other)
    for origin in after:
        is_wanted = is_led or origin not in before
        image = counterpart(lens, side, origin) if is_wanted else None
        if image is not None and image not in out and origin not in origins:
            out.append(image)
    return ManyOf(tuple(out)) if out else BLANK


def mirror_elements(lens: Lens, side: Side, source: Value, target: Value) -> Value:
    """The target's set made to follow the source's, its private elements left in place."""
    wanted = {
        element: image
        for element in _elements(source)
        if (image := counterpart(lens, side, element)) is not None
    }
    held, images = set(_elements(source)), set(wanted.values())
    out: list[str] = []
    origins: set[str | None] = set()
    for element in _elements(target):
        origin = counterpart(lens, side.other, element)
        if origin is None or origin in held or element in images:
            out.append(element)
            origins.add(origin)
    for element, image in wanted.items():
        if image not in out and element not in origins:
            out.append(image)
    return ManyOf(tuple(out)) if out else BLANK


def is_undone(was: Value, now: Value, target: Value | None) -> bool:
    """Whether an element that a side removed since its base is to come back."""
    return not set(_elements(was)).isdisjoint(set(_elements(target)) - set(_elements(now)))


def counterpart(lens: Lens, side: Side, element: str) -> str | None:
    """One element as `side` would hold it, or None when it has no counterpart there."""
    value = lens.to(side, ManyOf((element,)))
    if isinstance(value, Untranslatable) or not isinstance(value, ManyOf) or not value.keys:
        return None
    return value.keys[0]


def _images(lens: Lens, side: Side, elements: Iterable[str]) -> set[str]:
    images = (counterpart(lens, side, element) for element in elements)
    return {image for image in images if image is not None}


def _elements(value: Value | None) -> tuple[str, ...]:
    return value.keys if isinstance(value, ManyOf) else ()
