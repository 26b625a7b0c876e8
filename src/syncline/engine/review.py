"""What a person decides, checked and stored: a conflict's winner, a deletion's answer, for one question or for many.

Called by the CLI (and later the web). Nothing is written to a vendor here: the next run carries the choice out, each by
itself, and only while both sides are as they were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import msgspec

from syncline.core.audit import AuditKind
from syncline.core.case import Case
from syncline.core.convert import Untranslatable, convert
from syncline.core.decisions import Answer, Resolution, Rule, View
from syncline.core.mapping import Lens
from syncline.core.memory import Question
from syncline.core.records import Edit, FieldId, FieldSchema, LinkId, Side, SyncId
from syncline.core.translation import read_scalar
from syncline.core.values import BLANK, FieldType, ManyOf, OneOf, Person, RichText, Text, Value, YesNo
from syncline.engine.pull import remembered
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError


@dataclass(frozen=True, slots=True)
class Take:
    """Let this side's value win."""

    side: Side


@dataclass(frozen=True, slots=True)
class Enter:
    """Let a typed value win. With `side` only that side gets it, read as its field's type, and the other stays as it is;
    else it is read as the left field's type and both get it."""

    text: str
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Keep both sides as they are, until somebody edits one of them."""


Wish = Take | Enter | Leave | Answer


class Chosen(msgspec.Struct, frozen=True):
    """What came of a wish for one question: the stored choice, or why it cannot be (`refusal`)."""

    question: int
    sync: SyncId
    title: str
    field: str | None
    choice: Resolution | Answer | None = None
    refusal: str = ""


def resolve(world: World, sync: Sync | None, question: Question, wish: Wish) -> Resolution | Answer:
    """Store a choice. `sync` may be None for an answer or `Leave`. Raises `SetupError` when it cannot be carried out."""
    choice = checked(world, sync, question, wish)
    with world.store.transaction():
        _store(world, question, choice)
    return choice


def checked(world: World, sync: Sync | None, question: Question, wish: Wish) -> Resolution | Answer:
    """The choice that a wish comes to. Raises `SetupError` where it does not fit, or the question is closed."""
    if question.id not in {each.id for each in world.store.questions(question.sync)}:
        raise _closed(question)
    return choice_of(sync, question, wish)


def _closed(question: Question) -> SetupError:
    return SetupError(f"Question {question.id} is closed. What was written is in the history.")


def resolve_all(
    world: World, syncs: Mapping[SyncId, Sync], questions: Iterable[Question], wish: Wish, *, is_preview: bool
) -> Sequence[Chosen]:
    """The same wish for many questions, each stored by itself; those that it does not fit are left open and named.

    With `is_preview` nothing is stored.
    """
    out: list[Chosen] = []
    going: list[tuple[Question, Resolution | Answer]] = []
    now_open = {each.id for each in world.store.questions()}
    for question in questions:
        about = Chosen(question.id, question.sync, question.held.title, question.held.field)
        try:
            if question.id not in now_open:
                raise _closed(question)
            choice = choice_of(syncs.get(question.sync), question, wish)
        except SetupError as error:
            out.append(msgspec.structs.replace(about, refusal=str(error)))
        else:
            out.append(msgspec.structs.replace(about, choice=choice))
            going.append((question, choice))
    if not is_preview:
        with world.store.transaction():
            for question, choice in going:
                _store(world, question, choice)
    return out


def undo(world: World, question: Question) -> None:
    """Take a choice back before a run carried it out. Raises `SetupError` when there is none (any more)."""
    now_open = {each.id: each for each in world.store.questions(question.sync)}
    if question.id not in now_open:
        raise _closed(question)
    if now_open[question.id].choice is None:
        raise SetupError(f"Nothing is chosen for question {question.id}.")
    with world.store.transaction():
        _store(world, question, None)


def _store(world: World, question: Question, choice: Resolution | Answer | None) -> None:
    """Keep the choice, and in the audit trail that somebody chose (not the values)."""
    now, held = world.clock.now(), question.held
    world.store.choose(question.id, choice, now)
    told = {
        "question": question.id,
        "field": held.field,
        "left_key": held.left_key,
        "right_key": held.right_key,
        "choice": choice.value if isinstance(choice, Answer) else "value" if choice else "taken back",
    }
    world.store.audit(AuditKind.CHOICE, told, now=now, sync=question.sync, subject=str(question.id))


def alike(questions: Iterable[Question], question: Question) -> Sequence[Question]:
    """The questions of the same sync about the same field (or deletion on the same side), held by the same rule."""
    held = question.held
    about = (question.sync, held.field, held.rule, held.gone)
    return [
        each for each in questions if (each.sync, each.held.field, each.held.rule, each.held.gone) == about
    ]


def is_about(question: Question, field: str) -> bool:
    """Whether a question is about a field: of the left, of the right, or both (`left ↔ right`)."""
    return field in (question.held.field, *(question.held.line or ()))


def choice_of(sync: Sync | None, question: Question, wish: Wish) -> Resolution | Answer:
    """The choice that a wish comes to for one question. Raises `SetupError` where it does not fit."""
    match wish:
        case Answer():
            return _answered(question, wish)
        case Leave():
            left, right = _both(question)
            return Resolution(left, right, left, right)
        case Take(side):
            lens, (left, right) = _lens(sync, question), _both(question)
            return _both_get(question, lens, side, left if side is Side.LEFT else right)
        case Enter(text, side):
            lens = _lens(sync, question)
            if side is not None:
                return _one_gets(question, lens, side, text)
            return _both_get(question, lens, Side.LEFT, typed(text, lens.left))
        case _:
            assert_never(wish)


def take(world: World, sync: Sync, question: Question, side: Side) -> Resolution | Answer:
    """Let one side's value win. Raises `SetupError` when it has no counterpart on the other side."""
    return resolve(world, sync, question, Take(side))


