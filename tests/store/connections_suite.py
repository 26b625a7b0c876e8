"""What `ports.ConnectionStore` promises, for any database."""

from __future__ import annotations

import datetime as dt

from syncline.ports import Authorisation, ConnectionState
from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW

SETTINGS = {"url": "https://ac.example.test", "quota": {"daily": 5}}


def _begun(number: int, expires_at: dt.datetime = NOW, connection: str = "hl") -> Authorisation:
    return Authorisation(
        f"hash-{number}", connection, "highlevel", {"pkce": True}, {"verifier": "hush"}, expires_at
    )


class ConnectionSuite:
    """Connections made over the API, drafts, authorisations, and secrets that go."""

    def test_a_connection_comes_back_as_it_was_kept(self, store: SqlStore) -> None:
        made = store.add_connection("ac", "activecollab", SETTINGS, ConnectionState.UNTESTED, NOW)

        assert made is not None
        assert made == store.kept_connection("ac")
        assert (made.settings, made.revision, made.created_at) == (SETTINGS, 1, NOW)

    def test_a_name_is_given_once(self, store: SqlStore) -> None:
        store.add_connection("ac", "activecollab", SETTINGS, ConnectionState.UNTESTED, NOW)

        assert store.add_connection("ac", "highlevel", {}, ConnectionState.UNTESTED, NOW) is None
        assert [each.vendor for each in store.kept_connections()] == ["activecollab"]

    def test_a_change_on_an_old_revision_changes_nothing(self, store: SqlStore) -> None:
        store.add_connection("ac", "activecollab", SETTINGS, ConnectionState.UNTESTED, NOW)

        changed = store.change_connection("ac", {"url": "https://b.example.test"}, 1, NOW + MINUTE)
        again = store.change_connection("ac", {"url": "https://c.example.test"}, 1, NOW + MINUTE)

        assert again is None
        assert changed is not None
        assert changed == store.kept_connection("ac")
        assert (changed.revision, changed.changed_at, changed.created_at) == (2, NOW + MINUTE, NOW)

    def test_what_a_test_found_leaves_the_revision(self, store: SqlStore) -> None:
        store.add_connection("ac", "activecollab", SETTINGS, ConnectionState.UNTESTED, NOW)

        store.note_connection("ac", ConnectionState.BROKEN, "the token was refused")

        found = store.kept_connection("ac")
        assert found is not None
        assert (found.revision, found.state, found.why) == (
            1,
            ConnectionState.BROKEN,
            "the token was refused",
        )

    def test_a_removed_connection_takes_what_was_begun_for_it_along(self, store: SqlStore) -> None:
        store.add_connection("hl", "highlevel", {}, ConnectionState.WAITING, NOW)
        store.begin_authorisation(_begun(1))
        store.begin_authorisation(_begun(2, connection="other"))

        assert store.remove_connection("hl")
        assert not store.remove_connection("hl")
        assert store.take_authorisation("hash-1") is None
        assert store.take_authorisation("hash-2") is not None

    def test_an_authorisation_is_taken_once(self, store: SqlStore) -> None:
        store.begin_authorisation(_begun(1))

        assert store.take_authorisation("hash-1") == _begun(1)
        assert store.take_authorisation("hash-1") is None

    def test_expired_authorisations_are_forgotten(self, store: SqlStore) -> None:
        store.begin_authorisation(_begun(1))
        store.begin_authorisation(_begun(2, NOW + MINUTE))

        assert store.forget_authorisations(NOW) == 1
        assert store.take_authorisation("hash-2") is not None

    def test_drafts_are_kept_on_top_of_each_other(self, store: SqlStore) -> None:
        first = store.save_draft("tickets", {"deletes": "ask"}, "1", NOW, 0)
        second = store.save_draft("tickets", {"deletes": "archive"}, "2", NOW + MINUTE, 1)

        assert first is not None
        assert second is not None
        assert (first.revision, second.revision, second.changed_by) == (1, 2, "2")
        assert store.save_draft("tickets", {}, "1", NOW, 1) is None
        assert store.save_draft("tickets", {}, "1", NOW, 0) is None
        assert list(store.drafts()) == [second]
        assert store.remove_draft("tickets")
        assert not store.remove_draft("tickets")
        assert store.draft("tickets") is None

    def test_a_forgotten_secret_is_gone(self, store: SqlStore) -> None:
        store.save_secret("connection:ac", "hush")
        store.save_secret("connection:hl", "hush")

        assert store.forget_secret("connection:ac")
        assert not store.forget_secret("connection:ac")
        assert store.secret("connection:ac") is None
        assert list(store.secret_names()) == ["connection:hl"]
