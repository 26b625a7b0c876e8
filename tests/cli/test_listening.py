"""The socket that `syncline serve` listens at."""

from __future__ import annotations

import asyncio
import socket

from syncline.cli.serve import listening


async def test_an_answer_in_two_parts_does_not_wait_for_the_receiver() -> None:
    told: asyncio.Queue[int] = asyncio.Queue()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.put_nowait(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(accept, sock=listening("127.0.0.1", 0)) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(told.get(), 5) == 1
        writer.close()
