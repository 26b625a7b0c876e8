"""A checked configuration into a working installation: clock, store, connectors, connected syncs.

The only module that knows every other one. Used by the CLI, the demo and tests; connectors are looked up in one
written-out table, so that what exists can be read here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from syncline.config import (
    ActiveCollabSettings,
    Config,
    HighLevelSettings,
    SyncSettings,
    applied_syncs,
    canonical,
)
from syncline.connectors import activecollab, highlevel
from syncline.connectors.http import Environment, Transport
from syncline.connectors.transport import AiohttpTransport
from syncline.core.changes import Change, changes, digest
from syncline.core.decisions import Rules
from syncline.core.expressions import Condition
from syncline.core.formulas import filter_of
from syncline.core.formulas import problems as problems_of
from syncline.core.mapping import FieldMapping, Lens, lenses
from syncline.core.memory import Version
from syncline.core.quota import Terms
from syncline.core.records import Ability, FieldId, ObjectSchema, Side, SyncId
from syncline.core.shapes import is_needed
from syncline.engine import versions
from syncline.engine.footing import identity_of
from syncline.engine.schemas import kept_schema
from syncline.engine.sync import Patience, SideSetup, Sync, Unfit, Watch, World, unwatched
from syncline.engine.trial import check, try_out
from syncline.errors import ConfigError, MappingError, NotFoundError, Problem, ProblemKind, UsageError
from syncline.ports import Clock, Connector, Store
from syncline.store import StoreMeter, open_store

_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_RESOURCES = ("objects", "custom-fields", "users", "locations", "businesses")


class SystemClock:
    """The machine's time."""

    def now(self) -> dt.datetime:
        """The current time, aware UTC."""
        return dt.datetime.now(dt.UTC)  # noqa: TID251 - this is the Clock

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class Installation:
    """Everything of one configuration. Connectors are made on first use; `close` lets go of them.

    The syncs of `config` are those of the version in force; `draft` holds the file's, which are the same things before
    the first version.
    """

    config: Config
    store: Store
    clock: Clock
    jitter: Callable[[], float]
    transport: Transport = field(default_factory=AiohttpTransport)
    patience: Patience = field(default_factory=Patience)
    draft: Mapping[str, SyncSettings] = field(default_factory=dict[str, SyncSettings])
    version: Version | None = None
    _connectors: dict[str, Connector] = field(default_factory=dict[str, Connector])
    _environments: dict[str, Environment] = field(default_factory=dict[str, Environment])

    def changes(self) -> tuple[Change, ...]:
        """What the file would change in the version in force; nothing before the first."""
        return () if self.version is None else changes(canonical(self.config.syncs), canonical(self.draft))

    @property
    def notice(self) -> str:
        """That the file says something else than what is in force; empty when it does not."""
        if self.version is None or not self.changes():
            return ""
        number = self.version.number
        return f"syncline.yaml differs from version {number}: see `syncline diff`, then `syncline apply`"

    async def adopt(self) -> None:
        """First use: what the file says is in force from now on. Nobody was shown anything, so the brakes on a changed
        mapping or filter still pull. Raises `MappingError` when a mapping would lose something."""
        if self.version is None and self.config.syncs:
            for name in self.config.syncs:
                sync = await self.sync(name)
                check(sync.id, await try_out(sync))
            body = canonical(self.config.syncs)
            self.version = versions.apply(self.store, self.clock, body, "first run", is_approved=False)

    def trial(self, syncs: Mapping[str, SyncSettings]) -> Installation:
        """The same accounts and memory with other syncs, which have to fit as they stand. It shares the connectors, and
        is closed with this one."""
        return replace(self, config=self.config.model_copy(update={"syncs": dict(syncs)}), version=None)

    def connector(self, name: str) -> Connector:
        """The connector of a configured connection. Raises `UsageError` for a name that is not there."""
        projects = _filtered(self.config, name, "project")
        # What a connector offers hangs on the filters of its syncs; a trial may have others.
        cached = " ".join((name, *projects))
        if cached not in self._connectors:
            settings = self.config.connections.get(name)
            if settings is None:
                known = ", ".join(self.config.connections) or "none yet"
                text = f"There is no connection '{name}'."
                raise UsageError("connection", text, f"There are: {known}.", ProblemKind.NO_CONNECTION, name)
            environment = self._environment(name, settings.quota.terms())
            match settings:
                case ActiveCollabSettings():
                    self._connectors[cached] = _activecollab(name, settings, projects, environment)
                case HighLevelSettings():
                    self._connectors[cached] = self._highlevel(name, settings, environment)
        return self._connectors[cached]

    def _environment(self, name: str, terms: Terms) -> Environment:
        """What the connectors of one connection have in common: above all one budget."""
        if name not in self._environments:
            meter = StoreMeter(name, self.store, self.clock)
            self._environments[name] = Environment(self.transport, self.clock, self.jitter, terms, meter)
        return self._environments[name]

    def _highlevel(self, name: str, settings: HighLevelSettings, environment: Environment) -> Connector:
        return highlevel.connect(
            highlevel.Settings(
                settings.location,
                _access(name, settings, self.store),
                settings.url,
                search_lag=dt.timedelta(seconds=settings.search_lag),
                external_key=FieldId(settings.external_key) if settings.external_key else None,
                versions=dict.fromkeys(_RESOURCES, settings.version),
            ),
            environment,
            connection=name,
        )

    async def sync(self, name: str) -> Sync:
        """A configured sync with both schemas discovered and its mapping checked against them.

        Raises `UsageError` for a name that is not there, `MappingError` with every fault of the mapping. A line of the
        version in force that does not fit any more is no fault: it rests, unless the sync cannot do without it.
        """
        settings = self.config.syncs.get(name)
        if settings is None:
            raise self.unknown(name)
        left, right = [await self._side(name, settings, side) for side in Side]
        applied = digest(self.version.body[name]) if self.version else None
        return _connected(name, settings, (left, right), self._patience(settings), applied)

    async def remembered(self, name: str) -> Sync:
        """A configured sync with both object types as the last run saw them: no call is made, unless none has run yet or
        the mapping does not fit what it saw. Raises what `sync` raises."""
        settings = self.config.syncs.get(name)
        if settings is None:
            raise self.unknown(name)
        kept = [kept_schema(self.store, SyncId(name), side) for side in Side]
        setups = [
            SideSetup(self.connector(settings.side(side).connection), settings.scope(side), schema)
            for side, schema in zip(Side, kept, strict=True)
            if schema is not None
        ]
        applied = digest(self.version.body[name]) if self.version else None
        try:
            left, right = setups
            return _connected(name, settings, (left, right), self._patience(settings), applied)
        except (ValueError, MappingError):
            return await self.sync(name)

    def unknown(self, name: str) -> UsageError:
        """That there is no sync of this name, and which there are."""
        text, remedy = (
            f"There is no sync '{name}'.",
            f"There are: {', '.join(self.config.syncs) or 'none yet'}.",
        )
        if name in self.draft:
            text = f"The sync '{name}' is not applied yet."
            remedy = "See `syncline diff`, then `syncline apply`."
        return UsageError("sync", text, remedy, ProblemKind.NO_SYNC, name)

    async def _side(self, name: str, settings: SyncSettings, side: Side) -> SideSetup:
        connector = self.connector(settings.side(side).connection)
        scope = settings.scope(side)
        try:
            schema = await connector.schema(scope.object_type)
        except NotFoundError as error:
            offered = ", ".join(kind.id for kind in await connector.object_types())
            path = f"syncs.{name}.{side.value}.object"
            text = f"'{scope.object_type}' is no object type of {settings.side(side).connection}."
            raise ConfigError(
                "The configuration does not fit:",
                (Problem(path, text, f"It has: {offered}.", ProblemKind.UNKNOWN_NAME),),
            ) from error
        return SideSetup(connector, scope, schema, identity_of(await connector.check()))

    def _patience(self, settings: SyncSettings) -> Patience:
        lag = {
            side: dt.timedelta(seconds=connection.search_lag)
            for side in Side
            if isinstance(
                connection := self.config.connections[settings.side(side).connection], HighLevelSettings
            )
        }
        return replace(self.patience, lag=lag)

    def world(self, watch: Watch = unwatched) -> World:
        """What a run may touch."""
        return World(self.store, self.clock, watch)

    async def close(self) -> None:
        """Let go of sockets and of the database."""
        for connector in self._connectors.values():
            await connector.close()
        self.store.close()


