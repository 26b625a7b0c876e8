"""Whatever goes wrong is told in one form, with a code and what to do, and without what nobody should read."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import APIRouter
from starlette.requests import Request

from syncline.core.audit import AuditKind
from syncline.core.catalogue import ENTRIES
from syncline.errors import (
    AuthError,
    BusyError,
    ConfigError,
    Detail,
    NotFoundError,
    Problem,
    ProblemKind,
    Refusal,
    RejectedError,
    RequestError,
    SchemaError,
    SetupError,
    StaleError,
    StoreError,
    SynclineError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from syncline.web.problems import problem, status_of
from syncline.web.security import Guarded, anyone
from syncline.web.services import Part, WebServices
from tests.web.office import EMAIL, PASSWORD, Office, open_office

INSIDE = "sqlite3.OperationalError: /var/lib/secret-place/syncline.db hunter2"


async def test_an_unknown_address_and_a_wrong_method(service: Office) -> None:
    browser = service.browser()
    unknown = await browser.get("/api/v1/nothing")
    wrong = await browser.ask("PUT", "/api/v1/session")

    assert (unknown.status, unknown.code) == (404, "request.not_there")
    assert (wrong.status, wrong.code) == (405, "request.method")
    assert wrong.headers["Allow"] == "GET, POST, DELETE"
    assert (await browser.get("/api/v1/setup/")).status == 404


async def test_the_type_of_a_problem_leads_to_what_it_means(service: Office) -> None:
    browser = service.browser()
    refused = await browser.get("/api/v1/users")
    told = await browser.get(refused.json["type"])

    assert refused.json["title"] == told.json["title"] == ENTRIES["access.not_logged_in"].title
    assert refused.json["remedy"] == told.json["remedy"]
    assert (await browser.get("/api/v1/errors/nothing.such")).status == 404


async def test_all_codes_can_be_read(service: Office) -> None:
    browser, codes, path = service.browser(), list[str](), "/api/v1/errors?limit=50"
    while path:
        answer = await browser.get(path)
        codes += [each["code"] for each in answer.json["items"]]
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")

    assert codes == sorted(ENTRIES)


async def test_every_fault_of_a_request_is_told_with_its_place(service: Office) -> None:
    program = service.program(await service.admin_token())
    answer = await program.post("/api/v1/users", {"email": "no e-mail", "role": "owner", "nmae": "Ann"})

    faults = {fault["pointer"]: fault for fault in answer.json["errors"]}
    assert (answer.status, answer.code) == (422, "request.invalid")
    assert {pointer: fault["code"] for pointer, fault in faults.items()} == {
        "/email": "usage.bad_value",
        "/role": "usage.bad_value",
        "/password": "usage.missing",
        "/nmae": "usage.unknown_option",
    }
    assert (faults["/role"]["where"], faults["/role"]["found"], faults["/email"]["found"]) == (
        "body",
        "owner",
        None,
    )
    assert all(fault["remedy"].endswith(".") for fault in faults.values())
    query = (await program.get("/api/v1/users?limit=many")).json["errors"]
    assert [(fault["where"], fault["pointer"], fault["found"]) for fault in query] == [
        ("query", "/limit", "many")
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"email": "x", "password": "hunter2-hunter2"},
        {"email": EMAIL, "password": ["hunter2-hunter2"]},
        {"email": EMAIL, "pasword": "hunter2-hunter2"},
        {"email": EMAIL, "password": "hunter2" * 200},
        "hunter2",
        ["hunter2"],
    ],
)
async def test_a_password_is_not_repeated_wherever_it_was_written(service: Office, body: object) -> None:
    answer = await service.browser().post("/api/v1/session", body)

    assert answer.status == 422
    assert b"hunter2" not in answer.raw or body == "hunter2"


@pytest.mark.parametrize("data", [b"{", b"", b"\xff", b"[1, 2", b'{"a": NaN}', b"[" * 5000])
async def test_a_body_that_is_no_json_is_refused(service: Office, data: bytes) -> None:
    answer = await service.browser().post(
        "/api/v1/session", data=data, headers={"Content-Type": "application/json"}
    )

    assert (answer.status, answer.code) == (422, "request.invalid")


async def test_a_bug_tells_an_id_and_nothing_of_the_inside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_office(tmp_path, change=_with_bugs) as service:
        bug = await service.browser().get("/api/v1/bug")
        database = await service.browser().get("/api/v1/database")
        alive = await service.browser().get("/healthz")

    assert (bug.status, bug.code) == (500, "request.bug")
    assert (database.status, database.code) == (500, "store")
    assert alive.status == 200
    for answer in (bug, database):
        assert b"hunter2" not in answer.raw
        assert b"sqlite" not in answer.raw
    assert bug.json["instance"].removeprefix("urn:uuid:") in caplog.text


async def test_readiness_tells_of_each_part(tmp_path: Path) -> None:
    parts = {"jobs": lambda: Part(is_ready=False, text="The worker has not begun yet.")}
    async with open_office(tmp_path, change=lambda services: replace(services, parts=parts)) as service:
        answer = await service.browser().get("/readyz")
        alive = await service.browser().get("/healthz")

    assert (answer.status, alive.status) == (503, 200)
    assert answer.json["parts"] == {
        "store": {"is_ready": True, "text": ""},
        "jobs": {"is_ready": False, "text": "The worker has not begun yet."},
    }


async def test_a_database_of_another_schema_is_not_ready(service: Office) -> None:
    store = service.people.store
    assert (await service.browser().get("/readyz")).status == 200
    store._execute("UPDATE alembic_version SET version_num = '9999'")

    answer = await service.browser().get("/readyz")
    assert (answer.status, answer.json["parts"]["store"]["is_ready"]) == (503, False)


PLACED = Problem("syncs.tickets.fields[2].left", "is wrong.", "Mend it.", ProblemKind.BAD_VALUE, "found")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("The draft has faults:", (PLACED,)), 422),
        (UsageError("sync", "There is no sync 'x'.", "", ProblemKind.NO_SYNC, "x"), 404),
        (UsageError("--at", "No time.", "", ProblemKind.WRONG_VALUE), 422),
        (SetupError("No secret key is set."), 422),
        (TransientError("slow", after=dt.timedelta(seconds=1.2)), 503),
        (UnknownOutcomeError("cut"), 502),
        (AuthError("revoked", detail=Detail.TOKEN_REFUSED), 409),
        (RejectedError("no"), 422),
        (NotFoundError("gone"), 404),
        (StaleError("moved"), 409),
        (BusyError("another run holds it"), 409),
        (SchemaError("other version"), 500),
        (StoreError("the database refused"), 500),
        (SynclineError("?"), 500),
        *((RequestError("x", refusal), 0) for refusal in Refusal),
    ],
)
def test_every_error_has_a_status_by_what_is_to_be_done(error: SynclineError, status: int) -> None:
    answer = problem(Request({"type": "http", "path": "/", "headers": []}), error)

    assert answer.media_type == "application/problem+json"
    assert answer.status_code == status_of(error) == (status or status_of(error))
    assert 400 <= answer.status_code <= 503
    if status == 503:
        assert answer.headers["Retry-After"] == "2"
    if error.args[0].startswith("The draft"):
        told = bytes(answer.body).decode()
        assert '"pointer":"/syncs/tickets/fields/2/left","where":"configuration","found":"found"' in told
        assert '"code":"config.bad_value"' in told


async def test_an_audit_trail_is_read_newest_first_and_checked(service: Office) -> None:
    admin = await service.set_up()
    await admin.post("/api/v1/users", {"email": "new@example.test", "password": PASSWORD})
    await service.browser().log_in()

    first = await admin.get("/api/v1/audit?limit=2")
    rest = await admin.get(first.headers["Link"].partition(">")[0].removeprefix("<"))
    kinds = [entry["kind"] for page in (first, rest) for entry in page.json["items"]]
    assert kinds == ["logged_in", "user_added", "set_up"]
    assert [entry["kind"] for entry in (await admin.get("/api/v1/audit?kind=set_up")).json["items"]] == [
        "set_up"
    ]
    assert (await admin.get("/api/v1/audit/verify")).json == {"holds": True, "broken_at": None, "reason": ""}

    service.people.store._execute("UPDATE audit SET body = '{}' WHERE id = 2")
    broken = (await admin.get("/api/v1/audit/verify")).json
    assert (broken["holds"], broken["broken_at"]) == (False, 2)


async def test_a_long_trail_is_checked_while_others_are_answered(service: Office) -> None:
    admin = await service.set_up()
    store, answered = service.people.store, list[str]()
    with store.transaction():
        for number in range(3000):
            store.audit(AuditKind.CHOICE, {"choice": number}, now=service.people.now())

    async def ask(path: str) -> None:
        assert (await admin.get(path)).status == 200
        answered.append(path)

    checking = asyncio.create_task(ask("/api/v1/audit/verify"))
    await asyncio.sleep(0.005)
    await ask("/healthz")
    await checking

    assert answered == ["/healthz", "/api/v1/audit/verify"]


def _with_bugs(services: WebServices) -> WebServices:
    router = APIRouter(route_class=Guarded, prefix="/api/v1")

    @router.get("/bug", dependencies=[anyone()])
    async def bug() -> None:
        """A bug."""
        raise ZeroDivisionError(INSIDE)

    @router.get("/database", dependencies=[anyone()])
    async def database() -> None:
        """A database that refuses."""
        raise StoreError(INSIDE)

    return replace(services, routers=[router])
