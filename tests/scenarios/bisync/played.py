"""A row and a policy into what came of it: the plan, both sides, what waits, what was overridden, and the certificate.

Used by the tests and by `python -m tests.scenarios.bisync`. What must hold in every play is asserted here, so that no
golden can bless it: a dry run tells the run's plan and touches nothing, a braked run writes nothing, a second run writes
nothing, and a certificate leaves nothing unexplained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from syncline.connectors.memory.account import StoredRecord
from syncline.core.brakes import BrakeName
from syncline.core.certificate import Certificate
from syncline.core.comparison import Cause
from syncline.core.decisions import Rule
from syncline.core.plan import Plan
from syncline.core.records import Side
from syncline.core.shown import shown
from syncline.core.values import is_blank
from syncline.engine.certify import certify
from syncline.engine.runs import Options, Report
from syncline.story import held_line, plan_lines
from tests.scenarios.bisync.office import Office, happens, is_archived, spoken, under
from tests.scenarios.bisync.rows import Policy, Row

_MANY = 3
_RELEASES = 3


async def look(row: Row, start: Office) -> list[str]:
    """What a certificate says after people did what they do, and before any run."""
    office = await _changed(row, start, Policy())
    return list(_certified(await _certificate(office)))


async def play(row: Row, policy: Policy, start: Office) -> dict[str, list[str]]:
    """Let people do what they do, and run until nothing is left to do. `start` is the row's office in step."""
    out: dict[str, list[str]] = {}
    office = await _changed(row, start, policy)
    foreseen = await _foreseen(office)
    report = await office.run()
    assert foreseen == report.plan, "the dry run told another plan"
    out["plan"] = _plan(report)
    overridden = _overridden(office, report)
    await _holds_still(office, report)
    while report.plan.brakes:
        report = await _released(office, report, out)
        overridden += _overridden(office, report)
    out |= _ends(office, overridden)
    out["certificate"] = list(_certified(await _certificate(office)))
    return out


async def _changed(row: Row, start: Office, policy: Policy) -> Office:
    office = under(start, row, policy)
    for step in row.given["changes"]:
        if "run" in step:
            report = await office.run()
            assert _plan(report) == step["run"], "a run in between told another plan"
            office.clock.advance(step["then_hours"] * 3600)
        else:
            happens(office, step)
    return office


# --- what holds in every play -----------------------------------------------------------------------------------------


async def _foreseen(office: Office) -> Plan:
    """The dry run's plan."""
    before = _accounts(office)
    plan = await office.preview()
    assert _accounts(office) == before, "the dry run wrote something"
    office.clock.advance(-60)
    return plan


async def _holds_still(office: Office, report: Report) -> None:
    """After a run, another one writes nothing; after a braked one, the brake is still pulled."""
    before = _accounts(office)
    assert not (report.plan.brakes and report.writes), "a braked run wrote something"
    assert report.failures == ()
    again = await office.run()
    assert _accounts(office) == before, f"the second run wrote: {_plan(again)}"
    assert again.is_quiet or again.plan.brakes, f"the second run wants to write: {_plan(again)}"
    assert again.plan.brakes == report.plan.brakes, f"the second run is braked otherwise: {_plan(again)}"
    if again.plan.brakes:
        await _certificate(office)


async def _released(office: Office, braked: Report, out: dict[str, list[str]]) -> Report:
    """The run in which a person lets go of what stopped the last one."""
    names: frozenset[BrakeName] = frozenset(
        brake.name for brake in (*braked.plan.brakes, *braked.plan.released)
    )
    report = await office.run(Options(release=names))
    told = " ".join(f"--release {name}" for name in sorted(name.value for name in names))
    out[f"run {told}"] = _plan(report)
    assert sum(part.startswith("run ") for part in out) <= _RELEASES, "the brakes never let go"
    if not report.plan.brakes:
        await _calm(office, names)
    return report


async def _calm(office: Office, names: frozenset[BrakeName]) -> None:
    before = _accounts(office)
    again = await office.run(Options(release=names))
    assert _accounts(office) == before, f"the run after the released one wrote: {_plan(again)}"
    assert again.is_quiet, f"the run after the released one wants to write: {_plan(again)}"


async def _certificate(office: Office) -> Certificate:
    made = (await certify(office.world(), office.sync())).certificate
    assert made.unexplained == 0, f"unexplained: {made.samples}"
    return made


def _accounts(office: Office) -> Sequence[Mapping[str, StoredRecord]]:
    return [dict(office.account(side).records) for side in Side]


# --- telling it -------------------------------------------------------------------------------------------------------


def _plan(report: Report) -> list[str]:
    return list(plan_lines(report.plan))


def _ends(office: Office, overridden: list[str]) -> dict[str, list[str]]:
    out = {side.value: _records(office, side) for side in Side}
    asked = [held_line(question.held) for question in office.store.questions(office.sync().id)]
    return out | ({"overridden": overridden} if overridden else {}) | ({"asked": asked} if asked else {})


def _records(office: Office, side: Side) -> list[str]:
    """Each record in a line; many that hold the same in one."""
    same: dict[tuple[str, str], list[str]] = {}
    for stored in office.account(side).records.values():
        name, *rest = _record(stored)
        same.setdefault((rest[0], rest[1]), []).append(name)
    return sorted(
        line for (state, fields), names in same.items() for line in _lines(sorted(names), state, fields)
    )


def _lines(names: Sequence[str], state: str, fields: str) -> Iterator[str]:
    told = names if len(names) <= _MANY else [f"{len(names)} records from {names[0]} to {names[-1]}"]
    for name in told:
        yield f"{name}{state}: {fields}" if fields else f"{name}{state}"


def _record(stored: StoredRecord) -> tuple[str, str, str]:
    """A record's name, whether it is put away, and what it says."""
    name = next(shown(stored.fields[key]) for key in ("name", "title") if key in stored.fields)
    state = " (in the trash)" if stored.trashed_at else " (archived)" if is_archived(stored.fields) else ""
    return name, state, ", ".join(f"{key} {shown(value)}" for key, value in spoken(stored.fields))


def _overridden(office: Office, report: Report) -> list[str]:
    """What the history keeps of values that lost; of a deleted record, what it said."""
    return [
        f"{entry.title}, {entry.field}: {shown(entry.lost)} ({entry.rule.value})"
        for entry in office.store.history(office.sync().id, run=report.run)
        if entry.lost is not None and not (entry.rule is Rule.DELETED_PROPAGATED and is_blank(entry.lost))
    ]


def _certified(made: Certificate) -> Iterator[str]:
    """The counts, and where they differ, why."""
    for word, part in (("records left", made.left), ("records right", made.right)):
        yield f"{part.total} {word}: {part.compared} compared{_causes(part.causes)}"
    fields = made.fields
    yield f"{fields.total} fields: {fields.equal} equal{_causes(fields.causes)}"


def _causes(causes: Mapping[Cause, int]) -> str:
    return "".join(f", {count} {cause.value}" for cause, count in causes.items())
