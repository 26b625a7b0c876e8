"""A configuration that is to be put in force into what it would do to the records there are.

Called by the CLI for `diff` and `apply`. Plans twice, with what is in force and with the candidate, on the same look at
both sides where the filters allow it: what only the second plan does is because of the change.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from syncline.core.brakes import Brake, BrakeName
from syncline.core.changes import Change, Reach
from syncline.core.decisions import Rule, line_name
from syncline.core.plan import Held, Plan
from syncline.core.records import Archive, Create, Delete, FieldId, Restore, Side, Update
from syncline.core.steps import Effect, Step
from syncline.core.values import canonical
from syncline.engine.drift import confine
from syncline.engine.runs import Options, decide, survey
from syncline.engine.spool import spools
from syncline.engine.sync import Sync, World

_APPROVED = frozenset({BrakeName.MAPPING_CHANGED, BrakeName.FILTER_CHANGED, BrakeName.SCHEMA_DRIFT})
_OPTIONS = Options(is_recheck=True, release=_APPROVED)

Deed = tuple[Hashable, ...]
"""One thing that a plan does, told so that two plans can be compared."""


class Impact(msgspec.Struct, frozen=True):
    """What would be different.

    `records` counts records that would be written because of the change, `lines` those of each field line. `linked`
    would be matched, `created` copied, `deleted` deleted or archived; `leaving` linked records leave the filter and
    `returning` come back into it; `asked` more questions wait for a person. `spared` writes are due now and would not be
    made. `brakes` would stop the run.
    """

    records: int
    lines: Mapping[str, int]
    linked: int
    created: int
    deleted: int
    leaving: int
    returning: int
    asked: int
    spared: int
    brakes: tuple[Brake, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What would happen, for a person."""
        return tuple(_sentences(self))


class Judged(msgspec.Struct, frozen=True):
    """A change with what it does to linked records. `records` would be written because of it, where that is known."""

    change: Change
    reach: Reach
    meaning: str
    records: int | None = None


async def impact(world: World, current: Sync | None, candidate: Sync) -> Impact:
    """What would be different with the candidate in force. Reads both sides; writes nothing anywhere."""
    candidate = confine(world, candidate, _APPROVED)
    if current is None:
        with spools() as aside:
            sweeps = await survey(world, candidate, _OPTIONS, aside)
            return _compared(candidate, (), await decide(world, candidate, _OPTIONS, sweeps))
    current = confine(world, current, _APPROVED)
    is_shared = all(current.side(side).scope == candidate.side(side).scope for side in Side)
    is_shared = is_shared and current.filters == candidate.filters
    with spools() as aside, spools() as aside_before:
        sweeps = await survey(world, _wide(candidate, current), _OPTIONS, aside)
        before = sweeps if is_shared else await survey(world, current, _OPTIONS, aside_before)
        # What one of the two plans does something about is taken up for both; all else is forgotten by each.
        now = tuple(_deeds(await decide(world, current, _OPTIONS, before)))
        return _compared(candidate, now, await decide(world, candidate, _OPTIONS, sweeps))


def judged(found: Iterable[Change], known: Impact | None) -> Sequence[Judged]:
    """Changes with what they mean."""
    return [
        Judged(each, each.kind.reach, each.kind.meaning, known.lines.get(each.line) if known else None)
        for each in found
    ]


def _wide(candidate: Sync, current: Sync) -> Sync:
    """The candidate, looking at the fields of both."""
    lenses = (*candidate.rules.lenses, *current.rules.lenses)
    return replace(
        candidate,
        rules=msgspec.structs.replace(candidate.rules, lenses=lenses),
        match=msgspec.structs.replace(candidate.match, on=(*candidate.match.on, *current.match.on)),
    )


def _compared(candidate: Sync, before: Sequence[Deed], plan: Plan) -> Impact:
    after = tuple(_deeds(plan))
    more, less = set(after) - set(before), set(before) - set(after)
    written = [deed for deed in more if deed[0] in ("field", "create", "revive", "remove")]
    return Impact(
        len({deed[1:3] for deed in written}),
        _by_line(candidate, more),
        _count(more, "link"),
        _count(more, "create"),
        _count(more, "remove"),
        _count(more, "rest"),
        _count(less, "rest"),
        max(0, _count(more, "ask") - _count(less, "ask")),
        len({deed[1:3] for deed in less if deed[0] in ("field", "create", "revive", "remove")}),
        plan.brakes,
    )


def _count(deeds: Iterable[Deed], kind: str) -> int:
    return sum(deed[0] == kind for deed in deeds)


def _by_line(sync: Sync, deeds: Iterable[Deed]) -> dict[str, int]:
    """How many records would be written in each line."""
    written: dict[tuple[Hashable, Hashable], set[Hashable]] = {}
    for kind, side, key, *rest in (deed for deed in deeds if deed[0] == "field"):
        del kind
        written.setdefault((side, rest[0]), set()).add(key)
    counts = {
        line_name(lens.mapping.left, lens.mapping.right): sum(
            len(written.get((side, lens.mapping.of(side)), ())) for side in Side if lens.flows_to(side)
        )
        for lens in sync.rules.lenses
    }
    return {line: count for line, count in counts.items() if count}


def _deeds(plan: Plan) -> Iterator[Deed]:
    for step in plan.stopped or plan.steps:
        yield from _of_step(step)
    for held in plan.held:
        if held.rule is Rule.OUT_OF_SCOPE:
            yield ("rest", held.link)
        elif held.rule.is_question:
            yield ("ask", *_about(held))


def _of_step(step: Step) -> Iterator[Deed]:
    match step.write:
        case None if step.effect is Effect.TIE:
            yield ("link", step.key, step.counterpart)
        case Create() if step.link is None:
            yield ("create", step.side, step.counterpart)
        case Create() | Restore():
            yield ("revive", step.side, step.key)
        case Update(key, fields):
            for name, value in fields.items():
                yield ("field", step.side, key, FieldId(name), canonical(value))
        case Delete(key) | Archive(key):
            yield ("remove", step.side, key)
        case _:
            return


def _about(held: Held) -> tuple[Hashable, ...]:
    return held.link, held.left_key, held.right_key, held.field, held.rule


def _sentences(found: Impact) -> Iterator[str]:
    yield (
        f"{_records(found.records)} would be written because of it."
        if found.records
        else ("No record would be written because of it.")
    )
    if found.leaving:
        yield f"{found.leaving} linked records leave the filter: their links rest, nothing is deleted."
    if found.returning:
        yield f"{found.returning} linked records come back into the filter."
    if found.linked or found.created:
        total = found.linked + found.created
        yield f"{_records(total)} come in: {found.linked} match, {found.created} would be created."
    if found.deleted:
        yield f"{_records(found.deleted)} would be deleted or archived."
    if found.spared:
        yield f"{_records(found.spared)} that a run would write now would not be written."
    if found.asked:
        yield f"{found.asked} more question{'' if found.asked == 1 else 's'} would wait for a person."
    for brake in found.brakes:
        yield f"A brake would stop the run: {brake.sentence}"


def _records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"
