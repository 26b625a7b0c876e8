"""A seed into a whole world: two vendors, a mapping and policies, a bad network between them, and people who edit."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncline.connectors import activecollab, highlevel
from syncline.connectors.highlevel.schema import DataType
from syncline.connectors.http import Environment
from syncline.core.brakes import BrakeName, Limits
from syncline.core.decisions import Answer, DeletedEdit, DeletePolicy, Rule, Rules
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.match import MatchMode, MatchRule
from syncline.core.records import (
    Ability,
    Create,
    Edit,
    FieldId,
    ObjectTypeId,
    Receipt,
    RecordKey,
    Scope,
    Side,
    Sighting,
    SyncId,
    Write,
)
from syncline.engine import review
from syncline.engine.runs import Options, Report, run
from syncline.engine.sync import Patience, SideSetup, Sync
from syncline.engine.sync import World as EngineWorld
from syncline.errors import BusyError, SetupError, TransientError
from syncline.ports import Connector, Quota
from syncline.sandbox.activecollab import ActiveCollabVendor
from syncline.sandbox.faults import Faults
from syncline.sandbox.highlevel import HighLevelVendor
from syncline.sandbox.wire import SandboxClock
from syncline.store import SqlStore, open_store
from tests.clock import START, VirtualClock
from tests.engine.crashing import Crash, CrashingStore, Fuse
from tests.simulation.network import Door, Network, token_of, trouble
from tests.simulation.people import OBJECT, PALETTE, ActiveCollabAccount, Crowd, HighLevelAccount

_FIELD_WISHES = (
    highlevel.FieldWish("Notes", DataType.LARGE_TEXT),
    highlevel.FieldWish("Due", DataType.DATE),
    highlevel.FieldWish("Hours", DataType.NUMERICAL),
    highlevel.FieldWish("Tags", DataType.MULTIPLE_OPTIONS, PALETTE),
    highlevel.FieldWish("Status", DataType.SINGLE_OPTIONS, ("open", "done")),
    highlevel.FieldWish("Syncline key"),
)
_WISH = highlevel.ObjectWish("ticket", "Ticket", "Tickets", highlevel.FieldWish("Title"), _FIELD_WISHES)
_KEY = FieldId("syncline_key")
_LINES = {"name": "title", "body": "notes", "due_on": "due", "estimate": "hours", "labels": "tags",
          "is_completed": "status", "assignee": "owner"}  # fmt: skip
SYNC = SyncId("tickets")
NAMES = ("ac", "hl")


@dataclass(frozen=True)
class Weather:
    """What a seed chose: everything that differs between worlds."""

    left: str
    keys: str
    """`unique`, `plain` or `none`: what the external key field of HighLevel is."""
    mode: MatchMode
    deletes: DeletePolicy
    deleted_edit: DeletedEdit
    policies: Mapping[str, ConflictPolicy]
    one_way: Mapping[str, str]
    """Fields that go one way, with the vendor they go to."""
    lag: float
    trouble: float
    crashes: float
    restlessness: float
    """How likely somebody edits just before a request."""
    writers: int

    @classmethod
    def of(cls, chance: random.Random) -> Weather:
        """Roll the dice."""
        plain = (*[ConflictPolicy.NEWEST] * 3, ConflictPolicy.ASK, ConflictPolicy.LEFT, ConflictPolicy.RIGHT,
                 ConflictPolicy.LEFT_UNLESS_BLANK, ConflictPolicy.RIGHT_UNLESS_BLANK)  # fmt: skip
        policies = {name: chance.choice(plain) for name in _LINES if name != "labels"}
        policies["labels"] = chance.choice(
            (ConflictPolicy.MERGE, ConflictPolicy.MERGE, ConflictPolicy.NEWEST)
        )
        one_way = {"body": "hl"} if chance.random() < 0.6 else {}
        if chance.random() < 0.3:
            one_way[chance.choice(("due_on", "estimate", "assignee"))] = chance.choice(NAMES)
        return cls(
            left=chance.choice(NAMES),
            keys=chance.choice(("unique", "plain", "none")),
            mode=chance.choice((MatchMode.MATCH_THEN_CREATE, MatchMode.CREATE_ONLY)),
            deletes=chance.choice((DeletePolicy.PROPAGATE, DeletePolicy.PROPAGATE, DeletePolicy.ASK, DeletePolicy.IGNORE)),
            deleted_edit=chance.choice((DeletedEdit.EDIT, DeletedEdit.EDIT, DeletedEdit.DELETE, DeletedEdit.ASK)),
            policies=policies,
            one_way=one_way,
            lag=chance.choice((0.0, 0.0, 3.0, 30.0)),
            trouble=chance.choice((0.0, 0.03, 0.1)),
            crashes=chance.choice((0.0, 0.3, 0.7)),
            restlessness=chance.choice((0.0, 0.05, 0.2)),
            writers=chance.choice((1, 3, 8)),
        )  # fmt: skip


class Watched:
    """A connector that keeps people's hands off a record between our look at it and the end of our write.

    Neither vendor offers a conditional write, so what is typed in that moment is lost, and documented to be. A look is
    a direct read; everything else (listings, searches, decisions) may be overtaken by people at any time.
    """

    def __init__(self, inner: Connector, name: str, world: World) -> None:
        self._inner, self._name, self._world = inner, name, world
        self.schema, self.pages, self.find, self.check = inner.schema, inner.pages, inner.find, inner.check
        self.object_types, self.close, self.cost = inner.object_types, inner.close, inner.cost

    @property
    def calls(self) -> int:
        """As counted inside."""
        return self._inner.calls

    @property
    def quota(self) -> Quota:
        """As told inside."""
        return self._inner.quota

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """Nobody's hands are kept off for this."""
        return await self._inner.edits(scope, key)

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """A look."""
        self._world.lock(self._name, key)
        return await self._inner.fetch(scope, key)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """A write; afterwards the record is free again."""
        crowd = self._world.crowd
        token = (
            token_of(getattr(write.fields.get(self._world.title(self._name)), "text", ""))
            if isinstance(write, Create)
            else crowd.account(self._name).token(write.key)
        )
        crowd.locked.add((self._name, token))
        try:
            return await self._inner.write(scope, write)
        finally:
            crowd.locked.discard((self._name, token))


