"""What two linked records hold now, beside what we remember of them, into equal or one cause of difference for each line.

Used by `engine.certify`. A check on the engine, so it asks neither `merge` nor `diff`: equality is worked out through the
lens here once more, and every difference must be vouched for by something stored (a question, an open write, a parked
record, the base and the history). What nothing vouches for is unexplained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.decisions import Rule, line_name
from syncline.core.mapping import ConflictPolicy, Lens
from syncline.core.memory import Entry, Standing
from syncline.core.records import Base, Side
from syncline.core.values import ManyOf, Value, is_blank, same


class Cause(Enum):
    """Why two sides differ, or why a record is in no compared pair. Each difference has exactly one."""

    READ_ONLY = "read_only"
    EXCLUDED = "excluded"
    PENDING = "pending"
    CONFLICT = "conflict"
    NO_COUNTERPART = "no_counterpart"
    PARKED = "parked"
    AGREED_APART = "agreed_apart"
    UNSEEN = "unseen"
    UNEXPLAINED = "unexplained"

    @property
    def sentence(self) -> str:
        """The cause in a person's words."""
        return _SENTENCES[self]


_SENTENCES = {
    Cause.READ_ONLY: "The line goes one way, and the side that follows keeps something of its own.",
    Cause.EXCLUDED: "It is left alone: paused, released, outside the filter, or not to be copied.",
    Cause.PENDING: "A change, a write or an answer waits for the next run.",
    Cause.CONFLICT: "A person is asked.",
    Cause.NO_COUNTERPART: "It has no counterpart on the other side; a person is asked.",
    Cause.PARKED: "The vendor refused the write; the record waits.",
    Cause.AGREED_APART: "Both sides hold what they agreed on, each in its own way; the history tells of it.",
    Cause.UNSEEN: "One side does not show it now.",
    Cause.UNEXPLAINED: "Nothing that is stored explains it.",
}


class Asked(msgspec.Struct, frozen=True):
    """An open question, as far as it explains a difference: what was held when it was asked, and whether a person has
    answered it."""

    rule: Rule
    left: Value | None = None
    right: Value | None = None
    is_answered: bool = False


class Knowledge(msgspec.Struct, frozen=True):
    """What is stored about one pair.

    `asked` are open questions by line; `is_unclear`: a write has no known outcome; `is_due`: the next run will look at
    the pair, because it is not settled or its bytes moved; `is_outside`: a filter leaves one of them out; `is_open`: it is
    not settled, also where the last run found nothing to do about it; `told` answers the history of a line, newest first.
    """

    base: Base
    asked: Mapping[str, Asked] = {}
    paused: frozenset[str] = frozenset()
    is_parked: bool = False
    is_unclear: bool = False
    is_due: bool = False
    is_outside: bool = False
    is_open: bool = False
    told: Callable[[str], Iterable[Entry]] = lambda _: ()


def agree(lens: Lens, left: Value, right: Value) -> bool:
    """Whether two values mean the same through a lens, in one of the directions in which it goes."""
    if is_blank(left) and is_blank(right):
        return True
    if lens.is_many:
        return not (_uncovered(lens, Side.LEFT, left, right) or _uncovered(lens, Side.RIGHT, right, left))
    pairs = ((Side.RIGHT, left, right), (Side.LEFT, right, left))
    return any(lens.flows_to(side) and _becomes(lens, side, source, held) for side, source, held in pairs)


def cause(lens: Lens, left: Value | None, right: Value | None, known: Knowledge) -> Cause | None:
    """Why a line of a pair differs; None when it does not. `left` and `right` are what the vendors hold now (None: the
    field is not shown)."""
    if left is None or right is None:
        return Cause.UNSEEN
    base = _base(lens, known.base)
    if known.is_outside or line_name(lens.mapping.left, lens.mapping.right) in known.paused:
        return None if agree(lens, left, right) else Cause.EXCLUDED
    if agree(lens, left, right):
        is_held = base is None or (same(base[0], left) and same(base[1], right))
        # Both sides agree on what the base does not hold: harmless only while somebody is going to look.
        return None if is_held or known.is_due else Cause.UNEXPLAINED
    return _waiting(lens, left, right, known) or _by_base(lens, (left, right), base, known)


def _waiting(lens: Lens, left: Value, right: Value, known: Knowledge) -> Cause | None:
    """The cause that is stored as something that waits."""
    if known.is_unclear:
        return Cause.PENDING
    asked = known.asked.get(line_name(lens.mapping.left, lens.mapping.right))
    if asked is not None:
        is_as_asked = _is(asked.left, left) and _is(asked.right, right)
        return Cause.PENDING if asked.is_answered or not is_as_asked else asked_cause(asked.rule)
    return Cause.PARKED if known.is_parked else None


def _by_base(
    lens: Lens, now: tuple[Value, Value], base: tuple[Value, Value] | None, known: Knowledge
) -> Cause:
    """The cause as the base tells it: the follower's own, agreed apart, or a change that is still to be carried over."""
    if _keeps_own(lens, now, base):
        return Cause.READ_ONLY
    if base is not None and same(base[0], now[0]) and same(base[1], now[1]):
        name = line_name(lens.mapping.left, lens.mapping.right)
        return Cause.AGREED_APART if _is_told(base, known.told(name)) else Cause.UNEXPLAINED
    is_waiting = known.is_due or (known.is_open and _is_awaiting(lens, now))
    return Cause.PENDING if is_waiting else Cause.UNEXPLAINED


def _is_awaiting(lens: Lens, now: tuple[Value, Value]) -> bool:
    """Whether one of the two points to a record that has no counterpart yet."""
    made = (lens.to(side.other, value) for side, value in zip(Side, now, strict=True))
    return any(isinstance(each, Untranslatable) and each.is_awaited for each in made)


