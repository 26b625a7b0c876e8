"""What `ports.AlertStore` promises, for any database."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.alerting import About, Alert, AlertKind, Channel, Telling, closed, told
from syncline.errors import StoreError
from syncline.ports import AlertFilter
from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW

FAILING = About(AlertKind.SYNC_FAILING, "tickets")
LOST = About(AlertKind.CONNECTION_LOST, "ac")


def alert(about: About = FAILING, at: dt.datetime = NOW) -> Alert:
    """Something that was just found wrong."""
    return Alert(about, "It failed.", at, at, remedy="Mend it.", code="transient.timeout")


class AlertSuite:
    """Alerts, and the channels that are told of them."""

    def test_an_alert_is_kept_whole_and_changed(self, store: SqlStore) -> None:
        kept = store.save_alert(alert())
        changed = msgspec.structs.replace(kept, count=2, last_at=NOW + MINUTE, text="Again.")
        again = told(changed, Telling.NEW, NOW + MINUTE)

        assert store.alert(kept.id) == kept == msgspec.structs.replace(alert(), id=kept.id)
        assert store.save_alert(again) == again
        assert store.alert(kept.id) == again
        assert store.alert(kept.id + 1) is None

    def test_one_alert_at_most_is_open_for_a_kind_and_subject(self, store: SqlStore) -> None:
        first = store.save_alert(alert())

        with pytest.raises(StoreError):
            store.save_alert(alert())
        store.save_alert(closed(first, NOW))
        second = store.save_alert(alert())

        assert list(store.open_alerts()) == [second]

    def test_what_may_have_to_be_told_is_open_or_was_closed_since(self, store: SqlStore) -> None:
        untold = store.save_alert(alert())
        known = store.save_alert(told(alert(LOST), Telling.NEW, NOW))
        assert list(store.untold_alerts()) == [untold, known]

        over = store.save_alert(msgspec.structs.replace(known, closed_at=NOW + MINUTE))
        never = store.save_alert(msgspec.structs.replace(untold, closed_at=NOW + MINUTE))
        assert list(store.untold_alerts()) == [over]

        store.save_alert(told(over, Telling.OVER, NOW + MINUTE))
        assert list(store.untold_alerts()) == []
        assert [each.id for each in store.alerts(AlertFilter())] == [over.id, never.id]

    def test_filters_narrow_the_list_and_pages_follow_each_other(self, store: SqlStore) -> None:
        first = store.save_alert(closed(alert(), NOW))
        second = store.save_alert(alert())
        third = store.save_alert(alert(LOST))

        def found(**wanted: object) -> list[int]:
            return [each.id for each in store.alerts(msgspec.convert(wanted, AlertFilter), 10)]

        assert found() == [third.id, second.id, first.id]
        assert found(is_open=True) == [third.id, second.id]
        assert found(is_open=False) == [first.id]
        assert found(kind="connection.lost") == [third.id]
        assert found(subject="tickets", is_open=True) == [second.id]
        assert found(before=third.id) == [second.id, first.id]
        assert len(store.alerts(AlertFilter(), 1)) == 1

    def test_old_alerts_are_forgotten_once_they_are_closed(self, store: SqlStore) -> None:
        store.save_alert(closed(alert(), NOW))
        lasting = store.save_alert(alert())

        assert store.prune_alerts(NOW) == 0
        assert store.prune_alerts(NOW + MINUTE) == 1
        assert list(store.alerts(AlertFilter())) == [lasting]

    def test_a_channel_is_kept_under_its_name_and_its_revision_grows(self, store: SqlStore) -> None:
        chosen = Channel("mail", frozenset({AlertKind.BRAKE_PULLED, AlertKind.SYNC_FAILING}))

        first = store.save_channel(chosen, None, NOW)
        second = store.save_channel(Channel("mail", is_on=False), None, NOW + MINUTE)
        store.note_failure("mail", "no answer")

        assert first == msgspec.structs.replace(chosen, revision=1, changed_at=NOW)
        assert second.revision == 2
        assert list(store.channels()) == [msgspec.structs.replace(second, failure="no answer")]
        assert store.drop_channel("mail")
        assert not store.drop_channel("mail")
        assert list(store.channels()) == []
