"""Two sweeps and what we remember into a plan, with everything that carrying it out needs to know.

Called by `runs`. Loads the links that something happened to, or comes of (`sift`), asks `core` for each decision, and
remembers what was seen, so that a run that goes no further loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from syncline.core.brakes import BrakeName, Facts
from syncline.core.decisions import (
    Answer,
    AskDelete,
    Decision,
    Fields,
    Forget,
    Remove,
    Resolution,
    Revive,
    Rule,
    View,
    line_name,
)
from syncline.core.match import Matching, match
from syncline.core.memory import Link, Parked, Seen, Standing
from syncline.core.merge import is_agreed, merge, needs_edit_times
from syncline.core.plan import Held, Intake, Linked, Plan, plan
from syncline.core.records import (
    Archive,
    Base,
    Delete,
    FieldId,
    Gone,
    LinkId,
    Present,
    Record,
    RecordKey,
    Restore,
    Side,
    Sighting,
    Write,
)
from syncline.core.values import Value, is_blank, same
from syncline.engine.footing import facts as facts_of
from syncline.engine.outside import doubtful, tell_doubts, without_barred
from syncline.engine.parents import Wait, emptying, in_circles, kept, learn, read_lost, table_of, waits_of
from syncline.engine.pull import Sweep, as_seen, remembered
from syncline.engine.questions import Asked, open_questions, wants_times
from syncline.engine.said import said
from syncline.engine.sift import sift, take_up
from syncline.engine.strays import without_strays
from syncline.engine.sync import Sync, World
from syncline.errors import Detail


@dataclass(slots=True)
class Reconciled:
    """A plan, the views it was made from, and the questions that were open. `news` numbers links that nothing comes of,
    and of which something new is to be remembered all the same (see `sift`)."""

    plan: Plan
    facts: Facts
    asked: Asked
    intake: Intake
    views: dict[LinkId, View] = field(default_factory=dict[LinkId, View])
    links: dict[LinkId, Link] = field(default_factory=dict[LinkId, Link])
    waiting: dict[Side, dict[RecordKey, Record]] = field(default_factory=dict[Side, dict[RecordKey, Record]])
    news: Sequence[int] = ()
    waits: Sequence[Wait] = ()


@dataclass(slots=True)
class _Bench:
    """What lies on the table while a plan is made."""

    world: World
    sync: Sync
    sweeps: Mapping[Side, Sweep]
    frozen: Mapping[Side, Mapping[RecordKey, str]]
    lacking: Mapping[LinkId, Base]
    links: dict[LinkId, Link] = field(default_factory=dict[LinkId, Link])
    views: dict[LinkId, View] = field(default_factory=dict[LinkId, View])
    linked: list[Linked] = field(default_factory=list[Linked])
    held: list[Held] = field(default_factory=list[Held])
    asked: Asked = field(default_factory=Asked)
    parked: dict[tuple[Side, RecordKey], Parked] = field(default_factory=dict[tuple[Side, RecordKey], Parked])
    changed: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    gone: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))


async def reconcile(
    world: World,
    sync: Sync,
    sweeps: Mapping[Side, Sweep],
    frozen: Mapping[Side, Mapping[RecordKey, str]],
    release: frozenset[BrakeName] = frozenset(),
    lacking: Mapping[LinkId, Base] | None = None,
) -> Reconciled:
    """Decide everything that something happened to.

    `frozen` names records (by the side they are on) whose last write has no known outcome yet: nothing is decided
    about them. `lacking` is beside the bases in this run (see `recover`).
    """
    bench = _Bench(world, sync, sweeps, frozen, lacking or {}, asked=open_questions(world, sync, sweeps))
    bench.parked.update(((entry.side, entry.key), entry) for entry in world.store.parked(sync.id))
    news = _load(bench)
    await _ask_of_parents(bench)
    await _decide(bench)
    waiting = {side: _waiting(bench, side) for side in Side}
    learn(sync, {side: records.values() for side, records in waiting.items()})
    told = said(world.store, sync.id)
    matching = match(
        sync.id,
        sync.match,
        sync.rules.lenses,
        list(waiting[Side.LEFT].values()),
        list(waiting[Side.RIGHT].values()),
        told,
    )
    if not all(sweep.shows_news for sweep in sweeps.values()):
        # The others wait: whether they have a counterpart by now, nobody has seen.
        matching = Matching((), (), (), matching.ambiguous)
    matching = _without_held(bench, matching)
    matching, barred = without_barred(world, sync, sweeps, matching)
    matching, strays = await without_strays(world, sync, matching)
    bench.held += [*barred, *strays, *doubtful(world, sync, sweeps)]
    paired = [
        (pair.left, pair.right, merge(_first_view(pair.left, pair.right), sync.rules))
        for pair in matching.pairs
    ]
    waits = waits_of(sync, bench.linked, matching)
    intake = Intake(
        sync.id,
        bench.linked,
        matching,
        paired,
        sync.match.mode,
        sync.rules.lenses,
        sync.may_create,
        told,
        in_circles(world.store, sync, waits),
    )
    facts = facts_of(world, sync, sweeps, bench.changed, bench.gone)
    limits = msgspec.structs.replace(sync.limits, off=sync.limits.off | release)
    made = plan(intake, facts, limits, lambda side, write: _cost(sync, side, write))
    bench.asked.withdraw_unanswerable(made.held)
    made = msgspec.structs.replace(made, held=(*made.held, *bench.held), paused=sync.paused)
    return Reconciled(made, facts, bench.asked, intake, bench.views, bench.links, waiting, news, waits)


def _cost(sync: Sync, side: Side, write: Write) -> int:
    """Calls of a write, with the two looks (this record, and the absence of its counterpart) before a deletion, and the
    one before a revival."""
    looks = 2 if isinstance(write, Delete | Archive) else int(isinstance(write, Restore))
    return sync.side(side).connector.cost(write) + looks


def _first_view(left: Record, right: Record) -> View:
    return View(None, None, Present(left), Present(right))


# --- links ----------------------------------------------------------------------------------------------------------


def _load(bench: _Bench) -> Sequence[int]:
    """The links of everything fresh or gone, of everything that was left open, and those that something comes of among
    what a recheck laid aside. Answers the others of which something is to be noted."""
    store, sync = bench.world.store, bench.sync
    ids: set[LinkId] = set(store.unsettled(sync.id))
    for side, sweep in bench.sweeps.items():
        keys = [*(key for key in sweep.fresh if key not in sweep.new), *sweep.gone]
        ids |= {seen.link for seen in store.seen(sync.id, side, keys).values() if seen.link is not None}
    take_up(bench.sweeps, ids)
    busy, news = sift(bench.world, sync, bench.sweeps, ids, lambda link: _is_quiet(bench, link))
    found = {**store.links(sync.id, sorted(ids)), **busy}
    bench.links.update((number, found[number]) for number in sorted(found))
    return news


def _is_quiet(bench: _Bench, link: Link) -> bool:
    """Whether nothing comes of a link, by the same view that it would be decided from."""
    spots = [(side, link.of(side).key) for side in Side]
    if any(spot in bench.parked or spot[1] in bench.frozen[spot[0]] for spot in spots):
        return False
    return comes_to_nothing(merge(_view(bench, link), bench.sync.rules))


def comes_to_nothing(decision: Decision) -> bool:
    """Whether a decision is neither a step nor held, and tells nothing."""
    return isinstance(decision, Fields) and all(
        field.rule is Rule.IN_STEP or (field.rule is Rule.UNSEEN and not field.reason)
        for field in decision.fields
    )


async def _ask_of_parents(bench: _Bench) -> None:
    """What is known of the records that these point to: looked up together. Where a deletion or a blank would be carried over,
    it is read whether the record went that was pointed to: its own sync may not have looked yet."""
    sync = bench.sync
    learn(sync, {side: sweep.fresh.values() for side, sweep in bench.sweeps.items()})
    if table_of(sync) is None:
        return
    left: dict[Side, list[Mapping[FieldId, Value]]] = {side: [] for side in Side}
    for link in bench.links.values():
        if _stopped(bench, link) is None:
            for side, names in emptying(sync, merge(_view(bench, link), sync.rules)):
                base = link.base.of(side)
                left[side].append({name: base[name] for name in names if name in base})
    await read_lost(sync, left)


async def _decide(bench: _Bench) -> None:
    sync = bench.sync
    for link in bench.links.values():
        view = _view(bench, link)
        is_by_time = needs_edit_times(view, sync.rules)
        if is_by_time or wants_times(bench.asked, link.id, merge(view, sync.rules)):
            view = await _with_edits(bench, link, view)
            bench.asked.timed.add(link.id)
        now = {side: view.of(side) for side in Side}
        known = kept(sync, now, {side: link.base.of(side) for side in Side})
        bench.views[link.id] = view = msgspec.structs.replace(view, parents=known)
        title = _title(view, link)
        reason = _stopped(bench, link)
        if reason is not None:
            bench.held.append(Held(reason[0], reason[1], title, link.id, link.left.key, link.right.key))
            continue
        decision = tell_doubts(sync, view, _noted(merge(view, sync.rules), bench.lacking.get(link.id)))
        _count(bench, link, view, decision)
        gone = [sighting if isinstance(sighting, Gone) else None for sighting in (view.left, view.right)]
        bench.linked.append(Linked(link.id, link.left.key, link.right.key, title, decision, *gone))


def _view(bench: _Bench, link: Link) -> View:
    choice = bench.asked.choices.get(link.id, {})
    answer = choice.get("")
    now = {side: _sighting(bench, link, side) for side in Side}
    return View(
        link.id,
        _with(link.base, bench.lacking.get(link.id)),
        now[Side.LEFT],
        now[Side.RIGHT],
        # A contested field that is emptied stays contested until a person has chosen.
        cleared=frozenset({*_cleared(bench, link, now), *bench.asked.contested.get(link.id, ())}),
        resolutions={name: chosen for name, chosen in choice.items() if isinstance(chosen, Resolution)},
        answer=answer if isinstance(answer, Answer) else None,
    )


def _with(base: Base, more: Base | None) -> Base:
    return base if more is None else Base({**base.left, **more.left}, {**base.right, **more.right})


def _noted(decision: Decision, lacking: Base | None) -> Decision:
    """A line that is in step with what is only for this run beside the base has yet to become the base."""
    if lacking is None or not isinstance(decision, Fields):
        return decision
    return Fields(
        tuple(
            msgspec.structs.replace(each, rule=Rule.AGREED)
            if each.rule is Rule.IN_STEP
            and (each.left_field in lacking.left or each.right_field in lacking.right)
            else each
            for each in decision.fields
        )
    )


def _cleared(bench: _Bench, link: Link, now: Mapping[Side, Sighting]) -> Iterator[str]:
    """Lines never agreed on, on which a side was seen with a value, and is blank now."""
    for lens in bench.sync.rules.lenses:
        if is_agreed(link.base, lens):
            continue
        for side, sighting in now.items():
            name = lens.mapping.of(side)
            value = sighting.record.fields.get(name) if isinstance(sighting, Present) else None
            if value is not None and is_blank(value) and name in link.spoken.of(side):
                yield line_name(lens.mapping.left, lens.mapping.right)


def _sighting(bench: _Bench, link: Link, side: Side) -> Sighting:
    """What was just seen of one side, else what it was when last seen."""
    sweep, seen = bench.sweeps[side], link.of(side)
    if seen.key in sweep.fresh:
        return Present(msgspec.structs.replace(sweep.fresh[seen.key], wrote_at=seen.wrote_at))
    if seen.key in sweep.gone:
        return sweep.gone[seen.key]
    return remembered(link, side)


async def _with_edits(bench: _Bench, link: Link, view: View) -> View:
    """The same view with each field's own edit time, where the vendors tell."""
    left, right = bench.sync.left, bench.sync.right
    return msgspec.structs.replace(
        view,
        left_edits=await left.connector.edits(left.scope, link.left.key),
        right_edits=await right.connector.edits(right.scope, link.right.key),
    )


