"""Records that no link ties yet into links, creates and questions: the first meeting.

Called by `engine.reconcile`. Never guesses: a pair is proposed only when each is the other's only candidate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
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
    sync: SyncId, rule: MatchRule, lenses: Sequence[Lens], left: Sequence[Record], right: Sequence[Record]
) -> Matching:
    """Pair unlinked records: by the external key that one of them carries, then by the key fields.

    An external key is certain, and wins; where several records carry the same one, they are asked about.
    """
    marked = _matched(
        "external key", left, right, _marks(sync, left, Side.LEFT), _marks(sync, right, Side.RIGHT)
    )
    if rule.mode is MatchMode.CREATE_ONLY or not rule.on:
        return marked
    rest_left, rest_right = marked.lone_left, marked.lone_right
    keyed = _matched(
        "key fields",
        rest_left,
        rest_right,
        [_keys(rule, lenses, record, Side.LEFT) for record in rest_left],
        [_keys(rule, lenses, record, Side.RIGHT) for record in rest_right],
    )
    return Matching(
        marked.pairs + keyed.pairs, keyed.lone_left, keyed.lone_right, marked.ambiguous + keyed.ambiguous
    )


Keys = tuple[Hashable, ...]


def _marks(sync: SyncId, records: Sequence[Record], side: Side) -> list[Keys]:
    """What names a record: the mark that its copy would carry, and the mark that it carries itself."""
    return [
        ((side, external_key(sync, record.key)), (side.other, record.external_key))
        if record.external_key
        else ((side, external_key(sync, record.key)),)
        for record in records
    ]


def _matched(
    by: str,
    left: Sequence[Record],
    right: Sequence[Record],
    left_keys: Sequence[Keys],
    right_keys: Sequence[Keys],
) -> Matching:
    """Records that share a key belong together: two of them are a pair, more of them a question, one is alone."""
    groups: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for index, keyed in enumerate((left_keys, right_keys)):
        for number, keys in enumerate(keyed):
            for key in keys:
                groups[key][index].append(number)
    pairs: list[Pairing] = []
    ambiguous: list[Ambiguous] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for lefts, rights in _components([group for group in groups.values() if group[0] and group[1]]):
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


def _components(groups: Sequence[tuple[list[int], list[int]]]) -> list[tuple[list[int], list[int]]]:
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


def _keys(rule: MatchRule, lenses: Sequence[Lens], record: Record, side: Side) -> Keys:
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
