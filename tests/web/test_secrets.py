"""Planted secrets go through the whole service, and are then looked for in every answer, every log and every byte on disk."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.web.office import EMAIL, SECRET_KEY, Office, Visitor, open_office
from tests.web.test_security import with_bug

FIRST = "planted-First-Password-1"
SECOND = "planted-Second-Password-2"
WRONG = "planted-Wrong-Password-3"
VENDOR = "planted-vendor-token-4"


async def test_no_secret_is_told_logged_or_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_office(tmp_path, change=with_bug) as service:
        heard, opened = await _everything(service)
        shown = repr(service.services) + repr(service.people) + str(service.people.store.audit_trail())

    asked = {FIRST, SECOND, WRONG, VENDOR, SECRET_KEY, service.code or "-"}
    told = "\n".join(
        f"{answer.headers} {answer.raw.decode()}" for visitor in heard for answer in visitor.heard
    )
    # What opens a door is told to its owner once: as the cookie, as the CSRF token of a session, as a new token.
    once = {name: told.count(secret) for name, secret in opened.items()}
    disk = _bytes_in(tmp_path)

    assert once == dict.fromkeys(opened, 1)
    assert [secret for secret in asked if secret in told] == []
    for place in (caplog.text, shown, disk.decode("latin-1")):
        assert [secret for secret in (*asked, *opened.values()) if secret in place] == []
    assert "ZeroDivisionError" in caplog.text
    assert EMAIL in disk.decode("latin-1"), "the bytes that were searched are those of the database"


async def _everything(service: Office) -> tuple[list[Visitor], dict[str, str]]:
    """Every kind of request that carries a secret; those that failed too."""
    browser, other = service.browser(), service.browser()
    await browser.set_up("WRONG-CODE", password=FIRST)
    await browser.set_up(service.code or "", password=FIRST)
    session = browser.cookies["syncline_session"]
    csrf = browser.headers["X-CSRF-Token"]
    await other.log_in(EMAIL, WRONG)
    await other.log_in(WRONG, FIRST)
    await other.log_in(f"{WRONG}@example.test", WRONG)
    service.people.store.save_secret("connection:ac", VENDOR)

    body = {"name": "x", "scopes": ["admin"]}
    made = await browser.post("/api/v1/tokens", body, headers={"Idempotency-Key": "k"})
    await browser.post("/api/v1/tokens", body, headers={"Idempotency-Key": "k"})
    token = made.json["token"]
    program = service.program(token)
    for path in ("/api/v1/tokens", "/api/v1/users", "/api/v1/audit", "/api/v1/session/all", "/api/v1/bug"):
        await program.get(path)
        await browser.get(path)
    await program.get("/api/v1/users", headers={"Authorization": f"Basic {token}"})
    await program.post("/api/v1/users", {"email": "x@example.test", "password": FIRST, "role": SECOND[:0]})
    await program.post("/api/v1/users", {"email": "x@example.test", "password": [FIRST]})
    await browser.ask("PUT", "/api/v1/session/password", {"old_password": WRONG, "new_password": SECOND})
    await browser.ask("PUT", "/api/v1/session/password", {"old_password": FIRST, "new_password": SECOND})
    await browser.ask("DELETE", "/api/v1/session")
    return [browser, other, program], {"session": session, "csrf": csrf, "token": token}


def _bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
