"""What a person decides, checked and stored: a conflict's winner, a deletion's answer, another try.

Called by the CLI (and later the web). Nothing is written to a vendor here: the next run carries the choice out.
"""

from __future__ import annotations

import msgspec

from syncline.core.case import Case
from syncline.core.convert import Untranslatable, convert
from syncline.core.decisions import Answer, Resolution, Rule, View
from syncline.core.mapping import Lens
from syncline.core.memory import Question
from syncline.core.records import Edit, FieldId, LinkId, Side
from syncline.core.values import BLANK, FieldType, ManyOf, OneOf, RichText, Text, Value, YesNo
from syncline.engine.pull import remembered
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError


def take(world: World, sync: Sync, question: Question, side: Side) -> Resolution:
    """Let one side's value win. Raises `SetupError` when it has no counterpart on the other side."""
    lens = _lens(sync, question)
    held = question.held
    winner = held.left if side is Side.LEFT else held.right
    if winner is None:
        raise SetupError(f"Question {question.id} has no value on the {side.value} side.")
    return _choose(world, question, lens, side, winner)


def enter(world: World, sync: Sync, question: Question, text: str) -> Resolution:
    """Let a typed value win, read as the left field's type."""
    lens = _lens(sync, question)
    return _choose(world, question, lens, Side.LEFT, typed(text, lens.left.type))


def answer(world: World, question: Question, given: Answer) -> Answer:
    """Answer a question about a deletion. Raises `SetupError` when it is about something else."""
    if question.held.rule is not Rule.DELETED_ASK:
        text = f"Question {question.id} is not about a deletion."
        raise SetupError(f"{text} Resolve it with --take left, --take right or --value.")
    world.store.choose(question.id, given, world.clock.now())
    return given


def typed(text: str, field_type: FieldType) -> Value:
    """What a person typed, as a value of a type. Raises `SetupError` when it cannot be read as one."""
    if not text.strip():
        return BLANK
    match field_type:
        case FieldType.RICH_TEXT:
            return RichText(text)
        case FieldType.ONE_OF:
            return OneOf(text)
        case FieldType.MANY_OF:
            return ManyOf(tuple(part.strip() for part in text.split(",") if part.strip()))
        case FieldType.YES_NO if text.strip().lower() in ("yes", "no", "true", "false"):
            return YesNo(text.strip().lower() in ("yes", "true"))
        case _:
            conversion = convert(FieldType.TEXT, field_type)
            value = (
                conversion(Text(text))
                if conversion
                else Untranslatable(f"a {field_type.value} cannot be typed")
            )
            if isinstance(value, Untranslatable):
                raise SetupError(f"--value: {value.reason}.")
            return value


def case_of(world: World, sync: Sync, question: Question) -> Case:
    """Everything the decision behind a question depended on, for `replay`. Raises `SetupError` without a link."""
    if question.held.link is None:
        raise SetupError(
            f"Question {question.id} is about a record without a link; there is no decision to replay."
        )
    view = stored_view(world, sync, question.held.link)
    rules = sync.rules
    return Case(
        sync.left.schema,
        sync.right.schema,
        tuple(msgspec.structs.replace(lens.mapping, conflict=lens.policy) for lens in rules.lenses),
        rules.deletes,
        rules.deleted_edit,
        tuple(rules.may_archive),
        tuple(rules.may_restore),
        msgspec.structs.replace(
            view,
            left_edits=_edits(question, Side.LEFT),
            right_edits=_edits(question, Side.RIGHT),
        ),
    )


def stored_view(world: World, sync: Sync, link: LinkId) -> View:
    """A link as we remember it: its base, and both records as last seen."""
    found = world.store.links(sync.id, [link]).get(link)
    if found is None:
        raise SetupError(f"Link {link} is closed.")
    return View(link, found.base, remembered(found, Side.LEFT), remembered(found, Side.RIGHT))


def _edits(question: Question, side: Side) -> dict[FieldId, Edit]:
    edit = question.left_edit if side is Side.LEFT else question.right_edit
    line = question.held.line
    if edit is None or line is None:
        return {}
    return {line[0] if side is Side.LEFT else line[1]: edit}


def _lens(sync: Sync, question: Question) -> Lens:
    if question.held.rule is not Rule.CONFLICT or question.held.line is None:
        text = f"Question {question.id} is not a conflict of one field"
        raise SetupError(f"{text}; it is: {question.held.rule.sentence}")
    for lens in sync.rules.lenses:
        if (lens.mapping.left, lens.mapping.right) == question.held.line:
            return lens
    raise SetupError(
        f"'{question.held.field}' is no longer mapped; run the sync, and the question goes away."
    )


def _choose(world: World, question: Question, lens: Lens, side: Side, value: Value) -> Resolution:
    other = lens.to(side.other, value)
    if isinstance(other, Untranslatable):
        raise SetupError(f"The value cannot be taken over: {other.reason}.")
    left, right = (value, other) if side is Side.LEFT else (other, value)
    held = question.held
    choice = Resolution(left, right, held.left or BLANK, held.right or BLANK)
    world.store.choose(question.id, choice, world.clock.now())
    return choice
