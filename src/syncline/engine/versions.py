"""What is configured into versions that are kept: put one in force, change it, go back to an older one.

Called by `bootstrap` and the CLI, and by whatever lets a person change a rule without the file. Putting a version in
force is the approval of it: the brakes on a changed mapping or filter do not pull for what was approved.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncline.core.audit import AuditKind
from syncline.core.changes import Body, digest
from syncline.core.memory import Version
from syncline.core.records import SyncId
from syncline.errors import SetupError
from syncline.ports import Clock, Store

_APPROVED = "approved"


def applied(store: Store) -> Version | None:
    """The version in force; None before the first."""
    return store.version()


def versions(store: Store) -> Sequence[Version]:
    """Every version, newest first."""
    return store.versions()


def apply(store: Store, clock: Clock, syncs: Body, note: str = "", *, is_approved: bool = True) -> Version:
    """Put syncs in force as a new version. Without `is_approved` (nobody has looked) the brakes still pull."""
    return _save(store, clock, syncs, note, AuditKind.CONFIGURATION_APPLIED, is_approved=is_approved)


def amend(
    store: Store, clock: Clock, edit: Callable[[dict[str, Any]], Mapping[str, Any]], note: str
) -> Version:
    """Put a changed copy of the version in force into force. `edit` gets the syncs by name as plain JSON and answers
    them changed. Raises `SetupError` before the first version; an edit that changes nothing makes no version."""
    with store.transaction():
        now = applied(store)
        if now is None:
            raise SetupError("Nothing is applied yet. Run a sync, or `syncline apply`, first.")
        edited = edit(copy.deepcopy(dict(now.body)))
        return now if digest(edited) == now.digest else apply(store, clock, edited, note)


def rollback(store: Store, clock: Clock, number: int, note: str = "") -> Version:
    """Put an older version in force again, as a new one. Raises `SetupError` for a number that is not there."""
    body, told = version(store, number).body, note or f"back to version {number}"
    return _save(store, clock, body, told, AuditKind.CONFIGURATION_ROLLED_BACK)


def version(store: Store, number: int) -> Version:
    """One version. Raises `SetupError` for a number that is not there."""
    found = store.version(number)
    if found is None:
        raise SetupError(f"There is no version {number}. See `syncline versions`.")
    return found


def is_approved(store: Store, sync: SyncId, settings_digest: str) -> bool:
    """Whether a person has put these settings of a sync in force."""
    return bool(settings_digest) and store.recall(sync, _APPROVED) == settings_digest


def _save(
    store: Store, clock: Clock, syncs: Body, note: str, kind: AuditKind, *, is_approved: bool = True
) -> Version:
    now = clock.now()
    with store.transaction():
        made = store.save_version(syncs, digest(syncs), note, now)
        if is_approved:
            for name, sync in syncs.items():
                store.remember(SyncId(name), _APPROVED, digest(sync))
        told = {"version": made.number, "digest": made.digest, "note": note, "approved": is_approved}
        store.audit(kind, told, now=now, subject=str(made.number))
    return made
