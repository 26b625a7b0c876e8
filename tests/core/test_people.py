"""Roles and scopes: what includes what."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.people import ApiToken, Role, Scope, rights_of, widened

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
some_scopes = st.frozensets(st.sampled_from(Scope))


def test_writing_includes_reading_and_nothing_else() -> None:
    assert widened([Scope.RUNS_WRITE]) == {Scope.RUNS_WRITE, Scope.RUNS_READ, Scope.OWN}
    assert widened([Scope.RUNS_READ]) == {Scope.RUNS_READ, Scope.OWN}
    assert widened([Scope.SETTINGS_WRITE]) == {Scope.SETTINGS_WRITE, Scope.OWN}
    assert widened([]) == {Scope.OWN}
    assert widened([Scope.ADMIN]) == frozenset(Scope)


@given(some_scopes, some_scopes)
def test_widening_adds_and_never_takes_away(some: frozenset[Scope], more: frozenset[Scope]) -> None:
    assert some <= widened(some) == widened(widened(some))
    assert widened(some) <= widened(some | more)
    assert Scope.ADMIN in some or Scope.ADMIN not in widened(some)


@pytest.mark.parametrize("role", Role)
def test_the_rights_of_a_role_are_closed(role: Role) -> None:
    assert widened(rights_of(role)) == rights_of(role)


def test_only_an_admin_sees_and_changes_people_and_configuration() -> None:
    kept = {Scope.ADMIN, Scope.USERS_READ, Scope.AUDIT_READ, Scope.CONNECTIONS_WRITE, Scope.SYNCS_WRITE}

    assert not kept & rights_of(Role.OPERATOR)
    assert rights_of(Role.OPERATOR) - rights_of(Role.VIEWER) == {
        Scope.RUNS_WRITE,
        Scope.RECORDS_WRITE,
        Scope.DELIVERIES_WRITE,
        Scope.ALERTS_WRITE,
        Scope.WORKSPACE_WRITE,
    }


def test_a_token_is_in_force_until_its_end_or_its_revocation() -> None:
    end = NOW + dt.timedelta(seconds=1)
    token = ApiToken(1, 1, "x", "abcd", (Scope.OWN,), NOW, end)
    for_ever = ApiToken(1, 1, "x", "abcd", (Scope.OWN,), NOW)
    revoked = ApiToken(1, 1, "x", "abcd", (Scope.OWN,), NOW, end, None, NOW)

    assert [token.is_in_force(at) for at in (NOW, end)] == [True, False]
    assert for_ever.is_in_force(end)
    assert not revoked.is_in_force(NOW)
