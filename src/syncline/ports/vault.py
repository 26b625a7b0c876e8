"""What the service knows of the place where attachments' bytes lie: found by their SHA-256, stored once.

Implemented by `store.vault` (a directory). Bytes go in and out in pieces, so that a large file needs no more memory than a small
one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

import msgspec


class Received(msgspec.Struct, frozen=True):
    """Bytes that are there and not settled yet. `sha256` is hexadecimal; `place` is the vault's own."""

    sha256: str
    size: int
    place: str


class Vault(Protocol):
    """Bytes by their SHA-256."""

    async def receive(self, chunks: AsyncIterator[bytes]) -> Received:
        """Take bytes in; they count for nothing until they are settled. Raises `StoreError` when they cannot be kept."""
        ...

    def settle(self, received: Received) -> None:
        """Let received bytes stand under their SHA-256; what is there already stays as it is."""
        ...

    def forget(self, received: Received) -> None:
        """Received bytes are not wanted. None are there once they were settled: that is no error."""
        ...

    def abandon(self, before: dt.datetime) -> int:
        """Forget what began to come in before then, and was never settled; how many there were."""
        ...

    def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises `StoreError` when they are not there."""
        ...

    def remove(self, sha256: str) -> None:
        """Forget settled bytes; none there is no error."""
        ...

    def digests(self) -> Iterator[str]:
        """What is there, in any order."""
        ...
