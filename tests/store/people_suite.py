"""Users, sessions, API tokens, failed tries, answers already given, and settings: kept as they were, found by what they are
found by, and gone when they should be."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.people import Answered, ApiToken, LoginSession, Role, Scope, Tries, User
from syncline.errors import StoreError
from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW


def _added(store: SqlStore, email: str = "ann@example.test", role: Role = Role.ADMIN) -> User:
    return store.add_user(email, "Ann", role, "hashed", NOW)


def _session(user: int, name: str = "a", until: dt.timedelta = MINUTE) -> LoginSession:
    return LoginSession(name, user, f"csrf-{name}", "a browser", NOW, NOW, NOW + until)


def _token(user: int, *scopes: Scope) -> ApiToken:
    return ApiToken(0, user, "reports", "wxyz", scopes, NOW, NOW + MINUTE)


class UserSuite:
    """`add_user`, `user`, `user_by_email`, `users`, `count_users`, `change_user`, `password_of`, `set_password`,
    `greet_user`, `remove_user`."""

    def test_a_user_is_found_by_number_and_by_e_mail_in_any_case(self, store: SqlStore) -> None:
        added = _added(store, "Ann@Example.TEST")

        assert (added.email, added.revision, added.is_active) == ("ann@example.test", 1, True)
        assert store.user(added.id) == store.user_by_email("ANN@example.test") == added
        assert store.user(added.id + 1) is None
        assert store.user_by_email("bob@example.test") is None

    def test_an_e_mail_is_given_once(self, store: SqlStore) -> None:
        _added(store)

        with pytest.raises(StoreError, match="e-mail"):
            _added(store, "ANN@example.test")
        assert store.count_users() == 1

    def test_users_are_listed_in_the_order_of_their_numbers_some_at_a_time(self, store: SqlStore) -> None:
        ids = [_added(store, f"{name}@example.test").id for name in "cab"]

        assert [user.id for user in store.users()] == ids
        assert [user.id for user in store.users(ids[0], limit=1)] == [ids[1]]

    def test_a_change_is_made_on_the_revision_in_force_only(self, store: SqlStore) -> None:
        ann = _added(store)
        changed = msgspec.structs.replace(ann, name="Anna", role=Role.VIEWER, is_active=False)

        assert store.change_user(changed)
        assert store.user(ann.id) == msgspec.structs.replace(changed, revision=2)
        assert not store.change_user(changed)
        assert not store.change_user(msgspec.structs.replace(changed, id=ann.id + 1))

    def test_only_active_users_count_for_a_role(self, store: SqlStore) -> None:
        ann, _ = _added(store), _added(store, "bob@example.test", Role.VIEWER)
        assert (store.count_users(), store.count_users(Role.ADMIN)) == (2, 1)

        store.change_user(msgspec.structs.replace(ann, is_active=False))

        assert (store.count_users(), store.count_users(Role.ADMIN)) == (2, 0)

    def test_the_password_is_kept_apart_from_the_user(self, store: SqlStore) -> None:
        ann = _added(store)
        store.set_password(ann.id, "other")

        assert store.password_of(ann.id) == "other"
        assert store.password_of(ann.id + 1) is None
        assert "other" not in repr(store.user(ann.id))

    def test_a_login_is_noted(self, store: SqlStore) -> None:
        ann = _added(store)
        store.greet_user(ann.id, NOW + MINUTE)

        assert store.user(ann.id) == msgspec.structs.replace(ann, seen_at=NOW + MINUTE)

    def test_a_removed_user_leaves_no_door_open(self, store: SqlStore) -> None:
        ann, bob = _added(store), _added(store, "bob@example.test")
        for user in (ann, bob):
            store.open_session(_session(user.id, f"s{user.id}"))
            store.add_token(_token(user.id), f"t{user.id}")
            store.save_answer(Answered(user.id, "k", "r", 201, (), b"", NOW))

        assert store.remove_user(ann.id, NOW)
        assert not store.remove_user(ann.id, NOW)
        assert store.session(f"s{ann.id}") is None
        revoked = store.token_by_hash(f"t{ann.id}")
        assert revoked is not None
        assert revoked.revoked_at == NOW
        assert store.answered(ann.id, "k") is None
        assert store.session(f"s{bob.id}") is not None
        kept = store.token_by_hash(f"t{bob.id}")
        assert kept is not None
        assert kept.revoked_at is None
        assert store.answered(bob.id, "k") is not None

    def test_of_a_removed_user_only_the_number_stays_and_is_not_given_again(self, store: SqlStore) -> None:
        _, ann = _added(store, "bob@example.test"), _added(store)

        store.remove_user(ann.id, NOW)

        assert (store.user(ann.id), store.user_by_email("ann@example.test")) == (None, None)
        assert (store.password_of(ann.id), store.count_users(), len(store.users())) == (None, 1, 1)
        assert not store.change_user(ann)
        assert _added(store).id > ann.id


class SessionSuite:
    """`open_session`, `session`, `sessions`, `prolong_session`, `end_session`, `end_sessions`, `end_expired_sessions`."""

    def test_a_session_is_found_by_its_hash(self, store: SqlStore) -> None:
        session = _session(_added(store).id)
        store.open_session(session)

        assert store.session("a") == session
        assert store.session("b") is None

    def test_use_moves_a_session_up_and_its_end_on(self, store: SqlStore) -> None:
        user = _added(store).id
        for name in "ab":
            store.open_session(_session(user, name))
        store.prolong_session("b", NOW + MINUTE, NOW + 9 * MINUTE)

        assert [each.hash for each in store.sessions(user)] == ["b", "a"]
        used = store.session("b")
        assert used is not None
        assert (used.seen_at, used.expires_at) == (NOW + MINUTE, NOW + 9 * MINUTE)

    def test_one_is_ended_or_all_but_one(self, store: SqlStore) -> None:
        user, other = _added(store).id, _added(store, "bob@example.test").id
        for name in "abcd":
            store.open_session(_session(user, name))
        store.open_session(_session(other, "e"))

        assert (store.end_session("a"), store.end_session("a")) == (True, False)
        assert store.end_sessions(user, but="c") == 2
        assert [each.hash for each in store.sessions(user)] == ["c"]
        assert store.end_sessions(user) == 1
        assert store.session("e") is not None

    def test_what_has_expired_is_swept_out(self, store: SqlStore) -> None:
        user = _added(store).id
        store.open_session(_session(user, "a", MINUTE))
        store.open_session(_session(user, "b", 2 * MINUTE))

        assert store.end_expired_sessions(NOW + MINUTE) == 1
        assert [each.hash for each in store.sessions(user)] == ["b"]


class TokenSuite:
    """`add_token`, `token`, `token_by_hash`, `tokens`, `use_token`, `revoke_token`."""

    def test_a_token_is_found_by_number_and_by_hash(self, store: SqlStore) -> None:
        added = store.add_token(_token(_added(store).id, Scope.SYNCS_READ, Scope.RUNS_WRITE), "hash")

        assert added.id > 0
        assert store.token(added.id) == store.token_by_hash("hash") == added
        assert store.token_by_hash("other") is None
        assert store.token(added.id + 1) is None

    def test_tokens_are_listed_for_one_user_or_for_all(self, store: SqlStore) -> None:
        ann, bob = _added(store).id, _added(store, "bob@example.test").id
        tokens = [store.add_token(_token(user), f"{number}") for number, user in enumerate([ann, bob, ann])]

        assert store.tokens() == tokens
        assert store.tokens(ann) == [tokens[0], tokens[2]]
        assert store.tokens(ann, after=tokens[0].id) == [tokens[2]]
        assert store.tokens(limit=1) == [tokens[0]]

    def test_use_and_the_first_revocation_are_noted(self, store: SqlStore) -> None:
        added = store.add_token(_token(_added(store).id), "hash")
        store.use_token(added.id, NOW + MINUTE)

        assert store.revoke_token(added.id, NOW + 2 * MINUTE)
        assert not store.revoke_token(added.id, NOW + 3 * MINUTE)
        assert store.token(added.id) == msgspec.structs.replace(
            added, used_at=NOW + MINUTE, revoked_at=NOW + 2 * MINUTE
        )

    def test_a_scope_that_is_not_known_any_more_gives_no_right(self, store: SqlStore) -> None:
        added = store.add_token(_token(_added(store).id, Scope.ADMIN), "hash")
        store._execute('UPDATE api_token SET scopes = \'["everything","syncs:read"]\'')

        found = store.token(added.id)
        assert found is not None
        assert found.scopes == (Scope.SYNCS_READ,)


class DoorSuite:
    """`tries`, `answered`, `setting` and what belongs to them; `is_current`."""

    def test_failed_tries_are_kept_by_name_and_forgotten(self, store: SqlStore) -> None:
        first, second = Tries(1, NOW, NOW), Tries(2, NOW, NOW + MINUTE)
        store.save_tries("a", first)
        store.save_tries("a", second)
        store.save_tries("b", first)

        assert (store.tries("a"), store.tries("c")) == (second, None)
        assert store.forget_old_tries(NOW + MINUTE) == 1
        assert (store.tries("a"), store.tries("b")) == (second, None)
        store.forget_tries("a")
        assert store.tries("a") is None

    def test_an_answer_is_found_by_user_and_key(self, store: SqlStore) -> None:
        answer = Answered(1, "k", "digest", 201, (("location", "/x"),), b"\x00{}", NOW)
        store.save_answer(answer)
        later = msgspec.structs.replace(answer, request="other", at=NOW + MINUTE)
        store.save_answer(later)

        assert store.answered(1, "k") == later
        assert (store.answered(2, "k"), store.answered(1, "l")) == (None, None)
        assert store.forget_answers(NOW + MINUTE) == 0
        assert store.forget_answers(NOW + 2 * MINUTE) == 1
        assert store.answered(1, "k") is None

    def test_a_setting_grows_by_revisions(self, store: SqlStore) -> None:
        assert store.setting("x") is None

        first = store.save_setting("x", {"b": 1, "a": [None]}, NOW)
        assert first is not None
        assert (bytes(first.value), first.revision, first.changed_at) == (b'{"a":[null],"b":1}', 1, NOW)
        second = store.save_setting("x", 2, NOW + MINUTE)
        assert second is not None
        assert second.revision == 2
        assert store.setting("x") == second

    def test_a_setting_is_changed_on_top_of_the_revision_that_was_read(self, store: SqlStore) -> None:
        assert store.save_setting("x", 1, NOW, revision=1) is None
        assert store.save_setting("x", 1, NOW, revision=0) is not None
        assert store.save_setting("x", 2, NOW, revision=0) is None
        assert store.save_setting("x", 2, NOW, revision=1) is not None
        assert (store.remove_setting("x"), store.remove_setting("x")) == (True, False)

    def test_the_schema_is_current_until_somebody_else_moves_it_on(self, store: SqlStore) -> None:
        assert store.is_current()
        store._execute("UPDATE alembic_version SET version_num = '9999'")
        assert not store.is_current()


class PeopleSuite(UserSuite, SessionSuite, TokenSuite, DoorSuite):
    """All of it."""