def _stopped(bench: _Bench, link: Link) -> tuple[Rule, str] | None:
    """Why nothing is decided about a link now: an unknown outcome, or a refusal that nothing has changed since."""
    for side in Side:
        key = link.of(side).key
        if key in bench.frozen[side]:
            return Rule.UNKNOWN_OUTCOME, bench.frozen[side][key]
        entry = bench.parked.get((side, key))
        if entry is not None and _is_parked(bench, entry, link):
            return Rule.PARKED, entry.message
    return None


def _is_parked(bench: _Bench, entry: Parked, link: Link | None) -> bool:
    if entry.due is not None and entry.due <= bench.world.clock.now():
        return False
    keys = {side: link.of(side).key for side in Side} if link else {entry.side: entry.key}
    moved = [side for side, key in keys.items() if key in bench.sweeps[side].moved]
    if link is None or entry.code != Detail.NOT_KEPT.value:
        return not moved
    # Our own write moved the record; only somebody else's edit is a reason to write again.
    return all(_is_as_left(bench.sweeps[side], link.of(side)) for side in moved)


def _is_as_left(sweep: Sweep, seen: Seen) -> bool:
    """Whether a record holds what it held after our last write, and nobody has written since."""
    record = sweep.fresh.get(seen.key)
    if record is None or seen.fields is None or seen.is_settled:
        return False
    is_ours = seen.wrote_at is None or record.updated_at in (None, seen.wrote_at)
    return is_ours and all(same(record.fields.get(name, value), value) for name, value in seen.fields.items())