def install(
    config: Config, folder: Path, *, clock: Clock | None = None, seed: int | None = None
) -> Installation:
    """Open the configured database (made when it is not there). `folder` is where a relative file lies."""
    key = config.secret_key.get_secret_value() if config.secret_key else None
    store = open_store(config.database_url(folder), secret_key=key)
    version = versions.applied(store)
    effective = config
    if version is not None:
        effective = config.model_copy(update={"syncs": applied_syncs(version.body, version.number)})
    # Jitter spreads retries; nothing secret hangs on it.
    jitter = random.Random(seed).random  # noqa: S311
    return Installation(effective, store, clock or SystemClock(), jitter, draft=config.syncs, version=version)


def _filtered(config: Config, connection: str, name: str) -> tuple[str, ...]:
    """The values that the syncs of a connection filter by; empty when one of them takes everything."""
    sides = [sync.side(side) for sync in config.syncs.values() for side in Side]
    wanted = [side.where.get(name, []) for side in sides if side.connection == connection]
    if not all(wanted):
        return ()
    return tuple(sorted({value for values in wanted for value in values}))


def _activecollab(
    name: str, settings: ActiveCollabSettings, projects: tuple[str, ...], environment: Environment
) -> Connector:
    return activecollab.connect(
        name,
        activecollab.Settings(
            settings.url,
            settings.token.get_secret_value(),
            settings.header,
            settings.prefix,
            settings.job_type,
            projects=projects,
        ),
        environment,
    )


