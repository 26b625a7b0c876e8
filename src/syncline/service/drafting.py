"""Drafts of syncs into versions in force: checked against both accounts, shown, and put in force when a person says so.

Called by `web.drafts` and `web.versions`. Nothing is put in force that is not as it was checked: whoever was faster wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import ValidationError

from syncline.bootstrap import Installation
from syncline.config import SyncSettings, applied_syncs, canonical
from syncline.config.loading import faults_of
from syncline.core.decisions import line_name
from syncline.core.match import MatchMode
from syncline.core.memory import Version
from syncline.core.records import FieldId, Side
from syncline.engine import versions
from syncline.engine.outlook import Foreseen, counted, foreseen
from syncline.engine.runs import Options, preview
from syncline.errors import MappingError, Problem, ProblemKind, Refusal, RequestError, SetupError
from syncline.ports import Draft, Store
from syncline.service.reviewing import Review, changes_to, reviews_of, touches
from syncline.service.runtime import Runtime

_LINE = re.compile(r"^fields\[(?P<line>[^\]]+ [^\]]+)\]")


class Checked(msgspec.Struct, frozen=True):
    """What a draft would do. `touches_links`: linked records would be treated differently, so it has to be confirmed.
    The places of `faults` are within the draft; `warnings` are no faults, and often not what was meant."""

    faults: tuple[Problem, ...]
    review: Review | None = None
    touches_links: bool = False
    warnings: tuple[str, ...] = ()


class Consent(msgspec.Struct, frozen=True):
    """What a person says when something is put in force: why, and that changes to linked records are meant."""

    note: str = ""
    is_confirmed: bool = False


def draft_of(store: Store, name: str) -> Draft:
    """A draft. Raises `RequestError` when there is none."""
    found = store.draft(name)
    if found is None:
        version = store.version()
        is_in_force = version is not None and name in version.body
        more = " any more: the sync is in force" if is_in_force else ""
        raise RequestError(f"There is no draft of '{name}'{more}.", Refusal.NOT_THERE)
    return found


def save(installation: Installation, name: str, body: Mapping[str, Any], by: str, revision: int) -> Draft:
    """Keep a draft on top of a revision (0: there is none yet). Faults are for `check`. Raises `RequestError` when another
    revision is in force, and for numbers that nothing can hold."""
    try:
        msgspec.json.encode(body)
    except (OverflowError, UnicodeEncodeError, msgspec.MsgspecError) as error:
        raise RequestError("The draft holds something that cannot be kept.", Refusal.INVALID) from error
    kept = installation.store.save_draft(name, body, by, installation.clock.now(), revision)
    if kept is None:
        raise RequestError("Somebody changed this meanwhile.", Refusal.OLD_REVISION)
    return kept


async def check(installation: Installation, draft: Draft, *, is_offline: bool) -> Checked:
    """What a draft would change and do, and every fault of it. Raises `ConnectorError` where a side cannot be read."""
    settings, problems = _settings(installation, draft)
    if settings is None or problems:
        return Checked(problems)
    syncs = {**installation.config.syncs, draft.name: settings}
    found = [each for each in changes_to(installation, syncs) if each.sync == draft.name]
    reviews = await reviews_of(installation, syncs, found, is_offline=is_offline)
    mine = reviews.get(draft.name, Review(()))
    placed = tuple(_within(each, draft.name, settings) for each in mine.faults)
    return Checked(placed, mine, touches(installation, draft.name, mine), tuple(_warnings(settings, mine)))


async def foresee(installation: Installation, draft: Draft, options: Options) -> Foreseen:
    """What a run would do if this draft were in force. Both sides are read; nothing is written. Raises `MappingError` with
    every fault of the draft that stands in the way, `ConnectorError` where a side cannot be read."""
    settings, problems = _settings(installation, draft)
    if settings is None or problems:
        raise MappingError("The draft has faults:", problems)
    trial = installation.trial({**installation.config.syncs, draft.name: settings})
    try:
        connected = await trial.sync(draft.name)
    except SetupError as error:
        placed = tuple(_within(each, draft.name, settings) for each in error.problems)
        raise MappingError("The draft has faults:", placed) from error
    world, before = installation.world(), counted(connected)
    made = await preview(world, connected, options)
    return foreseen(connected, made, before, world.clock.now(), options.purpose)


async def apply(runtime: Runtime, draft: Draft, consent: Consent) -> Version:
    """Put a draft in force beside the other syncs, and forget it. Raises `MappingError` with every fault, `RequestError` when
    it is to be confirmed, or was changed meanwhile."""
    async with runtime.held() as installation:
        settings, problems = _settings(installation, draft)
        if settings is None or problems:
            raise MappingError("The draft has faults:", problems)
        checked = await check(installation, draft, is_offline=False)
        if checked.faults:
            raise MappingError("The draft cannot be put in force:", checked.faults)
        _confirmed(consent, is_needed=checked.touches_links)
        syncs = {**installation.config.syncs, draft.name: settings}

        def put() -> Version:
            now = installation.store.draft(draft.name)
            if now is None or now.revision != draft.revision:
                raise _outdated()
            installation.store.remove_draft(draft.name)
            return _put(installation, syncs, consent.note)

        return await _in_force(runtime, installation, put)


async def remove(runtime: Runtime, name: str, consent: Consent) -> Version:
    """Let a sync be in force no more. Nothing is deleted; its links are remembered. Raises as `apply` does."""
    async with runtime.held() as installation:
        if name not in installation.config.syncs:
            raise installation.unknown(name)
        syncs = {key: each for key, each in installation.config.syncs.items() if key != name}
        await _passed(installation, syncs, consent)
        return await _in_force(runtime, installation, lambda: _put(installation, syncs, consent.note))


async def rollback(runtime: Runtime, number: int, consent: Consent) -> Version:
    """Put an older version in force again, as a new one; the one in force itself when it says the same. Raises as `apply`
    does."""
    async with runtime.held() as installation:
        store, clock = installation.store, installation.clock
        old = known_version(store, number)
        await _passed(installation, applied_syncs(old.body, number), consent)
        in_force = installation.version
        if in_force is not None and in_force.digest == old.digest:
            return in_force
        return await _in_force(
            runtime, installation, lambda: versions.rollback(store, clock, number, consent.note)
        )


def known_version(store: Store, number: int) -> Version:
    """One version. Raises `RequestError` for a number that is not there."""
    found = store.version(number)
    if found is None:
        raise RequestError(f"There is no version {number}.", Refusal.NOT_THERE)
    return found


def _warnings(settings: SyncSettings, review: Review) -> Iterator[str]:
    is_making = review.impact is not None and review.impact.created > 0
    is_matching = settings.match.mode is MatchMode.MATCH_THEN_CREATE
    if is_making and is_matching and not settings.match.on and len(settings.may_create()) > 1:
        yield (
            "`match.on` names no key fields, so nothing is recognised: a record that is on both sides already would be made "
            "once more on each."
        )


# --- what a draft says ------------------------------------------------------------------------------------------------


def _settings(installation: Installation, draft: Draft) -> tuple[SyncSettings | None, tuple[Problem, ...]]:
    """A draft's settings, and the faults that show without asking anybody."""
    try:
        settings = SyncSettings.model_validate(draft.body)
    except ValidationError as error:
        return None, tuple(faults_of(error))
    connections = installation.config.connections
    known = ", ".join(connections) or "none yet"
    return settings, tuple(
        Problem(
            f"{side.value}.connection",
            f"There is no connection '{settings.side(side).connection}'.",
            f"There are: {known}.",
            ProblemKind.NO_CONNECTION,
        )
        for side in Side
        if settings.side(side).connection not in connections
    )


