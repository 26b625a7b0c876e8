"""A checked configuration into a working installation: clock, store, connectors, connected syncs.

The only module that knows every other one. Used by the CLI, the demo and tests; connectors are looked up in one
written-out table, so that what exists can be read here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from syncline.accounts import activecollab_account, highlevel_account, kept_tokens, oauth_secret
from syncline.config import (
    ActiveCollabSettings,
    Config,
    ConnectionSettings,
    HighLevelSettings,
    Stored,
    SyncSettings,
    WorkspaceSettings,
    applied_syncs,
    canonical,
    merged,
    placed,
)
from syncline.config.keys import kept_key, new_key, replace_keys
from syncline.connectors import activecollab, highlevel
from syncline.connectors.http import Environment, Transport
from syncline.connectors.transport import AiohttpTransport, Twinned
from syncline.connectors.workspace import WorkspaceConnector
from syncline.core.audit import AuditKind
from syncline.core.changes import Change, changes, digest
from syncline.core.memory import Version
from syncline.core.quota import Terms
from syncline.core.records import Side, SyncId
from syncline.engine import versions
from syncline.engine.footing import identity_of
from syncline.engine.parents import looking_up
from syncline.engine.schemas import kept_schema
from syncline.engine.sync import Patience, SideSetup, Sync, Watch, World, unwatched
from syncline.engine.trial import check, try_out
from syncline.errors import ConfigError, MappingError, NotFoundError, Problem, ProblemKind, UsageError
from syncline.fitting import connected
from syncline.ports import Clock, Connector, Listener, Store, Vault
from syncline.ports.connections import CREDENTIALS_NAME
from syncline.ports.listening import SECRET_NAME
from syncline.store import DirectoryVault, Move, StoreMeter, compare, move, open_store


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
    the first version. `from_file` names the connections that `syncline.yaml` holds; the others were made over the API, and
    are reached through `guarded` unless the settings allow them what the file's may.
    """

    config: Config
    store: Store
    clock: Clock
    jitter: Callable[[], float]
    transport: Transport = field(default_factory=AiohttpTransport)
    patience: Patience = field(default_factory=Patience)
    draft: Mapping[str, SyncSettings] = field(default_factory=dict[str, SyncSettings])
    version: Version | None = None
    from_file: frozenset[str] = frozenset()
    guarded: Transport = field(default_factory=lambda: AiohttpTransport(allow_private=False))
    vault: Vault = field(default_factory=lambda: DirectoryVault(Path("attachments")))
    _connectors: dict[str, Connector] = field(default_factory=dict[str, Connector])
    _environments: dict[str, Environment] = field(default_factory=dict[str, Environment])

    def changes(self) -> tuple[Change, ...]:
        """What the file would change in the version in force; nothing before the first."""
        return () if self.version is None else changes(canonical(self.config.syncs), canonical(self.draft))

    @property
    def notice(self) -> str:
        """That the file says something else than what is in force; empty when it does not, or says nothing of syncs at all:
        then they are set up over the API."""
        if self.version is None or not self.draft or not self.changes():
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

    def with_connection(self, name: str, settings: ConnectionSettings) -> Installation:
        """The same with one connection as it might be, to be tested and then released."""
        config = self.config.model_copy(update={"connections": {**self.config.connections, name: settings}})
        return _beside(self, config, self.version)

    def connector(self, name: str) -> Connector:
        """The connector of a configured connection. Raises `UsageError` for a name that is not there."""
        projects = _filtered(self.config, name, "project")
        # What a connector offers hangs on the filters of its syncs; a trial may have others.
        cached = " ".join((name, *projects))
        if cached not in self._connectors:
            match settings := self._settings(name):
                case WorkspaceSettings():
                    self._connectors[cached] = WorkspaceConnector(name, self.store, self.clock)
                case ActiveCollabSettings():
                    environment = self._environment(name, settings.quota.terms())
                    self._connectors[cached] = activecollab_account(name, settings, projects, environment)
                case HighLevelSettings():
                    environment = self._environment(name, settings.quota.terms())
                    self._connectors[cached] = highlevel_account(
                        name, settings, environment, self.store, self.clock
                    )
        return self._connectors[cached]

    def listener(self, name: str) -> Listener:
        """What understands the webhooks of a configured connection. Raises `UsageError` for a name that is not there."""
        settings = self._settings(name)
        if isinstance(settings, ActiveCollabSettings):
            secret = self.store.secret(SECRET_NAME.format(name)) or ""
            return activecollab.WebhookListener(secret, settings.webhooks.instance)
        if isinstance(settings, WorkspaceSettings):
            text = f"The workspace '{name}' sends no webhooks."
            remedy = "It needs none: whatever changes in it is heard of at once."
            raise UsageError("connection", text, remedy, ProblemKind.NO_CONNECTION, name)
        hooks = settings.webhooks
        legacy = hooks.legacy_keys if hooks.legacy else ()
        return highlevel.WebhookListener(settings.location, hooks.keys, legacy)

    def _settings(self, name: str) -> ConnectionSettings:
        settings = self.config.connections.get(name)
        if settings is None:
            known = ", ".join(self.config.connections) or "none yet"
            text = f"There is no connection '{name}'."
            raise UsageError("connection", text, f"There are: {known}.", ProblemKind.NO_CONNECTION, name)
        return settings

    def _environment(self, name: str, terms: Terms) -> Environment:
        """What the connectors of one connection have in common: above all one budget."""
        if name not in self._environments:
            meter = StoreMeter(name, self.store, self.clock)
            transport = self.transport_of(name)
            self._environments[name] = Environment(transport, self.clock, self.jitter, terms, meter)
        return self._environments[name]

    def take_budgets(self, other: Installation) -> None:
        """Go on with what another installation knows of the budgets of connections that are the same."""
        for name, known in other._environments.items():
            new, old = (each.config.connections.get(name) for each in (self, other))
            if isinstance(new, WorkspaceSettings) or isinstance(old, WorkspaceSettings):
                continue
            if new is not None and old is not None and (new.url, new.quota) == (old.url, old.quota):
                self._environments[name] = replace(known, transport=self.transport_of(name))

    def go_through(self, around: Callable[[Transport], Transport]) -> None:
        """Let every call go through something else from now on, such as what notes how long it takes."""
        self.transport, self.guarded = around(self.transport), around(self.guarded)
        self._connectors.clear()
        for name, known in self._environments.items():
            self._environments[name] = replace(known, transport=self.transport_of(name))

    def transport_of(self, name: str) -> Transport:
        """How a connection is reached, one that is still to be made too."""
        is_trusted = name in self.from_file or self.config.allow_private
        return self.transport if is_trusted else self.guarded

    def scopes_for(self, name: str, object_type: str, *, is_written: bool) -> tuple[str, ...]:
        """The fewest scopes that a connection needs for an object type (empty: for itself), where its vendor has scopes."""
        if isinstance(self._settings(name), HighLevelSettings):
            return highlevel.scopes_for(object_type, is_written=is_written)
        return ()

    def expires_at(self, name: str) -> dt.datetime | None:
        """When the credentials of a connection end unless they are used before; None where that is not known."""
        settings = self._settings(name)
        if not isinstance(settings, HighLevelSettings) or settings.oauth is None:
            return None
        kept = kept_tokens(self.store, oauth_secret(name, settings.oauth.refresh_token.get_secret_value()))
        # The pair came when the access token began: a day before that one ends, at most.
        return kept and kept.expires_at - dt.timedelta(days=1) + highlevel.REFRESH_LIFE

    async def sync(self, name: str) -> Sync:
        """A configured sync with both schemas discovered and its mapping checked against them.

        Raises `UsageError` for a name that is not there, `MappingError` with every fault of the mapping. A line of the
        version in force that does not fit any more is no fault: it rests, unless the sync cannot do without it.
        """
        settings = self.config.syncs.get(name)
        if settings is None:
            raise self.unknown(name)
        left, right = [await self._side(name, settings, side) for side in Side]
        return self._connected(name, settings, (left, right))

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
        try:
            left, right = setups
            return self._connected(name, settings, (left, right))
        except (ValueError, MappingError):
            return await self.sync(name)

    def _connected(self, name: str, settings: SyncSettings, sides: tuple[SideSetup, SideSetup]) -> Sync:
        """The sync over both sides, with what other syncs know of the records that its lines point to."""
        applied = digest(self.version.body[name]) if self.version else None
        sync = connected(name, settings, sides, self._patience(settings), applied, self.config.syncs)
        return looking_up(self.store, sync)

    def unknown(self, name: str) -> UsageError:
        """That there is no sync of this name, and which there are."""
        text, remedy = (
            f"There is no sync '{name}'.",
            f"There are: {', '.join(self.config.syncs) or 'none yet'}.",
        )
        if name in self.draft:
            text = f"The sync '{name}' is not applied yet."
            remedy = "See `syncline diff`, then `syncline apply`."
        elif self.store.draft(name) is not None:
            text = f"The sync '{name}' is a draft: it is not in force yet."
            remedy = f"Look at it with POST /api/v1/drafts/{name}/check, then put it in force with …/apply."
        return UsageError("sync", text, remedy, ProblemKind.NO_SYNC, name)

    async def _side(self, name: str, settings: SyncSettings, side: Side) -> SideSetup:
        connector = self.connector(settings.side(side).connection)
        scope = settings.scope(side)
        try:
            schema = await connector.schema(scope.object_type)
        except NotFoundError as error:
            offered = [kind.id for kind in await connector.object_types()]
            place, kind = f"syncs.{name}.{side.value}", ProblemKind.UNKNOWN_NAME
            text = f"'{scope.object_type}' is no object type of {settings.side(side).connection}."
            problem = Problem(f"{place}.object", text, f"It has: {', '.join(offered)}.", kind)
            if scope.object_type in offered:
                # Then it is what the filter names that is not there.
                remedy = "Filters take ids, not names: see the records of the type that is filtered by."
                problem = Problem(f"{place}.where", f"{error.args[0]}.", remedy, kind)
            raise ConfigError("The configuration does not fit:", (problem,)) from error
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

    async def release(self) -> None:
        """Let go of sockets; the database stays open."""
        for connector in self._connectors.values():
            await connector.close()
        for transport in (self.transport, self.guarded):
            await transport.close()

    async def close(self) -> None:
        """Let go of sockets and of the database."""
        await self.release()
        self.store.close()


