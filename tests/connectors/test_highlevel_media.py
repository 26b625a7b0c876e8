"""Files go into HighLevel's media library and out of it in pieces, once, and their addresses into FILE_UPLOAD fields."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from syncline.connectors.highlevel import Tokens
from syncline.connectors.highlevel.media import MAX_BYTES, MediaFile, delete, download, files, upload
from syncline.connectors.multipart import Outgoing
from syncline.core.records import Create, FieldId, Present, Update
from syncline.core.values import File, Files, Text
from syncline.errors import (
    AuthError,
    BusyError,
    ConnectorError,
    NotFoundError,
    RejectedError,
    TransientError,
    UnknownOutcomeError,
)
from syncline.ports import asking_before_writes
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from tests.connectors.highlevel_world import SCOPE, World, world
from tests.sandbox.openapi import official_spec

UPLOAD = "/medias/upload-file$"
PIECE = bytes(range(256)) * 256


@pytest.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


def repeated(size: int) -> Callable[[], AsyncIterator[bytes]]:
    """A file that is nowhere as a whole."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, len(PIECE)):
            yield PIECE[: size - start]

    return pieces


def file(name: str, size: int) -> Outgoing:
    return Outgoing(name, "application/octet-stream", size, repeated(size))


async def digest(pieces: AsyncIterator[bytes]) -> tuple[int, str]:
    size, found = 0, hashlib.sha256()
    async for piece in pieces:
        size += len(piece)
        found.update(piece)
    return size, found.hexdigest()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("empty.txt", 0),
        ('a "kilobyte".bin', 1000),
        ("Räksmörgås – 計画.pdf", 200_000),
        ("large.bin", MAX_BYTES),
    ],
)
async def test_a_file_comes_back_as_it_went(w: World, name: str, size: int) -> None:
    put = await upload(w.connector.client, file(name, size))

    assert await digest(download(w.connector.client, put.url)) == await digest(repeated(size)())
    assert list(await files(w.connector.client)) == [put]
    assert put.name == name


async def test_a_large_file_needs_no_more_memory_than_a_small_one() -> None:
    async def count(request: web.Request) -> web.Response:
        size = 0
        async for piece in request.content.iter_chunked(1 << 16):
            size += len(piece)
        return web.json_response({"fileId": str(size), "url": "http://127.0.0.1/x"})

    app = web.Application()
    app.router.add_post("/medias/upload-file", count)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (address,) = runner.addresses
    async with world(has_tickets=False) as w:
        client = w.open(url=f"http://127.0.0.1:{address[1]}").client
        await upload(client, file("warm", 1000))
        tracemalloc.start()
        put = await upload(client, file("large.bin", MAX_BYTES))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    await runner.cleanup()

    assert int(put.id) > MAX_BYTES
    assert peak < 4 * 1024 * 1024


async def test_a_file_that_is_too_large_is_told_before_anything_is_sent(w: World) -> None:
    before = w.connector.calls

    with pytest.raises(RejectedError, match="25 MB"):
        await upload(w.connector.client, file("x", MAX_BYTES + 1))

    assert w.connector.calls == before


async def test_a_smaller_limit_of_the_vendor_is_a_refusal() -> None:
    async with world(options=Options(max_media_bytes=10), has_tickets=False) as w:
        with pytest.raises(RejectedError):
            await upload(w.connector.client, file("x", 11))


async def test_an_upload_whose_answer_was_cut_is_found_by_its_name(w: World) -> None:
    w.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", path=UPLOAD, times=1))

    put = await upload(w.connector.client, file("unique-7.bin", 100))

    assert list(await files(w.connector.client)) == [put]


async def test_an_upload_that_left_nothing_is_unclear(w: World) -> None:
    w.faults.add(Fault(FaultKind.STATUS, status=502, method="POST", path=UPLOAD, times=1))

    with pytest.raises(UnknownOutcomeError):
        await upload(w.connector.client, file("unique-7.bin", 100))


async def test_an_upload_that_was_surely_refused_is_sent_again_from_the_start(w: World) -> None:
    w.faults.add(Fault(FaultKind.STATUS, status=429, method="POST", path=UPLOAD, times=1))

    put = await upload(w.connector.client, file("x", 100_000))

    assert (await digest(download(w.connector.client, put.url)))[0] == 100_000


async def test_an_expired_token_is_renewed_and_the_file_sent_again(w: World) -> None:
    saved: list[Tokens] = []
    connector = w.open(access=await w.grant(saved))
    w.clock.advance(86_400)

    put = await upload(connector.client, file("x", 100_000))

    assert (len(saved), (await digest(download(connector.client, put.url)))[0]) == (1, 100_000)


async def test_a_source_that_breaks_off_leaves_no_file_and_tells_its_own_error(w: World) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PIECE
        raise TransientError("the other side went away")

    for source, error, text in (
        (broken, TransientError, "the other side"),
        (repeated(10), ConnectorError, "has not the 100000 bytes"),
        (repeated(200_000), ConnectorError, "has not the 100000 bytes"),
    ):
        with pytest.raises(error, match=text):
            await upload(w.connector.client, Outgoing("x", "text/plain", 100_000, source))

    assert list(await files(w.connector.client)) == []


async def test_whoever_must_not_write_any_more_uploads_nothing(w: World) -> None:
    def stop() -> None:
        raise BusyError("another run holds the sync")

    with asking_before_writes(stop), pytest.raises(BusyError):
        await upload(w.connector.client, file("x", 10))

    assert list(await files(w.connector.client)) == []


async def test_a_missing_scope_is_named(w: World) -> None:
    w.act("set_scopes", token=w.vendor.account.private_tokens[w.location], scopes=["medias.readonly"])

    with pytest.raises(AuthError) as caught:
        await upload(w.connector.client, file("x", 10))

    assert caught.value.missing_scopes == ("medias.write",)


async def test_files_are_put_into_a_field_and_taken_out_by_address_and_stay_in_the_library(w: World) -> None:
    one, two, three = [await upload(w.connector.client, file(f"{number}.bin", number)) for number in range(3)]
    title, field = FieldId("title"), FieldId("files")

    def held(*given: MediaFile) -> Files:
        return Files(tuple(File(url=each.url) for each in given))

    made = await w.connector.write(SCOPE, Create({title: Text("x"), field: held(one, two)}))
    await w.connector.write(SCOPE, Update(made.key, {field: held(two, three)}, {field: held(one, two)}))

    found = await w.connector.fetch(SCOPE, made.key)
    assert isinstance(found, Present)
    assert found.record.fields[field] == held(two, three)
    last = w.witness.exchanges[-2][0]
    assert b'"add":[{"url"' in last.body
    assert len(await files(w.connector.client)) == 3


async def test_a_deleted_file_is_gone_and_once_more_is_no_fault(w: World) -> None:
    put = await upload(w.connector.client, file("x", 10))

    assert [await delete(w.connector.client, put.id), await delete(w.connector.client, put.id)] == [
        True,
        False,
    ]
    with pytest.raises(NotFoundError):
        await digest(download(w.connector.client, put.url))


async def test_every_exchange_fits_the_official_specification(w: World) -> None:
    spec = official_spec()
    put = await upload(w.connector.client, file("x", 10))
    await files(w.connector.client, "x")
    await delete(w.connector.client, put.id)

    exchanges = [each for each in w.witness.exchanges if each[0].path.startswith("/medias")]
    assert {request.method for request, _ in exchanges} == {"POST", "GET", "DELETE"}
    for request, response in exchanges:
        spec.check_exchange(request, response)
