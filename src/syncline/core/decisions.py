"""What a decision is made from, and what it may be: rules, policies, views and the outcomes of `merge`.

`merge` makes decisions, `plan` turns them into steps, the store and the CLI show them. Frozen values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from syncline.core.mapping import Lens, looked_up
from syncline.core.records import Base, Edit, FieldId, LinkId, Side, Sighting
from syncline.core.references import Known, Parents
from syncline.core.values import Value


class Rule(Enum):
    """Why a decision was taken. The value is stored in the history; `sentence` is for people."""

    IN_STEP = "in_step"
    UNSEEN = "unseen"
    AGREED = "agreed"
    ONE_SIDE_CHANGED = "one_side_changed"
    ONE_WAY = "one_way"
    KEEPS_OWN = "keeps_own"
    FILLED_BLANK = "filled_blank"
    MERGED = "merged"
    NEWEST = "newest"
    LEFT_WINS = "left_wins"
    RIGHT_WINS = "right_wins"
    RESOLVED = "resolved"
    CONFLICT = "conflict"
    NO_COUNTERPART = "no_counterpart"
    AMBIGUOUS = "ambiguous"
    KEPT_APART = "kept_apart"
    CREATED = "created"
    LINKED = "linked"
    LINKED_BY_HAND = "linked_by_hand"
    UNLINKED_BY_HAND = "unlinked_by_hand"
    RELEASED_BY_HAND = "released_by_hand"
    RECALLED_BY_HAND = "recalled_by_hand"
    COPIED_BY_HAND = "copied_by_hand"
    REJOINED_BY_HAND = "rejoined_by_hand"
    DELETED_PROPAGATED = "deleted_propagated"
    DELETED_ARCHIVED = "deleted_archived"
    DELETED_IGNORED = "deleted_ignored"
    DELETED_ASK = "deleted_ask"
    DELETED_BOTH = "deleted_both"
    EDIT_BEATS_DELETE = "edit_beats_delete"
    OUT_OF_SCOPE = "out_of_scope"
    NORMALISED = "normalised"
    PARKED = "parked"
    UNKNOWN_OUTCOME = "unknown_outcome"
    UNDONE = "undone"
    AWAITS_PARENT = "awaits_parent"
    PARENT_GONE = "parent_gone"
    PARENT_BACK = "parent_back"

    @property
    def sentence(self) -> str:
        """The rule in a person's words."""
        return _SENTENCES[self]

    @property
    def is_question(self) -> bool:
        """Whether something held by this rule waits for a person (and not just for the next run)."""
        return self in _QUESTIONS


