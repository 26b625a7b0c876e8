"""The first run, logging in and out, sessions and passwords: as somebody at a browser meets them."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from syncline.core.audit import AuditKind
from syncline.service.people import argon2, begin_setup, hashed_password
from syncline.web.services import WebSettings
from tests.web.office import EMAIL, PASSWORD, Office, Visitor, open_office

OTHER = "staple battery correct"


def _kinds(service: Office) -> list[str]:
    return [entry.kind for entry in service.people.store.audit_trail()]


# --- the first run ----------------------------------------------------------------------------------------------------


async def test_the_first_run_makes_an_admin_who_is_logged_in(service: Office) -> None:
    browser = service.browser()
    assert (await browser.get("/api/v1/setup")).json == {"is_needed": True}

    answer = await browser.set_up(service.code or "")

    assert (answer.status, answer.json["user"]["role"]) == (201, "admin")
    assert (await browser.get("/api/v1/session")).json["user"]["email"] == EMAIL
    assert (await browser.get("/api/v1/setup")).json == {"is_needed": False}
    assert _kinds(service) == ["set_up"]


async def test_the_set_up_code_dies_with_its_use(service: Office) -> None:
    await service.set_up()

    again = await service.browser().set_up(service.code or "", "second@example.test")

    assert (again.status, again.code) == (409, "access.set_up_already")
    assert begin_setup(service.people) is None


async def test_a_new_start_makes_a_new_code_and_the_old_one_is_worth_nothing(service: Office) -> None:
    newer = begin_setup(service.people)
    assert newer not in (None, service.code)

    assert (await service.browser().set_up(service.code or "")).code == "access.wrong_setup_code"
    # As somebody types it.
    assert (await service.browser().set_up(f" {(newer or '').lower().replace('-', ' ')} ")).status == 201


async def test_the_code_is_kept_as_a_hash_only(service: Office) -> None:
    kept = service.people.store.setting("setup")

    assert kept is not None
    assert (service.code or "-") not in bytes(kept.value).decode()
    assert (service.code or "-").replace("-", "") not in bytes(kept.value).decode()


async def test_two_first_runs_at_once_make_one_user(service: Office) -> None:
    answers = await asyncio.gather(
        *(service.browser().set_up(service.code or "", f"{name}@example.test") for name in "ab")
    )

    assert sorted(answer.status for answer in answers) == [201, 409]
    assert service.people.store.count_users() == 1


async def test_guessing_the_set_up_code_is_slowed_down(service: Office) -> None:
    answers = [await service.browser().set_up("WRONG") for _ in range(6)]

    assert [answer.status for answer in answers] == [403] * 5 + [429]
    service.clock.advance(1)
    assert (await service.browser().set_up(service.code or "")).status == 201


# --- logging in -------------------------------------------------------------------------------------------------------


async def test_logging_in_and_out(service: Office) -> None:
    await service.set_up()
    browser = service.browser()

    answer = await browser.log_in(f" {EMAIL.upper()}".strip())
    assert (answer.status, answer.json["user"]["email"]) == (200, EMAIL)
    assert (await browser.get("/api/v1/session")).status == 200

    kept = dict(browser.cookies)
    assert (await browser.ask("DELETE", "/api/v1/session")).status == 204
    assert browser.cookies == {}
    browser.cookies = kept
    assert (await browser.get("/api/v1/session")).code == "access.not_logged_in"
    assert _kinds(service) == ["set_up", "logged_in", "logged_out"]


async def test_an_unknown_e_mail_and_a_wrong_password_are_answered_alike(service: Office) -> None:
    admin = await service.set_up()
    viewer = await service.another(admin, "viewer")
    await _deactivate(admin, viewer.heard[-1].json["user"]["id"])

    answers = [
        await service.browser().log_in(*login)
        for login in ((EMAIL, OTHER), ("nobody@example.test", OTHER), ("viewer@example.test", PASSWORD))
    ]

    assert {answer.status for answer in answers} == {401}
    assert len({str({**answer.json, "instance": ""}) for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1
    assert all(answer.cookies == () for answer in answers)


async def test_an_unknown_e_mail_costs_the_same_work(
    service: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.set_up()
    worked: list[str] = []
    hasher = type(service.people.hasher)

    def told(name: str) -> None:
        original = getattr(hasher, name)

        def noting(self: PasswordHash, *arguments: str) -> object:
            worked.append(name)
            return original(self, *arguments)

        monkeypatch.setattr(hasher, name, noting)

    told("hash")
    told("verify_and_update")
    await service.browser().log_in(EMAIL, OTHER)
    await service.browser().log_in("nobody@example.test", OTHER)

    assert worked == ["verify_and_update", "hash"]


async def test_tries_at_an_account_are_slowed_down_more_and_more(service: Office) -> None:
    await service.set_up()
    waited: list[int] = []
    for _ in range(5):
        assert (await service.browser().log_in(EMAIL, OTHER)).status == 401
    for _ in range(8):
        refused = await service.browser().log_in(EMAIL, PASSWORD)
        assert (refused.status, refused.code) == (429, "access.too_many_tries")
        waited.append(int(refused.headers["Retry-After"]))
        service.clock.advance(waited[-1])
        assert (await service.browser().log_in(EMAIL, OTHER)).status == 401

    assert waited == [1, 2, 4, 8, 16, 32, 60, 60]
    service.clock.advance(60)
    assert (await service.browser().log_in()).status == 200
    assert (await service.browser().log_in(EMAIL, OTHER)).status == 401
    assert (await service.browser().log_in()).status == 200


async def test_an_unknown_e_mail_is_slowed_down_alike(service: Office) -> None:
    await service.set_up()
    answers = [await service.browser().log_in("nobody@example.test", OTHER) for _ in range(6)]

    assert [answer.status for answer in answers] == [401] * 5 + [429]


async def test_many_accounts_from_one_address_are_slowed_down(service: Office) -> None:
    await service.set_up()
    tried = [await service.browser().log_in(f"{number}@example.test", OTHER) for number in range(21)]

    assert [answer.status for answer in tried] == [401] * 20 + [429]
    service.clock.advance(1)
    # Logging in with an account of one's own does not wipe out what was tried at others.
    assert (await service.browser().log_in()).status == 200
    assert [
        (await service.browser().log_in(f"x{number}@example.test", OTHER)).status for number in (1, 2)
    ] == [
        401,
        429,
    ]


async def test_tries_at_once_do_not_slip_through_together(service: Office) -> None:
    await service.set_up()
    answers = await asyncio.gather(*(service.browser().log_in(EMAIL, OTHER) for _ in range(12)))

    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 7


async def test_refused_tries_are_in_the_audit_trail_without_what_was_typed(service: Office) -> None:
    await service.set_up()
    await service.browser().log_in("typed my secret@here", OTHER)
    await service.browser().log_in("mistyped@example.test", OTHER)
    await service.browser().log_in(EMAIL, OTHER)

    refused = service.people.store.audit_trail(kind=AuditKind.LOGIN_REFUSED)
    assert [entry.subject for entry in refused] == ["", "1"]
    assert "mistyped" not in str(refused)


async def test_a_hash_made_with_older_parameters_is_made_anew_at_login(service: Office) -> None:
    await service.set_up()
    older = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=8, parallelism=1),))
    service.people.store.set_password(1, older.hash(PASSWORD))

    assert (await service.browser().log_in()).status == 200
    renewed = service.people.store.password_of(1) or ""
    assert "t=1" in renewed
    await service.browser().log_in()
    assert service.people.store.password_of(1) == renewed


def test_passwords_are_hashed_with_argon2id_and_64_mib() -> None:
    made = argon2().hash(PASSWORD)

    assert made.startswith("$argon2id$")
    assert "m=65536,t=3,p=4" in made


async def test_hashing_lets_through_a_few_at_a_time(service: Office) -> None:
    async with service.people.hashing, service.people.hashing:
        waiting = asyncio.create_task(hashed_password(service.people, PASSWORD))
        await asyncio.sleep(0)
        assert service.people.hashing.locked()
        assert not waiting.done()
    assert (await waiting).startswith("$argon2id$")


# --- sessions ---------------------------------------------------------------------------------------------------------


async def test_a_login_gives_a_new_session_and_ends_the_old_one(service: Office) -> None:
    browser = await service.set_up()
    old = dict(browser.cookies)
    await browser.log_in()

    assert browser.cookies != old
    browser.cookies = old
    assert (await browser.get("/api/v1/session")).status == 401


async def test_a_session_id_that_somebody_else_chose_opens_nothing(service: Office) -> None:
    await service.set_up()
    browser = service.browser()
    browser.cookies = {"syncline_session": "chosen-by-somebody-else"}
    await browser.log_in()

    assert browser.cookies["syncline_session"] != "chosen-by-somebody-else"


async def test_a_session_lives_on_with_its_use_but_not_for_ever(service: Office) -> None:
    browser = await service.set_up()
    idle = service.people.patience.idle.total_seconds()
    longest = service.people.patience.longest

    service.clock.advance(idle - 1)
    assert (await browser.get("/api/v1/session")).status == 200
    service.clock.advance(idle - 1)
    assert (await browser.get("/api/v1/session")).status == 200
    begun = service.people.store.sessions(1)[0].created_at
    while service.clock.now() - begun + dt.timedelta(hours=6) < longest:
        service.clock.advance(6 * 3600)
        assert (await browser.get("/api/v1/session")).status == 200
    service.clock.advance(6 * 3600)
    assert (await browser.get("/api/v1/session")).status == 401


async def test_a_session_that_is_not_used_ends(service: Office) -> None:
    browser = await service.set_up()
    service.clock.advance(service.people.patience.idle.total_seconds())

    assert (await browser.get("/api/v1/session")).status == 401


async def test_sessions_are_listed_and_ended_one_by_one_or_together(service: Office) -> None:
    first = await service.set_up()
    others = [service.browser() for _ in range(3)]
    for other in others:
        await other.log_in()
        service.clock.advance(1)
    listed = (await first.get("/api/v1/session/all")).json["items"]
    assert [each["is_this"] for each in listed].count(True) == 1
    assert len(listed) == 4

    assert (await first.ask("DELETE", f"/api/v1/session/all/{listed[0]['id']}")).status == 204
    assert [(await each.get("/api/v1/session")).status for each in (first, *others)] == [200, 200, 200, 401]
    assert (await first.ask("DELETE", "/api/v1/session/all")).status == 204
    assert [(await each.get("/api/v1/session")).status for each in (first, *others)] == [200, 401, 401, 401]
    assert (await first.ask("DELETE", "/api/v1/session/all/unknown")).status == 404


async def test_nobody_ends_the_session_of_somebody_else(service: Office) -> None:
    admin = await service.set_up()
    viewer = await service.another(admin, "viewer")
    (session,) = (await admin.get("/api/v1/session/all")).json["items"]

    assert (await viewer.ask("DELETE", f"/api/v1/session/all/{session['id']}")).status == 404
    assert (await admin.get("/api/v1/session")).status == 200


async def test_a_changed_password_ends_all_other_sessions(service: Office) -> None:
    first, second = await service.set_up(), service.browser()
    await second.log_in()

    answer = await first.ask(
        "PUT", "/api/v1/session/password", {"old_password": PASSWORD, "new_password": OTHER}
    )

    assert answer.status == 204
    assert (await first.get("/api/v1/session")).status == 200
    assert (await second.get("/api/v1/session")).status == 401
    assert (await service.browser().log_in()).status == 401
    assert (await service.browser().log_in(EMAIL, OTHER)).status == 200
    assert "password_changed" in _kinds(service)


async def test_the_old_password_is_asked_for_and_tries_are_slowed_down(service: Office) -> None:
    browser = await service.set_up()
    body = {"old_password": OTHER, "new_password": "another long password"}
    answers = [await browser.ask("PUT", "/api/v1/session/password", body) for _ in range(6)]

    assert [answer.status for answer in answers] == [401] * 5 + [429]


@pytest.mark.parametrize("password", ["shorties", "aaaaaaaaaaaaaaaa", EMAIL, "x" * 50 + "abcdef" * 50])
async def test_passwords_that_are_too_easy_or_too_long_are_refused(service: Office, password: str) -> None:
    answer = await service.browser().set_up(service.code or "", password=password)

    assert (answer.status, answer.code) == (422, "request.weak_password")
    assert password not in answer.raw.decode()


# --- the cookie -------------------------------------------------------------------------------------------------------


async def test_the_cookie_is_for_us_alone(service: Office) -> None:
    browser = await service.set_up()
    (line,) = browser.heard[-1].cookies
    parts = {part.strip().lower() for part in line.split(";")[1:]}

    assert line.startswith("syncline_session=")
    assert {"httponly", "samesite=lax", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    settings = WebSettings(public_url="https://syncline.example.test", hosts=("127.0.0.1",))
    async with open_office(tmp_path, settings) as service:
        browser = await service.set_up()
        (line,) = browser.heard[-1].cookies
        parts = {part.strip().lower() for part in line.split(";")[1:]}

        assert line.startswith("__Host-syncline_session=")
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)
        assert (await browser.get("/api/v1/session")).status == 200
        hsts = browser.heard[-1].headers["Strict-Transport-Security"]
        assert int(hsts.removeprefix("max-age=")) >= 31_536_000


async def _deactivate(admin: Visitor, user: int) -> None:
    answer = await admin.ask("PATCH", f"/api/v1/users/{user}", {"is_active": False}, {"If-Match": "*"})
    assert answer.status == 200
