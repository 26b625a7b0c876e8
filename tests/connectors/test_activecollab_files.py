"""ActiveCollab's files and attachments: their description as fields, their bytes by a token that is not the API's."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import pytest

from syncline.connectors.activecollab.connector import connect
from syncline.connectors.http import AiohttpTransport, Answer, Environment
from syncline.connectors.multipart import Outgoing
from syncline.connectors.transport import PIECE
from syncline.core.records import FieldId, ObjectTypeId, RecordKey, Scope
from syncline.core.values import BLANK, File, Files, Number
from syncline.errors import ConnectorError, NotFoundError, RejectedError, TransientError
from tests.connectors.activecollab_kinds import CommentWorld, FileWorld
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world
from tests.connectors.conformance import present

FILE, ATTACHMENT = ObjectTypeId("file"), ObjectTypeId("attachment")


@pytest.fixture
async def world() -> AsyncGenerator[ActiveCollabWorld, None]:
    async with open_world(object_type="file", world_class=FileWorld) as world:
        yield world


def put(world: ActiveCollabWorld, name: str, content: bytes) -> RecordKey:
    """A person uploads a file of these bytes."""
    file = world.act("create_file", project=int(world.first), name=name, content=content.decode())
    return RecordKey(str(file.id))


async def fetched(world: ActiveCollabWorld, key: RecordKey, kind: ObjectTypeId = FILE) -> list[bytes]:
    return [piece async for piece in world.connector.content(kind, key)]


@pytest.mark.parametrize("size", [0, 1000, 25_000_000])
async def test_a_file_comes_in_pieces_and_whole(world: ActiveCollabWorld, size: int) -> None:
    content = b"0123456789" * (size // 10)
    key = put(world, "Pläne.txt", content)

    digest, longest, total = hashlib.sha256(), 0, 0
    async for piece in world.connector.content(FILE, key):
        digest.update(piece)
        longest, total = max(longest, len(piece)), total + len(piece)

    assert (total, digest.digest()) == (size, hashlib.sha256(content).digest())
    assert longest <= PIECE


async def test_a_file_is_described(world: ActiveCollabWorld) -> None:
    record = await present(world, put(world, "Pläne.txt", b"twelve bytes"))

    assert record.title == "Pläne.txt"
    assert record.fields[FieldId("size")] == Number(12)
    assert not any("TOKEN" in str(value) for value in record.fields.values())


class Overheard:
    """Passes everything on, and keeps what headers went to which address."""

    def __init__(self, inner: AiohttpTransport) -> None:
        self.inner = inner
        self.heard: list[tuple[str, Mapping[str, str]]] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        self.heard.append((url, headers))
        return await self.inner.send(method, url, headers, body)

    async def pieces(self, url: str, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        self.heard.append((url, headers))
        async for piece in self.inner.pieces(url, headers):
            yield piece

    async def pour(self, url: str, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> Answer:
        self.heard.append((url, headers))
        return await self.inner.pour(url, headers, body)

    async def close(self) -> None:
        await self.inner.close()


def overheard(world: ActiveCollabWorld) -> Overheard:
    transport: Any = world.environment.transport
    spy = Overheard(transport)
    world.connector = connect("ac", world.settings, Environment(spy, world.clock, lambda: 0.5))
    return spy


async def test_the_api_token_goes_to_the_api_alone(world: ActiveCollabWorld) -> None:
    key, spy = put(world, "a.txt", b"secret"), overheard(world)

    assert b"".join(await fetched(world, key)) == b"secret"

    (away,) = [(url, headers) for url, headers in spy.heard if "/warehouse/" in url]
    assert world.settings.token not in f"{away}"
    assert "x-angie-authapitoken" not in away[1]


async def test_one_token_does_for_many_files_until_it_is_old(world: ActiveCollabWorld) -> None:
    keys, spy = [put(world, f"{number}.txt", b"x") for number in range(3)], overheard(world)
    for key in keys:
        await fetched(world, key)
    await world.clock.sleep(dt.timedelta(hours=2).total_seconds())

    assert await fetched(world, keys[0]) == [b"x"]
    assert sum(url.endswith("issue-file-access-token") for url, _ in spy.heard) == 2


async def test_bytes_that_are_gone_are_not_found_and_refused_ones_may_come_later(
    world: ActiveCollabWorld,
) -> None:
    key = put(world, "a.txt", b"x")
    with pytest.raises(NotFoundError):
        await fetched(world, RecordKey("4711"))
    await fetched(world, key)
    world.vendor.account.file_tokens.clear()

    with pytest.raises(TransientError):
        await fetched(world, key)

    world.vendor.account.contents.clear()
    await world.clock.sleep(dt.timedelta(hours=2).total_seconds())
    with pytest.raises(NotFoundError):
        await fetched(world, key)


async def test_a_transport_that_knows_no_pieces_says_so(world: ActiveCollabWorld) -> None:
    class Whole:
        def __init__(self, inner: AiohttpTransport) -> None:
            self.send, self.close = inner.send, inner.close

    key = put(world, "a.txt", b"x")
    inner: Any = world.environment.transport
    world.connector = connect("ac", world.settings, Environment(Whole(inner), world.clock, lambda: 0.5))

    with pytest.raises(ConnectorError, match="cannot be fetched"):
        await fetched(world, key)


@pytest.mark.parametrize("kind", ["task", "note", "discussion", "comment"])
async def test_what_is_attached_is_a_field_and_can_be_fetched(kind: str) -> None:
    async with open_world(object_type="comment", world_class=CommentWorld) as world:
        on = await world.create("Hello") if kind == "comment" else RecordKey(getattr(world, kind))
        world.scope = Scope(ObjectTypeId(kind), {"project": (world.first,)})
        before = (await present(world, on)).fields[FieldId("attachments")]
        made = world.act("add_attachment", **{kind: int(on)}, name="a.txt", content="attached")

        after = (await present(world, on)).fields[FieldId("attachments")]

        assert (before, after) == (BLANK, Files((File("a.txt", 8),)))
        assert b"".join(await fetched(world, RecordKey(str(made.id)), ATTACHMENT)) == b"attached"


def outgoing(name: str, content: bytes, *, size: int | None = None) -> Outgoing:
    async def opened() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]

    return Outgoing(name, "application/octet-stream", len(content) if size is None else size, opened)


@pytest.mark.parametrize("size", [0, 1000, 25_000_000])
@pytest.mark.parametrize("kind", ["note", "task"])
async def test_a_file_is_attached_whole_under_its_own_name(kind: str, size: int) -> None:
    async with open_world(object_type="comment", world_class=CommentWorld) as world:
        on, content = RecordKey(getattr(world, kind)), b"\x00\xff\r\n-" * (size // 5)
        world.scope = Scope(ObjectTypeId(kind), {"project": (world.first,)})

        await world.connector.attach(world.scope, on, outgoing("Pläne.bin", content))

        assert (await present(world, on)).fields[FieldId("attachments")] == Files((File("Pläne.bin", size),))
        assert b"".join(await fetched(world, RecordKey("1"), ATTACHMENT)) == content


async def test_a_comment_can_have_something_attached_and_a_subtask_can_not() -> None:
    async with open_world(object_type="comment", world_class=CommentWorld) as world:
        on = await world.create("Hello")
        await world.connector.attach(world.scope, on, outgoing("a.txt", b"a"))
        assert (await present(world, on)).fields[FieldId("attachments")] == Files((File("a.txt", 1),))

        subtasks = Scope(ObjectTypeId("subtask"), {"project": (world.first,)})
        with pytest.raises(RejectedError):
            await world.connector.attach(subtasks, on, outgoing("a.txt", b"a"))


@pytest.mark.parametrize("said", [1, 3])
async def test_a_file_of_another_size_than_was_said_is_not_attached(said: int) -> None:
    async with open_world(object_type="comment", world_class=CommentWorld) as world:
        world.scope = Scope(ObjectTypeId("note"), {"project": (world.first,)})

        with pytest.raises(ConnectorError):
            await world.connector.attach(world.scope, RecordKey(world.note), outgoing("a", b"ab", size=said))

        assert (await present(world, RecordKey(world.note))).fields[FieldId("attachments")] == BLANK


async def test_an_upload_whose_answer_never_came_may_be_tried_again() -> None:
    async with open_world(object_type="comment", world_class=CommentWorld) as world:
        world.scope = Scope(ObjectTypeId("note"), {"project": (world.first,)})
        world.cut_next_write()

        with pytest.raises(TransientError):
            await world.connector.attach(world.scope, RecordKey(world.note), outgoing("a", b"ab"))
        await world.connector.attach(world.scope, RecordKey(world.note), outgoing("a", b"ab"))

        note = await present(world, RecordKey(world.note))
        assert note.fields[FieldId("attachments")] == Files((File("a", 2),))
