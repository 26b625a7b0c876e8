"""Questions about deletions into what a person needs to know before approving one. Read only, from our own memory.

Called by the CLI. Approving stores a choice (`review`); the next run looks again on both sides before it deletes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec

from syncline.core.decisions import Answer, Rule
from syncline.core.memory import Link, Question
from syncline.core.records import Base, FieldId, Proof, RecordKey, RunId, Side, SyncId
from syncline.core.values import BLANK, Value, same
from syncline.engine.questions import kept_key
from syncline.ports import Store


class KeptEdit(msgspec.Struct, frozen=True):
    """A field of the record that is still there, edited since both sides agreed."""

    field: FieldId
    agreed: Value
    now: Value


class Deletion(msgspec.Struct, frozen=True):
    """A record that is gone on one side, and its counterpart that waits for an answer.

    `seen_at` and `run` say when the absence was first proven; `deleted_at` and `deleted_by` come from the vendor, where
    it tells. `edits` is what would be lost with the kept record.
    """

    question: int
    sync: SyncId
    title: str
    gone: Side
    gone_key: RecordKey | None
    kept_key: RecordKey | None
    proof: Proof | None
    how_we_know: str
    seen_at: dt.datetime
    run: RunId
    deleted_at: dt.datetime | None
    deleted_by: str
    reason: str
    edits: tuple[KeptEdit, ...]
    kept_updated_at: dt.datetime | None
    answer: Answer | None


def deletions(store: Store, sync: SyncId | None = None) -> Sequence[Deletion]:
    """All that wait, oldest first. A record that reappears is not among them after the next run."""
    asked = [each for each in store.questions(sync) if each.held.rule is Rule.DELETED_ASK]
    return [_described(store, each) for each in asked]


def deletion(store: Store, question: Question) -> Deletion | None:
    """The deletion that a question is about; None for another kind of question."""
    return _described(store, question) if question.held.rule is Rule.DELETED_ASK else None


def _described(store: Store, question: Question) -> Deletion:
    held = question.held
    gone = held.gone or Side.LEFT
    link = store.links(question.sync, [held.link]).get(held.link) if held.link is not None else None
    proof = held.proof
    return Deletion(
        question.id,
        question.sync,
        held.title,
        gone,
        held.left_key if gone is Side.LEFT else held.right_key,
        kept_key(held),
        proof.proof if proof else None,
        proof.proof.sentence if proof else "",
        question.asked_at,
        question.run,
        proof.at if proof else None,
        proof.by if proof else "",
        held.reason,
        tuple(_edits(link, gone.other)) if link else (),
        link.of(gone.other).updated_at if link else None,
        question.choice if isinstance(question.choice, Answer) else None,
    )


def _edits(link: Link, side: Side) -> Iterator[KeptEdit]:
    base: Base = link.base
    for name, value in (link.of(side).fields or {}).items():
        agreed = base.of(side).get(name, BLANK)
        if not same(agreed, value):
            yield KeptEdit(name, agreed, value)
