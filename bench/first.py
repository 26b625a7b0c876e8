"""The first sync's throughput over real HTTP, against a bare aiohttp client that posts the very same bodies.

Both talk to a fresh sandbox in another process, with as many requests at a time. The engine's time is that of the whole
run: it lists both sides, matches, plans, creates each record, and notes every step before and after. The bare client
only posts and reads the answers.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import msgspec

from bench.accounts import KEY_FIELD, OBJECT, RELAXED, SYNC, Reach, installed, make_object
from bench.figures import Figure, at_least
from bench.wires import Bodies
from syncline.bootstrap import SystemClock
from syncline.connectors.http import AiohttpTransport
from syncline.engine.runs import Options, run
from syncline.engine.sync import Patience
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.run import AccountCard, SandboxCard

SHARE = 0.7
_WRITERS = Patience().writers
_LATE = 0.05
_CREATES = f"/objects/{OBJECT}/records"
_Post = tuple[str, bytes]


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """Records created each second: by a sandbox as fast as it can, and by one that answers as late as a vendor does."""
    count, slow_count, rounds = (100, 60, 1) if is_quick else (3_000, 600, 3)
    yield measure(count, rounds)
    yield measure(slow_count, rounds, _LATE)


def measure(count: int, rounds: int, late: float = 0) -> Figure:
    """Turn about, the best round of each: the machine may be busy with something else.

    `late`: seconds that each create waits for its answer.
    """
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        with _served(count) as cards:
            seconds, posts = asyncio.run(_through_engine(cards, count, late))
            ours.append(count / seconds)
        with _served(count) as cards:
            bare.append(count / asyncio.run(_through_aiohttp(cards, posts, late)))
    name = f"first sync of {count:,} records" + (f", answers after {late * 1000:.0f} ms" if late else "")
    return at_least(name, max(ours), "records/s", max(bare), SHARE)


@contextmanager
def _served(count: int) -> Generator[Sequence[AccountCard], None, None]:
    """Fresh accounts in another process, stopped at the end."""
    command = [sys.executable, "-m", "bench.served", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield msgspec.json.decode(process.stdout.readline(), type=SandboxCard).accounts
        process.communicate()


async def _through_engine(cards: Sequence[AccountCard], count: int, late: float) -> tuple[float, list[_Post]]:
    """Seconds of the run, and what was posted."""
    left, right = cards
    reach = Reach(left.base_url, left.token, right.base_url, right.token, right.location)
    await _furnish(reach, right, late)
    wire = Bodies(AiohttpTransport(), _CREATES)
    with tempfile.TemporaryDirectory() as folder:
        home = installed(reach, Path(folder) / "syncline.db", SystemClock(), wire)
        sync = await home.sync(SYNC)
        started = time.perf_counter()
        report = await run(home.world(), sync, home.jitter, Options(release=RELAXED))
        seconds = time.perf_counter() - started
        await home.close()
    assert report.right.created == len(wire.kept) == count
    assert not report.failures
    return seconds, wire.kept


async def _through_aiohttp(cards: Sequence[AccountCard], posts: Sequence[_Post], late: float) -> float:
    """Seconds for the same posts, as many at a time."""
    left, right = cards
    await _furnish(Reach(left.base_url, left.token, right.base_url, right.token, right.location), right, late)
    headers = {
        "authorization": f"Bearer {right.token}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }
    async with aiohttp.ClientSession(right.server_url, headers=headers) as session:
        waiting = iter(posts)

        async def work() -> None:
            for path, body in waiting:
                async with session.post(path, data=body) as answer:
                    assert answer.status < 300, await answer.text()
                    await answer.read()

        started = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(_WRITERS)))
        return time.perf_counter() - started


async def _furnish(reach: Reach, card: AccountCard, late: float) -> None:
    """The ticket object, with a unique key field; then the delay."""
    transport = AiohttpTransport()
    await make_object(reach, SystemClock(), transport)
    wishes: dict[str, object] = {"act": {"action": "make_unique", "object": OBJECT, "field": KEY_FIELD}}
    if late:
        wishes["faults"] = Fault(FaultKind.SLOW, "POST", _CREATES + "$", seconds=late)
    for path, wish in wishes.items():
        answer = await transport.send("POST", f"{card.control_url}{path}", {}, msgspec.json.encode(wish))
        assert answer.is_ok, answer.body
    await transport.close()