def _title(view: View, link: Link) -> str:
    for side in Side:
        sighting = view.of(side)
        if isinstance(sighting, Present) and sighting.record.title:
            return sighting.record.title
    return link.left.title or link.right.title


def _count(bench: _Bench, link: Link, view: View, decision: Decision) -> None:
    """Count what the brakes look at: links that one side's edits would change, and links that a side lost."""
    match decision:
        case Fields(fields):
            # A line that was never agreed on (a field added just now) tells of no edit, nor does one that points anew.
            agreed = [
                f
                for f in fields
                if f.left_field in link.base.left
                and f.right_field in link.base.right
                and f.rule is not Rule.PARENT_BACK
            ]
            bench.changed[Side.LEFT] += any(f.to_right is not None for f in agreed)
            bench.changed[Side.RIGHT] += any(f.to_left is not None for f in agreed)
        case Remove(side, _, rule) if rule is not Rule.RESOLVED:
            bench.gone[side.other] += 1
        # What a person is asked about has been looked at: it is counted until it is asked.
        case Revive(side, _, _, rule) if rule is not Rule.RESOLVED:
            bench.gone[side] += link.id not in bench.asked.gone
        case AskDelete(side):
            bench.gone[side] += link.id not in bench.asked.gone
        # A link that is to be closed counts until it is: a stopped run must not make the next one blind.
        case Forget(_, rule) if rule is not Rule.RESOLVED:
            for side in Side:
                bench.gone[side] += isinstance(view.of(side), Gone)
        case _:
            for side in Side:
                is_new = link.of(side).gone is None and link.of(side).key in bench.sweeps[side].gone
                bench.gone[side] += is_new and view.answer is None


