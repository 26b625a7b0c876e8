"""A checked configuration into a working installation: clock, store, connectors, connected syncs.

The only module that knows every other one. Used by the CLI, the demo and tests; connectors are looked up in one
written-out table, so that what exists can be read here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from syncline.config import ActiveCollabSettings, Config, HighLevelSettings, SyncSettings
from syncline.connectors import activecollab, highlevel
from syncline.connectors.http import Environment, Transport
from syncline.connectors.transport import AiohttpTransport
from syncline.core.decisions import Rules
from syncline.core.mapping import Lens, lenses
from syncline.core.records import Ability, FieldId, ObjectSchema, Side, SyncId
from syncline.engine.sync import Patience, SideSetup, Sync, Watch, World, unwatched
from syncline.errors import ConfigError, MappingError, NotFoundError, Problem
from syncline.ports import Clock, Connector, Store
from syncline.store import open_store

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
    """Everything of one configuration. Connectors are made on first use; `close` lets go of them."""

    config: Config
    store: Store
    clock: Clock
    jitter: Callable[[], float]
    transport: Transport = field(default_factory=AiohttpTransport)
    patience: Patience = field(default_factory=Patience)
    _connectors: dict[str, Connector] = field(default_factory=dict[str, Connector])

    def connector(self, name: str) -> Connector:
        """The connector of a configured connection. Raises `ConfigError` for a name that is not there."""
        if name not in self._connectors:
            settings = self.config.connections.get(name)
            if settings is None:
                known = ", ".join(self.config.connections)
                raise ConfigError(f"There is no connection '{name}'. There are: {known}.")
            environment = Environment(self.transport, self.clock, self.jitter)
            match settings:
                case ActiveCollabSettings():
                    projects = _filtered(self.config, name, "project")
                    self._connectors[name] = _activecollab(name, settings, projects, environment)
                case HighLevelSettings():
                    self._connectors[name] = self._highlevel(name, settings, environment)
        return self._connectors[name]

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

        Raises `ConfigError` for a name that is not there, `MappingError` with every fault of the mapping.
        """
        settings = self.config.syncs.get(name)
        if settings is None:
            known = ", ".join(self.config.syncs) or "none yet"
            raise ConfigError(f"There is no sync '{name}'. There are: {known}.")
        left, right = [await self._side(name, settings, side) for side in Side]
        return _connected(name, settings, left, right, self._patience(settings))

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
                "The configuration does not fit:", (Problem(path, text, f"It has: {offered}."),)
            ) from error
        return SideSetup(connector, scope, schema)

    def _patience(self, settings: SyncSettings) -> Patience:
        lag = {
            side: dt.timedelta(seconds=connection.search_lag)
            for side in Side
            if isinstance(
                connection := self.config.connections[settings.side(side).connection], HighLevelSettings
            )
        }
        known = self.patience
        return Patience(known.fresh, known.lease, lag, known.writers)

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
    # Jitter spreads retries; nothing secret hangs on it.
    return Installation(config, store, clock or SystemClock(), random.Random(seed).random)  # noqa: S311


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
    name: str, settings: SyncSettings, left: SideSetup, right: SideSetup, patience: Patience
) -> Sync:
    setups = {Side.LEFT: left, Side.RIGHT: right}
    rules = Rules(
        _fitting(name, settings, left.schema, right.schema),
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
        settings.may_create() & _able(setups, Ability.CREATE),
        _digest(settings.mappings()),
        _digest([settings.scope(side) for side in Side]),
        patience,
    )


def _fitting(name: str, settings: SyncSettings, left: ObjectSchema, right: ObjectSchema) -> tuple[Lens, ...]:
    """The lenses of a sync. Raises `MappingError` with every fault of the mapping and of the match keys."""
    problems = [
        Problem(f"match.on[{index}]", f"{schema.id} has no field '{field_id}'.", "Name a key field.")
        for index, pair in enumerate(settings.match_rule().on)
        for schema, field_id in zip((left, right), pair, strict=True)
        if schema.field(field_id) is None
    ]
    made: tuple[Lens, ...] = ()
    try:
        made = lenses(settings.mappings(), left, right, settings.conflicts)
    except MappingError as error:
        problems += error.problems
    if problems:
        placed = tuple(Problem(f"syncs.{name}.{each.path}", each.message, each.remedy) for each in problems)
        raise MappingError(f"The sync '{name}' does not fit {left.title} and {right.title}:", placed)
    return made


def _able(setups: dict[Side, SideSetup], ability: Ability) -> frozenset[Side]:
    return frozenset(side for side, setup in setups.items() if ability in setup.schema.abilities)


def _digest(settings: object) -> str:
    return hashlib.sha256(msgspec.json.encode(settings, enc_hook=str, order="deterministic")).hexdigest()[:16]