def _within(problem: Problem, name: str, settings: SyncSettings) -> Problem:
    """A fault with its place in the draft: a line that is named by its fields gets its number."""
    path = problem.path.removeprefix(f"syncs.{name}").lstrip(".")
    found = _LINE.match(path)
    lines = [line_name(FieldId(each.left), FieldId(each.right)) for each in settings.fields]
    if found is not None and found["line"] in lines:
        path = f"fields[{lines.index(found['line'])}]{path[found.end() :]}"
    return Problem(path, problem.message, problem.remedy, problem.kind, problem.found)


# --- putting in force -------------------------------------------------------------------------------------------------


async def _passed(installation: Installation, syncs: Mapping[str, SyncSettings], consent: Consent) -> None:
    """Raises unless these syncs may be put in force."""
    reviews = await reviews_of(installation, syncs, changes_to(installation, syncs), is_offline=False)
    problems: Sequence[Problem] = [fault for each in reviews.values() for fault in each.faults]
    if problems:
        raise MappingError("It cannot be put in force:", tuple(problems))
    needed = any(touches(installation, name, each) for name, each in reviews.items())
    _confirmed(consent, is_needed=needed)


def _confirmed(consent: Consent, *, is_needed: bool) -> None:
    if is_needed and not consent.is_confirmed:
        text = "This changes how linked records are treated."
        fault = Problem("confirmed", "is not true.", "Look at the check, then send confirmed: true.")
        raise RequestError(text, Refusal.INVALID, problems=(fault,))


def _put(installation: Installation, syncs: Mapping[str, SyncSettings], note: str) -> Version:
    return versions.apply(installation.store, installation.clock, canonical(syncs), note)


async def _in_force(runtime: Runtime, installation: Installation, put: Callable[[], Version]) -> Version:
    """Make a version, unless another one was made since `installation` came in force."""
    store = installation.store
    with store.transaction():
        before, now = installation.version, store.version()
        if (before and before.number) != (now and now.number):
            raise _outdated()
        made = put()
    await runtime.refresh()
    return made


def _outdated() -> RequestError:
    return RequestError("Somebody changed this meanwhile.", Refusal.OLD_REVISION)