def asked_cause(rule: Rule) -> Cause:
    """The cause that a question stands for."""
    return Cause.CONFLICT if rule in (Rule.CONFLICT, Rule.DELETED_ASK) else Cause.NO_COUNTERPART


def _is(asked: Value | None, now: Value) -> bool:
    return asked is None or same(asked, now)


def _base(lens: Lens, base: Base) -> tuple[Value, Value] | None:
    """What both sides agreed on in a line; None where one of them never did."""
    left, right = base.left.get(lens.mapping.left), base.right.get(lens.mapping.right)
    return None if left is None or right is None else (left, right)


def _is_told(base: tuple[Value, Value], entries: Iterable[Entry]) -> bool:
    """Whether the last that the history tells of a line is how its base came to be."""
    # What the vendor made of a write is told beside the write itself, which names what was kept.
    last = next((entry for entry in entries if entry.rule is not Rule.NORMALISED), None)
    if last is None:
        return False
    left, right = (last.old, last.new) if last.side is None else (last.new, last.new)
    is_left = last.side is Side.RIGHT or (left is not None and same(left, base[0]))
    is_right = last.side is Side.LEFT or (right is not None and same(right, base[1]))
    return is_left and is_right


def _keeps_own(lens: Lens, now: tuple[Value, Value], base: tuple[Value, Value] | None) -> bool:
    """Whether the following side of a one-way line holds something that the leading side has nothing to say to."""
    if lens.flows_to(Side.LEFT) == lens.flows_to(Side.RIGHT):
        return False
    leads = 0 if lens.flows_to(Side.RIGHT) else 1
    leader, led = now[leads], None if base is None else base[leads]
    if is_blank(leader) and (led is None or is_blank(led)):
        return True
    if not (lens.is_many and lens.policy is ConflictPolicy.MERGE):
        return False
    side = Side.LEFT if leads == 0 else Side.RIGHT
    extra = _uncovered(lens, side.other, now[1 - leads], leader)
    is_all_there = not _uncovered(lens, side, leader, now[1 - leads])
    # What the leader had and dropped is no follower's own.
    return is_all_there and set(_elements(led)).isdisjoint(_image(lens, side, each) for each in extra)


def _becomes(lens: Lens, side: Side, source: Value, held: Value) -> bool:
    value = lens.to(side, source)
    return not isinstance(value, Untranslatable) and same(value, held)


def _uncovered(lens: Lens, side: Side, own: Value, other: Value) -> list[str]:
    """Elements of the set on `side` that mean something over there, and that nothing over there stands for."""
    there = _elements(other)
    meant = {_image(lens, side, element) for element in there}
    return [
        element
        for element in _elements(own)
        if (image := _image(lens, side.other, element)) is not None
        and image not in there
        and element not in meant
    ]


def _image(lens: Lens, side: Side, element: str) -> str | None:
    """One element as `side` would hold it; None when it means nothing there."""
    value = lens.to(side, ManyOf((element,)))
    return value.keys[0] if isinstance(value, ManyOf) and value.keys else None


def _elements(value: Value | None) -> tuple[str, ...]:
    return value.keys if isinstance(value, ManyOf) else ()


# --- records that are in no compared pair ---------------------------------------------------------------------------


class Lone(msgspec.Struct, frozen=True):
    """What is stored about a listed record that no link ties. `standing` is None for one that no run has seen;
    `may_be_copied`: the sync would make its counterpart; `is_due`: the next run has something to find out about it;
    `is_outside`: a filter leaves it out, or its counterpart; `is_awaiting`: it points to a record without counterpart."""

    standing: Standing | None
    asked: Asked | None = None
    is_gone: bool = False
    is_parked: bool = False
    is_unclear: bool = False
    may_be_copied: bool = True
    is_due: bool = False
    is_outside: bool = False
    is_awaiting: bool = False


def lone_cause(record: Lone) -> Cause:
    """Why a record has no counterpart."""
    if record.is_gone:
        # A direct read said that it is gone, and a listing still shows it.
        return Cause.UNSEEN
    if record.standing is Standing.RELEASED or record.is_outside:
        return Cause.EXCLUDED
    if record.is_unclear:
        return Cause.PENDING
    if record.asked is not None:
        return Cause.PENDING if record.asked.is_answered else asked_cause(record.asked.rule)
    if record.is_parked:
        return Cause.PARKED
    if record.standing is not None and not record.may_be_copied:
        return Cause.EXCLUDED
    is_waiting = record.standing is None or record.is_due or record.is_awaiting
    return Cause.PENDING if is_waiting else Cause.UNEXPLAINED


class Whereabouts(Enum):
    """Where the record of one side of a link is, when not both were listed."""

    HERE = "here"
    OUTSIDE = "outside"
    """There, but outside the filter."""
    GONE = "gone"
    LOST = "lost"
    """Gone, and no run knows of it yet."""
    UNKNOWN = "unknown"


def half_cause(sides: Iterable[Whereabouts], known: Lone) -> Cause:
    """Why a link's records cannot be compared. `known.is_due`: the link is not settled."""
    places = set(sides)
    if known.is_unclear:
        return Cause.PENDING
    if known.asked is not None:
        return Cause.PENDING if known.asked.is_answered else asked_cause(known.asked.rule)
    if known.is_parked:
        return Cause.PARKED
    if Whereabouts.OUTSIDE in places:
        return Cause.EXCLUDED
    if Whereabouts.LOST in places:
        return Cause.PENDING
    if Whereabouts.GONE in places:
        return Cause.PENDING if known.is_due else Cause.UNEXPLAINED
    return Cause.UNSEEN
