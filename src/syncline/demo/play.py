"""The demo's story: connect, first sync, edits on both sides, second sync, a third that finds nothing, and the proof.

Called by the command line. Every figure told is measured; whether both sides agree is found out by reading both
accounts, not by asking the engine.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import aiohttp

from syncline.bootstrap import Installation, SystemClock
from syncline.demo.people import Fields, Office
from syncline.demo.setting import (
    OBJECT,
    SYNC,
    Tracker,
    make_object,
    open_installation,
    tracker,
    write_config,
)
from syncline.engine.runs import Report, preview, run
from syncline.engine.sync import Watch
from syncline.sandbox.run import Plan as SandboxPlan
from syncline.sandbox.run import open_sandboxes
from syncline.story import plan_lines, report_lines

Tell = Callable[[str], None]
After = Callable[[Installation, Office], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asked for. `data` is a recorded history; without one it is generated. `burst`: calls that the
    HighLevel sandbox allows in ten seconds, for tests that must not wait; None keeps the vendor's own limit."""

    records: int = 200
    seed: int = 7
    data: Path | None = None
    keep: Path | None = None
    burst: int | None = None


@dataclass(slots=True)
class Stage:
    """What the scenes share. `excused` are titles that may differ, with the reason why."""

    office: Office
    installation: Installation
    projects: list[int]
    tell: Tell
    watch: Watch
    excused: dict[str, str] = field(default_factory=dict[str, str])


async def play(wishes: Wishes, tell: Tell, watch: Watch, after: After | None = None) -> bool:
    """Play the whole story; answers whether both sides agree in the end and the last run found nothing to do. Then
    `after` goes on with the same accounts."""
    found = tracker(wishes.data, wishes.records, wishes.seed)
    async with _stage(wishes, found, tell, watch) as stage:
        await _connect(stage, found)
        first = await _sync(stage, "First sync: ActiveCollab tasks ↔ HighLevel records")
        await _edit(stage)
        await _sync(stage, "Second sync: only what changed, field by field")
        _tell_questions(stage)
        third = await _sync(stage, "Third sync: nothing is left to do")
        differences = await _differences(stage)
        agreed = _verdict(stage, first, third, differences)
        if agreed and after is not None:
            await after(stage.installation, stage.office)
        return agreed


@asynccontextmanager
async def _stage(wishes: Wishes, found: Tracker, tell: Tell, watch: Watch) -> AsyncGenerator[Stage, None]:
    plan = SandboxPlan(seed=wishes.seed, start=SystemClock().now())
    kept = (
        nullcontext(str(wishes.keep)) if wishes.keep else tempfile.TemporaryDirectory(prefix="syncline-demo-")
    )
    async with open_sandboxes(plan) as opened, aiohttp.ClientSession() as browser:
        office = Office(opened[0].card, opened[1].card, browser)
        _title(tell, "Two sandbox accounts, on real HTTP")
        tell(f"ActiveCollab  {office.activecollab.base_url}")
        tell(f"HighLevel     {office.highlevel.base_url}  (location {office.highlevel.location})")
        if wishes.burst is not None:
            await office.in_highlevel("quota", burst=wishes.burst)
        await office.in_activecollab("load", tasks=[dict(task) for task in found.tasks])
        projects = sorted(await office.projects())
        tell(
            f"ActiveCollab holds a tracker: {len(found.tasks)} tasks in {len(projects)} projects ({found.source})."
        )
        with kept as name:
            folder = Path(name)
            path = write_config(folder, office, projects)
            installation = open_installation(path, office, wishes.seed)
            try:
                yield Stage(office, installation, projects, tell, watch)
            finally:
                await installation.close()
                if wishes.keep:
                    tell(f"\nConfiguration and database are kept in {folder}.")


def _title(tell: Tell, text: str) -> None:
    tell("")
    tell(text)
    tell("─" * len(text))


async def _connect(stage: Stage, found: Tracker) -> None:
    _title(stage.tell, "Connect both")
    for name in ("ac", "hl"):
        health = await stage.installation.connector(name).check()
        works = "; ".join(health.problems) or "works"
        stage.tell(f"{name}  {works}: {health.account}, as {health.user or 'a private integration'}")
    made = await make_object(stage.installation, stage.office, found.labels)
    stage.tell(f"Created the custom object {OBJECT} and its fields ({made} calls that created something).")


async def _sync(stage: Stage, title: str) -> Report:
    _title(stage.tell, title)
    installation = stage.installation
    sync = await installation.sync(SYNC)
    plan = await preview(installation.world(stage.watch), sync)
    stage.tell("Planned:")
    for line in plan_lines(plan):
        stage.tell(f"  {line}")
    if not plan.writes and not plan.brakes:
        stage.tell("(a run confirms it)")
    report = await run(installation.world(stage.watch), sync, installation.jitter)
    stage.tell("Written:")
    for line in report_lines(report, with_held=False):
        stage.tell(f"  {line}")
    return report


