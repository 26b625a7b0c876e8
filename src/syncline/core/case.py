"""One stored case into its decision: everything that a decision depends on, in one JSON file.

Used by `syncline replay` and attached to bug reports: the same file gives the same decision on any machine.
"""

from __future__ import annotations

import msgspec

from syncline.core.decisions import Decision, DeletedEdit, DeletePolicy, Rules, View
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.merge import merge
from syncline.core.records import ObjectSchema, RecordKey, Side
from syncline.core.references import parents_of


class Case(msgspec.Struct, frozen=True):
    """A view with the mapping, schemas and policies it was decided under, and the decision that was taken.

    Every mapping names its conflict policy; one that does not asks.
    """

    left: ObjectSchema
    right: ObjectSchema
    mappings: tuple[FieldMapping, ...]
    deletes: DeletePolicy
    deleted_edit: DeletedEdit
    may_archive: tuple[Side, ...]
    may_restore: tuple[Side, ...]
    view: View
    decided: Decision | None = None


class Decided(msgspec.Struct, frozen=True):
    """What a run looked at and decided about one link, pair or lone record; kept as its evidence.

    A key is None where the record is missing. `decision` is None where nothing was decided, and `reason` says why (the
    write before it was refused or has no known outcome, several records match, ...).
    """

    left_key: RecordKey | None
    right_key: RecordKey | None
    title: str
    view: View
    decision: Decision | None = None
    reason: str = ""


def decide(case: Case) -> Decision:
    """Decide the case again. Raises `MappingError` when its mapping does not fit its schemas."""
    made = lenses(case.mappings, case.left, case.right, ConflictPolicy.ASK)
    rules = Rules(
        made, case.deletes, case.deleted_edit, frozenset(case.may_archive), frozenset(case.may_restore)
    )
    return merge(case.view, rules.looked_up(parents_of(case.view.parents)))
