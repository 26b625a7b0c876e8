"""Syncs as they might be into what that changes, what it would do, and what speaks against it; then into force.

Called by `service.drafting` for the API and by the CLI for `diff`, `apply` and `rollback`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from syncline.bootstrap import Installation
from syncline.config import SyncSettings, canonical
from syncline.core.changes import Change, ChangeKind, changes
from syncline.core.records import SyncId
from syncline.core.roundtrip import Uncarried
from syncline.engine.impact import Impact, Judged, impact, judged
from syncline.engine.trial import faults, try_out
from syncline.errors import Problem, SetupError


class Review(msgspec.Struct, frozen=True):
    """What one sync's new configuration changes, what it would do, and what speaks against it."""

    changes: Sequence[Judged]
    impact: Impact | None = None
    faults: Sequence[Problem] = ()
    uncarried: Sequence[Uncarried] = ()


def changes_to(installation: Installation, syncs: Mapping[str, SyncSettings]) -> tuple[Change, ...]:
    """What these syncs would change in the version in force."""
    before = installation.config.syncs if installation.version else {}
    return changes(canonical(before), canonical(syncs))


async def reviews_of(
    installation: Installation,
    syncs: Mapping[str, SyncSettings],
    found: Sequence[Change],
    *,
    is_offline: bool,
) -> dict[str, Review]:
    """What is changed, sync by sync. Faults are told, not raised; raises `ConnectorError` where a side cannot be read."""
    trial = installation.trial(syncs)
    out: dict[str, Review] = {}
    for name in dict.fromkeys(each.sync for each in found):
        mine = [each for each in found if each.sync == name]
        if is_offline or name not in syncs:
            out[name] = Review(judged(mine, None))
        else:
            out[name] = await _one(installation, trial, name, mine)
    return out


def touches(installation: Installation, name: str, reviewed: Review) -> bool:
    """Whether linked records would be treated differently: a person has to say that this is meant."""
    has_links = installation.store.counts(SyncId(name)).links > 0
    return has_links and any(each.reach.touches_links for each in reviewed.changes)


async def _one(installation: Installation, trial: Installation, name: str, mine: Sequence[Change]) -> Review:
    problems = _moved(installation, name, mine)
    try:
        candidate = await trial.sync(name)
        tried = await try_out(candidate)
    except SetupError as error:
        return Review(judged(mine, None), faults=(*problems, *(error.problems or _as_problem(name, error))))
    is_known = installation.version is not None and name in installation.config.syncs
    current = await installation.sync(name) if is_known else None
    known = None if problems else await impact(installation.world(), current, candidate)
    return Review(judged(mine, known), known, (*problems, *faults(candidate.id, tried)), tried.uncarried)


def _as_problem(name: str, error: SetupError) -> Sequence[Problem]:
    return (Problem(f"syncs.{name}", str(error)),)


def _moved(installation: Installation, name: str, mine: Sequence[Change]) -> Sequence[Problem]:
    """Links tie records of one object type: another one needs a sync of its own."""
    links = installation.store.counts(SyncId(name)).links
    return [
        Problem(f"syncs.{name}.{each.path}", f"{links} links tie other records.", "Add a new sync instead.")
        for each in mine
        if links and each.kind is ChangeKind.OBJECT
    ]