def _access(
    name: str, settings: HighLevelSettings, store: Store
) -> highlevel.PrivateToken | highlevel.OAuthClient:
    if settings.oauth is None:
        token = settings.token.get_secret_value() if settings.token else ""
        return highlevel.PrivateToken(token)
    configured = settings.oauth.refresh_token.get_secret_value()
    # A newly configured refresh token starts a new line of tokens: what was kept of an older one is spent.
    secret = f"oauth:{name}:{hashlib.sha256(configured.encode()).hexdigest()[:12]}"
    kept = store.secret(secret)

    async def save(tokens: highlevel.Tokens) -> None:
        store.save_secret(secret, msgspec.json.encode(tokens).decode())

    first = highlevel.Tokens("", configured, _LONG_AGO)
    tokens = msgspec.json.decode(kept, type=highlevel.Tokens) if kept else first
    return highlevel.OAuthClient(
        settings.oauth.client_id, settings.oauth.client_secret.get_secret_value(), tokens, save
    )


def _connected(
    name: str,
    settings: SyncSettings,
    sides: tuple[SideSetup, SideSetup],
    patience: Patience,
    applied: str | None,
) -> Sync:
    """The sync of these settings. `applied` is their digest where they are in force: a line that fitted when it was
    applied, and does not any more, rests."""
    left, right = sides
    setups = {Side.LEFT: left, Side.RIGHT: right}
    may_create = settings.may_create() & _able(setups, Ability.CREATE)
    unfit = _unfit(settings, left.schema, right.schema, may_create) if applied else ()
    resting = {(each.mapping.left, each.mapping.right) for each in unfit}
    going = [each for each in settings.mappings() if (each.left, each.right) not in resting]
    rules = Rules(
        _fitting(name, settings, going, left.schema, right.schema),
        settings.deletes,
        settings.deleted_edit,
        _able(setups, Ability.ARCHIVE),
        _able(setups, Ability.RESTORE),
    )
    return Sync(
        SyncId(name),
        left,
        right,
        rules,
        settings.match_rule(),
        settings.limits(),
        may_create,
        _digest(settings.mappings()),
        _digest([*(settings.scope(side) for side in Side), *settings.filters().items()]),
        patience,
        applied or "",
        unfit,
        filters=_filters(settings, left.schema, right.schema)[0],
    )


def _unfit(
    settings: SyncSettings, left: ObjectSchema, right: ObjectSchema, may_create: frozenset[Side]
) -> tuple[Unfit, ...]:
    """The lines that do not fit by themselves, but for those that the sync cannot do without."""
    out: list[Unfit] = []
    for mapping in settings.mappings():
        try:
            lenses([mapping], left, right, settings.conflicts)
        except MappingError as error:
            fields = (left.field(mapping.left), right.field(mapping.right))
            if not is_needed(mapping, fields, settings.match_rule(), may_create):
                reason = " ".join(f"{each.message} {each.remedy}".strip() for each in error.problems)
                out.append(Unfit(mapping, reason))
    return tuple(out)


def _fitting(
    name: str,
    settings: SyncSettings,
    mappings: Sequence[FieldMapping],
    left: ObjectSchema,
    right: ObjectSchema,
) -> tuple[Lens, ...]:
    """The lenses of these lines. Raises `MappingError` with every fault of the mapping and of the match keys."""
    problems = [
        Problem(
            f"match.on[{index}]",
            f"{schema.id} has no field '{field_id}'.",
            "Name a key field.",
            ProblemKind.UNKNOWN_FIELD,
        )
        for index, pair in enumerate(settings.match_rule().on)
        for schema, field_id in zip((left, right), pair, strict=True)
        if schema.field(field_id) is None
    ]
    problems += _filters(settings, left, right)[1]
    made: tuple[Lens, ...] = ()
    try:
        made = lenses(mappings, left, right, settings.conflicts)
    except MappingError as error:
        problems += error.problems
    if problems:
        placed = tuple(replace(each, path=f"syncs.{name}.{each.path}") for each in problems)
        raise MappingError(f"The sync '{name}' does not fit {left.title} and {right.title}:", placed)
    return made


def _filters(
    settings: SyncSettings, left: ObjectSchema, right: ObjectSchema
) -> tuple[dict[Side, Condition], list[Problem]]:
    """The filters of both sides, and what is wrong with them."""
    made: dict[Side, Condition] = {}
    problems: list[Problem] = []
    for side, text in settings.filters().items():
        found = filter_of(text, left if side is Side.LEFT else right)
        if isinstance(found, Condition):
            made[side] = found
        else:
            problems += problems_of(found, f"{side.value}.filter")
    return made, problems


def _able(setups: dict[Side, SideSetup], ability: Ability) -> frozenset[Side]:
    return frozenset(side for side, setup in setups.items() if ability in setup.schema.abilities)


def _digest(settings: object) -> str:
    return hashlib.sha256(msgspec.json.encode(settings, enc_hook=str, order="deterministic")).hexdigest()[:16]
