"""`/api/v1/questions/answers` and `/api/v1/syncs/{sync}/rules`: one answer for many questions, and rules for the next time.

The router is made by `answers_router` over the runtime of the process. It comes before that of single questions.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool

from syncline.core.decisions import Answer, Resolution, Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.people import Scope
from syncline.core.records import Side, SyncId
from syncline.core.whatif import Verdict, WhatIf
from syncline.engine import review, rules
from syncline.errors import AccessError, Problem, Refusal, RequestError
from syncline.service.answering import Alike, Filter, Numbers, Outcome, Pick, answer_all
from syncline.service.runtime import Runtime
from syncline.service.starting import checked
from syncline.web.drafts import VersionOut
from syncline.web.forms import WHOLE, Moment, Sent, Told
from syncline.web.problems import ASKING, declared
from syncline.web.questions import AnswerIn, TakeIn, wish_of
from syncline.web.security import Guarded, Principal, Who, requires
from syncline.web.shapes import Key, SyncName, ValueOut, value_out

_READ = requires(Scope.RECORDS_READ)
_WRITE = requires(Scope.RECORDS_WRITE)
_CHANGE = requires(Scope.SYNCS_WRITE)
_MOST = 1000
_QuestionNumber = Annotated[int, Field(ge=1, le=2**53 - 1), WHOLE]
_Line = Annotated[
    str, Field(min_length=1, max_length=410, description="A field: left, right, or `left ↔ right`.")
]
Note = Annotated[str, Field(max_length=1000, description="Why; kept with the version.")]


class NumbersIn(Sent):
    """The questions with these numbers."""

    kind: Literal["numbers"]
    numbers: Annotated[list[_QuestionNumber], Field(min_length=1, max_length=_MOST)]


class AlikeIn(Sent):
    """A question, and all open ones of its sync and field that are asked alike."""

    kind: Literal["alike"]
    question: _QuestionNumber


class FilterIn(Sent):
    """All open questions that nobody has answered; or those of a sync, of a rule, of a field."""

    kind: Literal["filter"]
    sync: Key | None = None
    rule: Rule | None = None
    field: _Line | None = None


class AnswersIn(Sent):
    """Which questions, and the answer. First without `expected`: nothing is kept, and `fitting` is told. Then with that
    number. `next_time` (with `take`, and questions of one field) makes it the rule of that field; it needs `syncs:write`."""

    which: Annotated[NumbersIn | AlikeIn | FilterIn, Field(discriminator="kind")]
    answer: AnswerIn
    expected: Annotated[int, Field(ge=0, le=2**53 - 1), WHOLE] | None = None
    next_time: StrictBool = False


class ChosenOut(Told):
    """What came of the answer for one question: the choice, and the values that it comes to; or why it does not fit."""

    question: int
    sync: str
    title: str
    field: str | None
    choice: str | None
    chosen: dict[Side, ValueOut | None]
    refusal: str


class AnsweredOut(Told):
    """What came of it. `items` are the first thousand questions; `version` is the one that a rule made, `decided_too` other
    open questions that it decides."""

    is_kept: bool
    fitting: int
    in_all: int
    items: list[ChosenOut]
    version: int | None
    decided_too: list[int]


class RuleIn(Sent):
    """Who would win a field."""

    field: _Line
    policy: ConflictPolicy


class TryIn(RuleIn):
    """The same, tried on the conflicts since a time; on all that are kept, unless given."""

    since: Moment | None = None


class SaveIn(RuleIn):
    """The same, with why."""

    note: Note = ""


class VerdictOut(Told):
    """What the policy would have done with one conflict. `winner` is null where a person is asked still, or sets are merged;
    `agrees` says whether that is what the person chose, null where nobody chose."""

    title: str
    left: ValueOut | None
    right: ValueOut | None
    rule: Rule
    why: str
    winner: Side | None
    to_left: ValueOut | None
    to_right: ValueOut | None
    agrees: bool | None


class JudgementOut(Told):
    """A policy tried on the past: of so many conflicts it would have settled so many, the left side's value winning in
    `left_wins` of them. People chose on `judged` of those, and the policy agrees with `agreed`. `cases` are the first
    thousand."""

    field: str
    policy: ConflictPolicy
    past: int
    settled: int
    left_wins: int
    right_wins: int
    judged: int
    agreed: int
    cases: list[VerdictOut]


def answers_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["questions"], route_class=Guarded)

    @router.post(
        "/api/v1/questions/answers", dependencies=[_WRITE], responses={**ASKING, **declared(404, 412)}
    )
    async def answer_questions(body: AnswersIn, who: Who) -> AnsweredOut:
        """Answer many questions alike: first what that would be, then, with the number of those that take it, for good. The
        next run carries each out by itself, if both sides are still as they were."""
        if body.next_time and body.expected is not None:
            _may_change(who)
        if body.next_time and not isinstance(body.answer, TakeIn):
            fault = Problem(
                "next_time", "is not with `take`.", "Save any other policy as a rule of the sync."
            )
            raise RequestError("This is no rule for the next time.", Refusal.INVALID, problems=(fault,))
        found = await answer_all(
            runtime,
            _pick(body.which),
            wish_of(body.answer),
            expected=body.expected,
            is_next_time=body.next_time,
        )
        return _answered(found)

    @router.post("/api/v1/syncs/{sync}/rules/try", dependencies=[_READ], responses=ASKING)
    async def try_rule(sync: SyncName, body: TryIn) -> JudgementOut:
        """What a policy would have done with a field's past conflicts. Changes nothing."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.remembered(sync)
            return _judged(rules.simulate(installation.world(), setup, body.field, body.policy, body.since))

    @router.post("/api/v1/syncs/{sync}/rules", status_code=201, dependencies=[_CHANGE], responses=ASKING)
    async def save_rule(sync: SyncName, body: SaveIn, response: Response) -> VersionOut:
        """Let a policy decide a field from now on, as a new version. Where that says the same, nothing is made."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.remembered(sync)
            note = body.note or f"{body.field}: {body.policy.value} wins"
            made = rules.save(installation.world(), setup, body.field, body.policy, note)
        await runtime.refresh()
        response.headers["Location"] = f"/api/v1/versions/{made.number}"
        return VersionOut.model_validate(made)

    return router


def _may_change(who: Principal) -> None:
    """A rule is a change of what is configured."""
    if Scope.SYNCS_WRITE not in who.rights:
        text = f"A rule for the next time needs the scope '{Scope.SYNCS_WRITE.value}'."
        raise AccessError(text, Refusal.MISSING_RIGHT)


def _pick(which: NumbersIn | AlikeIn | FilterIn) -> Pick:
    match which:
        case NumbersIn():
            return Numbers(tuple(which.numbers))
        case AlikeIn():
            return Alike(which.question)
        case FilterIn():
            sync = SyncId(which.sync) if which.sync is not None else None
            return Filter(sync, which.rule, which.field)


def _answered(found: Outcome) -> AnsweredOut:
    return AnsweredOut(
        is_kept=found.is_kept,
        fitting=found.fitting,
        in_all=len(found.chosen),
        items=[_chosen(each) for each in found.chosen[:_MOST]],
        version=found.version,
        decided_too=list(found.decided_too),
    )


def _chosen(each: review.Chosen) -> ChosenOut:
    choice = each.choice
    values = {Side.LEFT: choice.left, Side.RIGHT: choice.right} if isinstance(choice, Resolution) else {}
    return ChosenOut(
        question=each.question,
        sync=each.sync,
        title=each.title,
        field=each.field,
        choice=choice.value if isinstance(choice, Answer) else "values" if choice else None,
        chosen={side: value_out(value) for side, value in values.items()},
        refusal=each.refusal,
    )


def _judged(found: WhatIf) -> JudgementOut:
    return JudgementOut(
        field=found.field,
        policy=found.policy,
        past=len(found.verdicts),
        settled=found.settled,
        left_wins=found.won(Side.LEFT),
        right_wins=found.won(Side.RIGHT),
        judged=found.judged,
        agreed=found.agreed,
        cases=[_verdict(each) for each in found.verdicts[:_MOST]],
    )


def _verdict(each: Verdict) -> VerdictOut:
    return VerdictOut(
        title=each.title,
        left=value_out(each.left),
        right=value_out(each.right),
        rule=each.rule,
        why=each.rule.sentence,
        winner=each.winner,
        to_left=value_out(each.to_left),
        to_right=value_out(each.to_right),
        agrees=each.agrees,
    )
