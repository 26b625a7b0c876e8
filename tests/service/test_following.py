"""What one process does is heard in the streams of the others: over one PostgreSQL, as several processes share it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from syncline.bootstrap import SystemClock
from syncline.core.outgoing import VALUES, Event, EventType
from syncline.core.records import SyncId
from syncline.engine.sync import Progress
from syncline.errors import TransientError
from syncline.jobs.embedded import EmbeddedJobs
from syncline.jobs.pgqueuer import PgQueuerJobs
from syncline.service.dispatch import Cause, Happened
from syncline.service.following import Following, Pace
from syncline.service.hub import Hub
from syncline.store import SqlStore, open_store
from tests.clock import START, VirtualClock
from tests.store.postgres import execute, fresh_database

TICKETS, TASKS = SyncId("tickets"), SyncId("tasks")
_LISTENING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%notes%'"
)


@dataclass
class Process:
    """What one process has: a hub, a store, a line to the others; and what its watchers hear."""

    name: str
    url: str
    pace: Pace = field(default_factory=lambda: Pace(notes=0.05, away=0.05, events=0.05))
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    notes: int = 0

    def __post_init__(self) -> None:
        self.hub = Hub(SystemClock(), self.name)
        self.jobs = PgQueuerJobs(self.url, SystemClock())
        self.store = open_store(self.url)
        self.following = Following(self.hub, self, lambda: self.store, self.pace)

    async def say(self, note: str) -> bool:
        """Counted on its way out."""
        self.notes += 1
        return await self.jobs.say(note)

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """As it comes."""
        await self.jobs.listen(hear, missed)

    async def watch(self) -> None:
        """Note what a watcher of this process hears."""
        async for event in self.hub.events(None, 60):
            if event is not None:
                self.heard.append((event.name, dict(event.data)))

    def names(self) -> list[str]:
        """What the events were called."""
        return [name for name, _ in self.heard]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - the database tells it no other way
            await asyncio.sleep(0.005)


@pytest.fixture
async def pair() -> AsyncGenerator[tuple[Process, Process]]:
    """A worker, and a process that serves and listens."""
    with fresh_database() as url:
        worker, serving = Process("worker", url), Process("serving", url)
        watching = asyncio.create_task(serving.watch())
        async with AsyncExitStack() as running:
            await running.enter_async_context(worker.following.running(listens=False))
            await running.enter_async_context(serving.following.running())
            await until(lambda: len(execute(url, _LISTENING)) == 1)
            await asyncio.sleep(0.1)
            yield worker, serving
        watching.cancel()
        for each in (worker, serving):
            await each.jobs.close()
            each.store.close()
        execute(url, "DROP SCHEMA IF EXISTS syncline_jobs CASCADE")


async def test_a_workers_runs_are_heard_where_people_watch(pair: tuple[Process, Process]) -> None:
    worker, serving = pair
    watch = worker.hub.watch(TICKETS)
    watch(Progress("listing left", 0))
    await until(lambda: serving.names() == ["progress"])
    watch(Progress("writing", 3, 7))
    worker.hub.tell(Happened(TICKETS, Cause.POLL, START, error=TransientError("no", connection="hl")))

    await until(lambda: serving.names() == ["progress", "progress", "run"])
    assert serving.heard[1][1] == {"sync": "tickets", "stage": "writing", "done": 3, "total": 7}
    assert serving.heard[2][1]["error"] == "transient"
    assert serving.notes == 0, "what is heard is not passed on"


async def test_much_progress_makes_few_notes_and_the_latest_arrives(pair: tuple[Process, Process]) -> None:
    worker, serving = pair
    for number in range(500):
        for sync in (TICKETS, TASKS):
            worker.hub._happened("progress", {"sync": sync, "stage": "writing", "done": number, "total": 500})
        if number % 50 == 0:
            await asyncio.sleep(0)

    await until(lambda: len([data for _, data in serving.heard if data["done"] == 499]) == 2)
    assert worker.notes <= 3
    assert len(serving.heard) <= 6


async def test_what_is_kept_reaches_every_process_without_values_and_single_records(
    pair: tuple[Process, Process],
) -> None:
    worker, serving = pair
    store: SqlStore = worker.store
    for kind in (EventType.RECORD_WRITTEN, EventType.CONFLICT_OPENED, EventType.ALERT_OPENED):
        store.add_event(Event(kind, START, {"sync": "tickets", VALUES: {"title": "planted"}}), [])

    await until(lambda: len(serving.heard) == 2)
    assert serving.names() == ["conflict.opened", "alert.opened"]
    assert serving.heard[0][1]["data"] == {"sync": "tickets"}
    assert "planted" not in str(serving.heard)


async def test_watchers_are_told_that_they_missed_something_when_the_line_was_cut(
    pair: tuple[Process, Process],
) -> None:
    worker, serving = pair
    worker.hub.watch(TICKETS)(Progress("listing left", 0))
    await until(lambda: serving.names() == ["progress"])
    execute(
        serving.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'syncline-jobs'",
    )
    await until(lambda: serving.names() == ["progress", "missed"])

    worker.hub.watch(TASKS)(Progress("writing", 1, 2))

    # The worker's own line was cut, too: its note is lost, and it says that there was one.
    await until(lambda: serving.names() == ["progress", "missed", "missed"])
    worker.hub.watch(TASKS)(Progress("writing", 2, 2))
    await until(lambda: serving.names()[3:] == ["progress"])


async def test_notes_that_nobody_understands_do_no_harm(pair: tuple[Process, Process]) -> None:
    worker, serving = pair
    for note in ("", "{}", "[1]", json.dumps({"by": "x", "told": [{"name": 5, "data": {}}]})):
        await worker.jobs.say(note)
    worker.hub.watch(TICKETS)(Progress("writing", 1, 2))

    await until(lambda: serving.names() == ["progress"])


class Broken:
    """A line on which nothing goes out."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    async def say(self, note: str) -> bool:
        """Never."""
        self.tried.append(note)
        return len(note) < 100

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """For ever."""
        del hear, missed
        await asyncio.Event().wait()


async def test_what_waits_to_be_told_is_bounded_and_a_note_is_never_too_long() -> None:
    line, hub = Broken(), Hub(VirtualClock(), "boot")
    with closing(open_store("sqlite://")) as store:
        async with Following(hub, line, lambda: store, Pace(60, 60, 60)).running():
            for number in range(40):
                hub._happened("run", {"sync": "s" * 1000, "number": number})
            hub._happened("run", {"sync": "x" * 9000})
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert len(line.tried) == 6
            assert max(len(note) for note in line.tried) < 8000
            for number in range(1200):
                hub._happened("run", {"number": number})
        (last,) = [note for note in line.tried[6:] if '"missed"' in note][:1]

    assert last.count('"run"') <= 500


async def test_beside_sqlite_there_is_nobody_else_to_tell() -> None:
    jobs = EmbeddedJobs(VirtualClock())

    assert await jobs.say("x")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(jobs.listen(pytest.fail, pytest.fail), 0.01)
