"""One answer for many questions: which are meant, what each choice would be, then kept; and a rule made of it.

Called by `web.answers`. Nothing is kept unless just as many questions take the answer as a person was shown before.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncline.bootstrap import Installation
from syncline.core.decisions import Answer, Rule
from syncline.core.memory import Question
from syncline.core.records import SyncId
from syncline.engine import review, rules
from syncline.engine.sync import Sync
from syncline.errors import Refusal, RequestError
from syncline.ports import Store
from syncline.service.runtime import Runtime


class Numbers(msgspec.Struct, frozen=True):
    """The questions with these numbers, open or not."""

    numbers: tuple[int, ...]


class Alike(msgspec.Struct, frozen=True):
    """A question, and all open ones of its sync and field that are asked alike."""

    number: int


class Filter(msgspec.Struct, frozen=True):
    """All open questions that nobody has answered, or those of a sync, a rule or a field among them."""

    sync: SyncId | None = None
    rule: Rule | None = None
    field: str | None = None


Pick = Numbers | Alike | Filter


class Outcome(msgspec.Struct, frozen=True):
    """What came of it, question by question. `fitting` counts those that take the answer; `version` is the one that a rule
    made, `decided_too` the other open questions that it decides."""

    chosen: Sequence[review.Chosen]
    fitting: int
    is_kept: bool = False
    version: int | None = None
    decided_too: Sequence[int] = ()


def picked(store: Store, pick: Pick) -> Sequence[Question]:
    """The questions that are meant. Raises `RequestError` for a number that is not there."""
    match pick:
        case Numbers(numbers):
            return [known(store, number) for number in dict.fromkeys(numbers)]
        case Alike(number):
            asked = known(store, number)
            return review.alike(store.questions(asked.sync), asked)
        case Filter(sync, rule, field):
            return [
                each
                for each in store.questions(sync)
                if each.choice is None
                and rule in (None, each.held.rule)
                and (field is None or review.is_about(each, field))
            ]


def known(store: Store, number: int) -> Question:
    """One question. Raises `RequestError` when it is not there."""
    found = store.question(number)
    if found is None:
        raise RequestError(f"There is no question {number}.", Refusal.NOT_THERE)
    return found


async def answer_all(
    runtime: Runtime, pick: Pick, wish: review.Wish, *, expected: int | None, is_next_time: bool = False
) -> Outcome:
    """Answer alike. Without `expected` nothing is kept: it only tells what would be. Raises `RequestError` when another
    number of questions than expected would take it, `SetupError` where no rule can be made of it."""
    async with runtime.held() as installation:
        questions = picked(installation.store, pick)
        syncs = await _syncs(installation, questions, wish)
        world, store = installation.world(), installation.store
        with store.transaction():
            # Read again: something may have been answered while a vendor was asked.
            questions = picked(store, pick)
            if is_next_time:
                rules.check_one_field(questions)
            tried = review.resolve_all(world, syncs, questions, wish, is_preview=True)
            fitting = sum(each.choice is not None for each in tried)
            if expected is None:
                return Outcome(tried, fitting)
            if fitting != expected:
                text = f"{fitting} questions would take the answer now, not {expected}. Look at them again."
                raise RequestError(text, Refusal.OLD_REVISION)
            chosen = review.resolve_all(world, syncs, questions, wish, is_preview=False)
            outcome = Outcome(chosen, fitting, is_kept=True)
            if is_next_time and isinstance(wish, review.Take) and fitting:
                made = rules.next_time(world, syncs[questions[0].sync], questions, wish.side)
                too = rules.decides_too(world, questions)
                outcome = msgspec.structs.replace(outcome, version=made.number, decided_too=too)
    await runtime.refresh()
    return outcome


async def _syncs(
    installation: Installation, questions: Sequence[Question], wish: review.Wish
) -> dict[SyncId, Sync]:
    """The syncs that a choice of a value needs; those that are not configured any more take none."""
    if isinstance(wish, Answer | review.Leave):
        return {}
    names = dict.fromkeys(question.sync for question in questions)
    return {name: await installation.remembered(name) for name in names if name in installation.config.syncs}
