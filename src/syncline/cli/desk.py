"""Commands about what waits for a person: list, show, resolve, make a rule of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, kept, wait
from syncline.cli.deletes import deletion_lines
from syncline.cli.links import say_candidates
from syncline.cli.output import say, say_json, table
from syncline.core.candidates import Candidate
from syncline.core.decisions import Answer, Resolution
from syncline.core.memory import Question
from syncline.core.records import Edit, Side, SyncId
from syncline.engine import review, rules, unlinked
from syncline.engine.deletions import Deletion, deletion
from syncline.engine.sync import Sync
from syncline.errors import SetupError
from syncline.ports import Store
from syncline.story import shown

conflicts = typer.Typer(
    help="What waits for a person: list, show, resolve, make a rule of it.", no_args_is_help=True
)

Number = Annotated[int, typer.Argument(help="The question's number.")]
TakeSide = Annotated[Side | None, typer.Option(help="Let this side win.")]
Typed = Annotated[
    str | None, typer.Option(help="Let this value win on both sides, typed as the left field's type.")
]
TypedFor = Annotated[
    tuple[Side, str] | None,
    typer.Option(metavar="SIDE TEXT", help="Give one side this value; the other keeps what it has."),
]
LeaveIt = Annotated[bool, typer.Option("--leave", help="Keep both as they are, until one is edited.")]
Answered = Annotated[Answer | None, typer.Option(help="For a deletion: what happens to the other record.")]
Alike = Annotated[
    bool, typer.Option("--all-alike", help="Also all others of that sync and field that are asked alike.")
]
OfField = Annotated[str | None, typer.Option(help="Of this field (left, right, or `left ↔ right`).")]
OfSync = Annotated[str | None, typer.Option(help="Only this sync.")]
All = Annotated[bool, typer.Option("--all", help="All that are open.")]
NextTime = Annotated[
    bool, typer.Option("--next-time", help="With --take: let that side win this field from now on.")
]
Preview = Annotated[bool, typer.Option("--preview", help="Only show what would be chosen.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class Outcome(msgspec.Struct, frozen=True):
    """What came of `resolve`: each choice or why not, whether they are stored, the version that a rule made, and the
    other open questions that the rule decides."""

    is_stored: bool
    chosen: Sequence[review.Chosen]
    version: int | None = None
    decided_too: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Pick:
    """Which questions are meant."""

    number: int | None
    is_alike: bool
    field: str | None
    sync: str | None
    is_all: bool

    @property
    def is_single(self) -> bool:
        """Whether one question is meant, and nothing else."""
        return self.number is not None and not self.is_alike

    def of(self, installation: Installation) -> Sequence[Question]:
        """The open questions that are meant. Raises `SetupError` when that is not clear."""
        store = installation.store
        if (self.number is not None) + self.is_all + (self.field is not None) != 1:
            raise SetupError(
                "Say which: a number (with --all-alike for all like it), --field NAME, or --all."
            )
        everything = store.questions(kept(installation, self.sync))
        if self.number is None:
            return [each for each in everything if self.field is None or review.is_about(each, self.field)]
        question = find_question(store, self.number)
        return review.alike(everything, question) if self.is_alike else [question]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(conflicts, name="conflicts", rich_help_panel="Questions")


@conflicts.command(name="list")
def list_conflicts(context: typer.Context, sync: OfSync = None, as_json: AsJson = False) -> None:
    """List what waits for a person."""

    async def work() -> list[Question]:
        async with given(context).open() as installation:
            return list(installation.store.questions(kept(installation, sync)))

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    elif not found:
        say("Nothing waits for a person.")
    else:
        table(
            ("no.", "sync", "record", "field", "left", "right", "asked (UTC)", "why"),
            [_row(question) for question in found],
        )


def _row(question: Question) -> tuple[str, ...]:
    held = question.held
    chosen = " (chosen, waits for the next run)" if question.choice is not None else ""
    title = held.title or held.left_key or held.right_key or ""
    gone = f"gone {held.gone.value}" if held.gone else ""
    why = f"{held.rule.sentence}{chosen}"
    return (
        str(question.id),
        question.sync,
        title,
        held.field or gone,
        shown(held.left),
        shown(held.right),
        f"{question.asked_at:%Y-%m-%d %H:%M}",
        why,
    )


@conflicts.command()
def show(
    context: typer.Context,
    number: Number,
    case: Annotated[
        Path | None, typer.Option(help="Also write the case to this file, for `syncline replay`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one question: what both sides last agreed on, what each holds now, who changed it and when."""

    async def work() -> tuple[Question, Deletion | None, Sequence[Candidate]]:
        async with given(context).open() as installation:
            question = find_question(installation.store, number)
            if case is not None:
                stored = review.case_of(
                    installation.world(), await installation.sync(question.sync), question
                )
                case.write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=2))
            found = await _candidates(installation, question)
            return question, deletion(installation.store, question), found

    question, gone, found = wait(work())
    if as_json or given(context).as_json:
        say_json({**msgspec.to_builtins(question), "candidates": found} if found else question)
        return
    for line in deletion_lines(gone) if gone else question_lines(question):
        say(line)
    say_candidates(found)