# --- records without a link -----------------------------------------------------------------------------------------


def _waiting(bench: _Bench, side: Side) -> dict[RecordKey, Record]:
    """Every present record of a side that no link ties and nobody released."""
    store, sync, sweep = bench.world.store, bench.sync, bench.sweeps[side]
    out: dict[RecordKey, Record] = {}
    for seen in store.waiting(sync.id, side):
        sighting = as_seen(seen)
        if seen.key not in sweep.gone and isinstance(sighting, Present):
            out[seen.key] = sweep.fresh.get(seen.key, sighting.record)
    known = store.seen(sync.id, side, [key for key in sweep.fresh if key not in out])
    for key, record in sweep.fresh.items():
        seen = known.get(key)
        is_free = seen is not None and seen.link is None
        is_back = seen is not None and (seen.gone is not None or seen.standing is Standing.WAITING)
        if seen is None or (is_free and is_back):
            out[key] = record
    return {key: record for key, record in out.items() if record.in_scope}


def _without_held(bench: _Bench, matching: Matching) -> Matching:
    """Take out the records whose last write has no known outcome, or was refused: a copy could be a second one."""
    lone: dict[Side, tuple[Record, ...]] = {}
    for side in Side:
        going: list[Record] = []
        for record in matching.lone(side):
            keys = (record.key, None) if side is Side.LEFT else (None, record.key)
            entry = bench.parked.get((side, record.key))
            if record.key in bench.frozen[side]:
                text = bench.frozen[side][record.key]
                bench.held.append(Held(Rule.UNKNOWN_OUTCOME, text, record.title, None, *keys))
            elif entry is not None and _is_parked(bench, entry, None):
                bench.held.append(Held(Rule.PARKED, entry.message, record.title, None, *keys))
            else:
                going.append(record)
        lone[side] = tuple(going)
    pairs = tuple(
        pair
        for pair in matching.pairs
        if pair.left.key not in bench.frozen[Side.LEFT] and pair.right.key not in bench.frozen[Side.RIGHT]
    )
    return Matching(pairs, lone[Side.LEFT], lone[Side.RIGHT], matching.ambiguous)