_SENTENCES = {
    Rule.IN_STEP: "Neither side changed.",
    Rule.UNSEEN: "One side could not be seen, so nothing is decided.",
    Rule.AGREED: "Both sides already mean the same.",
    Rule.ONE_SIDE_CHANGED: "One side changed; the other follows.",
    Rule.ONE_WAY: "This field goes one way; the other side follows.",
    Rule.KEEPS_OWN: "The field goes one way, but the leading side never said anything; the other keeps its own.",
    Rule.FILLED_BLANK: "One side was blank when the two records met; it gets the other's value.",
    Rule.MERGED: "Both sides' additions and removals are kept.",
    Rule.NEWEST: "Both sides changed; the later edit wins.",
    Rule.LEFT_WINS: "Both sides changed; the left side wins.",
    Rule.RIGHT_WINS: "Both sides changed; the right side wins.",
    Rule.RESOLVED: "A person chose.",
    Rule.CONFLICT: "Both sides changed differently; a person must choose.",
    Rule.NO_COUNTERPART: "There is no counterpart on the other side.",
    Rule.AMBIGUOUS: "Several records have the same keys; a person must say which belong together.",
    Rule.KEPT_APART: "A person said that the two records are not the same.",
    Rule.CREATED: "A new record; the other side gets it.",
    Rule.LINKED: "The two records are the same thing.",
    Rule.LINKED_BY_HAND: "A person said that the two records are the same thing.",
    Rule.UNLINKED_BY_HAND: "A person unlinked the two records; both stay, each for itself.",
    Rule.RELEASED_BY_HAND: "A person left the record to itself; it is not linked or copied.",
    Rule.RECALLED_BY_HAND: "A person let the record take part again; it waits to be matched.",
    Rule.COPIED_BY_HAND: "A person wants a copy of the record on the other side.",
    Rule.REJOINED_BY_HAND: "A person does not keep the two records apart any more.",
    Rule.DELETED_PROPAGATED: "Deleted on one side and unchanged on the other; deleted there too.",
    Rule.DELETED_ARCHIVED: "Deleted on one side and unchanged on the other; archived there.",
    Rule.DELETED_IGNORED: "Deleted on one side; the other side keeps its record for itself.",
    Rule.DELETED_ASK: "Deleted on one side; a person must say what happens to the other.",
    Rule.DELETED_BOTH: "Deleted on both sides.",
    Rule.EDIT_BEATS_DELETE: "Deleted on one side but edited on the other; the edit wins and the record comes back.",
    Rule.OUT_OF_SCOPE: "The record left the sync's filter; the link rests.",
    Rule.NORMALISED: "The vendor keeps what was written in a form of its own (old: as written, new: as kept).",
    Rule.PARKED: "The vendor refused the last write; an edit or a retry gets it going again.",
    Rule.UNKNOWN_OUTCOME: "The last write got no answer; nothing is written before we have seen what became of it.",
    Rule.UNDONE: "Undone by a person; what was before is put back, and stays until somebody edits it.",
    Rule.AWAITS_PARENT: "The record it points to has no counterpart yet; it goes as soon as that one is linked.",
    Rule.PARENT_BACK: "The record it pointed to was gone and is back, or was made anew; it points there again.",
    Rule.PARENT_GONE: "The record it pointed to is gone; the blank that this left is no edit, and each side keeps its own.",
}


_OPEN = frozenset({Rule.CONFLICT, Rule.NO_COUNTERPART, Rule.AWAITS_PARENT})
_QUESTIONS = frozenset(
    {Rule.CONFLICT, Rule.NO_COUNTERPART, Rule.AMBIGUOUS, Rule.KEPT_APART, Rule.DELETED_ASK}
)


class DeletePolicy(Enum):
    """What a deletion on one side does to an unchanged record on the other."""

    PROPAGATE = "propagate"
    ARCHIVE = "archive"
    IGNORE = "ignore"
    ASK = "ask"


class DeletedEdit(Enum):
    """What happens when one side deleted what the other edited."""

    EDIT = "edit"
    DELETE = "delete"
    ASK = "ask"


class Answer(Enum):
    """What a person may answer when asked about a deletion."""

    DELETE = "delete"
    RESTORE = "restore"
    RELEASE = "release"


class Resolution(msgspec.Struct, frozen=True):
    """A person's choice for one field: this value, as the left side holds it and as the right side holds it.

    It holds only while the two sides are as they were when the person chose (`seen_left`, `seen_right`).
    """

    left: Value
    right: Value
    seen_left: Value
    seen_right: Value


class Rules(msgspec.Struct, frozen=True):
    """How one sync decides: its lenses and its policies."""

    lenses: tuple[Lens, ...]
    deletes: DeletePolicy = DeletePolicy.ASK
    deleted_edit: DeletedEdit = DeletedEdit.EDIT
    may_archive: frozenset[Side] = frozenset()
    may_restore: frozenset[Side] = frozenset()

    def looked_up(self, parents: Parents) -> Rules:
        """The rules with what is known now of the records that lines point to."""
        if all(lens.mapping.through is None for lens in self.lenses):
            return self
        return msgspec.structs.replace(self, lenses=looked_up(self.lenses, parents))


