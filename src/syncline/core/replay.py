"""A run's evidence and today's rules into what would be decided differently now: a what-if.

Called by `engine.explain` for `syncline replay RUN`, and by whoever wants to try rules on past decisions. Pure: the
views are as they were, only the rules are today's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from syncline.core.absence import created_fields
from syncline.core.case import Decided
from syncline.core.decisions import Decision, FieldDecision, Fields, Revive, Rule, Rules
from syncline.core.merge import merge
from syncline.core.records import Present, RecordKey, Side
from syncline.core.references import parents_of
from syncline.core.values import Value, same


class LineChange(msgspec.Struct, frozen=True):
    """A mapped line that would be decided differently. None: the line was not mapped then, or is not now."""

    name: str
    before: FieldDecision | None
    after: FieldDecision | None

    @property
    def sentence(self) -> str:
        """The difference in a person's words."""
        if self.before is None:
            return "is mapped now"
        if self.after is None:
            return "is not mapped any more"
        return f"would now: {_outcome(self.after)} instead of: {_outcome(self.before)}"


class RecordChange(msgspec.Struct, frozen=True):
    """A link, pair or lone record about which something else would be decided."""

    title: str
    left_key: RecordKey | None
    right_key: RecordKey | None
    before: Decision | None
    after: Decision
    lines: tuple[LineChange, ...]

    @property
    def sentence(self) -> str:
        """The difference of the record as a whole; empty when only lines differ."""
        if self.before is None:
            return f"would now: {_whole(self.after)}"
        if isinstance(self.before, Fields) and isinstance(self.after, Fields):
            return ""
        if _whole(self.before) == _whole(self.after):
            return ""
        return f"would now: {_whole(self.after)} instead of: {_whole(self.before)}"


class Replay(msgspec.Struct, frozen=True):
    """A run decided again. `undecided` counts what was held back then for other reasons than its values (a refusal, an
    unknown outcome, several matches); that is not decided again."""

    decided: int
    same: int
    undecided: int
    changes: tuple[RecordChange, ...]


def replay(evidence: Iterable[Decided], rules: Rules) -> Replay:
    """Decide everything again under these rules."""
    decided = unchanged = undecided = 0
    changes: list[RecordChange] = []
    for each in evidence:
        if each.decision is None:
            undecided += 1
            continue
        decided += 1
        change = change_of(each, rules)
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    return Replay(decided, unchanged, undecided, tuple(changes))


def change_of(each: Decided, rules: Rules) -> RecordChange | None:
    """What would be decided differently about one of them."""
    after = redecide(each, rules)
    lines = tuple(_lines(_fields(each.decision), _fields(after)))
    change = RecordChange(each.title, each.left_key, each.right_key, each.decision, after, lines)
    return change if lines or change.sentence else None


def redecide(each: Decided, rules: Rules) -> Decision:
    """Decide one of them again."""
    view, rules = each.view, rules.looked_up(parents_of(each.view.parents))
    for side in Side:
        own, other = view.of(side), view.of(side.other)
        key = each.right_key if side is Side.LEFT else each.left_key
        if view.link is None and key is None and isinstance(own, Present) and not isinstance(other, Present):
            fields = created_fields(rules.lenses, own.record, side.other)
            return Fields(tuple(field for field in fields if field.settles))
    return merge(view, rules)


def _fields(decision: Decision | None) -> Sequence[FieldDecision]:
    match decision:
        case Fields(fields):
            return fields
        case Revive():
            return decision.fields
        case _:
            return ()


def _lines(before: Sequence[FieldDecision], after: Sequence[FieldDecision]) -> Iterator[LineChange]:
    then, now = {each.name: each for each in before}, {each.name: each for each in after}
    for name in {**then, **now}:
        old, new = then.get(name), now.get(name)
        if old is None or new is None or not _is_same(old, new):
            yield LineChange(name, old, new)


def _is_same(old: FieldDecision, new: FieldDecision) -> bool:
    return old.rule is new.rule and all(_equal(old.target(side), new.target(side)) for side in Side)


def _equal(a: Value | None, b: Value | None) -> bool:
    return a is b if a is None or b is None else same(a, b)


_OUTCOMES = {
    Rule.IN_STEP: "nothing changes",
    Rule.UNSEEN: "nothing is decided",
    Rule.AGREED: "both agree",
    Rule.ONE_SIDE_CHANGED: "the other side follows",
    Rule.ONE_WAY: "the other side follows (one way)",
    Rule.KEEPS_OWN: "each keeps its own",
    Rule.FILLED_BLANK: "the blank is filled",
    Rule.MERGED: "both sides' additions and removals are kept",
    Rule.NEWEST: "the later edit wins",
    Rule.LEFT_WINS: "left wins",
    Rule.RIGHT_WINS: "right wins",
    Rule.RESOLVED: "a person's choice is carried out",
    Rule.CONFLICT: "a person is asked",
    Rule.NO_COUNTERPART: "it waits for a counterpart of the value",
    Rule.CREATED: "it is copied",
    Rule.AWAITS_PARENT: "it waits for the record that it points to",
    Rule.PARENT_BACK: "it points to the record that is back",
    Rule.PARENT_GONE: "each keeps its own",
}


def _outcome(field: FieldDecision) -> str:
    return _OUTCOMES.get(field.rule, field.rule.sentence)


def _whole(decision: Decision) -> str:
    if isinstance(decision, Fields):
        return "the fields are compared one by one"
    return decision.rule.sentence
