"""A seed or a script into a whole world: two vendors, a mapping and policies, a bad network between them, and people who edit.

Everything that happens is written down as it happens (`events`): a seed's world can be played again from its script alone.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from syncline.connectors import activecollab, highlevel
from syncline.connectors.http import Environment
from syncline.core.brakes import BrakeName
from syncline.core.certificate import Certificate
from syncline.core.decisions import Answer as DeletionAnswer
from syncline.core.decisions import Rule
from syncline.core.memory import Entry
from syncline.core.records import (
    Create,
    FieldId,
    ObjectTypeId,
    RecordKey,
    Scope,
    Side,
)
from syncline.engine import review
from syncline.engine.certify import certify
from syncline.engine.runs import Options, Report, run
from syncline.engine.sync import SideSetup, Sync
from syncline.engine.sync import World as EngineWorld
from syncline.engine.unheard import tell_losses
from syncline.errors import BusyError, SetupError, TransientError
from syncline.ports import Connector
from syncline.sandbox.activecollab import ActiveCollabVendor
from syncline.sandbox.faults import Fault
from syncline.sandbox.highlevel import HighLevelVendor
from syncline.sandbox.wire import Request, SandboxClock
from syncline.store import SqlStore, open_store
from tests.clock import START, VirtualClock
from tests.engine.crashing import Crash, CrashingStore, Fuse
from tests.simulation.dice import Dice, fault_of
from tests.simulation.network import Door, Network, token_of
from tests.simulation.outfit import KEY, SYNC, WISH, side_of, sync_of, title_of
from tests.simulation.people import OBJECT, ActiveCollabAccount, Crowd, HighLevelAccount
from tests.simulation.post import Post
from tests.simulation.script import (
    Answer,
    Backup,
    During,
    Event,
    Jump,
    Pass,
    Rewind,
    Script,
    Strike,
    Turn,
)
from tests.simulation.watched import Watched
from tests.simulation.weather import NAMES, Weather
from tests.simulation.witness import Witness


@dataclass
class World:
    """One world. `lines` is its trace, `events` its script so far. With a `script` it plays that, and rolls no dice."""

    seed: int
    is_traced: bool = True
    weather: Weather | None = None
    script: Script | None = None
    chance: random.Random = field(init=False)
    lines: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    runs: int = 0
    crashes: int = 0
    reports: list[Report] = field(default_factory=list)
    condemned: set[int] = field(default_factory=set)
    """Origins that a person, when asked, wanted deleted."""
    forgotten: list[Entry] = field(default_factory=list)
    """History that went with a database when an old backup was put back."""
    unknown: set[int] = field(default_factory=set)
    """Origins whose links went with it: their records meet as if for the first time."""
    setbacks: int = 0
    """How often an old backup was put back."""
    rewound: set[int] = field(default_factory=set)
    """Origins that our memory knew, before or after."""

    def __post_init__(self) -> None:
        """Put the two vendors there; nothing is connected yet."""
        self.chance = random.Random(self.seed)
        self.weather = self.script.weather if self.script else self.weather or Weather.of(self.chance)
        self.theirs = following = SandboxClock(START)
        self.clock = VirtualClock(START, following.advance)
        ac, hl = ActiveCollabVendor(following, self.seed), HighLevelVendor(following, self.seed)
        self.store: SqlStore = open_store("sqlite://", secret_key=None)
        self.fuse = Fuse()
        self.vendors = {"ac": ac, "hl": hl}
        accounts = {"ac": ActiveCollabAccount(ac), "hl": HighLevelAccount(hl)}
        self.crowd = Crowd(accounts["ac"], accounts["hl"], self.note, following.now)  # type: ignore[arg-type]
        self.dice = Dice(self.chance, self.crowd, self.weather)
        lost, marked = (self.unknown, self.rewound), self.weather.keys != "none"
        self.witness = Witness(
            self.crowd, following.now, self.weather.lag, *lost, marked, self.weather.one_way
        )
        self.doors = {
            name: Door(
                name,
                self.vendors[name],
                accounts[name],
                lambda: len(self.crowd.deeds),
                self.witness,
                rounds=self.weather.rounds and name == "ac",
            )
            for name in NAMES
        }
        self.crowd.pending = self._pending
        self.crowd.doubtful = lambda: {token_of(intent.step.title) for intent in self.store.intents(SYNC)}
        self.token = ac.token()
        self.setups: dict[Side, SideSetup] = {}
        self.turn = Turn(0)
        self.requests = 0
        self.is_troubled = False
        self.backup: bytes | None = None
        self.post = Post(self.vendors)
        self.certificate: Certificate | None = None
        self.off = 0.0

    @property
    def is_rough(self) -> bool:
        """Whether some write's outcome may have stayed unheard, or was forgotten."""
        return bool(self.weather.trouble or self.weather.crashes or self.weather.rewinds)

    # --- putting it together

    def side(self, name: str) -> Side:
        """Which side a vendor is on."""
        return side_of(self.weather, name)

    def title(self, name: str) -> FieldId:
        """A vendor's field that names its records."""
        return title_of(name)

    def note(self, text: str) -> None:
        """One line of the trace."""
        if self.is_traced:
            self.lines.append(f"{(self.clock.now() - START).total_seconds():10.3f} {text}")

    def _pending(self) -> set[tuple[str, int]]:
        """Creates without a known outcome, where no external key can find what they made."""
        sides = {self.side(name): name for name in NAMES if name == "ac" or self.weather.keys == "none"}
        steps = [intent.step for intent in self.store.intents(SYNC)]
        return {
            (sides[s.side], token_of(s.title))
            for s in steps
            if isinstance(s.write, Create) and s.side in sides
        }

    def look(self, name: str, key: str) -> None:
        """Keep people's hands off a record for now, if this look at it comes before a write."""
        steps = (intent.step for intent in self.store.intents(SYNC))
        spot = (self.side(name), key)
        if any(spot in ((s.side, s.key), (s.side.other, s.counterpart)) for s in steps):
            self.crowd.locked.add((name, self.crowd.account(name).token(key)))

    def _connected(self, name: str) -> Connector:
        chance = random.Random(f"{self.seed} {self.runs} {name}")
        network = Network(name, self.doors[name], self.clock, self.theirs, self, lambda: self.fuse, self.note)
        environment = Environment(network, self.clock, chance.random)
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
            external_key=None if self.weather.keys == "none" else KEY,
        )
        return highlevel.connect(settings, environment, connection="hl")

    async def furnish(self) -> None:
        """The custom object, in peace."""
        connector = self._connected("hl")
        await highlevel.ensure_object(connector.client, WISH)  # type: ignore[attr-defined]
        if self.weather.keys == "unique":
            self.vendors["hl"].control("make_unique", {"object": OBJECT, "field": KEY})
        self.vendors["hl"].control("search_lag", {"seconds": self.weather.lag})
        await self.connect()
        if self.weather.hints:
            self.post.subscribe()
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

    def sync(self) -> Sync:
        """The sync as configured."""
        made = sync_of(self.weather, self.setups)
        if not self.is_troubled or self.turn.beside is None:
            return made
        return replace(made, patience=replace(made.patience, beside=self.turn.beside))

    # --- the play

    async def play(self, improvise: Callable[[World], Awaitable[None]]) -> None:
        """The script (people, runs, trouble), or what is improvised; then peace, and runs until nothing is left to do."""
        await self.furnish()
        if self.script is None:
            await improvise(self)
        else:
            for event in self.script.events:
                await self.perform(event)
        await self.settle()
        self.certificate = (await certify(EngineWorld(self.store, self.clock), self.sync())).certificate

    async def perform(self, event: Event) -> None:
        """Carry out one event of the script."""
        match event:
            case Turn():
                await self._troubled_run(event)
                return
            case Pass(seconds):
                self.clock.advance(seconds)
            case Jump(seconds):
                self.note(f"our clock jumps by {seconds}")
                self.clock.jump(seconds)
                self.off += seconds
            case Answer():
                self._answer(event)
            case Backup():
                self.backup = self.store._connection.serialize()
            case Rewind():
                await self._rewind()
            case _:
                if not self.crowd.do(event):
                    return
        self.events.append(event)

    # --- what may befall a request, asked by the network

    def fault(self, name: str, request: Request) -> Fault | None:
        """Somebody may act just before the run's next request, and something may go wrong with it."""
        self.requests += 1
        if not self.is_troubled:
            return None
        fault = self._scripted(request) if self.script else self._rolled(name, request)
        if fault is not None:
            self.witness.disturb()
        return fault

    def _scripted(self, request: Request) -> Fault | None:
        for during in self.turn.during:
            if during.at == self.requests:
                self.crowd.do(during.act)
        kinds = [strike.kind for strike in self.turn.strikes if strike.at == self.requests]
        return fault_of(kinds[0], request) if kinds else None

    def _rolled(self, name: str, request: Request) -> Fault | None:
        if self.chance.random() < self.weather.restlessness:
            for act in self.dice.act():
                if self.crowd.do(act):
                    during = (*self.turn.during, During(self.requests, act))
                    self.turn = msgspec.structs.replace(self.turn, during=during)
        fault = self.dice.fault(name, request)
        if fault is not None:
            strikes = (*self.turn.strikes, Strike(self.requests, fault.kind.value))
            self.turn = msgspec.structs.replace(self.turn, strikes=strikes)
        return fault

    def latency(self) -> float:
        """How long an answer takes: the same for the same request of the same run."""
        return (5 + (self.seed * 7919 + self.runs * 104729 + self.requests * 31) % 116) / 1000

    # --- runs

    async def _troubled_run(self, turn: Turn) -> None:
        self.turn, self.is_troubled = turn, True
        self.fuse = Fuse(turn.crash_at)
        try:
            only = None if turn.hints is None else self._hinted(turn.hints)
            await self.run(Options(turn.is_full and only is None, turn.is_recheck, only=only), turn.after)
        finally:
            self.is_troubled = False
            self.events.append(self.turn)
        if self.fuse.is_blown:
            self.crashes += 1
            self.fuse = Fuse()
            self.clock.advance(turn.back_after)
            await self.connect()
        self.fuse = Fuse()

    def _hinted(self, hints: Sequence[tuple[str, int]]) -> frozenset[tuple[Side, RecordKey]]:
        """The records that hints speak of: those that are there, and those that once were."""
        keys = {(n, key) for n, token in hints for key in self.crowd.keys(n, token)}
        keys |= {
            (deed.side, deed.key)
            for n, token in hints
            for deed in self.crowd.touching(token)
            if deed.side == n
        }
        return frozenset((self.side(name), RecordKey(key)) for name, key in keys)

    async def run(self, options: Options, after: float) -> Report | None:
        """One run; None when it did not come to its end."""
        self.runs += 1
        self.requests = 0
        self._number_deeds(1)
        self.clock.advance(after)
        # Where our clock is wrong, a listing of what changed may go back less far than it means to.
        is_whole = options.only is None and (options.is_full or not self.weather.jumps)
        self.witness.begin(sees_edits=is_whole, sees_deletions=is_whole and options.is_full)
        let_go = sorted(name.value for name in options.release)
        self.note(
            f"run {self.runs} full={options.is_full} recheck={options.is_recheck} release={let_go} "
            f"only={sorted((side.value, key) for side, key in options.only) if options.only is not None else None}"
        )
        self.crowd.locked.clear()
        store = CrashingStore(self.store, self.fuse)
        world = EngineWorld(store, self.clock, makes_way=self._makes_way())  # type: ignore[arg-type]
        try:
            report = await run(world, self.sync(), random.Random(f"{self.seed} {self.runs}").random, options)
        except Crash as crash:
            self.note(f"crash: {crash}")
            self.witness.disturb()
            return None
        except (TransientError, BusyError) as error:
            self.note(f"run ended: {error.code}")
            self.witness.disturb()
            return None
        finally:
            self._number_deeds(0)
            self.crowd.locked.clear()
        self.reports.append(report)
        if report.plan.brakes or report.put_off:
            self.witness.disturb()
        else:
            if options.only is None:
                self.crowd.still.clear()
                self.crowd.looked += 1
            self.witness.end(self._excused(report))
        self._tell(report)
        return report

    def _makes_way(self) -> Callable[[], bool]:
        """Whether the run makes way when it asks the next time."""
        left = self.turn.way_at if self.is_troubled else None

        def makes_way() -> bool:
            nonlocal left
            left = None if left is None else left - 1
            return left is not None and left < 0

        return makes_way

    def _number_deeds(self, ahead: int) -> None:
        """Let what people do from now on carry the number of the last run that began, or of the one about to begin. (A run
        that finds the sync taken gets none.)"""
        last = self.store.runs(SYNC, 1)
        self.crowd.run = ahead + (int(last[0].id.rsplit("-", 1)[1]) if last else 0)

    def _excused(self, report: Report) -> set[str]:
        """The records of which a run says that they wait: for a person, or for another try."""
        held = [*report.plan.held, *(question.held for question in self.store.questions(SYNC))]
        keys = {key for each in held for key in (each.left_key, each.right_key)}
        keys |= {failure.key for failure in report.failures} | {each.key for each in self.store.parked(SYNC)}
        return {str(key) for key in keys}

    def _tell(self, report: Report) -> None:
        self.note(
            f"run done: wrote {report.writes}, held {len(report.plan.held)}, failed {len(report.failures)}"
            f"{f', put off {report.put_off}' if report.put_off else ''}"
        )
        for brake in report.plan.brakes:
            self.note(f"  brake {brake.name.value}: {brake.sentence}")
        for step in (*report.plan.steps, *report.plan.stopped):
            self.note(
                f"  step {step.side.value} {type(step.write).__name__} {step.rule.value} {step.key} {step.title}"
            )
        for failure in report.failures:
            self.note(f"  failure {failure.side.value} {failure.key} {failure.code} {failure.message}")

    async def _rewind(self) -> None:
        """The database of an earlier day, and a process that starts with it."""
        if self.backup is None:
            return
        self.note("an old backup is put back")
        self.setbacks += 1
        for intent in self.store.intents(SYNC):
            # What the next run would have told of a write whose outcome was never heard.
            tell_losses(EngineWorld(self.store, self.clock), self.sync(), intent)
        self.forgotten += self.store.history(SYNC, limit=100_000)
        linked = self._linked()
        unheard = {token_of(intent.step.title) for intent in self.store.intents(SYNC)}
        self.unknown |= unheard
        self.store.close()
        self.store = open_store("sqlite://", secret_key=None)
        self.store._connection.deserialize(self.backup)
        self.unknown |= {token for token, _ in linked - self._linked()}
        self.rewound |= {token for token, _ in linked | self._linked()} | unheard
        self.clock.advance(400)
        await self.connect()

    def _linked(self) -> set[tuple[int, str]]:
        """The records that links tie, each with its origin."""
        sql = "SELECT title, side || key FROM sighting WHERE link IS NOT NULL"
        return {(token_of(title), key) for title, key in self.store._connection.execute(sql).fetchall()}

    def _answer(self, given: Answer) -> None:
        sync, world = self.sync(), EngineWorld(self.store, self.clock)
        asked = [q for q in self.store.questions(SYNC) if q.choice is None]
        asked = [
            q for q in asked if (token_of(q.held.title), q.held.field or "") == (given.token, given.field)
        ]
        for question in asked[:1]:
            try:
                if question.held.rule is Rule.DELETED_ASK:
                    review.answer(world, question, DeletionAnswer(given.choice))
                    is_deletion = given.choice == DeletionAnswer.DELETE.value
                    self.condemned |= {given.token} if is_deletion else set()
                elif question.held.rule is Rule.CONFLICT:
                    review.take(world, sync, question, Side(given.choice))
            except SetupError as error:
                self.note(f"no answer: {error}")
            self.note(
                f"person answers {question.held.rule.value} {given.field} ⟦{given.token}⟧: {given.choice}"
            )

    async def settle(self) -> Report:
        """Peace: the clock is right again, and runs follow until two in a row find nothing to do."""
        self.clock.jump(-self.off)
        report, quiet = None, 0
        for _ in range(14):
            # A person looked: a side that lists nothing was really emptied, and the clock is right.
            let_go = frozenset(
                {BrakeName.EMPTY_SIDE, BrakeName.CLOCK_JUMP} if self.off else {BrakeName.EMPTY_SIDE}
            )
            report = await self.run(Options(release=let_go), 7200 + self.weather.lag)
            is_over = report is not None and report.is_quiet and not report.unknown
            quiet = quiet + 1 if is_over else 0
            if quiet == 2 and report is not None:
                return report
        raise AssertionError(f"not quiet after {self.runs} runs: {report.plan.steps if report else None}")
