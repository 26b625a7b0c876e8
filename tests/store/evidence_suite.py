"""What a run decided, kept in compressed parts, read back in order, and forgotten when it is old."""

from __future__ import annotations

import sqlalchemy as sa

from syncline.core.case import Decided
from syncline.core.decisions import FieldDecision, Fields, Rule, View
from syncline.core.memory import IntentState, RunState
from syncline.core.records import Base, Edit, LinkId, Present, Record, RunId, Unseen
from syncline.core.values import Text
from syncline.store import SqlStore
from tests.store.samples import GONE, HOURS, LEASE, MINUTE, NAME, NOW, OTHER, SYNC, key, step

_PARTS = sa.text("SELECT part FROM evidence ORDER BY part")


def decided(number: int = 1) -> Decided:
    """A link whose left side changed."""
    record = Record(key(number), {NAME: Text("after")}, updated_at=NOW, title=f"Record {number}")
    view = View(
        LinkId(number),
        Base({NAME: Text("before")}, {NAME: Text("before")}),
        Present(record),
        Unseen("no answer"),
        left_edits={NAME: Edit(NOW, "owner@example.test")},
        cleared=frozenset({"name ↔ title"}),
    )
    follows = FieldDecision(NAME, HOURS, Rule.ONE_SIDE_CHANGED, left=Text("after"), to_right=Text("after"))
    return Decided(key(number), key(f"r{number}"), f"Record {number}", view, Fields((follows,)))


class EvidenceSuite:
    """`keep_evidence`, `evidence`, `prune_evidence`."""

    def test_what_was_kept_comes_back_whole_and_in_order(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE).id
        parked = Decided(None, key("r9"), "Lone", View(None, None, Unseen(), GONE), None, "it was refused")

        store.keep_evidence(run, [decided(1), parked, decided(2)])

        assert list(store.evidence(run)) == [decided(1), parked, decided(2)]

    def test_many_are_kept_in_parts(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE).id
        many = [decided(number) for number in range(1201)]

        store.keep_evidence(run, iter(many))

        assert list(store.evidence(run)) == many
        assert len(store._rows(_PARTS)) == 3

    def test_keeping_again_adds(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE).id
        store.keep_evidence(run, [decided(1)])

        store.keep_evidence(run, [decided(2)])

        assert [each.title for each in store.evidence(run)] == ["Record 1", "Record 2"]

    def test_a_quiet_run_keeps_nothing(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE).id

        store.keep_evidence(run, [])

        assert list(store.evidence(run)) == []
        assert store._rows(_PARTS) == []

    def test_an_unknown_run_has_none(self, store: SqlStore) -> None:
        assert list(store.evidence(RunId("tickets-99"))) == []

    def test_old_evidence_is_forgotten_and_younger_stays(self, store: SqlStore) -> None:
        runs = [_ended(store, minute) for minute in range(3)]

        gone = store.prune_evidence(SYNC, NOW + MINUTE)

        assert gone == 1
        assert [len(list(store.evidence(run))) for run in runs] == [0, 1, 1]

    def test_another_syncs_evidence_stays(self, store: SqlStore) -> None:
        run = _ended(store, 0)

        assert store.prune_evidence(OTHER, NOW + MINUTE) == 0
        assert list(store.evidence(run)) == [decided()]

    def test_intents_settled_long_ago_go_and_those_without_an_outcome_stay(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE).id
        ids = store.intend(SYNC, run, [step(number) for number in range(4)], NOW)
        store.settle(run, {ids[0]: IntentState.DONE, ids[1]: IntentState.UNKNOWN}, NOW)
        store.settle(run, {ids[3]: IntentState.FAILED}, NOW + MINUTE)

        gone = store.prune_evidence(SYNC, NOW + MINUTE)

        assert gone == 1
        assert [intent.id for intent in store.intents(SYNC)] == [ids[1], ids[2]]
        assert store.prune_evidence(SYNC, NOW + 2 * MINUTE) == 1


def _ended(store: SqlStore, minute: int) -> RunId:
    at = NOW + minute * MINUTE
    run = store.begin_run(SYNC, at, LEASE).id
    store.keep_evidence(run, [decided()])
    store.end_run(run, RunState.DONE, "", at)
    return run