def install(
    config: Config, folder: Path, *, clock: Clock | None = None, seed: int | None = None
) -> Installation:
    """Open the configured database (made when it is not there). `folder` is where a relative file lies."""
    key = config.secret_key or kept_key(folder)
    store = open_store(config.database_url(folder), secret_key=key.get_secret_value() if key else None)
    # Jitter spreads retries; nothing secret hangs on it.
    jitter = random.Random(seed).random  # noqa: S311
    version = versions.applied(store)
    return Installation(
        in_force(config, store, version),
        store,
        clock or SystemClock(),
        jitter,
        AiohttpTransport(allow_private=config.allow_private is not False),
        draft=config.syncs,
        version=version,
        from_file=frozenset(config.connections),
        vault=DirectoryVault(config.attachments_folder(folder)),
    )


def in_force(config: Config, store: Store, version: Version | None) -> Config:
    """The file's configuration with the connections made over the API, and with the syncs of the version in force."""
    stored = [
        Stored(each.name, each.settings, credentials_of(store, each.name))
        for each in store.kept_connections()
        if each.name not in config.connections
    ]
    update: dict[str, object] = {"connections": merged(config.connections, stored)}
    if version is not None:
        update["syncs"] = applied_syncs(version.body, version.number)
    return config.model_copy(update=update)


