"""The process stops after each single effect of a run, in turn; the next runs end where an undisturbed one would.

Nothing survives a stop but the database and the two accounts. The world holds one record for everything that a run can
do, so that every effect of every kind is the last one once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncline.connectors.memory import When
from syncline.core.decisions import DeletePolicy
from syncline.core.records import FieldId, Side, Write
from syncline.core.values import ManyOf, Text, Value, same
from syncline.engine.runs import Options, Report, run
from syncline.engine.sync import SideSetup, Sync, World
from syncline.errors import TransientError, UnknownOutcomeError
from syncline.store import open_store
from tests.engine.crashing import Crash, CrashingConnector, CrashingStore, Fuse
from tests.engine.pair import Pair, edited, task, ticket

KEYS_ON_THE_RIGHT = pytest.mark.parametrize("has_external_keys", [True, False], ids=["keys", "look"])


async def prepared(*, has_external_keys: bool, url: str = "sqlite://") -> Pair:
    """Two accounts that agreed, and have since been edited in every way."""
    pair = Pair(deletes=DeletePolicy.PROPAGATE, has_external_keys=has_external_keys, url=url)
    names = (
        "Stays",
        "Renamed",
        "Both",
        "Asked",
        "Labelled",
        "Deleted left",
        "Deleted right",
        "Restored",
        "Remade",
    )
    left = {name: pair.left.create(task(name, hours=1, labels=["a", "b"])) for name in names}
    await pair.settled()
    right = {name: pair.key(Side.RIGHT, name) for name in names}

    pair.clock.advance(100)
    pair.left.create(task("New left", hours=2, labels=["x"], stage=("open",), note="left only"))
    pair.left.create(task("Another new left", hours=4))
    pair.right.create(ticket("New right", effort=3, tags=["y"], state=("closed",)))
    pair.left.create(task("Met", hours=5))
    pair.right.create(ticket("Met", effort=6, tags=["z"]))
    pair.left.edit(left["Renamed"], edited(name="Renamed indeed", stage=("done",)))
    pair.right.edit(right["Renamed"], edited(effort=8))
    pair.left.edit(left["Both"], edited(hours=11))
    pair.right.edit(right["Asked"], edited(title="Asked right", effort=12))
    pair.left.edit(left["Asked"], edited(name="Asked left"))
    pair.left.edit(left["Labelled"], edited(labels=["a", "c"]))
    pair.left.delete(left["Deleted left"])
    pair.right.delete(right["Deleted right"])
    pair.left.delete(left["Restored"])
    pair.left.delete(left["Remade"])
    pair.left.purge(left["Remade"])
    pair.clock.advance(100)
    pair.right.edit(right["Both"], edited(effort=22))
    pair.right.edit(right["Labelled"], edited(tags=["a", "b", "d"]))
    pair.right.edit(right["Restored"], edited(effort=33))
    pair.right.edit(right["Remade"], edited(effort=44))
    return pair


@dataclass(frozen=True)
class End:
    """What a world looks like when nothing is left to do."""

    left: Mapping[str, Mapping[str, Value]]
    right: Mapping[str, Mapping[str, Value]]
    made: tuple[int, int]
    lost: frozenset[tuple[str, str, str]]
    questions: tuple[tuple[str, str | None, str, str], ...]


def end_of(pair: Pair) -> End:
    """Both accounts by title, how many records were ever made, overridden values, open questions."""
    history = pair.store.history(pair.sync().id)
    return End(
        normal(pair.holds(Side.LEFT)),
        normal(pair.holds(Side.RIGHT)),
        (len(pair.left.records), len(pair.right.records)),
        frozenset((e.title, e.field, repr(e.lost)) for e in history if e.lost is not None and e.field),
        tuple(
            sorted(
                (q.held.title, q.held.field, repr(q.held.left), repr(q.held.right))
                for q in pair.store.questions()
            )
        ),
    )


def normal(held: Mapping[str, Mapping[str, Value]]) -> dict[str, dict[str, Value]]:
    """Sets without their order."""
    return {
        title: {n: ManyOf(tuple(sorted(v.keys))) if isinstance(v, ManyOf) else v for n, v in fields.items()}
        for title, fields in held.items()
    }


async def crashed(pair: Pair, fuse: Fuse, options: Options | None = None) -> Report | None:
    """One run behind a fuse; None when it blew."""
    whole = pair.sync()
    setups = {
        side: SideSetup(
            CrashingConnector(whole.side(side).connector, fuse, side.value), whole.side(side).scope, whole.side(side).schema
        )
        for side in Side
    }  # fmt: skip
    sync = Sync(
        whole.id, setups[Side.LEFT], setups[Side.RIGHT], whole.rules, whole.match, whole.limits, whole.may_create,
        whole.mapping_digest, whole.filter_digest, whole.patience,
    )  # fmt: skip
    world = World(CrashingStore(pair.store, fuse), pair.clock)  # type: ignore[arg-type] - forwards what it does not wrap
    pair.clock.advance(60)
    try:
        return await run(world, sync, random.Random(1).random, options)
    except Crash:
        return None


async def finished(pair: Pair, runs: int = 8) -> Report:
    """Run until nothing is open and nothing waits for another try."""
    for _ in range(runs):
        pair.clock.advance(300)
        report = await pair.run()
        if (
            report.is_quiet
            and not pair.store.intents(pair.sync().id)
            and not pair.store.parked(pair.sync().id)
        ):
            return report
    raise AssertionError(f"still busy: {report.plan}, {pair.store.intents(pair.sync().id)}")


async def undisturbed(*, has_external_keys: bool) -> End:
    """Where it all is to end."""
    pair = await prepared(has_external_keys=has_external_keys)
    await finished(pair)
    return end_of(pair)


def check(pair: Pair, wanted: End, where: str) -> None:
    """The same end, with every overridden value told of."""
    got = end_of(pair)
    assert got.made == wanted.made, f"{where}: records made {got.made}, not {wanted.made}"
    assert (got.left, got.right) == (wanted.left, wanted.right), where
    assert got.questions == wanted.questions, where
    assert got.lost >= wanted.lost, f"{where}: not in the history: {wanted.lost - got.lost}"


async def test_the_undisturbed_world_does_everything_a_run_can_do() -> None:
    pair = await prepared(has_external_keys=True)

    report = await pair.run()

    assert (report.left.created, report.left.updated, report.left.deleted, report.left.restored) == (
        2,
        5,
        1,
        1,
    )
    assert (report.right.created, report.right.updated, report.right.deleted) == (2, 2, 1)
    assert report.plan.held
    assert (await pair.run()).is_quiet


@KEYS_ON_THE_RIGHT
@pytest.mark.parametrize("part", range(4))
async def test_stopping_after_any_effect_changes_nothing_in_the_end(
    part: int, has_external_keys: bool
) -> None:
    wanted = await undisturbed(has_external_keys=has_external_keys)
    at, stopped = 1 + part, 0
    while True:
        pair = await prepared(has_external_keys=has_external_keys)
        fuse = Fuse(at)
        if await crashed(pair, fuse) is not None:
            break
        stopped += 1
        await finished(pair)
        check(pair, wanted, f"stopped after effect {at}, {fuse.effects[-1]}")
        at += 4
    assert stopped > 10


@KEYS_ON_THE_RIGHT
async def test_stopping_again_while_recovering_changes_nothing_in_the_end(has_external_keys: bool) -> None:
    wanted = await undisturbed(has_external_keys=has_external_keys)
    chance = random.Random(5)
    for _ in range(40):
        pair = await prepared(has_external_keys=has_external_keys)
        stops: list[str] = []
        for _ in range(4):
            fuse = Fuse(chance.randrange(1, 150))
            if await crashed(pair, fuse) is None:
                stops.append(f"{fuse.at} {fuse.effects[-1]}")
            pair.clock.advance(300)
        await finished(pair)
        check(pair, wanted, f"stopped after {stops}")


async def test_nothing_but_the_database_has_to_survive(tmp_path: Path) -> None:
    wanted = await undisturbed(has_external_keys=False)
    for at in (40, 60, 80, 100):
        url = f"sqlite:///{tmp_path / f'{at}.db'}"
        pair = await prepared(has_external_keys=False, url=url)
        await crashed(pair, Fuse(at))
        pair.store.close()
        pair.store = open_store(url, secret_key=None)
        await finished(pair)
        check(pair, wanted, f"stopped after effect {at}")
        pair.store.close()


class Trouble:
    """Raises an error at one write of an account, before or after its effect."""

    def __init__(self, error: Callable[[], Exception], when: When, at: int) -> None:
        self.error, self.when, self.at = error, when, at
        self.seen = 0

    def __call__(self, when: When, write: Write) -> None:
        """Strike once."""
        if when is not self.when:
            return
        self.seen += 1
        if self.seen == self.at:
            raise self.error()


def unknown() -> UnknownOutcomeError:
    """Sent, no clear answer."""
    return UnknownOutcomeError("cut")


def transient() -> TransientError:
    """Surely not applied."""
    return TransientError("busy")


@KEYS_ON_THE_RIGHT
@pytest.mark.parametrize(
    ("error", "when"),
    [(unknown, When.AFTER), (unknown, When.BEFORE), (transient, When.BEFORE)],
    ids=["done but not answered", "neither done nor answered", "busy"],
)
@pytest.mark.parametrize("side", Side)
async def test_trouble_at_any_write_changes_nothing_in_the_end(
    side: Side, error: Callable[[], Exception], when: When, has_external_keys: bool
) -> None:
    wanted = await undisturbed(has_external_keys=has_external_keys)
    at = 1
    while True:
        pair = await prepared(has_external_keys=has_external_keys)
        trouble = pair.account(side).faults = Trouble(error, when, at)
        await pair.run()
        if trouble.seen < at:
            break
        await finished(pair)
        check(pair, wanted, f"{error.__name__} at write {at} on the {side.value}")
        at += 1
    assert at > 3


@KEYS_ON_THE_RIGHT
async def test_an_edit_made_after_the_stop_is_not_mistaken_for_our_own(has_external_keys: bool) -> None:
    name = FieldId("title")
    at = 1
    while True:
        pair = await prepared(has_external_keys=has_external_keys)
        if await crashed(pair, Fuse(at)) is not None:
            break
        pair.clock.advance(400)
        edits = {each.key: each for each in pair.right.records.values() if each.trashed_at is None}
        for key, each in edits.items():
            title = each.fields[name]
            if isinstance(title, Text) and title.text in ("New left", "Both", "Renamed indeed"):
                pair.right.edit(key, edited(effort=77))
        touched = [
            key
            for key in edits
            if same(pair.right.live(key).fields[FieldId("effort")], edited(x=77)[FieldId("x")])
        ]
        await finished(pair)
        for key in touched:
            held = pair.right.live(key).fields[FieldId("effort")]
            assert same(held, edited(x=77)[FieldId("x")]), (
                f"stopped after effect {at}: an edit was taken back"
            )
        titles = [
            each.fields[FieldId("name")] for each in pair.left.records.values() if each.trashed_at is None
        ]
        assert len({repr(each) for each in titles}) == len(titles), (
            f"stopped after effect {at}: a second record"
        )
        at += 3
