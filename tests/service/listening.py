"""A process that listens for webhooks on a SQLite file, to be killed: `python -m tests.service.listening FILE`.

Prints its port once it serves.
"""

from __future__ import annotations

import asyncio
import sys

from syncline.store import open_store
from tests.service.hall import Hall, open_hall


async def _listen(url: str) -> None:
    hall = Hall(store=open_store(url))
    async with open_hall(hall) as address:
        print(address, flush=True)  # noqa: T201 - read by the test
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_listen(sys.argv[1]))