@dataclass
class World:
    """One world. `lines` is its trace."""

    seed: int
    is_traced: bool = True
    weather: Weather | None = None
    chance: random.Random = field(init=False)
    lines: list[str] = field(default_factory=list)
    runs: int = 0
    crashes: int = 0
    reports: list[Report] = field(default_factory=list)
    condemned: set[int] = field(default_factory=set)
    """Origins that a person, when asked, wanted deleted."""

    def __post_init__(self) -> None:
        """Put the two vendors there; nothing is connected yet."""
        self.chance = random.Random(self.seed)
        self.weather = self.weather or Weather.of(self.chance)
        following = SandboxClock(START)
        self.clock = VirtualClock(START, following.advance)
        ac, hl = ActiveCollabVendor(following, self.seed), HighLevelVendor(following, self.seed)
        self.store: SqlStore = open_store("sqlite://", secret_key=None)
        self.fuse = Fuse()
        self.vendors = {"ac": ac, "hl": hl}
        self.is_restless = False
        self.faults = {name: Faults(self.seed * 2 + n) for n, name in enumerate(NAMES)}
        accounts = {"ac": ActiveCollabAccount(ac), "hl": HighLevelAccount(hl)}
        self.crowd = Crowd(accounts["ac"], accounts["hl"], self.chance, self.note)  # type: ignore[arg-type]
        self.doors = {
            name: Door(self.vendors[name], accounts[name], lambda: len(self.crowd.deeds)) for name in NAMES
        }
        self.crowd.pending = self._pending
        self.token = ac.token()
        self.setups: dict[Side, SideSetup] = {}

    @property
    def is_rough(self) -> bool:
        """Whether some write's outcome may have stayed unheard."""
        return bool(self.weather.trouble or self.weather.crashes)

    # --- putting it together

    def side(self, name: str) -> Side:
        """Which side a vendor is on."""
        return Side.LEFT if name == self.weather.left else Side.RIGHT

    def title(self, name: str) -> FieldId:
        """A vendor's field that names its records."""
        return FieldId("name" if name == "ac" else "title")

    def note(self, text: str) -> None:
        """One line of the trace."""
        if self.is_traced:
            self.lines.append(f"{(self.clock.now() - START).total_seconds():10.3f} {text}")

    def _network(self, name: str) -> Network:
        return Network(
            name, self.doors[name], self.clock, self.faults[name], self.chance, lambda: self.fuse, self._interlude, self.note
        )  # fmt: skip

    def _pending(self) -> set[tuple[str, int]]:
        """Creates without a known outcome, where no external key can find what they made."""
        sides = {self.side(name): name for name in NAMES if name == "ac" or self.weather.keys == "none"}
        steps = [intent.step for intent in self.store.intents(SYNC)]
        return {
            (sides[s.side], token_of(s.title))
            for s in steps
            if isinstance(s.write, Create) and s.side in sides
        }

    def _interlude(self) -> None:
        if self.is_restless and self.chance.random() < self.weather.restlessness:
            self.crowd.act()

    def lock(self, name: str, key: str) -> None:
        """Keep people's hands off a record for now."""
        self.crowd.locked.add((name, self.crowd.account(name).token(key)))

    def _connected(self, name: str) -> Connector:
        environment = Environment(self._network(name), self.clock, self.chance.random)
        if name == "ac":
            return activecollab.connect(
                "ac", activecollab.Settings("http://ac.example.test", self.token), environment
            )
        vendor = self.crowd.hl.vendor
        location = vendor.account.location_ids[0]
        settings = highlevel.Settings(
            location,
            highlevel.PrivateToken(vendor.account.private_tokens[location]),
            "http://hl.example.test",
            search_lag=dt.timedelta(seconds=self.weather.lag),
            external_key=None if self.weather.keys == "none" else _KEY,
        )
        return highlevel.connect(settings, environment, connection="hl")

    async def furnish(self) -> None:
        """The custom object, in peace."""
        connector = self._connected("hl")
        await highlevel.ensure_object(connector.client, _WISH)  # type: ignore[attr-defined]
        if self.weather.keys == "unique":
            self.vendors["hl"].control("make_unique", {"object": OBJECT, "field": _KEY})
        self.vendors["hl"].control("search_lag", {"seconds": self.weather.lag})
        await self.connect()
        for name in NAMES:
            self.doors[name].counted.calls = self.doors[name].counted.writes = 0

    async def connect(self) -> None:
        """A process starts: fresh connectors, nothing remembered but the database."""
        projects = tuple(str(each) for each in self.crowd.ac.projects[:2])
        scopes = {
            "ac": Scope(ObjectTypeId("task"), {"project": projects}),
            "hl": Scope(ObjectTypeId(OBJECT)),
        }
        for name in NAMES:
            connector = self._connected(name)
            schema = await connector.schema(scopes[name].object_type)
            self.setups[self.side(name)] = SideSetup(Watched(connector, name, self), scopes[name], schema)

    def mappings(self) -> Sequence[FieldMapping]:
        """The lines of the sync."""
        return [self._line(*line) for line in _LINES.items()]

    def _line(self, ac: str, hl: str) -> FieldMapping:
        ends = (ac, hl) if self.weather.left == "ac" else (hl, ac)
        target = self.weather.one_way.get(ac)
        direction = Direction.BOTH if target is None else _TO[self.side(target)]
        pairs = (("yes", "done"), ("no", "open")) if ac == "is_completed" else ()
        values = pairs if self.weather.left == "ac" else tuple((b, a) for a, b in pairs)
        return FieldMapping(
            FieldId(ends[0]), FieldId(ends[1]), direction, self.weather.policies[ac], values=values, is_lossy=ac == "body"
        )  # fmt: skip

    def sync(self) -> Sync:
        """The sync as configured."""
        left, right = self.setups[Side.LEFT], self.setups[Side.RIGHT]
        made = lenses(self.mappings(), left.schema, right.schema, ConflictPolicy.NEWEST)
        title = (self.title(self.weather.left), self.title(_other(self.weather.left)))
        return Sync(
            SYNC, left, right,
            Rules(made, self.weather.deletes, self.weather.deleted_edit, _able(self.setups, Ability.ARCHIVE),
                  _able(self.setups, Ability.RESTORE)),
            MatchRule((title,), self.weather.mode),
            Limits(changes=None, deletes=None, at_least=10_000), frozenset(Side), "mapping", "filter",
            Patience(dt.timedelta(), lag={self.side("hl"): dt.timedelta(seconds=self.weather.lag)}, writers=self.weather.writers),
        )  # fmt: skip

    # --- what happens

    async def play(self) -> None:
        """The script: people, runs, trouble; then peace, and runs until nothing is left to do."""
        await self.furnish()
        self._first_records()
        chance = self.chance
        for _ in range(chance.randint(3, 6)):
            for _ in range(chance.randint(0, 6)):
                self.clock.advance(chance.choice((0.0, 0.4, 3.0, 47.0)))
                self.crowd.act()
            if chance.random() < 0.4:
                self._answer()
            await self.troubled_run()
        await self.settle()

    def _first_records(self) -> None:
        for name in NAMES:
            for _ in range(self.chance.randint(1, 4)):
                self.crowd.create(name)
        if self.weather.mode is MatchMode.MATCH_THEN_CREATE and self.chance.random() < 0.7:
            self._twin()

    def _twin(self) -> None:
        """The same thing on both sides, found by its name."""
        token = self.crowd.create("ac")
        key = next(key for key in self.crowd.ac.records() if self.crowd.ac.token(key) == token)
        held = self.crowd.ac.records()[key]
        self.crowd.twin(token, str(held["name"]))
        self.clock.advance(self.weather.lag)

    async def troubled_run(self) -> None:
        """One run with all that may happen to it."""
        chance = self.chance
        for name in NAMES:
            if self.weather.trouble:
                trouble(self.faults[name], self.weather.trouble)
        self.is_restless = True
        if chance.random() < self.weather.crashes:
            self.fuse = Fuse(int(chance.expovariate(1 / 40)) + 1)
        await self.run(Options(is_full=chance.random() < 0.6, is_recheck=chance.random() < 0.1))
        self.is_restless = False
        for faults in self.faults.values():
            faults.remove()
        if self.fuse.is_blown:
            await self._restart()
        self.fuse = Fuse()

    async def _restart(self) -> None:
        self.crashes += 1
        self.fuse = Fuse()
        if self.chance.random() < 0.8:
            self.clock.advance(400)
        await self.connect()

    async def run(self, options: Options | None = None) -> Report | None:
        """One run; None when it did not come to its end."""
        self.runs += 1
        self.crowd.run = self.runs
        self.clock.advance(self.chance.choice((1, 20, 70)))
        self.note(f"run {self.runs} {options}")
        self.crowd.locked.clear()
        world = EngineWorld(CrashingStore(self.store, self.fuse), self.clock)  # type: ignore[arg-type]
        try:
            report = await run(world, self.sync(), self.chance.random, options)
        except Crash as crash:
            self.note(f"crash: {crash}")
            return None
        except (TransientError, BusyError) as error:
            self.note(f"run ended: {error.code}")
            return None
        finally:
            self.crowd.locked.clear()
        self.reports.append(report)
        if not report.plan.brakes:
            self.crowd.still.clear()
        self.note(
            f"run done: wrote {report.writes}, held {len(report.plan.held)}, failed {len(report.failures)}"
        )
        for step in (*report.plan.steps, *report.plan.stopped):
            self.note(
                f"  step {step.side.value} {type(step.write).__name__} {step.rule.value} {step.key} {step.title}"
            )
        for failure in report.failures:
            self.note(f"  failure {failure.side.value} {failure.key} {failure.code} {failure.message}")
        return report

    def _answer(self) -> None:
        """A person answers one question."""
        sync, world = self.sync(), EngineWorld(self.store, self.clock)
        asked = [q for q in self.store.questions(SYNC) if q.choice is None]
        asked = [q for q in asked if q.held.rule in (Rule.CONFLICT, Rule.DELETED_ASK)]
        if not asked:
            return
        question = self.chance.choice(asked)
        try:
            if question.held.rule is Rule.DELETED_ASK:
                given: object = review.answer(world, question, self.chance.choice(list(Answer)))
                self.condemned |= {token_of(question.held.title)} if given is Answer.DELETE else set()
            else:
                given = review.take(world, sync, question, self.chance.choice(list(Side)))
        except SetupError as error:
            given = error
        self.note(
            f"person answers {question.held.rule.value} {question.held.field} {question.held.title}: {given}"
        )

    async def settle(self) -> Report:
        """Peace: runs until two in a row find nothing to do."""
        report, quiet = None, 0
        for _ in range(14):
            self.clock.advance(7200 + self.weather.lag)
            # A person looked: a side that lists nothing was really emptied.
            report = await self.run(Options(release=frozenset({BrakeName.EMPTY_SIDE})))
            is_over = report is not None and report.is_quiet and not report.unknown
            quiet = quiet + 1 if is_over else 0
            if quiet == 2 and report is not None:
                return report
        raise AssertionError(f"not quiet after {self.runs} runs: {report.plan.steps if report else None}")


def _other(name: str) -> str:
    return "hl" if name == "ac" else "ac"


def _able(setups: Mapping[Side, SideSetup], ability: Ability) -> frozenset[Side]:
    return frozenset(side for side, setup in setups.items() if ability in setup.schema.abilities)


_TO = {Side.LEFT: Direction.TO_LEFT, Side.RIGHT: Direction.TO_RIGHT}
