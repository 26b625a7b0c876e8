"""Files on documents, contracts and tasks over the API: what goes in comes out, whatever it is called and however long it is."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from tests.web.desk import Desk, open_desk

KIB = 1024
LONG = 25 * KIB * KIB
PIECE = bytes(range(256)) * 256


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


async def _owner(desk: Desk, kind: str) -> str:
    if kind == "contracts":
        return f"/contracts/{(await desk.make('/contracts', title='Roof'))['id']}"
    project = (await desk.make("/projects", name="Roof"))["id"]
    return (
        f"/projects/{project}/{kind}/{(await desk.make(f'/projects/{project}/{kind}', title='Offer'))['id']}"
    )


@pytest.mark.parametrize("kind", ["documents", "tasks", "contracts"])
async def test_a_file_is_hung_on_listed_given_back_and_taken_off(desk: Desk, kind: str) -> None:
    here = await _owner(desk, kind)
    content = b"As agreed.\r\n\x00\xff"

    made = await desk.attach(here, "Angebot für Zoë 文書.txt", content)
    assert made.status == 201, made.raw
    sha256 = hashlib.sha256(content).hexdigest()
    told = made.json
    assert (told["name"], told["size"], told["sha256"]) == ("Angebot für Zoë 文書.txt", 14, sha256)
    assert (told["mime"], told["last_modified"]) == ("text/plain", told["created_at"])
    assert told["url"] == made.headers["Location"] == f"/api/v1{here}/attachments/{told['id']}"
    assert (await desk.read(f"{here}/attachments"))["items"] == [told]

    given = await desk.visitor.get(told["url"])
    assert (given.status, given.raw, given.headers["ETag"]) == (200, content, f'"{sha256}"')
    assert given.headers["Content-Type"] == "text/plain"
    assert given.headers["Content-Length"] == "14"
    assert given.headers["Content-Disposition"].startswith('attachment; filename="Angebot f_r Zo_')
    assert given.headers["Content-Disposition"].endswith(
        "filename*=UTF-8''Angebot%20f%C3%BCr%20Zo%C3%AB%20%E6%96%87%E6%9B%B8.txt"
    )
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    known = await desk.visitor.get(told["url"], headers={"If-None-Match": f'"{sha256}"'})
    assert (known.status, known.raw, known.headers["ETag"]) == (304, b"", f'"{sha256}"')

    assert (await desk.visitor.ask("DELETE", told["url"])).status == 204
    assert (await desk.visitor.get(told["url"])).status == 404
    assert (await desk.read(f"{here}/attachments"))["items"] == []


async def test_an_attachment_is_found_at_its_own_item_only(desk: Desk) -> None:
    here, elsewhere = await _owner(desk, "documents"), await _owner(desk, "documents")
    made = (await desk.attach(here, "a.txt", b"x")).json
    there = f"/api/v1{elsewhere}/attachments/{made['id']}"

    for method in ("GET", "DELETE"):
        assert (await desk.visitor.ask(method, there)).status == 404
    missing = here.replace("documents/", "documents/none-")
    assert (await desk.attach(missing, "a.txt", b"x")).status == 404
    assert (await desk.visitor.get(made["url"])).raw == b"x"


async def test_equal_bytes_are_stored_once(desk: Desk) -> None:
    here = await _owner(desk, "documents")
    for name in ("a.txt", "b.txt"):
        await desk.attach(here, name, b"the same")

    kept = [file for file in desk.files.rglob("*") if file.is_file()]
    assert [file.read_bytes() for file in kept] == [b"the same"]
    assert [each["name"] for each in (await desk.read(f"{here}/attachments"))["items"]] == ["a.txt", "b.txt"]


@pytest.mark.parametrize("size", [0, KIB, LONG])
async def test_a_file_goes_in_and_out_piece_by_piece_however_long_it_is(desk: Desk, size: int) -> None:
    here = await _owner(desk, "documents")
    told = hashlib.sha256()

    async def content() -> AsyncIterator[bytes]:
        for at in range(0, size, len(PIECE)):
            piece = PIECE[: size - at]
            told.update(piece)
            yield piece

    tracemalloc.start()
    made = await desk.attach(here, "long.bin", content())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert made.status == 201, made.raw
    assert (made.json["size"], made.json["sha256"]) == (size, told.hexdigest())
    assert peak < 6 * KIB * KIB
    async with desk.visitor.http.get(
        f"{desk.visitor.base_url}{made.json['url']}", headers=desk.visitor.headers
    ) as got:
        again = hashlib.sha256()
        async for piece in got.content.iter_any():
            again.update(piece)
    assert again.hexdigest() == told.hexdigest()


async def test_other_requests_stay_short(desk: Desk) -> None:
    answer = await desk.visitor.ask("POST", "/api/v1/projects", data=io.BytesIO(b"x" * (2 * KIB * KIB)))

    assert (answer.status, answer.code) == (413, "request.too_large")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {"Content-Type": "application/json"}),
        (b"x", {"Content-Type": "multipart/form-data; boundary=b"}),
        (b"", {}),
        (
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n--b--\r\n',
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
    ],
)
async def test_anything_but_a_form_with_a_file_is_refused_and_nothing_is_kept(
    desk: Desk, body: bytes, headers: dict[str, str]
) -> None:
    here = await _owner(desk, "documents")
    answer = await desk.visitor.ask("POST", f"/api/v1{here}/attachments", data=body, headers=headers)

    assert (answer.status, answer.code) == (422, "request.invalid"), answer.raw
    assert [fault["pointer"] for fault in answer.json["errors"]] == ["/file"]
    assert (await desk.read(f"{here}/attachments"))["items"] == []
    assert [file for file in desk.files.rglob("*") if file.is_file()] == []


async def test_an_upload_with_a_key_is_done_once(desk: Desk) -> None:
    here = await _owner(desk, "documents")

    first = await desk.attach(here, "a.txt", b"x", Idempotency_Key="a")
    again = await desk.attach(here, "a.txt", b"x", Idempotency_Key="a")
    other = await desk.attach(here, "a.txt", b"y", Idempotency_Key="a")

    assert (first.status, first.raw) == (again.status, again.raw)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status, other.code) == (422, "request.key_reused")
    assert len((await desk.read(f"{here}/attachments"))["items"]) == 1


async def test_who_may_not_write_is_refused_before_anything_is_read(desk: Desk) -> None:
    here = await _owner(desk, "documents")
    reader = desk.office.program(await desk.admin.make_token("workspace:read"))

    answer = await reader.ask("POST", f"/api/v1{here}/attachments", data=b"not even a form")

    assert answer.code == "access.missing_right"
