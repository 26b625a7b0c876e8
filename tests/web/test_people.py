"""Users and API tokens over the API: made, changed, revoked, and never more than their maker may give."""

from __future__ import annotations

import datetime as dt

import pytest

from syncline.core.audit import AuditKind
from syncline.service.tokens import has_form
from tests.web.office import EMAIL, PASSWORD, Office

ANY = {"If-Match": "*"}


# --- users ------------------------------------------------------------------------------------------------------------


async def test_an_admin_adds_changes_and_removes_users(service: Office) -> None:
    admin = await service.set_up()
    added = await admin.post(
        "/api/v1/users", {"email": "New@Example.test", "name": "Ann", "password": PASSWORD}
    )
    path = added.headers["Location"]
    changed = await admin.ask("PATCH", path, {"role": "operator"}, {"If-Match": added.headers["ETag"]})
    removed = await admin.ask("DELETE", path, headers={"If-Match": changed.headers["ETag"]})

    assert (added.status, added.json["email"], added.json["role"]) == (201, "new@example.test", "viewer")
    assert (changed.json["role"], changed.json["name"], removed.status) == ("operator", "Ann", 204)
    trail = service.people.store.audit_trail()
    assert [entry.kind for entry in trail] == ["set_up", "user_added", "user_changed", "user_removed"]
    assert bytes(trail[2].body) == b'{"by":1,"fields":["role"],"is_active":true,"role":"operator"}'


async def test_an_e_mail_belongs_to_one_user(service: Office) -> None:
    admin = await service.set_up()
    taken = await admin.post("/api/v1/users", {"email": EMAIL.upper(), "password": PASSWORD})
    await admin.post("/api/v1/users", {"email": "new@example.test", "password": PASSWORD})
    moved = await admin.ask("PATCH", "/api/v1/users/2", {"email": EMAIL}, ANY)

    assert [(each.status, each.code) for each in (taken, moved)] == [(409, "request.email_taken")] * 2


@pytest.mark.parametrize("change", [{"role": "operator"}, {"is_active": False}, None])
async def test_the_last_active_admin_stays(service: Office, change: dict[str, object] | None) -> None:
    admin = await service.set_up()
    method = "DELETE" if change is None else "PATCH"
    refused = await admin.ask(method, "/api/v1/users/1", change, ANY)
    assert (refused.status, refused.code) == (409, "request.last_admin")

    await service.another(admin, "admin")
    assert (await admin.ask(method, "/api/v1/users/1", change, ANY)).status < 300


async def test_who_is_not_active_any_more_is_out_at_once(service: Office) -> None:
    admin = await service.set_up()
    viewer = await service.another(admin, "viewer")
    program = service.program(await viewer.make_token("runs:read"))

    await admin.ask("PATCH", "/api/v1/users/2", {"is_active": False}, ANY)

    assert (await viewer.get("/api/v1/session")).status == 401
    assert (await program.get("/api/v1/session")).status == 401


async def test_who_is_removed_is_out_at_once(service: Office) -> None:
    admin = await service.set_up()
    viewer = await service.another(admin, "viewer")
    program = service.program(await viewer.make_token("runs:read"))

    await admin.ask("DELETE", "/api/v1/users/2", headers=ANY)

    assert [(await each.get("/api/v1/session")).status for each in (viewer, program)] == [401, 401]


async def test_an_admin_sets_a_password_and_ends_sessions(service: Office) -> None:
    admin = await service.set_up()
    viewer = await service.another(admin, "viewer")
    body = {"password": "another long password"}

    assert (await admin.ask("PUT", "/api/v1/users/2/password", body)).status == 204
    assert (await viewer.get("/api/v1/session")).status == 401
    assert (await viewer.log_in("viewer@example.test", "another long password")).status == 200
    assert (await admin.ask("DELETE", "/api/v1/users/2/sessions")).status == 204
    assert (await viewer.get("/api/v1/session")).status == 401
    assert (await admin.get("/api/v1/session")).status == 200


# --- tokens -----------------------------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_known_by_its_last_four(service: Office) -> None:
    admin = await service.set_up()
    text = await admin.make_token("runs:read")
    (listed,) = (await admin.get("/api/v1/tokens")).json["items"]

    assert has_form(text)
    assert (listed["last_four"], "token" in listed) == (text[-4:], False)
    assert text not in admin.heard[-1].raw.decode()


