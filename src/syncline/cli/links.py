"""Commands about links: which records belong together, which do not, and which go alone.

What is said here is kept at once; the next run carries it out. Nothing is written to a vendor by these commands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, only, wait
from syncline.cli.output import say, say_json, table
from syncline.core.candidates import Candidate
from syncline.core.memory import KeptApart
from syncline.core.records import RecordKey, Side, SyncId
from syncline.engine import linking, unlinked
from syncline.engine.linking import Done
from syncline.engine.lookup import no_record
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError

links = typer.Typer(
    help="Which records belong together: list, candidates, link, unlink, relink, apart, copy, release.",
    no_args_is_help=True,
)

OfSync = Annotated[str | None, typer.Option("--sync", help="The sync; needed where several know the record.")]
OfSide = Annotated[Side | None, typer.Option("--side", help="The record's side, where both have its id.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the pair.")]
LeftKey = Annotated[str, typer.Argument(help="The left record's id.")]
RightKey = Annotated[str, typer.Argument(help="The right record's id.")]
OneKey = Annotated[str, typer.Argument(help="The record's id on either side.")]

_LIMIT = 100


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(links, name="links", rich_help_panel="Records")


@links.command(name="list")
def list_links(
    context: typer.Context,
    sync: Annotated[str | None, typer.Option("--sync", help="Only this sync.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Records without a link, and why.")] = False,
    ambiguous: Annotated[
        bool, typer.Option("--ambiguous", help="Records that share their keys, with the pairs among them.")
    ] = False,
    released: Annotated[bool, typer.Option("--released", help="Records that go on alone.")] = False,
    apart: Annotated[bool, typer.Option("--apart", help="Pairs that are kept apart.")] = False,
    limit: Limit = _LIMIT,
    as_json: AsJson = False,
) -> None:
    """List links, the newest first; or records without one."""
    wanted = {"waiting": waiting, "ambiguous": ambiguous, "released": released, "apart": apart}
    asked = [name for name, is_asked in wanted.items() if is_asked]
    if len(asked) > 1:
        raise SetupError("Say at most one of --waiting, --ambiguous, --released, --apart.")

    async def work() -> dict[str, Sequence[_Listed]]:
        async with given(context).open() as installation:
            names = only(installation, sync)
            which = asked[0] if asked else "linked"
            return {name: await _listed(installation, name, which, limit) for name in names}

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
        return
    for name, each in found.items():
        say(f"{name}: {len(each) or 'none'}")
        for one in each:
            _say_listed(one)


_Listed = unlinked.Tied | unlinked.Waiting | unlinked.Group | unlinked.Named | KeptApart


async def _listed(installation: Installation, name: str, which: str, limit: int) -> Sequence[_Listed]:
    """Links and released records come from our own memory; the others need the mapping, and so the schemas."""
    store, world = installation.store, installation.world()
    match which:
        case "waiting":
            return unlinked.waiting(world, await installation.sync(name))[:limit]
        case "ambiguous":
            return unlinked.groups(world, await installation.sync(name))[:limit]
        case "released":
            return unlinked.released(store, SyncId(name))[:limit]
        case "apart":
            return store.apart(SyncId(name))[:limit]
        case _:
            return unlinked.linked(store, SyncId(name), limit)


def _say_listed(one: _Listed) -> None:
    match one:
        case unlinked.Tied(_, left, right, is_settled):
            note = "" if is_settled else "   (not settled)"
            say(f"  {left.key} {left.title}  =  {right.key} {right.title}{note}")
        case unlinked.Waiting(record, rule, reason):
            say(f"  {_named(record)}: {rule.sentence} ({reason})")
        case unlinked.Group(left, right, pairs):
            say(f"  {', '.join(_named(each) for each in (*left, *right))}")
            say_candidates(pairs)
        case unlinked.Named():
            say(f"  {_named(one)}")
        case KeptApart(left, right, at, reason):
            say(f"  {left}  ≠  {right}   since {at:%Y-%m-%d %H:%M} {reason}".rstrip())


def _named(record: unlinked.Named) -> str:
    return f"{record.side.value} {record.key} {record.title}".rstrip()


@links.command()
def candidates(
    context: typer.Context,
    record: Annotated[str | None, typer.Argument(help="Only what may belong to this record.")] = None,
    sync: OfSync = None,
    side: OfSide = None,
    limit: Limit = _LIMIT,
    as_json: AsJson = False,
) -> None:
    """Show which unlinked records may be the same thing, with a score and its reasons. Nothing is linked by a score."""

    async def work() -> dict[str, tuple[Candidate, ...]]:
        async with given(context).open() as installation:
            if record is None:
                names = only(installation, sync)
            else:
                names = [_sync_of(installation, sync, [(each, record) for each in _sides(side)])]
            key = None if record is None else RecordKey(record)
            world = installation.world()
            return {
                name: (await unlinked.candidates(world, await installation.sync(name), key, side=side))[
                    :limit
                ]
                for name in names
            }

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
        return
    for name, each in found.items():
        say(f"{name}: {len(each) or 'none'}")
        say_candidates(each)


def say_candidates(found: Sequence[Candidate]) -> None:
    """Pairs, most alike first, each with its reasons."""
    if found:
        table(
            ("score", "left", "right", "certain by", "why"),
            [
                (
                    f"{each.score:.2f}",
                    f"{each.left} {each.left_title}".rstrip(),
                    f"{each.right} {each.right_title}".rstrip(),
                    each.by,
                    "; ".join(f"{reason.line}: {reason.text}" for reason in each.reasons),
                )
                for each in found
            ],
        )


@links.command()
def link(
    context: typer.Context, left: LeftKey, right: RightKey, sync: OfSync = None, as_json: AsJson = False
) -> None:
    """Say that two records are the same thing. The next run decides their fields as at a first meeting."""
    here, there = RecordKey(left), RecordKey(right)

    async def work(world: World, found: Sync) -> Done:
        return await linking.link(world, found, here, there)

    done = _done(context, sync, [(Side.LEFT, left), (Side.RIGHT, right)], work)
    _tell(
        context, done, f"{left} and {right} are linked. The next run decides their fields.", as_json=as_json
    )


@links.command()
def unlink(
    context: typer.Context,
    record: OneKey,
    sync: OfSync = None,
    side: OfSide = None,
    reason: Why = "",
    keep_apart: Annotated[
        bool, typer.Option(help="Never propose or match the two again, until they are linked by hand.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Cut a record's link. Both records stay as they are, each for itself: neither is linked or copied again."""

    async def work(world: World, found: Sync) -> Done:
        key = RecordKey(record)
        return await linking.unlink(world, found, key, side=side, keep_apart=keep_apart, reason=reason)

    done = _done(context, sync, [(each, record) for each in _sides(side)], work)
    _tell(context, done, f"{record} is not linked any more. Both records stay.", as_json=as_json)


