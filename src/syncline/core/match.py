"""Records that no link ties yet into links, creates and questions: the first meeting.

Called by `engine.reconcile`. Never guesses: a pair is proposed only when each is the other's only candidate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
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
    """Pair unlinked records: by the external key that one of them carries, then by the key fields."""
    pairs = [*_by_external_key(sync, left, right)]
    taken_left, taken_right = {pair.left.key for pair in pairs}, {pair.right.key for pair in pairs}
    rest_left = [record for record in left if record.key not in taken_left]
    rest_right = [record for record in right if record.key not in taken_right]
    if rule.mode is MatchMode.CREATE_ONLY or not rule.on:
        return Matching(tuple(pairs), tuple(rest_left), tuple(rest_right), ())
    return _by_fields(rule, lenses, (rest_left, rest_right), pairs)


def _by_external_key(sync: SyncId, left: Sequence[Record], right: Sequence[Record]) -> Iterable[Pairing]:
    """A mark is certain, unless two records carry the same one: then it says nothing."""
    for marked, others, is_right in ((right, left, True), (left, right, False)):
        by_mark = {external_key(sync, record.key): record for record in others}
        carriers: dict[str, list[Record]] = defaultdict(list)
        for record in marked:
            if record.external_key in by_mark:
                carriers[record.external_key].append(record)
        for mark, records in carriers.items():
            if len(records) == 1:
                ours, other = records[0], by_mark[mark]
                yield (
                    Pairing(other, ours, "external key") if is_right else Pairing(ours, other, "external key")
                )


def _by_fields(
    rule: MatchRule, lenses: Sequence[Lens], rest: tuple[list[Record], list[Record]], pairs: list[Pairing]
) -> Matching:
    groups: dict[Hashable, tuple[list[Record], list[Record]]] = defaultdict(lambda: ([], []))
    lone: tuple[list[Record], list[Record]] = ([], [])
    for index, side in enumerate((Side.LEFT, Side.RIGHT)):
        for record in rest[index]:
            key = _key(rule, lenses, record, side)
            (lone if key is None else groups[key])[index].append(record)
    ambiguous: list[Ambiguous] = []
    for lefts, rights in groups.values():
        if len(lefts) == 1 and len(rights) == 1:
            pairs.append(Pairing(lefts[0], rights[0], "key fields"))
        elif lefts and rights:
            ambiguous.append(Ambiguous(tuple(lefts), tuple(rights)))
        else:
            lone[0].extend(lefts)
            lone[1].extend(rights)
    return Matching(tuple(pairs), tuple(lone[0]), tuple(lone[1]), tuple(ambiguous))


def _key(rule: MatchRule, lenses: Sequence[Lens], record: Record, side: Side) -> Hashable | None:
    """The record's key fields as the right side would hold them; None when one is blank, unseen or untranslatable."""
    parts: list[Hashable] = []
    for left_field, right_field in rule.on:
        value = record.fields.get(left_field if side is Side.LEFT else right_field)
        if value is None:
            return None
        if side is Side.LEFT:
            lens = next(
                (n for n in lenses if (n.mapping.left, n.mapping.right) == (left_field, right_field)), None
            )
            translated = value if lens is None else lens.to_right(value)
            if isinstance(translated, Untranslatable):
                return None
            value = translated
        part = canonical(value)
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)
