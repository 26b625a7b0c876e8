"""kill -9 at any moment: what was answered with 2xx is there afterwards, and becomes a mark."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from syncline.store import open_store
from tests.service.hall import HL_PATH, Hall, event, signed


class Answered(set[str]):
    """The records whose events were answered; tells when there are enough."""

    def __init__(self, enough: int) -> None:
        super().__init__()
        self._enough = enough
        self.are_enough = asyncio.Event()

    def note(self, key: str) -> None:
        self.add(key)
        if len(self) >= self._enough:
            self.are_enough.set()


async def _send(client: aiohttp.ClientSession, url: str, number: int, answered: Answered) -> None:
    body = event(number)
    try:
        async with client.post(url, data=body, headers=signed(body)) as answer:
            if answer.status == 200:
                answered.note(f"r{number}")
    except aiohttp.ClientError:
        return


@pytest.mark.parametrize("enough", [1, 40])
async def test_killing_the_process_loses_nothing_that_was_answered(tmp_path: Path, enough: int) -> None:
    url = f"sqlite:///{tmp_path}/syncline.db"
    answered = Answered(enough)
    command = [sys.executable, "-m", "tests.service.listening", url]
    with subprocess.Popen(  # noqa: ASYNC220 - it is started before anything else runs
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        async with aiohttp.ClientSession() as client:
            target = f"{address}/hooks/{HL_PATH}"
            tasks = [asyncio.create_task(_send(client, target, each, answered)) for each in range(200)]
            await asyncio.wait_for(answered.are_enough.wait(), 30)
            process.kill()
            await asyncio.gather(*tasks)

    hall = Hall(store=open_store(url))
    hall.intake.catch_up()
    kept = {each.key for each in hall.kept()}
    assert enough <= len(answered) <= len(kept)
    assert answered <= kept
    assert kept == set(hall.keys())
    hall.store.close()