async def _candidates(installation: Installation, question: Question) -> Sequence[Candidate]:
    """For a record without a link: who may belong to it."""
    held = question.held
    key = held.left_key or held.right_key
    if held.link is not None or held.field is not None or key is None:
        return ()
    side = Side.LEFT if held.left_key else Side.RIGHT
    sync = await installation.sync(question.sync)
    try:
        return await unlinked.candidates(installation.world(), sync, key, side=side)
    except SetupError:
        # Gone since it was asked: the next run takes the question back.
        return ()


def question_lines(question: Question) -> Iterator[str]:
    """A question about a field or a lone record, as a person reads it."""
    held = question.held
    yield f"{held.title or held.left_key or held.right_key} ({question.sync})"
    yield f"  {held.field or 'record'}: {held.rule.sentence}"
    if held.reason:
        yield f"  {held.reason}"
    if held.field:
        yield from _side_lines(question)
    yield f"  asked {question.asked_at:%Y-%m-%d %H:%M} UTC by {question.run}"
    if isinstance(question.choice, Resolution):
        chosen = f"left {shown(question.choice.left)}, right {shown(question.choice.right)}"
        yield f"Chosen: {chosen}. Take it back: syncline conflicts undo {question.id}"
    else:
        yield f"Resolve: {review.how_to_answer(question)}"


def _side_lines(question: Question) -> Iterator[str]:
    held = question.held
    for side, base, now, edit in (
        ("left", question.base_left, held.left, question.left_edit),
        ("right", question.base_right, held.right, question.right_edit),
    ):
        yield f"  {side:6} {shown(now)}   (last agreed: {shown(base)}){_who(edit)}"


def _who(edit: Edit | None) -> str:
    if edit is None or edit.at is None:
        return ""
    word = "record last edited" if edit.is_record else "edited"
    return f"   {word} {edit.at:%Y-%m-%d %H:%M:%S} {edit.by}".rstrip()


