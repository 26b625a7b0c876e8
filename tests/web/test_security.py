"""What every request has to pass: where it comes from, whom it claims to be, how large it is; and what every answer carries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import APIRouter

from syncline.web.security import Guarded, anyone
from syncline.web.services import WebServices, WebSettings
from tests.web.office import EMAIL, PASSWORD, Office, open_office

USER = {"email": "new@example.test", "password": PASSWORD}
LOGIN = {"email": EMAIL, "password": PASSWORD}


# --- CSRF -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "wrong"])
async def test_a_change_with_the_cookie_needs_the_csrf_token(service: Office, token: str | None) -> None:
    browser = await service.set_up()
    right = browser.headers.pop("X-CSRF-Token")
    headers = {} if token is None else {"X-CSRF-Token": token}

    refused = await browser.post("/api/v1/users", USER, headers=headers)

    assert (refused.status, refused.code) == (403, "access.csrf")
    assert (await browser.post("/api/v1/users", USER, headers={"X-CSRF-Token": right})).status == 201


async def test_the_csrf_token_of_another_session_is_worth_nothing(service: Office) -> None:
    admin = await service.set_up()
    viewer = await service.another(admin, "viewer")
    admin.headers["X-CSRF-Token"] = viewer.headers["X-CSRF-Token"]

    assert (await admin.post("/api/v1/users", USER)).code == "access.csrf"


async def test_the_csrf_token_can_be_read_again_by_the_session_itself(service: Office) -> None:
    browser = await service.set_up()

    told = (await browser.get("/api/v1/session")).json["csrf_token"]

    assert told == browser.headers["X-CSRF-Token"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_make_a_browser_change_anything(
    service: Office, headers: dict[str, str]
) -> None:
    browser = await service.set_up()

    refused = await browser.post("/api/v1/users", USER, headers=headers)
    at_login = await service.browser().post("/api/v1/session", LOGIN, headers=headers)

    assert (refused.status, refused.code) == (403, "access.foreign_origin")
    assert (at_login.status, at_login.code) == (403, "access.foreign_origin")


async def test_our_own_pages_may(service: Office) -> None:
    browser = await service.set_up()
    headers = {"Origin": service.base_url, "Sec-Fetch-Site": "same-origin"}

    assert (await browser.post("/api/v1/users", USER, headers=headers)).status == 201


async def test_a_program_with_a_token_needs_no_csrf_token(service: Office) -> None:
    program = service.program(await service.admin_token())

    assert (await program.post("/api/v1/users", USER)).status == 201


async def test_reading_needs_no_csrf_token(service: Office) -> None:
    browser = await service.set_up()
    del browser.headers["X-CSRF-Token"]

    assert (await browser.get("/api/v1/users")).status == 200


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Bearer syn_x", "Basic b3duZXI6eA==", "syn_x", "bearer  syn_" + "0" * 49],
)
async def test_a_header_that_opens_nothing_is_not_made_good_by_a_cookie(
    service: Office, authorization: str
) -> None:
    browser = await service.set_up()
    answer = await browser.get("/api/v1/users", headers={"Authorization": authorization})

    assert (answer.status, answer.code) == (401, "access.not_logged_in")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_nothing_is_read_of_a_request_before_it_is_let_in(service: Office) -> None:
    answer = await service.browser().post(
        "/api/v1/users", data=b"{no json", headers={"Content-Type": "application/json"}
    )

    assert answer.status == 401


# --- hosts, sizes, ids, headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example.test", "evil.example.test:80", "127.0.0.1.evil.test", "a b"])
async def test_another_name_for_the_service_is_refused(service: Office, host: str) -> None:
    answer = await service.browser().get("/healthz", headers={"Host": host})

    assert (answer.status, answer.code) == (400, "request.host")


@pytest.mark.parametrize(
    ("host", "is_trusted"),
    [
        ("syncline.example.test", True),
        ("SYNCLINE.example.test:8443", True),
        ("other.example.test", True),
        ("[::1]:80", True),
        ("", False),
        ("xsyncline.example.test", False),
    ],
)
def test_trusted_hosts_are_names_without_their_port(host: str, is_trusted: bool) -> None:
    settings = WebSettings("https://syncline.example.test", ("other.example.test", "::1"))

    assert settings.trusts(host) == is_trusted
    assert WebSettings(hosts=("*",)).trusts(host)


async def test_a_large_body_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with open_office(tmp_path, WebSettings("http://127.0.0.1:PORT", most_bytes=1000)) as service:
        browser = await service.set_up()
        announced = await browser.post("/api/v1/users", data=b"x" * 1001)
        streamed = await browser.post("/api/v1/users", data=_chunks(20))
        whole = await browser.post(
            "/api/v1/users", data=b" " * 1000, headers={"Content-Type": "application/json"}
        )

    assert [(answer.status, answer.code) for answer in (announced, streamed)] == [
        (413, "request.too_large")
    ] * 2
    assert whole.status == 422


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 100


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/session", "/nowhere", "/api/v1/bug"])
async def test_every_answer_carries_the_security_headers(tmp_path: Path, path: str) -> None:
    async with open_office(tmp_path, change=with_bug) as service:
        headers = (await service.browser().get(path)).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in headers["Permissions-Policy"]
    assert ("Cache-Control" in headers) == (path != "/nowhere")
    assert headers.get("Cache-Control", "no-store") == "no-store"
    assert "Strict-Transport-Security" not in headers
    assert "Server" not in headers


async def test_every_request_has_an_id_and_a_proxys_own_is_kept(service: Office) -> None:
    browser = service.browser()
    own = "0f8fad5b-d9cb-469f-a165-70867728950e"
    first, second = [(await browser.get("/healthz")).headers["X-Request-Id"] for _ in range(2)]
    kept = await browser.get("/api/v1/users", headers={"X-Request-Id": own})
    refused = await browser.get("/healthz", headers={"X-Request-Id": "made up; Set-Cookie: x"})

    assert first != second
    assert (kept.headers["X-Request-Id"], kept.json["instance"]) == (own, f"urn:uuid:{own}")
    assert "made up" not in str(refused.headers)


async def test_other_sites_get_no_leave_to_read(service: Office) -> None:
    answer = await service.browser().get("/api/v1/setup", headers={"Origin": "https://evil.example.test"})

    assert "Access-Control-Allow-Origin" not in answer.headers


def with_bug(services: WebServices) -> WebServices:
    """A route with a bug in it, `/api/v1/bug`."""
    router = APIRouter(route_class=Guarded, prefix="/api/v1")

    @router.get("/bug", dependencies=[anyone()])
    async def bug() -> None:
        """A bug."""
        raise ZeroDivisionError

    return replace(services, routers=[router])
