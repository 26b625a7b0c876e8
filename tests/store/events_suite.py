"""What `ports.EventStore` promises, for any database."""

from __future__ import annotations

import datetime as dt

import msgspec

from syncline.core.outgoing import Dispatch, DispatchState, Event, EventType, Sent, Subscription, after_try
from syncline.ports import DispatchFilter
from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW

URL = "https://receiver.example.test/hook"


def subscription(id_: str = "a", **more: object) -> Subscription:
    """Somebody who wants events."""
    return msgspec.structs.replace(Subscription(id_, URL, NOW), **more)


def event(type_: EventType = EventType.RUN_FINISHED, at: dt.datetime = NOW) -> Event:
    """Something that happened."""
    return Event(type_, at, {"sync": "tickets", "writes": 2})


def _states(store: SqlStore, name: str) -> list[tuple[int, DispatchState]]:
    return [(each.event.id, each.dispatch.state) for each in store.dispatches(DispatchFilter(name))]


class EventSuite:
    """Who wants events, what happened, what is on its way."""

    def test_a_subscription_is_kept_whole_and_changed(self, store: SqlStore) -> None:
        first = subscription(types=frozenset({EventType.BRAKE_PULLED}), with_values=True)
        second = subscription("b", is_on=False, failing_since=NOW, why_off="nothing arrives")
        for each in (first, second):
            store.save_subscription(each)
        changed = msgspec.structs.replace(first, revision=2, is_on=False)
        store.save_subscription(changed)

        assert list(store.subscriptions()) == [changed, second]
        assert list(store.subscriptions("a")) == [second]
        assert list(store.subscriptions(limit=1)) == [changed]
        assert store.subscription("b") == second
        assert store.subscription("c") is None

    def test_an_event_goes_to_whom_it_is_meant_for(self, store: SqlStore) -> None:
        for name in ("a", "b", "c"):
            store.save_subscription(subscription(name))

        kept = store.add_event(event(), ["a", "c"])

        assert kept == msgspec.structs.replace(event(), id=kept.id)
        assert store.event(kept.id) == kept
        due = store.due_dispatches(NOW)
        assert [(each.dispatch.subscription, each.event) for each in due] == [("a", kept), ("c", kept)]
        assert due[0].dispatch == Dispatch(kept.id, "a", NOW, id=due[0].dispatch.id)
        assert store.next_dispatch() == NOW

    def test_what_is_claimed_is_due_again_unless_it_is_noted(self, store: SqlStore) -> None:
        store.save_subscription(subscription())
        for _ in range(2):
            store.add_event(event(), ["a"])
        first, second = (each.dispatch for each in store.due_dispatches(NOW))

        store.claim_dispatches([first.id, second.id], NOW + MINUTE)
        assert store.due_dispatches(NOW) == []
        store.note_dispatch(after_try(first, Sent(200), NOW, 0.5))

        assert [each.dispatch.id for each in store.due_dispatches(NOW + MINUTE)] == [second.id]
        store.claim_dispatches([first.id], NOW)
        assert [each.dispatch.id for each in store.due_dispatches(NOW)] == []

    def test_the_log_tells_what_became_of_each_newest_first(self, store: SqlStore) -> None:
        for name in ("a", "b"):
            store.save_subscription(subscription(name))
        one = store.add_event(event(), ["a"])
        two = store.add_event(event(EventType.BRAKE_PULLED), ["a", "b"])
        dispatch = store.due_dispatches(NOW)[0].dispatch
        noted = after_try(dispatch, Sent(500, "it failed"), NOW, 0.5)
        store.note_dispatch(noted)

        assert _states(store, "a") == [(two.id, DispatchState.WAITING), (one.id, DispatchState.WAITING)]
        assert store.dispatches(DispatchFilter("a"))[1].dispatch == noted
        assert len(store.dispatches(DispatchFilter(state=DispatchState.WAITING))) == 3
        assert store.dispatches(DispatchFilter(state=DispatchState.SENT)) == []
        last = store.dispatches(DispatchFilter(), 1)[0].dispatch
        assert len(store.dispatches(DispatchFilter(before=last.id))) == 2

    def test_what_waits_for_a_subscription_can_be_dropped(self, store: SqlStore) -> None:
        for name in ("a", "b"):
            store.save_subscription(subscription(name))
        store.add_event(event(), ["a", "b"])

        assert store.drop_dispatches("a", "turned off") == 1
        assert [each.dispatch.subscription for each in store.due_dispatches(NOW)] == ["b"]
        assert [each.dispatch.why for each in store.dispatches(DispatchFilter("a"))] == ["turned off"]
        assert store.drop_subscription("b")
        assert not store.drop_subscription("b")
        assert store.due_dispatches(NOW) == []
        assert store.next_dispatch() is None

    def test_replay_sends_what_happened_since_once_more_and_doubles_nothing(self, store: SqlStore) -> None:
        store.save_subscription(subscription())
        store.add_event(event(), [])
        later = store.add_event(event(at=NOW + MINUTE), [])
        other = store.add_event(event(EventType.BRAKE_PULLED, NOW + MINUTE), [])

        assert store.replay("a", [EventType.RUN_FINISHED], NOW + MINUTE, NOW + 2 * MINUTE) == 1
        assert store.replay("a", [], NOW + MINUTE, NOW + 2 * MINUTE) == 1
        assert [each.event.id for each in store.due_dispatches(NOW + 2 * MINUTE)] == [later.id, other.id]

    def test_events_are_listed_newest_first_by_type(self, store: SqlStore) -> None:
        one, two, three = (
            store.add_event(event(type_), [])
            for type_ in (EventType.RUN_FINISHED, EventType.BRAKE_PULLED, EventType.RUN_FINISHED)
        )

        assert list(store.events()) == [three, two, one]
        assert list(store.events(EventType.RUN_FINISHED)) == [three, one]
        assert list(store.events(EventType.RUN_FINISHED, three.id)) == [one]
        assert list(store.events(limit=1)) == [three]
        assert list(store.events_after(0, 2)) == [one, two]
        assert list(store.events_after(two.id)) == [three]
        assert list(store.events_after(three.id)) == []

    def test_old_events_are_forgotten_once_nothing_waits(self, store: SqlStore) -> None:
        store.save_subscription(subscription())
        waiting = store.add_event(event(), ["a"])
        store.add_event(event(), [])
        new = store.add_event(event(at=NOW + MINUTE), [])

        assert store.prune_events(NOW + MINUTE) == 1
        assert list(store.events()) == [new, waiting]
        store.drop_dispatches("a", "")
        assert store.prune_events(NOW + MINUTE) == 1
        assert store.dispatches(DispatchFilter()) == []