async def _edit(stage: Stage) -> None:
    """People work on both sides while no sync runs."""
    _title(stage.tell, "People edit on both sides")
    office, tell = stage.office, stage.tell
    tasks = await office.tasks(stage.projects)
    records = {str(record["title"]): key for key, record in (await office.records(OBJECT)).items()}
    chosen = [(key, str(task["title"])) for key, task in sorted(tasks.items()) if not task["done"]]
    (
        (due, _),
        (_, renamed),
        (fight, fought),
        (late, lately),
        (done, finished),
        (gone, lost),
        (both, twice),
        (tag, _),
    ) = chosen[:8]

    async def in_highlevel(name: str, properties: dict[str, object]) -> None:
        await office.in_highlevel("update_record", object=OBJECT, id=records[name], properties=properties)

    await office.in_activecollab("update_task", task=due, due_on="2027-03-31", estimate=12.5, job_type_id=1)
    tell(f"ActiveCollab: “{_cut(tasks[due]['title'])}” gets a due date and an estimate.")
    await in_highlevel(renamed, {"title": f"{renamed} (reviewed)"})
    tell(f"HighLevel: “{_cut(renamed)}” is renamed.")
    await office.in_activecollab("update_task", task=fight, name=f"{fought} – ActiveCollab's title")
    await in_highlevel(fought, {"title": f"{fought} – HighLevel's title"})
    stage.excused |= {
        f"{fought} – ActiveCollab's title": "waits for a person",
        f"{fought} – HighLevel's title": "waits for a person",
    }
    tell(f"Both: “{_cut(fought)}” is renamed differently on the two sides; this field asks.")
    await in_highlevel(lately, {"due_date": "2027-01-01"})
    await office.pass_time(60)
    await office.in_activecollab("update_task", task=late, due_on="2027-02-02")
    tell(f"Both: “{_cut(lately)}” gets the due date 2027-01-01 in HighLevel and, a minute later,")
    tell("      2027-02-02 in ActiveCollab; this field takes the newest.")
    await office.in_activecollab("complete_task", task=done)
    tell(f"ActiveCollab: “{_cut(finished)}” is completed.")
    await office.in_activecollab("trash_task", task=gone)
    stage.excused[lost] = "deleted in ActiveCollab; a person is asked"
    tell(f"ActiveCollab: “{_cut(lost)}” is deleted.")
    await office.in_activecollab("trash_task", task=both)
    await office.in_highlevel("delete_record", object=OBJECT, id=records[twice])
    tell(f"Both: “{_cut(twice)}” is deleted on both sides.")
    await office.in_activecollab(
        "update_task", task=tag, labels=sorted({*_labels(tasks[tag]), "provisional"})
    )
    await office.in_highlevel(
        "create_record", object=OBJECT, properties={"title": "Call the client", "status": "open"}
    )
    tell("HighLevel: a new record, “Call the client”.")


def _labels(task: Fields) -> Sequence[str]:
    return [str(label) for label in cast("frozenset[str]", task["labels"])]


def _cut(text: object) -> str:
    return str(text) if len(str(text)) <= 48 else f"{str(text)[:47]}…"


def _tell_questions(stage: Stage) -> None:
    _title(stage.tell, "Waiting for a person")
    for question in stage.installation.store.questions():
        held = question.held
        what = (
            f"{held.field}: “{_cut(_plain(held.left))}” or “{_cut(_plain(held.right))}”?"
            if held.field
            else ""
        )
        stage.tell(f"{question.id}. {_cut(held.title)}: {what or held.rule.sentence}")
    stage.tell("(`syncline conflicts list`, `show` and `resolve` settle them.)")


def _plain(value: object) -> str:
    return str(getattr(value, "text", value))


async def _differences(stage: Stage) -> list[str]:
    """Read both accounts over HTTP and compare, record by record, what the sync maps."""
    tasks = {str(task["title"]): task for task in (await stage.office.tasks(stage.projects)).values()}
    records = {str(record["title"]): record for record in (await stage.office.records(OBJECT)).values()}
    out: list[str] = []
    for title in sorted({*tasks, *records}):
        if title in stage.excused:
            continue
        here, there = tasks.get(title), records.get(title)
        if here != there:
            out.append(f"{title}: ActiveCollab {here}, HighLevel {there}")
    return out


def _verdict(stage: Stage, first: Report, third: Report, differences: list[str]) -> bool:
    _title(stage.tell, "Do both sides agree? Both accounts, read over HTTP")
    for line in differences:
        stage.tell(f"DIFFERENT  {line}")
    for title, reason in stage.excused.items():
        stage.tell(f"excused    {_cut(title)}: {reason}")
    expected = {"waits for a person", "deleted in ActiveCollab; a person is asked"}
    questions = len(stage.installation.store.questions())
    agreed = not differences and third.is_quiet and third.writes == 0 and questions == len(expected)
    calls = sum(each.calls for each in (stage.installation.connector(name) for name in ("ac", "hl")))
    counts = third.counts
    stage.tell(
        f"{counts.links} links; {first.right.created} records were created in the first sync; {calls} API calls in all."
    )
    stage.tell("Both sides agree." if agreed else "Both sides do NOT agree.")
    return agreed
