"""What a person wants to win from now on into a rule of the sync, and first into what it would have done so far.

Called by the CLI. A rule is the conflict policy of a field: saving one puts a new version of the configuration in force,
which the next run decides by.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncline.core.case import Decided
from syncline.core.decisions import line_name
from syncline.core.mapping import ConflictPolicy, Lens
from syncline.core.memory import Question, Version
from syncline.core.records import Side, SyncId
from syncline.core.whatif import WhatIf, past_conflicts, what_if
from syncline.engine import versions
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError

_ALL = 1_000_000


def simulate(
    world: World, sync: Sync, field: str, policy: ConflictPolicy, since: dt.datetime | None = None
) -> WhatIf:
    """What the policy would have done with the field's past conflicts, as far as they are kept. Raises `SetupError` for
    a field that is not mapped, or a policy that does not fit it."""
    lens = line_of(sync, field)
    check_policy(lens, policy)
    questions = [
        each
        for each in world.store.questions(sync.id, with_closed=True)
        if since is None or each.asked_at >= since
    ]
    return what_if(lens, past_conflicts(lens, _decided(world, sync.id, since), questions), policy)


def _decided(world: World, sync: SyncId, since: dt.datetime | None) -> Iterator[Decided]:
    """Everything that runs decided on, oldest first."""
    for run in reversed(world.store.runs(sync, limit=_ALL)):
        if since is None or run.started_at >= since:
            yield from world.store.evidence(run.id)


def save(world: World, sync: Sync, field: str, policy: ConflictPolicy, note: str) -> Version:
    """Let this policy decide the field from now on. Raises `SetupError` as `simulate` does, and before the first run."""
    lens = line_of(sync, field)
    check_policy(lens, policy)

    def edit(syncs: dict[str, Any]) -> Mapping[str, Any]:
        for line in syncs[sync.id]["fields"]:
            if (line["left"], line["right"]) == (lens.mapping.left, lens.mapping.right):
                line["conflict"] = policy.value
        return syncs

    return versions.amend(world.store, world.clock, edit, note)


def next_time(world: World, sync: Sync, questions: Sequence[Question], side: Side) -> Version:
    """Let the side that a person took for these questions win their field from now on. Raises `SetupError` as `save` does,
    and where they are not of one field."""
    check_one_field(questions)
    first = questions[0]
    policy = ConflictPolicy.LEFT if side is Side.LEFT else ConflictPolicy.RIGHT
    note = f"question {first.id}: the {side.value} side wins {first.held.field} from now on"
    return save(world, sync, first.held.field or "", policy, note)


def check_one_field(questions: Sequence[Question]) -> None:
    """Raises `SetupError` unless these questions are about one field of one sync."""
    if len({(each.sync, each.held.field) for each in questions}) != 1:
        raise SetupError("A rule for the next time needs questions of one field.")


def decides_too(world: World, settled: Sequence[Question]) -> Sequence[int]:
    """Open questions of the same field that nobody has answered: a rule made with these decides them, too."""
    fields = {(each.sync, each.held.field) for each in settled}
    return [
        each.id
        for each in world.store.questions(settled[0].sync)
        if each.choice is None and (each.sync, each.held.field) in fields
    ]


def line_of(sync: Sync, field: str) -> Lens:
    """The line of a field, named by its left field, its right field, or both (`left ↔ right`). Raises `SetupError`."""
    found = [
        lens
        for lens in sync.rules.lenses
        if field in (lens.mapping.left, lens.mapping.right, line_name(lens.mapping.left, lens.mapping.right))
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(line_name(lens.mapping.left, lens.mapping.right) for lens in sync.rules.lenses)
    what = "names several lines" if found else "is not mapped"
    raise SetupError(f"'{field}' {what} in the sync '{sync.id}'. There are: {known}.")


def check_policy(lens: Lens, policy: ConflictPolicy) -> None:
    """Raises `SetupError` when the policy does not fit the field."""
    if policy is ConflictPolicy.MERGE and not lens.is_many:
        raise SetupError("Only many-of fields merge. Choose newest, left, right or ask.")