@pytest.mark.parametrize("change", [lambda text: text[:-1] + "0", lambda text: text.swapcase(), str.upper])
async def test_a_token_with_a_slip_is_told_without_asking_the_database(
    service: Office, change: object
) -> None:
    text = await (await service.set_up()).make_token("runs:read")
    assert callable(change)
    wrong = change(text)

    assert wrong == text or not has_form(wrong)


async def test_a_revoked_token_opens_nothing(service: Office) -> None:
    admin = await service.set_up()
    program = service.program(await admin.make_token("runs:read"))
    assert (await program.get("/api/v1/session")).status == 200

    assert (await admin.ask("DELETE", "/api/v1/tokens/1")).status == 204
    assert (await admin.ask("DELETE", "/api/v1/tokens/1")).status == 204

    assert (await program.get("/api/v1/session")).status == 401
    assert (await admin.get("/api/v1/tokens/1")).json["revoked_at"] is not None
    assert len(service.people.store.audit_trail(kind=AuditKind.TOKEN_REVOKED)) == 1


async def test_a_token_ends_when_it_should(service: Office) -> None:
    admin = await service.set_up()
    end = service.clock.now() + dt.timedelta(minutes=5)
    program = service.program(await admin.make_token("runs:read", expires_at=end.isoformat()))

    service.clock.advance(299)
    assert (await program.get("/api/v1/session")).status == 200
    service.clock.advance(1)
    assert (await program.get("/api/v1/session")).status == 401


@pytest.mark.parametrize("days", [-1, 0, 400])
async def test_no_token_ends_in_the_past_or_lives_for_ever(service: Office, days: int) -> None:
    admin = await service.set_up()
    end = service.clock.now() + dt.timedelta(days=days)
    body = {"name": "x", "scopes": ["own"], "expires_at": end.isoformat()}

    assert (await admin.post("/api/v1/tokens", body)).code == "request.invalid"


async def test_the_last_use_of_a_token_is_noted(service: Office) -> None:
    admin = await service.set_up()
    program = service.program(await admin.make_token("runs:read"))
    assert (await admin.get("/api/v1/tokens/1")).json["used_at"] is None

    service.clock.advance(60)
    await program.get("/api/v1/session")

    assert (await admin.get("/api/v1/tokens/1")).json["used_at"] == "2026-03-02T09:01:00Z"


async def test_nobody_gives_away_what_they_may_not_do(service: Office) -> None:
    admin = await service.set_up()
    operator = await service.another(admin, "operator")

    for scope in ("admin", "connections:write", "users:read"):
        refused = await operator.post("/api/v1/tokens", {"name": "x", "scopes": ["runs:read", scope]})
        assert (refused.status, refused.code) == (403, "access.missing_right")
        assert scope in refused.json["detail"]


async def test_a_token_makes_no_other_token_unless_it_may_do_everything(service: Office) -> None:
    admin = await service.set_up()
    body = {"name": "x", "scopes": ["runs:read"]}
    limited = service.program(await admin.make_token("runs:read"))
    unlimited = service.program(await admin.make_token("admin"))

    assert (await limited.post("/api/v1/tokens", body)).code == "access.session_only"
    assert (await unlimited.post("/api/v1/tokens", body)).status == 201


async def test_tokens_of_others_are_there_for_admins_only(service: Office) -> None:
    admin = await service.set_up()
    viewer = await service.another(admin, "viewer")
    await admin.make_token("runs:read")
    await viewer.make_token("runs:read")

    assert [each["id"] for each in (await admin.get("/api/v1/tokens")).json["items"]] == [1]
    every = await admin.get("/api/v1/tokens?everybody=true")
    assert [each["id"] for each in every.json["items"]] == [1, 2]
    own = await viewer.get("/api/v1/tokens?everybody=true")
    assert [each["id"] for each in own.json["items"]] == [2]
    assert (await viewer.get("/api/v1/tokens/1")).status == 404
    assert (await viewer.ask("DELETE", "/api/v1/tokens/1")).status == 404
    assert (await admin.ask("DELETE", "/api/v1/tokens/2")).status == 204
