"""One thing that a person does about links into our memory: the lease, the checks, the changes, and what is told of it.

Used by `linking`, which says what is done. Nothing here is written to a vendor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from syncline.core.audit import AuditKind
from syncline.core.decisions import Rule
from syncline.core.memory import Entry, Link, RunState, Seen, Standing
from syncline.core.records import Base, FieldId, LinkId, Present, Record, RecordKey, RunId, Side, Unseen
from syncline.core.values import is_blank
from syncline.engine.lookup import no_record
from syncline.engine.notes import seen_now, unagreed
from syncline.engine.pull import read
from syncline.engine.report import by_hand
from syncline.engine.said import forget_copies
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError, SynclineError

Spot = tuple[Side, RecordKey]
Keys = tuple[RecordKey | None, RecordKey | None]


@dataclass(slots=True)
class Desk:
    """One thing being done, under the lease of a run of its own."""

    world: World
    sync: Sync
    run: RunId


# --- the lease, and the one transaction -------------------------------------------------------------------------------


@contextmanager
def desk_of(world: World, sync: Sync) -> Generator[Desk]:
    """The sync's lease, for as long as something is done. Raises `BusyError` while a run is on."""
    store, clock = world.store, world.clock
    run = store.begin_run(sync.id, clock.now(), sync.patience.lease)
    try:
        yield Desk(world, sync, run.id)
    except SynclineError as error:
        store.end_run(run.id, RunState.FAILED, by_hand("refused", error.code), clock.now())
        raise
    except asyncio.CancelledError:
        store.end_run(run.id, RunState.INTERRUPTED, by_hand("interrupted"), clock.now())
        raise


@contextmanager
def change(desk: Desk, rule: Rule) -> Generator[None]:
    """One transaction for all that changes, which also gives the lease back. A lease lost meanwhile stops it."""
    store, clock = desk.world.store, desk.world.clock
    with store.transaction():
        store.renew(desk.run, clock.now(), desk.sync.patience.lease)
        yield
        store.end_run(desk.run, RunState.DONE, by_hand(rule.value), clock.now())


# --- checks -----------------------------------------------------------------------------------------------------------


def find(world: World, sync: Sync, key: RecordKey, side: Side | None = None) -> tuple[Spot, Seen]:
    """A record that we know. Raises `SetupError` when no side has it, or both do and none is named."""
    found = [
        ((each, key), seen[key])
        for each in Side
        if side in (None, each) and key in (seen := world.store.seen(sync.id, each, [key]))
    ]
    if not found:
        raise no_record(world.store, [sync.id], key, "Run it first if the record is new.")
    if len(found) > 1:
        raise SetupError(f"Both sides of '{sync.id}' have a record '{key}'. Say which: --side left|right.")
    return found[0]


def still_linked(desk: Desk, number: LinkId) -> Link:
    """A link as it is now, under the lease. Raises `SetupError` when a run closed it meanwhile."""
    found = desk.world.store.links(desk.sync.id, [number]).get(number)
    if found is None:
        raise SetupError("The link was closed meanwhile. Look again with `syncline links list`.")
    return found


def shared_link(world: World, sync: Sync, left: RecordKey, right: RecordKey) -> LinkId | None:
    """The link that ties two records to each other."""
    here = world.store.seen(sync.id, Side.LEFT, [left]).get(left)
    there = world.store.seen(sync.id, Side.RIGHT, [right]).get(right)
    return here.link if here and there and here.link == there.link else None


def check_free(desk: Desk, spot: Spot) -> None:
    """A record that is to be linked must not be linked with another one, nor wait for a write's outcome."""
    side, key = spot
    seen = desk.world.store.seen(desk.sync.id, side, [key]).get(key)
    if seen is not None:
        check_not_linked(desk.world, desk.sync, spot, seen)
    check_clear(desk, [spot])


def check_not_linked(world: World, sync: Sync, spot: Spot, seen: Seen) -> None:
    """Raises `SetupError` that says what a record is linked with."""
    if seen.link is None:
        return
    tied = world.store.links(sync.id, [seen.link]).get(seen.link)
    other = tied.of(spot[0].other) if tied else None
    named = f"'{other.key}'{f' ({other.title})' if other.title else ''}" if other else "another record"
    raise SetupError(
        f"The {spot[0].value} record '{spot[1]}' is linked with {named}. Unlink it first with "
        f"`syncline links unlink {spot[1]}`, or give it another counterpart with `syncline links relink {spot[1]} KEY`."
    )


def check_clear(desk: Desk, spots: Iterable[Spot]) -> None:
    """No write may be under way of which nobody knows what became: it could still make or change one of the records."""
    wanted = set(spots)
    for intent in desk.world.store.intents(desk.sync.id):
        step = intent.step
        if wanted & {(step.side, step.key), (step.side.other, step.counterpart)}:
            raise SetupError(
                f"A write about '{step.title or step.key or step.counterpart}' got no answer, and may or may not have "
                f"happened. Run the sync first: `syncline run {desk.sync.id}`."
            )


async def present(desk: Desk, side: Side, key: RecordKey) -> Record:
    """The record as it is now, read directly. Raises `SetupError` when it is gone, hidden or outside the filter."""
    sighting = (await read(desk.sync, side, [key]))[key]
    if not isinstance(sighting, Present):
        why = sighting.reason if isinstance(sighting, Unseen) else sighting.proof.sentence
        raise SetupError(f"The {side.value} record '{key}' is not there: {why or 'it cannot be seen'}.")
    if not sighting.record.in_scope:
        raise SetupError(
            f"The {side.value} record '{key}' is outside the sync's filter. Move it in, or widen the filter."
        )
    record = desk.sync.trim(side, sighting.record)
    known = desk.world.store.seen(desk.sync.id, side, [key]).get(key)
    return msgspec.structs.replace(record, wrote_at=known.wrote_at if known else None)


