"""What a service takes while nothing happens: CPU and memory of `syncline serve`, beside a bare web server that only waits.

Embedded, with a few syncs that poll as often as they do by default. Told without a goal.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from bench.accounts import SYNC, written
from bench.figures import Figure, told
from bench.town import Town, furnish, ready, vendors

_SYNCS = 3
_SETTLES = 5.0
_BARE = """
import uvicorn
from starlette.applications import Starlette
uvicorn.run(Starlette(), port=0, log_level="warning")
"""


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """CPU a minute, and memory."""
    yield from measure(1.0, 0.5) if is_quick else measure(60.0, _SETTLES)


def measure(seconds: float, settles: float) -> list[Figure]:
    """The figures of so many seconds, after some in which the processes settle down."""
    (cpu, memory), (bare_cpu, bare_memory) = asyncio.run(_measured(seconds, settles))
    return [
        told(f"CPU of an idle service, {_SYNCS} syncs", cpu, "ms/min", bare_cpu),
        told("memory of an idle service", memory, "MiB", bare_memory),
    ]


_Taken = tuple[float, float]


async def _measured(seconds: float, settles: float) -> tuple[_Taken, _Taken]:
    with tempfile.TemporaryDirectory() as folder:
        async with vendors() as accounts:
            town = Town(Path(folder), accounts)
            await furnish(town, 200)
            configuration = written(town.reach, 0)
            (model,) = configuration["syncs"].values()
            fields = model["fields"]
            # Several syncs of the same records, each with a field of its own.
            configuration["syncs"] = {
                f"{SYNC}{number}": {**model, "fields": fields[: number + 1], "create": "none"}
                for number in range(_SYNCS)
            }
            town.write(configuration)
            town.command("run")
            with ExitStack() as running:
                service = running.enter_context(town.process("serve", "--port", "0"))
                bare = running.enter_context(_bare())
                await ready(town, service)
                await asyncio.sleep(settles)
                watched = [psutil.Process(each) for each in (service.pid, bare)]
                before = [_cpu(each) for each in watched]
                await asyncio.sleep(seconds)
                ours, others = (
                    ((_cpu(each) - cpu) * 60_000 / seconds, each.memory_info().rss / 2**20)
                    for each, cpu in zip(watched, before, strict=True)
                )
                return ours, others


@contextmanager
def _bare() -> Generator[int]:
    """The process of a web server without a single page."""
    with subprocess.Popen([sys.executable, "-c", _BARE]) as running:
        try:
            yield running.pid
        finally:
            running.terminate()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