@conflicts.command()
def resolve(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="The question's number.")] = None,
    take: TakeSide = None,
    value: Typed = None,
    value_for: TypedFor = None,
    leave: LeaveIt = False,
    answer: Answered = None,
    all_alike: Alike = False,
    field: OfField = None,
    sync: OfSync = None,
    everything: All = False,
    next_time: NextTime = False,
    preview: Preview = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Choose, for one question or for many. The next run carries each choice out, if both sides are still as they
    were."""
    wish = _wish(take, value, value_for, leave, answer)
    pick = _Pick(number, all_alike, field, sync, everything)
    if next_time and (not isinstance(wish, review.Take) or everything):
        raise SetupError(
            "--next-time needs --take left|right and one field. For any other policy: `syncline conflicts rule`."
        )
    is_json = as_json or given(context).as_json

    async def work() -> Outcome:
        async with given(context).open() as installation:
            questions = pick.of(installation)
            syncs = await _syncs(installation, questions, wish)
            world = installation.world()
            if pick.is_single and not preview:
                review.checked(world, syncs.get(questions[0].sync), questions[0], wish)
            found = review.resolve_all(world, syncs, questions, wish, is_preview=True)
            is_going = not preview and (pick.is_single or yes or (not is_json and _is_wanted(found)))
            if not is_going:
                return Outcome(is_stored=False, chosen=found)
            with world.store.transaction():
                found = review.resolve_all(world, syncs, questions, wish, is_preview=False)
                if not next_time:
                    return Outcome(is_stored=True, chosen=found)
                version = _save(installation, syncs, questions, wish)
            too = rules.decides_too(world, questions)
            return Outcome(is_stored=True, chosen=found, version=version, decided_too=too)

    done = wait(work())
    if is_json:
        say_json(done)
    else:
        _say_outcome(done, is_preview=preview)


def _wish(
    take: Side | None,
    value: str | None,
    value_for: tuple[Side, str] | None,
    leave: bool,
    answer: Answer | None,
) -> review.Wish:
    wishes: list[review.Wish] = []
    if take is not None:
        wishes.append(review.Take(take))
    if value is not None:
        wishes.append(review.Enter(value))
    if value_for is not None:
        wishes.append(review.Enter(value_for[1], value_for[0]))
    if leave:
        wishes.append(review.Leave())
    if answer is not None:
        wishes.append(answer)
    if len(wishes) != 1:
        raise SetupError(
            "Say exactly one of --take left|right, --value TEXT, --value-for left|right TEXT, --leave, "
            "--answer delete|restore|release."
        )
    return wishes[0]


async def _syncs(
    installation: Installation, questions: Sequence[Question], wish: review.Wish
) -> dict[SyncId, Sync]:
    """The syncs that a choice of a value needs; an answer needs none, and makes no call."""
    if isinstance(wish, Answer | review.Leave):
        return {}
    names = dict.fromkeys(question.sync for question in questions)
    return {name: await installation.sync(name) for name in names}


def _save(
    installation: Installation, syncs: Mapping[SyncId, Sync], questions: Sequence[Question], wish: review.Wish
) -> int:
    """Make the rule of `--next-time`; answers the version."""
    fields = {(question.sync, question.held.field) for question in questions}
    if len(fields) != 1 or not isinstance(wish, review.Take):
        raise SetupError("--next-time needs questions of one field.")
    return rules.next_time(installation.world(), syncs[questions[0].sync], questions, wish.side).number


def _is_wanted(found: Sequence[review.Chosen]) -> bool:
    fitting = sum(each.choice is not None for each in found)
    if not found:
        return False
    _say_chosen(found)
    return fitting > 0 and typer.confirm(f"Choose this for {fitting} questions?")


def _say_chosen(found: Sequence[review.Chosen]) -> None:
    fitting = [each for each in found if each.choice is not None]
    say(f"{len(fitting)} of {len(found)} questions can be settled so.")
    for each in found:
        if each.choice is None:
            say(f"  not {each.question} ({each.title}): {each.refusal}")


def _say_outcome(done: Outcome, *, is_preview: bool) -> None:
    if not done.chosen:
        say("No open question fits.")
        return
    if not done.is_stored:
        if is_preview:
            _say_chosen(done.chosen)
        say(f"Nothing is stored. {'Leave --preview out' if is_preview else 'Add --yes'} to choose.")
        return
    count = sum(each.choice is not None for each in done.chosen)
    say(f"Noted for {count} {'question' if count == 1 else 'questions'}. The next run carries it out.")
    if done.version is not None:
        say(
            f"From now on that side wins: version {done.version} is in force. Take it over into syncline.yaml."
        )
    if done.decided_too:
        numbers = ", ".join(str(each) for each in done.decided_too)
        say(f"The next run decides by it, too, what else is asked about this field: {numbers}.")


@conflicts.command()
def undo(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Take a choice back before a run has carried it out."""

    async def work() -> Question:
        async with given(context).open() as installation:
            review.undo(installation.world(), find_question(installation.store, number))
            return find_question(installation.store, number)

    question = wait(work())
    if as_json or given(context).as_json:
        say_json(question)
    else:
        say("Taken back. It waits for a person again.")


def find_question(store: Store, number: int) -> Question:
    """A question. Raises `SetupError` for a number that is not there."""
    found = store.question(number)
    if found is None:
        raise SetupError(f"There is no question {number}. See `syncline conflicts list`.")
    return found