async def title_of(desk: Desk, side: Side, key: RecordKey) -> str:
    """The title of a record that we know, else of one that is read."""
    known = desk.world.store.seen(desk.sync.id, side, [key]).get(key)
    return known.title if known is not None else (await present(desk, side, key)).title


def is_apart(world: World, sync: Sync, left: RecordKey, right: RecordKey) -> bool:
    return any((pair.left, pair.right) == (left, right) for pair in world.store.apart(sync.id))


# --- changes, inside the transaction ----------------------------------------------------------------------------------


def tie(desk: Desk, records: Mapping[Side, Record], held: Mapping[Side, Iterable[FieldId]]) -> LinkId:
    """A new link, without a base: both records are remembered as they are now, and nothing is settled. `held` names fields
    that are known to have held a value: one that is blank now was emptied by somebody, and is no blank to be filled."""
    store, sync, now = desk.world.store, desk.sync, desk.world.clock.now()
    left, right = records[Side.LEFT], records[Side.RIGHT]
    spoken = {
        side: {
            *held.get(side, ()),
            *filled(store.seen(sync.id, side, [found.key]).get(found.key)),
            *unagreed(sync, side, Base({}, {}), Present(found)),
        }
        for side, found in records.items()
    }
    store.rejoin(sync.id, left.key, right.key)
    made = store.tie(sync.id, left.key, right.key, now)
    for side, found in records.items():
        store.see(sync.id, side, [seen_now(found, b"", link=made, is_settled=False)])
    store.speak(made, spoken[Side.LEFT], spoken[Side.RIGHT])
    settle(desk, [(side, found.key) for side, found in records.items()])
    record(desk, Rule.LINKED_BY_HAND, (left.key, right.key), left.title or right.title, made)
    audit(desk, AuditKind.LINKED, left.key, {"link": made, "left": left.key, "right": right.key})
    return made


def filled(seen: Seen | None) -> Iterable[FieldId]:
    """Fields that an unlinked record held a value in when it was last seen."""
    fields = (seen.fields or {}) if seen is not None else {}
    return (name for name, value in fields.items() if not is_blank(value))


def held_by(old: Link, side: Side) -> set[FieldId]:
    """The fields in which a record of a link is known to have held a value."""
    agreed = {name for name, value in old.base.of(side).items() if not is_blank(value)}
    return {*agreed, *old.spoken.of(side)}


def part(desk: Desk, old: Link, released: Iterable[Side], reason: str | None) -> None:
    """Close a link. The records of the released sides go on alone; another one is tied again right away. With a reason
    the two are kept apart from now on."""
    store, sync, now = desk.world.store, desk.sync, desk.world.clock.now()
    keys = (old.left.key, old.right.key)
    store.untie(old.id, None, now)
    for side in released:
        store.see(sync.id, side, [alone(old.of(side))])
    if reason is not None:
        store.keep_apart(sync.id, *keys, reason, now)
    settle(desk, spots_of(old), old.id)
    record(desk, Rule.UNLINKED_BY_HAND, keys, old.left.title or old.right.title, old.id)
    audit(desk, AuditKind.UNLINKED, keys[0], {"link": old.id, "left": keys[0], "right": keys[1]})


def alone(seen: Seen) -> Seen:
    """A record that goes on alone."""
    return msgspec.structs.replace(seen, link=None, standing=Standing.RELEASED, is_settled=True, fields=None)


def wait(desk: Desk, side: Side, found: Record) -> None:
    """A record that waits to be matched, as it is now."""
    waiting = seen_now(found, b"", link=None, is_settled=False, standing=Standing.WAITING)
    desk.world.store.see(desk.sync.id, side, [waiting])
    settle(desk, [(side, found.key)])


def settle(desk: Desk, spots: Iterable[Spot], link: LinkId | None = None) -> None:
    """What was asked, refused or wished for about these records is settled by what is said now."""
    store, sync, done = desk.world.store, desk.sync, set(spots)
    for side, key in done:
        store.unpark(sync.id, side, [key])
    forget_copies(store, sync.id, done)
    still = [
        question
        for question in store.questions(sync.id)
        if (question.held.link is None or question.held.link != link)
        and not done & {(Side.LEFT, question.held.left_key), (Side.RIGHT, question.held.right_key)}
    ]
    store.ask(sync.id, still)


# --- told -------------------------------------------------------------------------------------------------------------


def record(desk: Desk, rule: Rule, keys: Keys, title: str, link: LinkId | None = None) -> None:
    """One line of the history, about the records as a whole."""
    now = desk.world.clock.now()
    entry = Entry(desk.run, link, *keys, "", None, None, None, None, rule, now, title)
    desk.world.store.record(desk.sync.id, [entry])


def audit(desk: Desk, kind: AuditKind, subject: RecordKey, body: Mapping[str, object]) -> None:
    """One entry of the audit trail: keys and reasons, no values."""
    told = {**body, "run": desk.run}
    desk.world.store.audit(kind, told, now=desk.world.clock.now(), sync=desk.sync.id, subject=subject)


def spots_of(link: Link) -> tuple[Spot, Spot]:
    """Both records of a link."""
    return (Side.LEFT, link.left.key), (Side.RIGHT, link.right.key)


def keys_of(spot: Spot) -> Keys:
    """A record's key as (left, right)."""
    return (spot[1], None) if spot[0] is Side.LEFT else (None, spot[1])
