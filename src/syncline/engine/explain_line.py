"""What we remember of one mapped line of a record into sentences: what each side held, and why it is as it is.

Used by `explain`. No store is asked here: `Around` holds what was looked up for the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.decisions import Decision, FieldDecision, Fields, Rule, line_name
from syncline.core.mapping import ConflictPolicy, Direction, Lens
from syncline.core.memory import Entry, Link, Question
from syncline.core.records import Present, Side, Sighting
from syncline.core.shown import shown
from syncline.core.values import Value, same
from syncline.engine.explain_past import told_of
from syncline.engine.sync import Sync

_LAST = 5
"""History lines of a field that are shown."""


class Line(msgspec.Struct, frozen=True):
    """One mapped line of the record: what each side held when last seen, the base, and what is known of it.

    `next` is what the next run would decide if nothing more changed; None while nothing can be decided. `is_in_step` is
    None while a side was not seen.
    """

    name: str
    direction: Direction
    policy: ConflictPolicy
    left: Value | None
    right: Value | None
    base_left: Value | None
    base_right: Value | None
    is_in_step: bool | None
    next: FieldDecision | None
    question: Question | None
    history: tuple[Entry, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of the record: its link, what was last seen of each side, the next decision, its history and open
    questions by line."""

    sync: Sync
    link: Link | None
    now: Mapping[Side, Sighting]
    decision: Decision | None
    history: Mapping[str, Sequence[Entry]]
    questions: Mapping[str, Question]


def line_of(lens: Lens, around: Around) -> Line:
    """Explain one line."""
    mapping = lens.mapping
    name = line_name(mapping.left, mapping.right)
    left, right = (_value(around, lens, side) for side in Side)
    base = around.link.base if around.link else None
    fields = around.decision.fields if isinstance(around.decision, Fields) else ()
    following = next((each for each in fields if each.name == name), None)
    entries, question = around.history.get(name, ()), around.questions.get(name)
    made = Line(
        name,
        mapping.direction,
        lens.policy,
        left,
        right,
        base.left.get(mapping.left) if base else None,
        base.right.get(mapping.right) if base else None,
        None if left is None or right is None else _is_in_step(lens, left, right),
        following,
        question,
        tuple(entries[-_LAST:]),
        (),
    )
    return msgspec.structs.replace(made, sentences=tuple(_sentences(lens, made, entries)))


def _value(around: Around, lens: Lens, side: Side) -> Value | None:
    sighting = around.now.get(side)
    return sighting.record.fields.get(lens.mapping.of(side)) if isinstance(sighting, Present) else None


def _is_in_step(lens: Lens, left: Value, right: Value) -> bool:
    """Whether both sides mean the same, seen from a side that the line may write from."""
    for side, own, other in ((Side.RIGHT, left, right), (Side.LEFT, right, left)):
        if lens.flows_to(side):
            there = lens.to(side, own)
            if not isinstance(there, Untranslatable) and same(there, other):
                return True
    return False


def _sentences(lens: Lens, line: Line, entries: Sequence[Entry]) -> Iterator[str]:
    left, right = f"'{shown(line.left)}'", f"'{shown(line.right)}'"
    if line.left is not None or line.right is not None:
        yield f"Last seen: left {left if line.left else 'not seen'}, right {right if line.right else 'not seen'}."
    if line.base_left is not None and line.base_right is not None:
        yield f"Last agreed on: left '{shown(line.base_left)}', right '{shown(line.base_right)}'."
    if line.direction is not Direction.BOTH:
        to = Side.RIGHT if line.direction is Direction.TO_RIGHT else Side.LEFT
        yield f"It goes one way, to the {to.value}: an edit there is never carried back."
    last = entries[-1] if entries else None
    written = next((each for each in reversed(entries) if each.side is not None), None)
    is_going = line.next is not None and any(line.next.target(side) is not None for side in Side)
    if written is not None and written.rule is Rule.UNDONE and line.is_in_step is False and not is_going:
        yield "It was undone: the two sides stay apart in this field until somebody edits it."
    elif line.is_in_step is True:
        yield "Both sides mean the same."
    if line.question is not None:
        chosen = (
            "a choice is noted, and the next run carries it out"
            if line.question.choice
            else f"nobody has answered: see `syncline conflicts show {line.question.id}`"
        )
        yield f"A person is asked (question {line.question.id}): {line.question.held.rule.sentence} So far {chosen}."
    yield from _following(line)
    if last is not None:
        yield f"What happened last: {told_of(last)}"
    elif lens.flows_to(Side.LEFT) or lens.flows_to(Side.RIGHT):
        yield "No run has written anything here."


def _following(line: Line) -> Iterator[str]:
    following = line.next
    if following is None:
        return
    writes = [
        f"the {side.value} gets '{shown(value)}'"
        for side in Side
        if (value := following.target(side)) is not None
    ]
    reason = f" ({following.reason})" if following.reason else ""
    if writes:
        yield f"Next run: {' and '.join(writes)}. {following.rule.sentence}"
    elif following.rule is not Rule.IN_STEP and line.question is None:
        yield f"Next run: {following.rule.sentence}{reason}"
