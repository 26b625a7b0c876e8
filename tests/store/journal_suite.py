"""Intents before a call and after it, and the history that only grows."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.memory import Entry, Intent, IntentState, RunState
from syncline.core.records import LinkId, RunId
from syncline.errors import BusyError
from syncline.store import SqlStore
from tests.store.samples import LEASE, MINUTE, NOW, OTHER, RIGHT, SYNC, entry, key, let_leases_run_out, step


class IntentSuite:
    """`intend`, `settle`, `intents`."""

    def test_an_intended_step_is_open(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)

        ids = store.intend(SYNC, run.id, [step(1), step(2)], NOW)

        assert store.intents(SYNC) == [
            Intent(ids[0], run.id, step(1), IntentState.OPEN, NOW),
            Intent(ids[1], run.id, step(2), IntentState.OPEN, NOW),
        ]

    @pytest.mark.parametrize("state", [IntentState.DONE, IntentState.FAILED, IntentState.DROPPED])
    def test_a_settled_intent_is_not_asked_about_again(self, store: SqlStore, state: IntentState) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)
        first, second = store.intend(SYNC, run.id, [step(1), step(2)], NOW)

        store.settle(run.id, {first: state}, NOW)

        assert [intent.id for intent in store.intents(SYNC)] == [second]

    def test_an_unknown_outcome_stays_until_it_is_known(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)
        (one,) = store.intend(SYNC, run.id, [step()], NOW)

        store.settle(run.id, {one: IntentState.UNKNOWN}, NOW)
        assert [intent.state for intent in store.intents(SYNC)] == [IntentState.UNKNOWN]

        store.settle(run.id, {one: IntentState.DONE}, NOW)
        assert store.intents(SYNC) == []

    def test_many_are_settled_at_once(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)
        ids = store.intend(SYNC, run.id, [step(number) for number in range(1, 6)], NOW)

        store.settle(run.id, dict.fromkeys(ids[1:], IntentState.DONE), NOW)
        store.settle(run.id, {}, NOW)

        assert [intent.step for intent in store.intents(SYNC)] == [step(1)]

    def test_intents_outlive_their_run(self, store: SqlStore) -> None:
        dead = store.begin_run(SYNC, NOW, LEASE)
        store.intend(SYNC, dead.id, [step()], NOW)
        let_leases_run_out(store)

        store.begin_run(SYNC, NOW + LEASE, LEASE)

        assert [intent.run for intent in store.intents(SYNC)] == [dead.id]

    def test_an_heir_settles_what_a_dead_run_intended(self, store: SqlStore) -> None:
        dead = store.begin_run(SYNC, NOW, LEASE)
        (one,) = store.intend(SYNC, dead.id, [step()], NOW)
        let_leases_run_out(store)
        heir = store.begin_run(SYNC, NOW + LEASE, LEASE)

        store.settle(heir.id, {one: IntentState.DONE}, NOW + LEASE)

        assert store.intents(SYNC) == []

    def test_a_run_that_lost_its_lease_settles_nothing(self, store: SqlStore) -> None:
        dead = store.begin_run(SYNC, NOW, LEASE)
        (one,) = store.intend(SYNC, dead.id, [step()], NOW)
        let_leases_run_out(store)
        store.begin_run(SYNC, NOW + LEASE, LEASE)

        with pytest.raises(BusyError):
            store.settle(dead.id, {one: IntentState.DONE}, NOW + LEASE)

        assert [intent.state for intent in store.intents(SYNC)] == [IntentState.OPEN]

    def test_intents_are_of_one_sync(self, store: SqlStore) -> None:
        store.intend(SYNC, store.begin_run(SYNC, NOW, LEASE).id, [step(1, link=LinkId(7))], NOW)

        assert store.intents(OTHER) == []

    def test_nothing_is_intended_after_the_run(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)
        store.end_run(run.id, RunState.DONE, "", NOW)

        with pytest.raises(BusyError):
            store.intend(SYNC, run.id, [step()], NOW)


class HistorySuite:
    """`record`, `history`."""

    def test_entries_come_back_oldest_first_with_ids_of_their_own(self, store: SqlStore) -> None:
        store.record(SYNC, [entry(field="one"), entry(field="two")])
        store.record(SYNC, [entry(field="three")])

        found = store.history(SYNC)

        assert [one.field for one in found] == ["one", "two", "three"]
        assert sorted({one.id for one in found}) == [one.id for one in found]

    def test_an_entry_is_kept_whole(self, store: SqlStore) -> None:
        about_a_record = Entry(
            RunId("tickets-1"), None, None, key("r1"), "", None, None, None, None, entry().rule, NOW
        )
        store.record(SYNC, [entry(), about_a_record])

        found = [_without_id(one) for one in store.history(SYNC)]

        assert found == [entry(), about_a_record]

    def test_a_records_history_is_found_by_either_sides_key(self, store: SqlStore) -> None:
        store.record(
            SYNC, [entry(left="1", right="r1"), entry(left="2", right="1"), entry(left="3", right=None)]
        )

        assert [(one.left_key, one.right_key) for one in store.history(SYNC, key=key(1))] == [
            ("1", "r1"),
            ("2", "1"),
        ]

    def test_a_runs_history_is_found(self, store: SqlStore) -> None:
        store.record(SYNC, [entry("tickets-1"), entry("tickets-2"), entry("tickets-2", left="2")])

        assert len(store.history(SYNC, run=RunId("tickets-2"))) == 2
        assert len(store.history(SYNC, key=key(2), run=RunId("tickets-2"))) == 1

    def test_of_a_long_history_the_latest_are_told(self, store: SqlStore) -> None:
        store.record(SYNC, [entry(field=str(number)) for number in range(10)])

        assert [one.field for one in store.history(SYNC, limit=3)] == ["7", "8", "9"]
        assert [one.field for one in store.history(SYNC, key=key(1), limit=2)] == ["8", "9"]

    def test_histories_are_of_one_sync(self, store: SqlStore) -> None:
        store.record(SYNC, [entry()])
        store.record(SYNC, [])

        assert store.history(OTHER) == []

    def test_nothing_in_the_history_changes_when_links_do(self, store: SqlStore) -> None:
        link = store.tie(SYNC, key(1), key("r1"), NOW)
        store.record(SYNC, [entry(link=link)])
        before = store.history(SYNC)

        store.retie(link, RIGHT, key("r2"))
        store.untie(link, None, NOW + MINUTE)

        assert store.history(SYNC) == before


def _without_id(one: Entry) -> Entry:
    return msgspec.structs.replace(one, id=0)
