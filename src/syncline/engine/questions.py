"""Open questions into choices that a run carries out, and what a plan holds into the questions of the next time.

Called by `reconcile` before it decides, and by `remember` after the plan is made. A question is asked until nothing is
held for it any more: what settles by itself leaves by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from syncline.core.decisions import Answer, Decision, FieldDecision, Fields, Resolution, Rule, View
from syncline.core.memory import Question, Run
from syncline.core.plan import Held, Plan
from syncline.core.records import Edit, LinkId, Present, RecordKey, Side
from syncline.core.values import BLANK, Value, same
from syncline.engine.pull import Sweep
from syncline.engine.sync import Sync, World

_TOLD = 50
"""Links whose edit histories are read in one run only to tell a person who edited what, and when."""

Choice = Resolution | Answer


@dataclass(slots=True)
class Asked:
    """The open questions of a sync.

    `fields` are those about a line of a link, `contested` the lines asked about as conflicts, `gone` the links asked
    about as deletions; `choices` what persons have chosen, by link and line (the empty line is the record itself), and
    `chosen` the numbers of those questions; `withdrawn` are questions whose choice no longer holds. `timed` are the
    links whose edit histories were read in this run.
    """

    fields: dict[tuple[LinkId, str], Question] = field(default_factory=dict[tuple[LinkId, str], Question])
    contested: dict[LinkId, set[str]] = field(default_factory=dict[LinkId, set[str]])
    gone: set[LinkId] = field(default_factory=set[LinkId])
    choices: dict[LinkId, dict[str, Choice]] = field(default_factory=dict[LinkId, dict[str, Choice]])
    chosen: dict[tuple[LinkId, str], int] = field(default_factory=dict[tuple[LinkId, str], int])
    withdrawn: list[int] = field(default_factory=list[int])
    timed: set[LinkId] = field(default_factory=set[LinkId])

    def withdraw_unanswerable(self, held: Iterable[Held]) -> None:
        """Take back answers to deletions that could not be carried out: the question is asked again and says why."""
        for item in held:
            if item.rule is Rule.DELETED_ASK and item.link is not None and (item.link, "") in self.chosen:
                self.withdrawn.append(self.chosen[item.link, ""])


def open_questions(world: World, sync: Sync, sweeps: Mapping[Side, Sweep]) -> Asked:
    """What is asked, and what persons have chosen."""
    asked = Asked()
    for question in world.store.questions(sync.id):
        held = question.held
        if held.link is not None and held.field is not None:
            asked.fields[held.link, held.field] = question
            if held.rule is Rule.CONFLICT:
                asked.contested.setdefault(held.link, set()).add(held.field)
        if held.rule is Rule.DELETED_ASK and held.link is not None:
            asked.gone.add(held.link)
        if question.choice is None:
            continue
        # Asked when two records met: by now they are tied.
        link = _tied(world, sync, held) if held.link is None else held.link
        if _is_outdated(question, sweeps):
            asked.withdrawn.append(question.id)
        elif link is not None:
            asked.chosen[link, held.field or ""] = question.id
            asked.choices.setdefault(link, {})[held.field or ""] = question.choice
    return asked


def _tied(world: World, sync: Sync, held: Held) -> LinkId | None:
    """The link of the two records, when there is one by now."""
    if held.left_key is None or held.right_key is None:
        return None
    of_right = world.store.find_link(sync.id, held.right_key)
    return next((link for link in world.store.find_link(sync.id, held.left_key) if link in of_right), None)


def _is_outdated(question: Question, sweeps: Mapping[Side, Sweep]) -> bool:
    """Whether a record was edited after a person said that it may be deleted: it is asked again."""
    gone, held = question.held.gone, question.held
    if question.choice is not Answer.DELETE or gone is None:
        return False
    return kept_key(held) in sweeps[gone.other].moved


def wants_times(asked: Asked, link: LinkId, decision: Decision) -> bool:
    """Whether a person is to be asked about a field and has not been told yet who edited it, and when.

    It costs a call a side, once for each question, and for at most `_TOLD` links in a run: the others get their turn in
    the next ones.
    """
    if not isinstance(decision, Fields) or len(asked.timed) >= _TOLD:
        return False
    for line in decision.fields:
        known = asked.fields.get((link, line.name))
        is_told = known is not None and known.left_edit is not None and _is_about(known.held, line)
        if line.rule is Rule.CONFLICT and not is_told:
            return True
    return False


def _is_about(held: Held, other: Held | FieldDecision) -> bool:
    return _is_same(held.left, other.left) and _is_same(held.right, other.right)


def _is_same(one: Value | None, other: Value | None) -> bool:
    return same(one or BLANK, other or BLANK)


# --- what is held, as questions -------------------------------------------------------------------------------------


def to_ask(
    sync: Sync, run: Run, now: dt.datetime, plan: Plan, views: Mapping[LinkId, View], asked: Asked
) -> Iterator[Question]:
    """Everything held that a person can do something about. A stopped run asks about no deletion that was not asked
    about before: the brake is what a person is to look at."""
    for item in plan.held:
        is_stopped = bool(plan.brakes) and item.rule is Rule.DELETED_ASK and item.link not in asked.gone
        if item.rule.is_question and not is_stopped:
            view = views.get(item.link) if item.link is not None else None
            left, right = item.line or (None, None)
            yield Question(
                id=0,
                sync=sync.id,
                held=item,
                base_left=view.base.left.get(left) if view and view.base and left else None,
                base_right=view.base.right.get(right) if view and view.base and right else None,
                asked_at=now,
                run=run.id,
                left_edit=_edit(item, Side.LEFT, view, asked),
                right_edit=_edit(item, Side.RIGHT, view, asked),
            )


def _edit(held: Held, side: Side, view: View | None, asked: Asked) -> Edit | None:
    """Who edited a field and when: as just looked up, else as told when the question was first asked."""
    if view is None or held.line is None or held.link is None or held.field is None:
        return None
    edits = view.left_edits if side is Side.LEFT else view.right_edits
    own = edits.get(held.line[0] if side is Side.LEFT else held.line[1])
    if own is not None:
        return own
    if held.link in asked.timed:
        return _of_record(view, side)
    known = asked.fields.get((held.link, held.field))
    if known is None or not _is_about(known.held, held):
        return None
    return known.left_edit if side is Side.LEFT else known.right_edit


def _of_record(view: View, side: Side) -> Edit:
    """What the vendor tells of the record's last change; without a time where that was our own write, or nothing is
    told (which is kept, so that nobody asks again)."""
    seen = view.of(side)
    if not isinstance(seen, Present) or seen.record.updated_at in (None, seen.record.wrote_at):
        return Edit(None, is_record=True)
    return Edit(seen.record.updated_at, seen.record.updated_by, is_record=True)


def kept_key(held: Held) -> RecordKey | None:
    """For a deletion: the record that is still there."""
    return held.left_key if held.gone is Side.RIGHT else held.right_key
