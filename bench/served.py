"""Two fresh sandbox accounts in a process of their own, ActiveCollab filled: the other end of `first`.

Started by `first` as `python -m bench.served COUNT`. Prints one JSON line that says how to reach the accounts, and serves
until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from bench.accounts import PLENTY, tasks
from syncline.sandbox.activecollab import ActiveCollabVendor
from syncline.sandbox.run import Plan, SandboxCard, open_sandboxes


async def serve(count: int) -> None:
    """Open, fill, say where, wait."""
    async with open_sandboxes(Plan()) as opened:
        left, right = (each.server.vendor for each in opened)
        assert isinstance(left, ActiveCollabVendor)
        left.load(tasks(count))
        right.control("quota", dict(PLENTY))
        print(msgspec.json.encode(SandboxCard(tuple(each.card for each in opened))).decode(), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
