"""A directory as the vault: each file once, under its SHA-256, in a folder named by the first two digits.

Made by `bootstrap` beside the database. What is being received lies under `incoming` and is moved into place in one step, so that a
crash leaves nothing that looks whole and is not.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import os
import re
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from syncline.errors import StoreError
from syncline.ports.vault import Received

_PIECE = 256 * 1024
_INCOMING = "incoming"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class DirectoryVault:
    """Bytes in files. Implements `ports.Vault`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def receive(self, chunks: AsyncIterator[bytes]) -> Received:
        """Take bytes in, piece by piece; on the disk when this returns. Raises `StoreError` when the disk does not take them."""
        place, digest, size = uuid4().hex, hashlib.sha256(), 0
        path = self._folder / _INCOMING / place
        try:
            with _explained():
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    async for chunk in chunks:
                        digest.update(chunk)
                        size += file.write(chunk)
                    await asyncio.to_thread(_flush, file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(digest.hexdigest(), size, place)

    def settle(self, received: Received) -> None:
        """Let received bytes stand under their SHA-256; what is there already stays as it is."""
        path, incoming = self._path(received.sha256), self._folder / _INCOMING / received.place
        with _explained():
            path.parent.mkdir(exist_ok=True)
            if path.exists():
                incoming.unlink(missing_ok=True)
            else:
                incoming.replace(path)

    def forget(self, received: Received) -> None:
        """Received bytes are not wanted."""
        with _explained():
            (self._folder / _INCOMING / received.place).unlink(missing_ok=True)

    def abandon(self, before: dt.datetime) -> int:
        """Forget what began to come in before then, and was never settled; how many there were."""
        count = 0
        with _explained():
            for path in (self._folder / _INCOMING).glob("*"):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)
                    count += 1
        return count

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises `StoreError` when they are not there."""
        with _explained(), self._path(sha256).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
                # Whoever else waits goes on between two pieces, also where the reader is quicker than the disk.
                await asyncio.sleep(0)

    def remove(self, sha256: str) -> None:
        """Forget settled bytes; none there is no error."""
        path = self._path(sha256)
        with _explained():
            path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()

    def digests(self) -> Iterator[str]:
        """What is there, in any order."""
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            if _DIGEST.fullmatch(path.name):
                yield path.name

    def _path(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise StoreError("no SHA-256 was given where one is needed")
        return self._folder / sha256[:2] / sha256


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError("the bytes of this attachment are not there any more") from error
    except OSError as error:
        raise StoreError(f"the disk did not do what was asked: {error.strerror}") from error
