"""Signed webhooks onto a server, as fast as it answers them: the other end of `intake`, in a process of its own.

Started by `intake` as `python -m bench.sender HOST PORT PATH COUNT CONNECTIONS SEED`. Every connection sends the next webhook
when the last one is answered. Prints one JSON line: seconds, latencies in milliseconds, and how many were answered with 200.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from collections.abc import Iterator
from typing import cast

import msgspec
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOCATION, TICKET = "bench-location", "custom_objects.ticket"


class Sent(msgspec.Struct, frozen=True):
    """What was measured. `latencies` are sorted."""

    seconds: float
    latencies: tuple[float, ...]
    accepted: int

    def quantile(self, share: float) -> float:
        """The latency that this share of all requests did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds


def public_key() -> str:
    """The key that the receiver is to believe, as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _KEY.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _request(host: str, path: str, number: str) -> bytes:
    body = msgspec.json.encode(
        {
            "type": "RecordUpdate",
            "timestamp": "2026-03-02T09:00:00.000Z",
            "webhookId": number,
            "appId": "app",
            "versionId": "version",
            "id": f"record-{number}",
            "objectKey": TICKET,
            "locationId": LOCATION,
            "owners": ["60d5ec49f72b2a001f5f9d91"],
            "followers": [],
            "properties": [{"key": f"field_{each}", "valueString": "some text" * 3} for each in range(8)],
        }
    )
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-GHL-Signature: {base64.b64encode(_KEY.sign(body)).decode()}\r\n\r\n"
    )
    return head.encode() + body


class _Line(asyncio.Protocol):
    """One connection: the next request when the last one is answered."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], statuses: list[bytes]) -> None:
        self._requests = requests
        self._latencies = latencies
        self._statuses = statuses
        self._read = b""
        self._began = 0.0
        self.is_done = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own class, which is none of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.is_done.set()
            return
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, mark, body = self._read.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) >= length:
            self._latencies.append((time.perf_counter() - self._began) * 1_000)
            self._statuses.append(head[9:12])
            self._read = b""
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_done.set()


async def _send(host: str, port: int, requests: list[bytes], connections: int) -> Sent:
    latencies: list[float] = []
    statuses: list[bytes] = []
    waiting = iter(requests)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    lines = [
        (await loop.create_connection(lambda: _Line(waiting, latencies, statuses), host, port))[1]
        for _ in range(connections)
    ]
    for line in lines:
        await line.is_done.wait()
    return Sent(time.perf_counter() - began, tuple(sorted(latencies)), statuses.count(b"200"))


def main(host: str, port: str, path: str, count: str, connections: str, seed: str) -> None:
    """Sign everything, then send it."""
    requests = [_request(host, path, f"{seed}-{number}") for number in range(int(count))]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sent = runner.run(_send(host, int(port), requests, int(connections)))
    print(msgspec.json.encode(sent).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