class View(msgspec.Struct, frozen=True):
    """All that a decision about one link depends on. Encodes to JSON: one of these replays a decision.

    `cleared` names lines that were never agreed on, and whose value somebody has emptied since we first saw it. `parents`
    is what other syncs know of the records that are pointed to: `case` and `replay` decide by it.
    """

    link: LinkId | None
    base: Base | None
    left: Sighting
    right: Sighting
    left_edits: Mapping[FieldId, Edit] = {}
    right_edits: Mapping[FieldId, Edit] = {}
    resolutions: Mapping[str, Resolution] = {}
    answer: Answer | None = None
    cleared: frozenset[str] = frozenset()
    parents: tuple[Known, ...] = ()

    def of(self, side: Side) -> Sighting:
        """The sighting of one side."""
        return self.left if side is Side.LEFT else self.right


class FieldDecision(msgspec.Struct, frozen=True):
    """What becomes of one mapped field.

    `left`/`right` are what the sides hold (None: unseen), `to_left`/`to_right` what they are to hold (None: leave it),
    `lost` the value that an automatic rule overrides, with its side.
    """

    left_field: FieldId
    right_field: FieldId
    rule: Rule
    left: Value | None = None
    right: Value | None = None
    to_left: Value | None = None
    to_right: Value | None = None
    lost: Value | None = None
    lost_side: Side | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """The line's name: `left field ↔ right field`."""
        return line_name(self.left_field, self.right_field)

    def of(self, side: Side) -> FieldId:
        """The field of one side."""
        return self.left_field if side is Side.LEFT else self.right_field

    def now(self, side: Side) -> Value | None:
        """What a side holds (None: unseen)."""
        return self.left if side is Side.LEFT else self.right

    def target(self, side: Side) -> Value | None:
        """What a side is to hold (None: leave it)."""
        return self.to_left if side is Side.LEFT else self.to_right

    @property
    def is_open(self) -> bool:
        """Whether the field waits: for a person, a counterpart, or the record that it points to."""
        return self.rule in _OPEN

    @property
    def settles(self) -> bool:
        """Whether the base moves for this field."""
        return self.rule not in (Rule.IN_STEP, Rule.UNSEEN) and not self.is_open


class Fields(msgspec.Struct, frozen=True, tag="fields"):
    """Both records are there; each field is decided by itself."""

    fields: tuple[FieldDecision, ...]


class Remove(msgspec.Struct, frozen=True, tag="remove"):
    """Delete or archive the record of `side`, because the other one is gone.

    `fields` are the values that were edited there since both sides agreed, each as `lost`.
    """

    side: Side
    is_archive: bool
    rule: Rule
    fields: tuple[FieldDecision, ...] = ()


class Revive(msgspec.Struct, frozen=True, tag="revive"):
    """Bring the record of `side` back, because the other one was edited since. `is_restore`: out of the trash."""

    side: Side
    is_restore: bool
    fields: tuple[FieldDecision, ...]
    rule: Rule


class Forget(msgspec.Struct, frozen=True, tag="forget"):
    """Close the link. `release` names the side whose record goes on alone, for good."""

    release: Side | None
    rule: Rule


class AskDelete(msgspec.Struct, frozen=True, tag="ask_delete"):
    """The record of `gone` is deleted; a person must say what happens to the other. `parent` names the record that it
    pointed to where that one is gone as well."""

    gone: Side
    is_edited: bool
    rule: Rule = Rule.DELETED_ASK
    parent: str = ""


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Nothing can be decided now."""

    rule: Rule
    reason: str = ""


Decision = Fields | Remove | Revive | Forget | AskDelete | Wait


_ARROW = " ↔ "


def line_name(left: FieldId, right: FieldId) -> str:
    """How a mapped field is called in conflicts and resolutions."""
    return f"{left}{_ARROW}{right}"


def line_fields(name: str) -> tuple[FieldId, FieldId]:
    """The two fields of a line's name."""
    left, right = name.split(_ARROW)
    return FieldId(left), FieldId(right)