@links.command()
def relink(
    context: typer.Context,
    record: OneKey,
    to: Annotated[str, typer.Argument(help="Its new counterpart, on the other side.")],
    sync: OfSync = None,
    side: OfSide = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Give a linked record another counterpart. The old one stays for itself; all fields are decided anew."""

    async def work(world: World, found: Sync) -> Done:
        return await linking.relink(world, found, RecordKey(record), RecordKey(to), side=side, reason=reason)

    done = _done(context, sync, [(each, record) for each in _sides(side)], work)
    text = f"{record} is linked with {to}."
    if done.released is not None:
        text += f" {done.released} goes on alone."
    _tell(context, done, text, as_json=as_json)


@links.command()
def apart(
    context: typer.Context,
    left: LeftKey,
    right: RightKey,
    sync: OfSync = None,
    reason: Why = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that two records are not the same: they are never proposed or matched, and no second copy is made of them."""
    here, there = RecordKey(left), RecordKey(right)

    async def work(world: World, found: Sync) -> Done:
        if undo:
            return await linking.rejoin(world, found, here, there)
        return await linking.separate(world, found, here, there, reason)

    done = _done(context, sync, [(Side.LEFT, left), (Side.RIGHT, right)], work)
    text = f"{left} and {right} are {'not kept apart any more' if undo else 'kept apart'}."
    _tell(context, done, text, as_json=as_json)


@links.command()
def copy(
    context: typer.Context,
    record: OneKey,
    sync: OfSync = None,
    side: OfSide = None,
    as_json: AsJson = False,
) -> None:
    """Say that a record has no counterpart: the next run makes one, also where the sync only matches."""

    async def work(world: World, found: Sync) -> Done:
        return await linking.copy(world, found, RecordKey(record), side=side)

    done = _done(context, sync, [(each, record) for each in _sides(side)], work)
    _tell(context, done, f"{record} is copied in the next run.", as_json=as_json)


@links.command()
def release(
    context: typer.Context,
    record: OneKey,
    sync: OfSync = None,
    side: OfSide = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let it take part again, or do not copy it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a record without a link go on alone: it is neither matched nor copied, and nobody is asked about it."""

    async def work(world: World, found: Sync) -> Done:
        do = linking.recall if undo else linking.release
        return await do(world, found, RecordKey(record), side=side)

    done = _done(context, sync, [(each, record) for each in _sides(side)], work)
    _tell(context, done, f"{record} {'waits to be matched' if undo else 'goes on alone'}.", as_json=as_json)


# --- common to all ----------------------------------------------------------------------------------------------------


def _done(
    context: typer.Context,
    sync: str | None,
    records: Sequence[tuple[Side, str]],
    work: Callable[[World, Sync], Awaitable[Done]],
) -> Done:
    async def whole() -> Done:
        async with given(context).open() as installation:
            name = _sync_of(installation, sync, records)
            return await work(installation.world(), await installation.sync(name))

    return wait(whole())


def _tell(context: typer.Context, done: Done, text: str, *, as_json: bool) -> None:
    if as_json or given(context).as_json:
        say_json(done)
    else:
        say(text if done.is_new else f"{text} It was so already.")


def _sides(side: Side | None) -> tuple[Side, ...]:
    return (side,) if side else (Side.LEFT, Side.RIGHT)


def _sync_of(installation: Installation, name: str | None, records: Sequence[tuple[Side, str]]) -> str:
    """The sync that is named, or the only one, or the only one that knows one of the records."""
    names = only(installation, name)
    if len(names) == 1:
        return names[0]
    knowing = [
        each
        for each in names
        if any(installation.store.seen(SyncId(each), side, [RecordKey(key)]) for side, key in records)
    ]
    if len(knowing) == 1:
        return knowing[0]
    shown = ", ".join(dict.fromkeys(key for _, key in records))
    which = f"Say which sync is meant: --sync {'|'.join(knowing or names)}."
    if not knowing:
        raise no_record(installation.store, [SyncId(each) for each in names], RecordKey(records[0][1]), which)
    raise SetupError(f"Several syncs know {shown}: {', '.join(knowing)}. {which}")