def enter(world: World, sync: Sync, question: Question, text: str) -> Resolution | Answer:
    """Let a typed value win, read as the left field's type."""
    return resolve(world, sync, question, Enter(text))


def answer(world: World, question: Question, given: Answer) -> Resolution | Answer:
    """Answer a question about a deletion. Raises `SetupError` when it is about something else."""
    return resolve(world, None, question, given)


def how_to_answer(question: Question) -> str:
    """What a person can do about a question, in a sentence."""
    held, number = question.held, question.id
    resolve_it = f"syncline conflicts resolve {number}"
    if held.rule is Rule.DELETED_ASK:
        return f"syncline deletes approve|restore|release {number}"
    if held.field is None:
        key = held.left_key or held.right_key
        return (
            f"`syncline links link LEFT RIGHT`, `syncline links copy {key}` or `syncline links release {key}`; "
            "or fill what is missing here."
        )
    if held.left is None or held.right is None:
        return (
            "Its counterpart is made first: run the sync, and the question comes again if it is still open."
        )
    if held.rule is Rule.NO_COUNTERPART:
        only = "add a pair to the field's `values`, or edit the value"
        return f"{resolve_it} --value-for left|right TEXT, --leave, or --take left|right; or {only}."
    return f"{resolve_it} --take left|right, --value TEXT, --value-for left|right TEXT, or --leave"


def typed(text: str, field: FieldSchema) -> Value:
    """What a person typed, as a value of a field; options by key or label, people by e-mail. Raises `SetupError` when it
    cannot be read as one."""
    if not text.strip():
        return BLANK
    match field.type:
        case FieldType.RICH_TEXT:
            return RichText(text)
        case FieldType.ONE_OF:
            return _option(text.strip(), field)
        case FieldType.MANY_OF:
            parts = [part.strip() for part in text.split(",") if part.strip()]
            return ManyOf(tuple(_option(part, field).key for part in parts))
        case FieldType.PERSON:
            return Person(email=text.strip())
        case FieldType.YES_NO if text.strip().lower() in ("yes", "no", "true", "false"):
            return YesNo(text.strip().lower() in ("yes", "true"))
        case _:
            conversion = convert(FieldType.TEXT, field.type)
            value = (
                conversion(Text(text))
                if conversion
                else Untranslatable(f"a {field.type.value} cannot be typed")
            )
            if isinstance(value, Untranslatable):
                raise SetupError(f"'{text}' does not fit {field.title}: {value.reason}.")
            return value


def _option(text: str, field: FieldSchema) -> OneOf:
    found = read_scalar(text, field)
    if isinstance(found, OneOf):
        return found
    known = ", ".join(option.label for option in field.options or ())
    raise SetupError(f"'{text}' is no option of {field.title}. It has: {known}.")


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
    if edit is None or edit.is_record or line is None:
        return {}
    return {line[0] if side is Side.LEFT else line[1]: edit}


def _answered(question: Question, given: Answer) -> Answer:
    if question.held.rule is not Rule.DELETED_ASK:
        raise SetupError(f"Question {question.id} is not about a deletion. {how_to_answer(question)}")
    return given


def _lens(sync: Sync | None, question: Question) -> Lens:
    line = question.held.line
    if question.held.rule not in (Rule.CONFLICT, Rule.NO_COUNTERPART) or line is None:
        text = f"Question {question.id} is not about a field: {question.held.rule.sentence}"
        raise SetupError(f"{text} {how_to_answer(question)}")
    for lens in sync.rules.lenses if sync else ():
        if (lens.mapping.left, lens.mapping.right) == line:
            return lens
    raise SetupError(
        f"'{question.held.field}' is no longer mapped; run the sync, and the question goes away."
    )


def _both(question: Question) -> tuple[Value, Value]:
    """What both sides hold. Raises `SetupError` while one of them is still to be made."""
    held = question.held
    if held.field is None or held.left is None or held.right is None:
        raise SetupError(f"Question {question.id} has no value on both sides. {how_to_answer(question)}")
    return held.left, held.right


def _both_get(question: Question, lens: Lens, side: Side, value: Value) -> Resolution:
    """One side's value goes over as a translation, where the field goes that way."""
    seen_left, seen_right = _both(question)
    if not lens.flows_to(side.other):
        text = f"'{question.held.field}' is never written on the {side.other.value} side"
        raise SetupError(f"{text}. {how_to_answer(question)}")
    other = lens.to(side.other, value)
    if isinstance(other, Untranslatable):
        raise SetupError(f"The value cannot be taken over: {other.reason}. {how_to_answer(question)}")
    left, right = (value, other) if side is Side.LEFT else (other, value)
    return Resolution(left, right, seen_left, seen_right)


def _one_gets(question: Question, lens: Lens, side: Side, text: str) -> Resolution:
    """A typed value for one side alone; the other keeps what it has, and both agree on that from now on."""
    if not lens.flows_to(side):
        raise SetupError(f"'{question.held.field}' is never written on the {side.value} side.")
    left, right = _both(question)
    value = typed(text, lens.of(side))
    return (
        Resolution(value, right, left, right) if side is Side.LEFT else Resolution(left, value, left, right)
    )
