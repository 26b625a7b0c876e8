"""Files on their way in and out: forms that are read piece by piece, names that are safe, tags that are the bytes' own."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from syncline.errors import RequestError
from syncline.web.downloads import KeptFile, disposition, is_known
from syncline.web.uploads import content_of, upload_of

BOUNDARY = "----a1b2"
HEAD = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain'


def _form(*parts: tuple[str, bytes], boundary: str = BOUNDARY, is_closed: bool = True) -> bytes:
    body = b"".join(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts)
    return body + (f"--{boundary}--\r\n".encode() if is_closed else b"")


def _request(body: bytes, *, kind: str = "", step: int = 7) -> Request:
    pieces = [body[at : at + step] for at in range(0, len(body), step)] or [b""]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    kind = kind or f"multipart/form-data; boundary={BOUNDARY}"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(b"content-type", kind.encode())],
        "state": {},
    }
    return Request(scope, receive)


async def _all(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([each async for each in chunks])


@pytest.mark.parametrize("step", [1, 2, 64, 100_000])
async def test_a_file_comes_out_as_it_went_in(step: int) -> None:
    content = random.Random(5).randbytes(3000) + b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n\r\n"
    upload = await upload_of(_request(_form((HEAD, content)), step=step))

    assert (upload.name, upload.mime) == ("a.txt", "text/plain")
    assert await _all(upload.chunks()) == content


async def test_an_empty_file_is_one() -> None:
    upload = await upload_of(_request(_form((HEAD, b""))))

    assert (upload.name, await _all(upload.chunks())) == ("a.txt", b"")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ('filename="Übung für Zoë 文書.pdf"', "Übung für Zoë 文書.pdf"),
        ('filename="C:\\\\Users\\\\a\\\\plan.pdf"', "plan.pdf"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename=".."', "file"),
        ('filename=""', "file"),
        ("", "file"),
        ('filename="say %22now%22.txt"', 'say "now".txt'),
        ('filename="100%.txt"', "100%.txt"),
        ('filename="fdp\u202eexe.b\u00a0c"', "fdp exe.b c"),
    ],
)
async def test_a_name_is_kept_without_its_folders(told: str, name: str) -> None:
    head = f'Content-Disposition: form-data; name="file"; {told}'
    upload = await upload_of(_request(_form((head, b"x"))))

    assert (upload.name, upload.mime) == (name, "application/octet-stream")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        _form(),
        _form((HEAD, b"x"), is_closed=False),
        _form((HEAD, b"x"))[:-30],
        _form((HEAD, b"x"), (HEAD, b"y")),
        _form((HEAD, b"x"), ('Content-Disposition: form-data; name="note"', b"y")),
        _form(('Content-Disposition: form-data; name="other"; filename="a"', b"y")),
        _form(("Content-Type: text/plain", b"y")),
        _form((HEAD, b"x"), boundary="----other"),
    ],
)
async def test_anything_but_one_whole_file_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        await _all((await upload_of(_request(body))).chunks())

    assert [each.path for each in refused.value.problems] == ["file"]


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=x"])
async def test_only_a_form_is_taken(kind: str) -> None:
    with pytest.raises(RequestError, match="cannot be taken"):
        await upload_of(_request(_form((HEAD, b"x")), kind=kind))


async def test_a_client_that_goes_away_is_noticed() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    request = _request(b"x")
    with pytest.raises(RequestError):
        await upload_of(Request(request.scope, receive))


async def test_the_same_file_is_known_again_whatever_form_is_around_it() -> None:
    one = await content_of(_request(_form((HEAD, b"x"))))
    kind = "multipart/form-data; boundary=zz"
    again = await content_of(_request(_form((HEAD, b"x"), boundary="zz"), kind=kind))
    other = await content_of(_request(_form((HEAD, b"y"))))
    renamed = await content_of(_request(_form((HEAD.replace("a.txt", "b.txt"), b"x"))))

    assert one == again
    assert len({one, other, renamed}) == 3


async def test_what_was_read_before_is_not_read_again() -> None:
    request = _request(_form((HEAD, b"x")))
    upload = await upload_of(request)
    assert await _all(upload.chunks()) == b"x"

    assert await content_of(request) == upload.digest


async def test_no_more_is_held_than_what_came_in() -> None:
    taken, given = 0, 0
    piece = b"z" * 65_536

    async def receive() -> dict[str, object]:
        nonlocal given
        given += 1
        if given == 1:
            return {
                "type": "http.request",
                "body": _form((HEAD, b""), is_closed=False)[:-2],
                "more_body": True,
            }
        if given < 400:
            return {"type": "http.request", "body": piece, "more_body": True}
        return {"type": "http.request", "body": f"\r\n--{BOUNDARY}--\r\n".encode(), "more_body": False}

    upload = await upload_of(Request(_request(b"").scope, receive))
    chunks: AsyncGenerator[bytes] = upload.chunks()
    async for each in chunks:
        taken += len(each)
        assert taken >= (given - 3) * len(piece)

    assert taken == 398 * len(piece)


# --- out --------------------------------------------------------------------------------------------------------------


@given(st.text())
def test_any_name_makes_one_safe_header(name: str) -> None:
    header = disposition(name)

    header.encode("ascii")
    assert header.isprintable()
    plain, whole = header.removeprefix('attachment; filename="').split("\"; filename*=UTF-8''")
    assert '"' not in plain
    assert not set("/\\%") & set(plain)
    assert whole


def test_a_name_is_given_for_old_and_new_clients() -> None:
    assert disposition("Übung 1.pdf") == (
        "attachment; filename=\"_bung 1.pdf\"; filename*=UTF-8''%C3%9Cbung%201.pdf"
    )
    assert "\u202e" not in disposition("a\u202efdp.exe")
    assert "%E2%80%AE" not in disposition("a\u202efdp.exe")


@pytest.mark.parametrize(
    ("sent", "known"),
    [(None, False), ('"ab"', True), ('W/"ab"', True), ('"x", "ab"', True), ("*", True), ('"x"', False)],
)
def test_who_has_a_file_is_told_so(sent: str | None, known: bool) -> None:
    assert is_known(KeptFile("a", "text/plain", 1, "ab"), sent) is known
