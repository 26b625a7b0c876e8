"""A connection into the verdict of a test: whose it is, what it may do and needs to, and whether all else is well.

Called by the API's test button and by `syncline check`; both show the same structure. A problem stops the connection from
being used, a warning does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec

from syncline.bootstrap import Installation
from syncline.config import SyncSettings
from syncline.core.quota import Quota
from syncline.core.records import Side
from syncline.ports import Connector, Health
from syncline.service.hooks import hook_of
from syncline.service.silence import silence_of

_SKEW = dt.timedelta(minutes=1)
_SOON = dt.timedelta(days=30)
_LITTLE = 0.1


class Needed(msgspec.Struct, frozen=True):
    """The rights that one sync needs on this connection, and those of them that were not granted."""

    sync: str
    object_type: str
    is_written: bool
    scopes: tuple[str, ...]
    missing: tuple[str, ...]


class Tested(msgspec.Struct, frozen=True):
    """What a test found. `scopes` is None where the vendor does not tell what was granted. `skew` is how many seconds the
    vendor's clock is ahead of ours; `last_delivery` when its latest genuine webhook came, `has_hook` whether there is an
    address for them; `expires_at` when the credentials end, where that is known."""

    connection: str
    is_usable: bool
    account: str
    user: str
    version: str
    scopes: tuple[str, ...] | None
    missing_scopes: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    account_id: str
    user_id: str
    needed: tuple[Needed, ...]
    skew: float | None
    quota: Quota
    has_hook: bool
    last_delivery: dt.datetime | None
    expires_at: dt.datetime | None
    at: dt.datetime


async def examine(installation: Installation, name: str) -> Tested:
    """Test a connection with the fewest calls. Raises `UsageError` for a name that is not there."""
    connector = installation.connector(name)
    health = await connector.check()
    needed = tuple(needed_of(installation, name, health))
    store, now = installation.store, installation.clock.now()
    expires_at = installation.expires_at(name)
    lacking = [
        f"the sync {each.sync} needs {scope}, which was not granted"
        for each in needed
        for scope in each.missing
    ]
    return Tested(
        connection=name,
        is_usable=not health.problems and not lacking,
        account=health.account,
        user=health.user,
        version=health.version,
        scopes=health.scopes,
        missing_scopes=health.missing_scopes,
        problems=(*health.problems, *lacking),
        warnings=(*health.warnings, *_warnings(installation, name, connector, expires_at)),
        account_id=health.account_id,
        user_id=health.user_id,
        needed=needed,
        skew=connector.skew.total_seconds() if connector.skew is not None else None,
        quota=connector.quota,
        has_hook=hook_of(store, name) is not None,
        last_delivery=store.last_delivery(name),
        expires_at=expires_at,
        at=now,
    )


def needed_of(installation: Installation, name: str, health: Health | None) -> Iterator[Needed]:
    """What every sync that uses a connection needs there. Without a test nothing is known to be missing."""
    for sync, settings in installation.config.syncs.items():
        for side in Side:
            if settings.side(side).connection != name:
                continue
            is_written = writes_to(settings, side)
            scopes = installation.scopes_for(name, settings.side(side).object, is_written=is_written)
            missing = [scope for scope in scopes if health is not None and _is_missing(scope, health)]
            yield Needed(sync, settings.side(side).object, is_written, scopes, tuple(missing))


def writes_to(settings: SyncSettings, side: Side) -> bool:
    """Whether a sync ever writes on this side: a field goes there, or records are made there."""
    return side in settings.may_create() or any(each.direction.flows_to(side) for each in settings.mappings())


def _is_missing(scope: str, health: Health) -> bool:
    if health.scopes is not None:
        return scope not in health.scopes
    return scope in health.missing_scopes


def _warnings(
    installation: Installation, name: str, connector: Connector, expires_at: dt.datetime | None
) -> Iterator[str]:
    now = installation.clock.now()
    if connector.skew is not None and abs(connector.skew) > _SKEW:
        way = "ahead of" if connector.skew > dt.timedelta() else "behind"
        seconds = round(abs(connector.skew).total_seconds())
        yield f"the vendor's clock is {seconds} s {way} ours; set this machine's clock right"
    if expires_at is not None and expires_at <= now + _SOON:
        yield f"the credentials end on {expires_at:%Y-%m-%d} unless they are used before; authorise the connection again"
    quota = connector.quota
    if quota.daily_limit and quota.daily_left is not None and quota.daily_left < quota.daily_limit * _LITTLE:
        yield f"only {quota.daily_left} of {quota.daily_limit} calls are left today"
    yield from _silent(installation, name, now)


def _silent(installation: Installation, name: str, now: dt.datetime) -> Sequence[str]:
    if hook_of(installation.store, name) is None:
        return ()
    if installation.store.last_delivery(name) is None:
        return ("no webhook has come yet; edits are found by polling until one does",)
    if silence_of(installation.store, name, now).is_unusual:
        return ("no webhook has come for unusually long; see whether the vendor still sends them",)
    return ()
