"""Records that no link ties yet into links, creates and questions: the first meeting.

Called by `engine.reconcile`. Never guesses: a pair is made only when each is the other's only candidate, by an external
key or by equal key fields. Records that are merely alike are for `candidates`, and for a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from enum import Enum

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.mapping import Lens
from syncline.core.records import FieldId, Record, RecordKey, Side, SyncId
from syncline.core.values import canonical


class MatchMode(Enum):
    """What becomes of records that no link ties yet."""

    MATCH_ONLY = "match_only"
    MATCH_THEN_CREATE = "match_then_create"
    CREATE_ONLY = "create_only"


class MatchRule(msgspec.Struct, frozen=True):
    """Key fields (left, right) that must all be equal, and what to do with the rest."""

    on: tuple[tuple[FieldId, FieldId], ...] = ()
    mode: MatchMode = MatchMode.MATCH_THEN_CREATE


class Said(msgspec.Struct, frozen=True):
    """What persons said about records without a link.

    `apart`: pairs (left, right) that are not the same. `copies`: records, by the side they are on, that are to be copied
    whatever else holds them back, each with a word that makes its copy's external key one of its own. `taken`: external
    keys that released records carry.
    """

    apart: frozenset[tuple[RecordKey, RecordKey]] = frozenset()
    copies: frozenset[tuple[Side, RecordKey, str]] = frozenset()
    taken: frozenset[str] = frozenset()

    def wanted(self) -> dict[tuple[Side, RecordKey], str]:
        """The word of each record that is to be copied."""
        return {(side, key): word for side, key, word in self.copies}

    def partners(self) -> dict[tuple[Side, RecordKey], tuple[RecordKey, ...]]:
        """For each record that is kept apart from some, the records of the other side."""
        out: dict[tuple[Side, RecordKey], tuple[RecordKey, ...]] = {}
        for left, right in sorted(self.apart):
            out[Side.LEFT, left] = (*out.get((Side.LEFT, left), ()), right)
            out[Side.RIGHT, right] = (*out.get((Side.RIGHT, right), ()), left)
        return out


NOTHING_SAID = Said()


class Pairing(msgspec.Struct, frozen=True):
    """Two records that are the same thing; `by` says how that is known."""

    left: Record
    right: Record
    by: str


class Ambiguous(msgspec.Struct, frozen=True):
    """Several records share the same keys, so a person must tell which belong together."""

    left: tuple[Record, ...]
    right: tuple[Record, ...]


class Matching(msgspec.Struct, frozen=True):
    """Every unlinked record once: paired, alone, or in question."""

    pairs: tuple[Pairing, ...]
    lone_left: tuple[Record, ...]
    lone_right: tuple[Record, ...]
    ambiguous: tuple[Ambiguous, ...]

    def lone(self, side: Side) -> tuple[Record, ...]:
        """The records of one side that have no counterpart."""
        return self.lone_left if side is Side.LEFT else self.lone_right


def external_key(sync: SyncId, key: RecordKey) -> str:
    """The mark that a record made by us carries: which sync, and which record it was made from."""
    return f"{sync}:{key}"


def match(
    sync: SyncId,
    rule: MatchRule,
    lenses: Sequence[Lens],
    left: Sequence[Record],
    right: Sequence[Record],
    said: Said = NOTHING_SAID,
) -> Matching:
    """Pair unlinked records: by the external key that one of them carries, then by the key fields.

    An external key is certain, and wins; where several records carry the same one, they are asked about. Records that a
    person keeps apart are never each other's candidate, and one that is to be copied is nobody's by its fields.
    """
    marked = _matched(
        "external key",
        (left, right),
        [marks(sync, record, Side.LEFT) for record in left],
        [marks(sync, record, Side.RIGHT) for record in right],
        said,
    )
    if rule.mode is MatchMode.CREATE_ONLY or not rule.on:
        return marked
    wanted = said.wanted()
    copied = {side: [r for r in marked.lone(side) if (side, r.key) in wanted] for side in Side}
    rest = {side: [r for r in marked.lone(side) if (side, r.key) not in wanted] for side in Side}
    keyed = _matched(
        "key fields",
        (rest[Side.LEFT], rest[Side.RIGHT]),
        [keys(rule, lenses, record, Side.LEFT) for record in rest[Side.LEFT]],
        [keys(rule, lenses, record, Side.RIGHT) for record in rest[Side.RIGHT]],
        said,
    )
    return Matching(
        marked.pairs + keyed.pairs,
        (*keyed.lone_left, *copied[Side.LEFT]),
        (*keyed.lone_right, *copied[Side.RIGHT]),
        marked.ambiguous + keyed.ambiguous,
    )


Keys = tuple[Hashable, ...]


def marks(sync: SyncId, record: Record, side: Side) -> Keys:
    """What names a record: the mark that its copy would carry, and the mark that it carries itself."""
    own = (side, external_key(sync, record.key))
    return (own, (side.other, record.external_key)) if record.external_key else (own,)


def _matched(
    by: str,
    records: tuple[Sequence[Record], Sequence[Record]],
    left_keys: Sequence[Keys],
    right_keys: Sequence[Keys],
    said: Said,
) -> Matching:
    """Records that share a key belong together: two of them are a pair, more of them a question, one is alone."""
    left, right = records
    groups: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for index, keyed in enumerate((left_keys, right_keys)):
        for number, keys in enumerate(keyed):
            for key in keys:
                groups[key][index].append(number)
    pairs: list[Pairing] = []
    ambiguous: list[Ambiguous] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    both = [group for group in groups.values() if group[0] and group[1]]
    if said.apart:
        both = [part for group in both for part in _parted(group, left, right, said)]
    for lefts, rights in _components(both):
        taken[0].update(lefts)
        taken[1].update(rights)
        if len(lefts) == 1 and len(rights) == 1:
            pairs.append(Pairing(left[lefts[0]], right[rights[0]], by))
        else:
            ambiguous.append(Ambiguous(tuple(left[n] for n in lefts), tuple(right[n] for n in rights)))
    return Matching(
        tuple(pairs),
        tuple(record for number, record in enumerate(left) if number not in taken[0]),
        tuple(record for number, record in enumerate(right) if number not in taken[1]),
        tuple(ambiguous),
    )


Group = tuple[list[int], list[int]]


def _parted(group: Group, left: Sequence[Record], right: Sequence[Record], said: Said) -> Iterator[Group]:
    """A group without the pairs that are kept apart: the parts that still hang together, and have both sides.

    Every look at a record ends with it found, or at a pair that is kept apart: the work grows with these, not with all
    pairs of the group.
    """
    unseen = (set(group[0]), set(group[1]))

    def is_near(side: int, number: int, other: int) -> bool:
        here, there = (number, other) if side == 0 else (other, number)
        return (left[here].key, right[there].key) not in said.apart

    while unseen[0]:
        start = min(unseen[0])
        unseen[0].remove(start)
        found: Group = ([start], [])
        queue = [(0, start)]
        while queue:
            side, number = queue.pop()
            near = [other for other in sorted(unseen[1 - side]) if is_near(side, number, other)]
            unseen[1 - side].difference_update(near)
            found[1 - side].extend(near)
            queue.extend((1 - side, other) for other in near)
        if found[1]:
            yield found


def _components(groups: Sequence[Group]) -> list[Group]:
    """Groups that share a record become one."""
    owner: dict[tuple[bool, int], int] = {}
    merged: dict[int, set[tuple[bool, int]]] = {}
    for number, (lefts, rights) in enumerate(groups):
        members = {(False, n) for n in lefts} | {(True, n) for n in rights}
        for earlier in {owner[member] for member in members if member in owner}:
            members |= merged.pop(earlier)
        merged[number] = members
        owner.update(dict.fromkeys(members, number))
    return [
        (
            sorted(n for is_right, n in members if not is_right),
            sorted(n for is_right, n in members if is_right),
        )
        for members in merged.values()
    ]


def keys(rule: MatchRule, lenses: Sequence[Lens], record: Record, side: Side) -> Keys:
    """The record's key fields as the right side holds them, and as the left side does, where these are known.

    Both, because a pair of values may lead only one way (many-to-one), and the two sides are to be treated alike.
    """
    names = (Side.RIGHT, Side.LEFT)
    made = ((name, _key(rule, lenses, record, side, name)) for name in names)
    return tuple((name, key) for name, key in made if key is not None)


def _key(
    rule: MatchRule, lenses: Sequence[Lens], record: Record, side: Side, held_by: Side
) -> tuple[Hashable, ...] | None:
    """The key fields as `held_by` would hold them; None when one is blank, unseen or untranslatable."""
    parts: list[Hashable] = []
    for pair in rule.on:
        value = record.fields.get(pair[0] if side is Side.LEFT else pair[1])
        if value is None:
            return None
        if side is not held_by:
            lens = next((n for n in lenses if (n.mapping.left, n.mapping.right) == pair), None)
            if lens is not None:
                value = lens.to(held_by, value)
        part = None if isinstance(value, Untranslatable) else canonical(value)
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)
