"""`/api/v1/questions`: conflicts and deletions that wait for a person: looked at, answered, taken back.

The router is made by `questions_router` over the runtime of the process. An answer is stored; the next run carries it out,
if both sides are still as they were.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from syncline.core.decisions import Answer, Resolution, Rule
from syncline.core.memory import Question
from syncline.core.people import Scope
from syncline.core.records import Edit, Side, SyncId
from syncline.engine import review
from syncline.engine.deletions import deletion
from syncline.errors import Refusal, RequestError
from syncline.ports import Store
from syncline.service.runtime import Runtime
from syncline.web.forms import Line, Number, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.shapes import Key, ValueOut, value_out

_READ = requires(Scope.RECORDS_READ)
_WRITE = requires(Scope.RECORDS_WRITE)
State = Literal["open", "answered", "closed"]


class SideOut(Told):
    """One side of a question: its record, what both sides last agreed on, what it holds now, and who edited it when."""

    key: str | None
    agreed: ValueOut | None
    now: ValueOut | None
    edited_at: dt.datetime | None
    edited_by: str


class DeletionOut(Told):
    """A record that is gone on one side. `edits` counts the fields of its counterpart that were edited since both agreed."""

    gone: Side
    how_we_know: str
    deleted_at: dt.datetime | None
    deleted_by: str
    edits: int


class QuestionOut(Told):
    """Something that waits for a person. `rule` and `why` say what is asked; `choice` is the answer that was given, as one
    word, and `chosen` the values that it comes to."""

    id: int
    sync: str
    title: str
    field: str | None
    rule: Rule
    why: str
    reason: str
    left: SideOut
    right: SideOut
    deletion: DeletionOut | None
    asked_at: dt.datetime
    run: str
    state: State
    choice: str | None
    chosen: dict[Side, ValueOut | None]


class TakeIn(Sent):
    """Let one side's value win."""

    kind: Literal["take"]
    side: Side


class EnterIn(Sent):
    """Let a typed value win. With `side` only that side gets it, and the other keeps what it has."""

    kind: Literal["enter"]
    text: Annotated[str, Field(max_length=100_000)]
    side: Side | None = None


class LeaveIn(Sent):
    """Leave both sides as they are, until somebody edits one of them."""

    kind: Literal["leave"]


class DeletionIn(Sent):
    """Answer a deletion: delete the other record too, restore this one, or let both go their own ways."""

    kind: Literal["deletion"]
    answer: Answer


AnswerIn = Annotated[TakeIn | EnterIn | LeaveIn | DeletionIn, Field(discriminator="kind")]


def questions_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(prefix="/api/v1/questions", tags=["questions"], route_class=Guarded)
    _add_reading(router, runtime)
    _add_answering(router, runtime)
    return router


def _add_reading(router: APIRouter, runtime: Runtime) -> None:
    @router.get("", dependencies=[_READ])
    async def list_questions(
        request: Request,
        response: Response,
        paging: Paging,
        sync: Annotated[Key | None, Query(description="Only this sync.")] = None,
        rule: Annotated[Rule | None, Query(description="Only questions of this rule.")] = None,
        field: Annotated[Line | None, Query(description="Only about this field line.")] = None,
        state: Annotated[State, Query(description="Open: nobody has answered yet.")] = "open",
    ) -> Page[QuestionOut]:
        """What waits for a person, oldest first."""
        store = runtime.current().store
        after = paging.position(int, "questions") or 0
        found = [
            each
            for each, at in _listed(store, SyncId(sync) if sync is not None else None, state)
            if at == state
            and each.id > after
            and rule in (None, each.held.rule)
            and field in (None, each.held.field)
        ]
        shown = [_out(store, each, state) for each in sorted(found, key=_number)[: paging.most]]
        return Listing(request, response, "questions").page(paging, shown, lambda each: each.id)

    @router.get("/{question}", dependencies=[_READ])
    async def get_question(question: Number) -> QuestionOut:
        """One question, with what both sides hold and last agreed on."""
        return _shown(runtime.current().store, question)


def _add_answering(router: APIRouter, runtime: Runtime) -> None:
    @router.put("/{question}/answer", dependencies=[_WRITE])
    async def answer_question(question: Number, body: AnswerIn) -> QuestionOut:
        """Answer a question, or answer it otherwise. The next run carries the answer out."""
        async with runtime.held() as installation:
            found = _known(installation.store, question)
            is_about_values = isinstance(body, TakeIn | EnterIn) and found.sync in installation.config.syncs
            sync = await installation.remembered(found.sync) if is_about_values else None
            review.resolve(installation.world(), sync, found, wish_of(body))
            return _shown(installation.store, question)

    @router.delete("/{question}/answer", dependencies=[_WRITE])
    async def take_back_answer(question: Number) -> QuestionOut:
        """Take an answer back before a run has carried it out."""
        installation = runtime.current()
        review.undo(installation.world(), _known(installation.store, question))
        return _shown(installation.store, question)


def wish_of(body: TakeIn | EnterIn | LeaveIn | DeletionIn) -> review.Wish:
    """The answer as the engine takes it."""
    match body:
        case TakeIn():
            return review.Take(body.side)
        case EnterIn():
            return review.Enter(body.text, body.side)
        case LeaveIn():
            return review.Leave()
        case DeletionIn():
            return body.answer


def _known(store: Store, number: int) -> Question:
    found = store.question(number)
    if found is None:
        raise RequestError("There is no such question.", Refusal.NOT_THERE)
    return found


def _listed(store: Store, sync: SyncId | None, state: State) -> list[tuple[Question, State]]:
    """Questions with their states."""
    now_open = store.questions(sync)
    ids = {each.id for each in now_open}
    every = store.questions(sync, with_closed=True) if state == "closed" else now_open
    return [(each, _state(each, is_open=each.id in ids)) for each in every]


def _state(question: Question, *, is_open: bool) -> State:
    if not is_open:
        return "closed"
    return "open" if question.choice is None else "answered"


def _shown(store: Store, number: int) -> QuestionOut:
    found = _known(store, number)
    is_open = any(each.id == number for each in store.questions(found.sync))
    return _out(store, found, _state(found, is_open=is_open))


def _out(store: Store, question: Question, state: State) -> QuestionOut:
    held, choice = question.held, question.choice
    gone = deletion(store, question)
    chosen = {Side.LEFT: choice.left, Side.RIGHT: choice.right} if isinstance(choice, Resolution) else {}
    return QuestionOut(
        id=question.id,
        sync=question.sync,
        title=held.title,
        field=held.field,
        rule=held.rule,
        why=held.rule.sentence,
        reason=held.reason,
        left=_side(held.left_key, value_out(question.base_left), value_out(held.left), question.left_edit),
        right=_side(
            held.right_key, value_out(question.base_right), value_out(held.right), question.right_edit
        ),
        deletion=None
        if gone is None
        else DeletionOut(
            gone=gone.gone,
            how_we_know=gone.how_we_know,
            deleted_at=gone.deleted_at,
            deleted_by=gone.deleted_by,
            edits=len(gone.edits),
        ),
        asked_at=question.asked_at,
        run=question.run,
        state=state,
        choice=choice.value if isinstance(choice, Answer) else "values" if choice else None,
        chosen={side: value_out(value) for side, value in chosen.items()},
    )


def _side(key: str | None, agreed: ValueOut | None, now: ValueOut | None, edit: Edit | None) -> SideOut:
    return SideOut(
        key=key,
        agreed=agreed,
        now=now,
        edited_at=edit.at if edit is not None else None,
        edited_by=edit.by if edit is not None else "",
    )


def _number(question: Question) -> int:
    return question.id
