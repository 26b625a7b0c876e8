"""What people have paused: a sync, a connection, or everything.

Used by `service.dispatch`, the CLI and the API. A pause stops new runs, not one that is under way; what is heard
meanwhile is kept, and looked at afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import msgspec

from syncline.core.audit import AuditKind
from syncline.errors import BusyError
from syncline.ports import Clock, Store

_NAME = "pauses"


class Pauses(msgspec.Struct, frozen=True):
    """What is paused, and since when."""

    everything: dt.datetime | None = None
    connections: Mapping[str, dt.datetime] = {}
    syncs: Mapping[str, dt.datetime] = {}

    def why(self, sync: str, connections: Iterable[str]) -> str:
        """Why a sync is paused; empty when it is not."""
        if self.everything is not None:
            return "everything is paused"
        held = next((name for name in connections if name in self.connections), None)
        if held is not None:
            return f"the connection '{held}' is paused"
        return "it is paused" if sync in self.syncs else ""


def pauses(store: Store) -> Pauses:
    """What is paused now."""
    return _read(store)[0]


def pause(
    store: Store,
    clock: Clock,
    *,
    sync: str | None = None,
    connection: str | None = None,
    is_paused: bool = True,
) -> Pauses:
    """Pause or resume one sync, all syncs of a connection, or (with neither) everything. Pausing what is paused already
    keeps its time. Raises `BusyError` when others change the same all the time."""
    old, revision = _read(store)
    now = clock.now()
    if sync is not None:
        new = msgspec.structs.replace(old, syncs=_with(old.syncs, sync, now if is_paused else None))
    elif connection is not None:
        changed = _with(old.connections, connection, now if is_paused else None)
        new = msgspec.structs.replace(old, connections=changed)
    else:
        new = msgspec.structs.replace(old, everything=(old.everything or now) if is_paused else None)
    if new == old:
        return old
    if store.save_setting(_NAME, new, now, revision) is None:
        raise BusyError("somebody else is pausing or resuming at this moment; try again")
    kind = AuditKind.PAUSED if is_paused else AuditKind.RESUMED
    body = {"sync": sync, "connection": connection}
    store.audit(kind, body, now=now, sync=sync or "", subject=connection or "")
    return new


def _read(store: Store) -> tuple[Pauses, int]:
    kept = store.setting(_NAME)
    if kept is None:
        return Pauses(), 0
    return msgspec.json.decode(kept.value, type=Pauses), kept.revision


def _with(old: Mapping[str, dt.datetime], name: str, since: dt.datetime | None) -> dict[str, dt.datetime]:
    new = {known: at for known, at in old.items() if known != name}
    if since is not None:
        new[name] = old.get(name, since)
    return new
