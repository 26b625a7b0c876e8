"""Connections made over the API, beside those of `syncline.yaml`: added, changed, tested, given new credentials, removed.

Called by `web.connections`, by `service.authorise` and by `service.login`. Names of the file win and are read-only here.
Credentials go in and never come out; a change is in the audit trail, and every process notices it by the revision.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from syncline.bootstrap import Installation, credentials_of, oauth_secret
from syncline.config import ActiveCollabSettings, ConnectionSettings, HighLevelSettings, WorkspaceSettings
from syncline.config.kept import CREDENTIALS, REFRESH_TOKEN, checked, is_waiting, parted, plain, whole
from syncline.connectors.highlevel import WebhookListener
from syncline.core.audit import AuditKind
from syncline.core.records import Side
from syncline.engine.footing import identity_of
from syncline.engine.sync import Identity
from syncline.errors import (
    ConfigError,
    ConnectorError,
    Problem,
    ProblemKind,
    Refusal,
    RequestError,
    UsageError,
)
from syncline.ports import ConnectionState, KeptConnection, Store
from syncline.ports.connections import CREDENTIALS_NAME
from syncline.ports.listening import PATH_NAME, SECRET_NAME
from syncline.service.guard import allows_private, check_url, origin_of
from syncline.service.runtime import Runtime, bump
from syncline.service.tested import Tested, examine

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_LEAST_SHOWN = 12
_IDENTITY = "identity:{}"


class Known(msgspec.Struct, frozen=True):
    """A connection as anybody may see it. `credentials` are the last four characters of each, by place; `used_by` names the
    syncs and drafts that need it. One of the file has the revision 0 and no times."""

    name: str
    vendor: str
    settings: Mapping[str, Any]
    credentials: Mapping[str, str]
    used_by: tuple[str, ...]
    revision: int = 0
    state: ConnectionState = ConnectionState.UNTESTED
    why: str = ""
    created_at: dt.datetime | None = None
    changed_at: dt.datetime | None = None
    is_from_file: bool = False


# --- looking ----------------------------------------------------------------------------------------------------------


def listed(installation: Installation) -> list[Known]:
    """All connections, by name: those of the file and those made over the API."""
    names = {each.name for each in installation.store.kept_connections()} | installation.from_file
    return [known(installation, name) for name in sorted(names)]


def known(installation: Installation, name: str) -> Known:
    """One connection. Raises `UsageError` for a name that is not there."""
    used_by = tuple(users_of(installation, name))
    if name in installation.from_file:
        settings = installation.config.connections[name]
        hints = _hints(_credentials(settings))
        return Known(name, settings.vendor, plain(settings), hints, used_by, is_from_file=True)
    kept = kept_of(installation, name)
    hints = _hints(credentials_of(installation.store, name))
    return Known(
        name,
        kept.vendor,
        kept.settings,
        hints,
        used_by,
        kept.revision,
        kept.state,
        kept.why,
        kept.created_at,
        kept.changed_at,
    )


def kept_of(installation: Installation, name: str) -> KeptConnection:
    """A connection that was made over the API. Raises `RequestError` for one of the file, `UsageError` for one that is not
    there."""
    if name in installation.from_file:
        raise RequestError(f"The connection '{name}' is in syncline.yaml.", Refusal.IN_FILE)
    kept = installation.store.kept_connection(name)
    if kept is None:
        text = f"There is no connection '{name}'."
        remedy = "See the list of connections."
        raise UsageError("connection", text, remedy, ProblemKind.NO_CONNECTION, name)
    return kept


def users_of(installation: Installation, name: str) -> Iterator[str]:
    """The syncs that need a connection: in force, in the file, or as drafts."""
    syncs = {**installation.draft, **installation.config.syncs}
    used = {sync for sync, each in syncs.items() if name in {each.side(side).connection for side in Side}}
    for draft in installation.store.drafts():
        sides = [draft.body.get(side.value) for side in Side]
        if any(
            isinstance(each, dict) and cast("dict[str, Any]", each).get("connection") == name
            for each in sides
        ):
            used.add(draft.name)
    yield from sorted(used)


# --- changing ---------------------------------------------------------------------------------------------------------


async def add(runtime: Runtime, by: int | None, name: str, raw: Mapping[str, Any]) -> Known:
    """Add a connection and test it: one that does not work is kept all the same, and says why. One whose app still has to
    be authorised waits. Raises `RequestError` for a name that is taken and for settings with faults."""
    installation = runtime.current()
    store, clock = installation.store, installation.clock
    _check_name(name)
    settings, credentials = _checked_parts(installation, raw)
    state = ConnectionState.WAITING if is_waiting(settings, credentials) else ConnectionState.UNTESTED
    with store.transaction():
        is_taken = name in installation.from_file
        vendor = str(settings["vendor"])
        if is_taken or store.add_connection(name, vendor, settings, state, clock.now()) is None:
            raise RequestError(f"There is a connection '{name}' already.", Refusal.NAME_TAKEN)
        _save_credentials(store, name, credentials)
        _note(installation, AuditKind.CONNECTION_ADDED, by, name, vendor=vendor)
    return await taken_up(runtime, name)


async def change(
    runtime: Runtime, by: int | None, name: str, patch: Mapping[str, Any], revision: int
) -> Known:
    """Change settings on top of a revision; one that is given as null is as by default again. Credentials stay, unless the
    address moves to another host: then they have to be given again, so that nobody leads them away. Raises `RequestError`."""
    installation = runtime.current()
    kept = kept_of(installation, name)
    merged = {key: value for key, value in {**kept.settings, **patch}.items() if value is not None}
    settings, given = parted(merged)
    old = credentials_of(installation.store, name)
    _check_credentials_stay(kept, settings, old, given)
    settings, credentials = _checked_parts(installation, whole(settings, {**old, **given}))
    store = installation.store
    with store.transaction():
        if store.change_connection(name, settings, revision, installation.clock.now()) is None:
            raise RequestError("Somebody changed this connection meanwhile.", Refusal.OLD_REVISION)
        _save_credentials(store, name, credentials)
        _note(installation, AuditKind.CONNECTION_CHANGED, by, name, fields=sorted(patch))
    return await taken_up(runtime, name)


async def rotate(runtime: Runtime, by: int | None, name: str, new: Mapping[str, str]) -> Known:
    """Put new credentials in the place of the old ones, once they are proven to work for the same account and user. Runs
    under way go on with the old ones. Raises `RequestError`, and then the old ones stay in force."""
    installation = runtime.current()
    kept = kept_of(installation, name)
    raw = whole(kept.settings, {**credentials_of(installation.store, name), **new})
    credentials = parted(raw).credentials
    _check_new(new, credentials)
    settings = _checked(installation, raw)
    identity = await prove(installation, name, settings)
    put_credentials(installation, by, name, credentials, identity)
    return await taken_up(runtime, name)


def put_credentials(
    installation: Installation,
    by: int | None,
    name: str,
    credentials: Mapping[str, str],
    identity: Identity,
) -> None:
    """Keep proven credentials, and whose they are; tokens that came of older ones are forgotten."""
    store = installation.store
    with store.transaction():
        # It may have been removed while they were tested.
        kept_of(installation, name)
        refresh_token = credentials.get(REFRESH_TOKEN)
        line = oauth_secret(name, refresh_token) if refresh_token else ""
        for secret in store.secret_names():
            if secret.startswith(f"oauth:{name}:") and secret != line:
                store.forget_secret(secret)
        _save_credentials(store, name, credentials)
        _remember_identity(installation, name, identity)
        store.note_connection(name, ConnectionState.WORKING, "")
        _note(installation, AuditKind.CONNECTION_ROTATED, by, name, places=sorted(credentials))


async def remove(runtime: Runtime, by: int | None, name: str) -> None:
    """Remove a connection and wipe its secrets. Raises `RequestError` while a sync needs it."""
    installation = runtime.current()
    kept_of(installation, name)
    store = installation.store
    with store.transaction():
        used_by = ", ".join(users_of(installation, name))
        if used_by:
            raise RequestError(f"The connection '{name}' is needed by: {used_by}.", Refusal.IN_USE)
        store.remove_connection(name)
        wipe(store, name)
        _note(installation, AuditKind.CONNECTION_REMOVED, by, name)
    await runtime.refresh()


def wipe(store: Store, name: str) -> None:
    """Forget every secret of a connection, and whose it was."""
    mine = {CREDENTIALS_NAME.format(name), PATH_NAME.format(name), SECRET_NAME.format(name)}
    for secret in store.secret_names():
        if secret in mine or secret.startswith(f"oauth:{name}:"):
            store.forget_secret(secret)
    store.remove_setting(_IDENTITY.format(name))


async def look_at(runtime: Runtime, name: str) -> Tested:
    """Test a connection and keep how it is. Raises `UsageError` for one that is not there, `RequestError` for one that has to
    be authorised first."""
    async with runtime.held() as installation:
        if name not in installation.config.connections:
            kept_of(installation, name)
            raise RequestError(f"The connection '{name}' has to be authorised first.", Refusal.NOT_WORKING)
        found = await examine(installation, name)
    if name not in installation.from_file:
        state = ConnectionState.WORKING if found.is_usable else ConnectionState.BROKEN
        installation.store.note_connection(name, state, " ".join(found.problems))
        if found.is_usable:
            whose = Identity(found.account_id or found.account, found.user_id or found.user)
            _remember_identity(installation, name, whose)
    return found


async def taken_up(runtime: Runtime, name: str) -> Known:
    """Let every process notice, and see whether it works."""
    await runtime.refresh()
    if name in runtime.current().config.connections:
        try:
            await look_at(runtime, name)
        except ConnectorError as error:
            runtime.current().store.note_connection(name, ConnectionState.BROKEN, str(error.args[0]))
    return known(runtime.current(), name)


# --- checking ---------------------------------------------------------------------------------------------------------


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        remedy = "Take letters, digits, - and _, 40 at most."
        problem = Problem("name", "cannot be a name.", remedy, ProblemKind.BAD_VALUE, name[:40])
        raise RequestError("The connection has faults.", Refusal.INVALID, problems=(problem,))


def _checked(installation: Installation, raw: Mapping[str, Any]) -> ConnectionSettings:
    settings, credentials = parted(raw)
    try:
        found = checked(raw, is_waiting=is_waiting(settings, credentials))
    except ConfigError as error:
        placed = tuple(_below(each) for each in error.problems)
        raise RequestError("The connection has faults.", Refusal.INVALID, problems=placed) from error
    if not isinstance(found, WorkspaceSettings):
        check_url(found.url, "settings.url", allow_private=allows_private(installation))
    try:
        _check_keys(found)
    except ConfigError as error:
        placed = tuple(_below(each) for each in error.problems)
        raise RequestError("The connection has faults.", Refusal.INVALID, problems=placed) from error
    return found


def _check_keys(settings: ConnectionSettings) -> None:
    """Nobody could listen with a key that is none."""
    if isinstance(settings, HighLevelSettings):
        hooks = settings.webhooks
        WebhookListener(settings.location, hooks.keys, hooks.legacy_keys)


def _check_new(new: Mapping[str, str], credentials: Mapping[str, str]) -> None:
    """New credentials have to be of those that the connection has a place for."""
    foreign = [place for place in new if place not in credentials]
    if foreign or not new:
        text = "is none of this connection's credentials." if foreign else "There are none."
        remedy = f"Give some of: {', '.join(credentials)}."
        place = foreign[0].rpartition(".")[2] if foreign else ""
        problem = Problem(place, text, remedy, ProblemKind.CREDENTIALS)
        raise RequestError("There are no credentials to take.", Refusal.INVALID, problems=(problem,))


def _below(problem: Problem) -> Problem:
    path = f"settings.{problem.path}" if problem.path else "settings"
    return Problem(path, problem.message, problem.remedy, problem.kind, problem.found)


def _checked_parts(
    installation: Installation, raw: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    _checked(installation, raw)
    return parted(raw)


def _check_credentials_stay(
    kept: KeptConnection, settings: Mapping[str, Any], old: Mapping[str, str], given: Mapping[str, str]
) -> None:
    if settings.get("vendor") != kept.vendor:
        problem = Problem(
            "settings.vendor", "stays as it is.", "Add another connection.", ProblemKind.BAD_VALUE
        )
        raise RequestError("The connection has faults.", Refusal.INVALID, problems=(problem,))
    before, after = (str(each.get("url", "")) for each in (kept.settings, settings))
    is_moved = origin_of(before) != origin_of(after)
    if is_moved and not set(old) <= set(given):
        text = "is another host than before, and the credentials are not sent there unasked."
        remedy = "Give the credentials again, together with the new address."
        problem = Problem("settings.url", text, remedy, ProblemKind.CREDENTIALS)
        raise RequestError("The connection has faults.", Refusal.INVALID, problems=(problem,))
    if given and not is_moved:
        problem = Problem(
            "settings",
            "holds credentials.",
            f"Give new ones with PUT /api/v1/connections/{kept.name}/credentials.",
            ProblemKind.CREDENTIALS,
        )
        raise RequestError("The connection has faults.", Refusal.INVALID, problems=(problem,))


async def prove(installation: Installation, name: str, settings: ConnectionSettings) -> Identity:
    """Test a connection as it might be. Raises `RequestError` when it does not work, or is not of the account and user that
    it was of before."""
    trial = installation.with_connection(name, settings)
    try:
        health = await trial.connector(name).check()
    except ConnectorError as error:
        raise RequestError(f"The credentials do not work: {error.args[0]}", Refusal.NOT_WORKING) from error
    finally:
        await trial.release()
    identity = identity_of(health)
    if identity is None or health.problems:
        said = "; ".join(health.problems)
        raise RequestError(f"The credentials do not work: {said}", Refusal.NOT_WORKING)
    before = _identity(installation, name)
    if before is not None and (before.account, before.user) != (identity.account, identity.user):
        raise RequestError(
            f"The credentials are of {health.user} at {health.account}, and those before were of somebody else.",
            Refusal.OTHER_ACCOUNT,
        )
    return identity


def _identity(installation: Installation, name: str) -> Identity | None:
    kept = installation.store.setting(_IDENTITY.format(name))
    return None if kept is None else Identity(*msgspec.json.decode(kept.value, type=tuple[str, str]))


def _remember_identity(installation: Installation, name: str, identity: Identity) -> None:
    now = installation.clock.now()
    installation.store.save_setting(_IDENTITY.format(name), (identity.account, identity.user), now)


# --- credentials ------------------------------------------------------------------------------------------------------


def _save_credentials(store: Store, name: str, credentials: Mapping[str, str]) -> None:
    if credentials:
        store.save_secret(CREDENTIALS_NAME.format(name), msgspec.json.encode(credentials).decode())


def _credentials(settings: ConnectionSettings) -> dict[str, str]:
    if isinstance(settings, WorkspaceSettings):
        return {}
    if isinstance(settings, ActiveCollabSettings) or settings.oauth is None:
        return {"token": settings.token.get_secret_value()} if settings.token else {}
    oauth = settings.oauth
    secrets = (oauth.client_secret.get_secret_value(), oauth.refresh_token.get_secret_value())
    return dict(zip(CREDENTIALS[1:], secrets, strict=True))


def _hints(credentials: Mapping[str, str]) -> dict[str, str]:
    """The last four characters, of secrets that are long enough to keep the rest."""
    return {
        place: f"…{secret[-4:]}" if len(secret) >= _LEAST_SHOWN else "…"
        for place, secret in credentials.items()
    }


def _note(installation: Installation, kind: AuditKind, by: int | None, name: str, **told: object) -> None:
    """An entry in the audit trail, and the word to every process that something changed."""
    now = installation.clock.now()
    installation.store.audit(kind, {"by": by, **told}, now=now, subject=name)
    bump(installation.store, installation.clock)