def renewed(old: Installation) -> Installation:
    """The installation as it is in force now, over the same store; the old one is to be released by itself. A connection
    that is reached as before keeps its budget."""
    own = {name: settings for name, settings in old.config.connections.items() if name in old.from_file}
    version = versions.applied(old.store)
    file = old.config.model_copy(update={"connections": own, "syncs": dict(old.draft)})
    return _beside(old, in_force(file, old.store, version), version)


def _beside(old: Installation, config: Config, version: Version | None) -> Installation:
    """Another configuration over the same store, with connectors and sockets of its own."""
    new = replace(
        old,
        config=config,
        version=version,
        transport=_another(old.transport),
        guarded=_another(old.guarded),
        _connectors={},
        _environments={},
    )
    new.take_budgets(old)
    return new


def _another(transport: Transport) -> Transport:
    return transport.twin() if isinstance(transport, Twinned) else transport


def credentials_of(store: Store, name: str) -> dict[str, str]:
    """The credentials of a connection that was made over the API, by their places."""
    kept = store.secret(CREDENTIALS_NAME.format(name))
    return msgspec.json.decode(kept, type=dict[str, str]) if kept else {}


def move_installation(config: Config, folder: Path, target: str, *, only_compare: bool) -> Move:
    """Everything of the configured database into another one, or both only compared. Raises what `store.move` raises."""
    source, target = config.database_url(folder), placed(target, folder)
    return compare(source, target) if only_compare else move(source, target, SystemClock().now())


def rotate_key(config: Config, folder: Path) -> int:
    """Encrypt every stored secret with the newest key, which is made where the key lies beside the configuration; how many
    there are. Raises `UsageError` when there is no other key to go to, `SchemaError` when a secret does not open."""
    kept = kept_key(folder) if config.secret_key is None else None
    keys = config.secret_key or kept
    if keys is None or (kept is None and "," not in keys.get_secret_value()):
        raise UsageError(
            "secret_key",
            "There is no second key." if keys else "There is no key yet.",
            "Put a new one before the old one, separated by a comma: SYNCLINE_SECRET_KEY=NEW,OLD." if keys
            else "Nothing is encrypted so far; `syncline serve` makes a key when it starts.",
            ProblemKind.BAD_VALUE,
        )  # fmt: skip
    text, newest = keys.get_secret_value(), new_key() if kept else ""
    if kept:
        # Both, as long as some secrets still need the old one.
        text = f"{newest},{text}"
        replace_keys(folder, text)
    store = open_store(config.database_url(folder), secret_key=text)
    try:
        with store.transaction():
            count = store.rotate_secrets()
            store.audit(AuditKind.KEY_ROTATED, {"secrets": count}, now=SystemClock().now())
    finally:
        store.close()
    if kept:
        replace_keys(folder, newest)
    return count


def _filtered(config: Config, connection: str, name: str) -> tuple[str, ...]:
    """The values that the syncs of a connection filter by; empty when one of them takes everything."""
    sides = [sync.side(side) for sync in config.syncs.values() for side in Side]
    wanted = [side.where.get(name, []) for side in sides if side.connection == connection]
    if not all(wanted):
        return ()
    return tuple(sorted({value for values in wanted for value in values}))
