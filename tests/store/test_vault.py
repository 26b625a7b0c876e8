"""Attachments' bytes in a directory: once each, whole or not at all, and never all of them in memory."""

from __future__ import annotations

import datetime as dt
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncline.errors import StoreError
from syncline.store import DirectoryVault

_LARGE = 25 * 1024 * 1024
_CHUNK = 64 * 1024


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    """Bytes as they come in."""
    for each in given:
        yield each


async def large() -> AsyncIterator[bytes]:
    """25 MB that never lie together."""
    for number in range(_LARGE // _CHUNK):
        yield number.to_bytes(4, "big") * (_CHUNK // 4)


async def read(vault: DirectoryVault, sha256: str) -> bytes:
    """All bytes of a small file."""
    return b"".join([piece async for piece in vault.read(sha256)])


def files(folder: Path) -> int:
    """How many files there are, whole or not."""
    return sum(path.is_file() for path in folder.rglob("*"))


@pytest.mark.parametrize("content", [b"", b"x", b"\x00\xff" * 512])
async def test_what_is_settled_is_read_again(tmp_path: Path, content: bytes) -> None:
    vault = DirectoryVault(tmp_path)

    received = await vault.receive(pieces(content[:1], content[1:]))
    vault.settle(received)

    assert (received.sha256, received.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert await read(vault, received.sha256) == content
    assert list(vault.digests()) == [received.sha256]


async def test_equal_bytes_are_stored_once(tmp_path: Path) -> None:
    vault = DirectoryVault(tmp_path)
    for _ in range(3):
        vault.settle(await vault.receive(pieces(b"same")))

    assert files(tmp_path) == 1


async def test_what_was_not_settled_is_not_there(tmp_path: Path) -> None:
    vault = DirectoryVault(tmp_path)
    received = await vault.receive(pieces(b"unwanted"))

    with pytest.raises(StoreError, match="not there"):
        await read(vault, received.sha256)
    assert list(vault.digests()) == []
    vault.forget(received)
    vault.forget(received)
    assert files(tmp_path) == 0


async def test_a_sender_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises((ConnectionResetError, StoreError)):
        await DirectoryVault(tmp_path).receive(broken())

    assert files(tmp_path) == 0


async def test_removed_bytes_are_gone_and_removing_twice_is_no_error(tmp_path: Path) -> None:
    vault = DirectoryVault(tmp_path)
    received = await vault.receive(pieces(b"x"))
    vault.settle(received)

    vault.remove(received.sha256)
    vault.remove(received.sha256)

    assert list(vault.digests()) == []


async def test_what_was_left_half_received_long_ago_is_forgotten(tmp_path: Path) -> None:
    vault = DirectoryVault(tmp_path)
    received = await vault.receive(pieces(b"left behind"))
    now = dt.datetime.fromtimestamp((tmp_path / "incoming" / received.place).stat().st_mtime, dt.UTC)

    assert vault.abandon(now - dt.timedelta(hours=1)) == 0
    assert vault.abandon(now + dt.timedelta(hours=1)) == 1
    assert DirectoryVault(tmp_path / "nowhere").abandon(now) == 0
    assert files(tmp_path) == 0


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "AB" * 32, "0" * 63])
async def test_only_a_digest_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError):
        await read(DirectoryVault(tmp_path), name)


async def test_a_large_file_needs_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    vault = DirectoryVault(tmp_path)
    tracemalloc.start()
    try:
        received = await vault.receive(large())
        vault.settle(received)
        size = 0
        async for piece in vault.read(received.sha256):
            size += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size == received.size == _LARGE
    assert peak < 2 * 1024 * 1024
