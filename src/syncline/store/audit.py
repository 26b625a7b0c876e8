"""The audit trail: appended to, read, and checked link by link.

A part of `SqlStore`. Numbers have no gaps, and the last hash is kept beside the chain, so that an entry taken off its end
is missed as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import cast

import msgspec
import sqlalchemy as sa

from syncline.core.audit import (
    BEGIN,
    AuditCheck,
    AuditEntry,
    AuditFault,
    AuditKind,
    canonical_json,
    fault,
    sealed,
)
from syncline.core.records import SyncId
from syncline.ports.acting import actor_now
from syncline.store.codec import micros, moment
from syncline.store.memos import Memos
from syncline.store.session import Row
from syncline.store.tables import audit

_COLUMNS = ("id", "at", "kind", "sync", "subject", "body", "previous", "hash")
_ALL = sa.select(*(audit.c[name] for name in _COLUMNS))
_APPEND = sa.insert(audit).inline().values({name: sa.bindparam(name) for name in _COLUMNS})
_LAST = _ALL.order_by(audit.c.id.desc()).limit(sa.bindparam("most"))
_ENTRY = _ALL.where(audit.c.id == sa.bindparam("entry"))
_NEXT = _ALL.where(audit.c.id > sa.bindparam("after")).order_by(audit.c.id).limit(sa.bindparam("most"))
_SINCE = audit.c.at >= sa.bindparam("since")
_BEFORE = audit.c.id < sa.bindparam("before")
_OF_KIND = audit.c.kind == sa.bindparam("kind")
_OF_SYNC = audit.c.sync == sa.bindparam("sync")
_TRAIL = {
    (is_kind, is_sync): _LAST.where(
        _SINCE, _BEFORE, *([_OF_KIND] if is_kind else []), *([_OF_SYNC] if is_sync else [])
    )
    for is_kind in (False, True)
    for is_sync in (False, True)
}

_CHUNK = 1_000
_ABOVE_ALL = 2**62
_NOBODY = SyncId("")
"""The memo of the chain belongs to no sync."""
_HEAD = "audit"


class Audit(Memos):
    """The audit trail."""

    def audit(
        self, kind: AuditKind, body: object, *, now: dt.datetime, sync: str = "", subject: str = ""
    ) -> AuditEntry:
        """Append an entry. `body` becomes canonical JSON; it must hold no secret and no field value. Where it is known who
        acts, the body names them, unless it does so itself."""
        with self._together():
            last = self._row(_LAST, most=1)
            number, previous = (last[0] + 1, last[-1]) if last else (1, BEGIN)
            text = canonical_json(_named(body))
            at = moment(micros(now))
            entry = sealed(
                AuditEntry(number, at, kind.value, sync, subject, msgspec.Raw(text.encode()), previous, "")
            )
            self._run(
                _APPEND,
                id=number,
                at=micros(now),
                kind=kind.value,
                sync=sync,
                subject=subject,
                body=text,
                previous=previous,
                hash=entry.hash,
            )
            self.remember(_NOBODY, _HEAD, f"{number} {entry.hash}")
            return entry

    def audit_entry(self, entry: int) -> AuditEntry | None:
        """One entry of the trail."""
        row = self._row(_ENTRY, entry=entry)
        return None if row is None else _entry(row)

    def audit_trail(
        self,
        since: dt.datetime | None = None,
        kind: AuditKind | None = None,
        sync: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[AuditEntry]:
        """The latest `limit` entries, oldest first; only those with a number below `before`, where it is given."""
        asked: dict[str, object] = {
            "since": micros(since) or 0,
            "most": limit,
            "before": _ABOVE_ALL if before is None else before,
        }
        if kind is not None:
            asked["kind"] = kind.value
        if sync is not None:
            asked["sync"] = sync
        rows = self._rows(_TRAIL[kind is not None, sync is not None], **asked)
        return [_entry(row) for row in reversed(rows)]

    def verify_audit(self) -> AuditFault | None:
        """The first entry at which the chain is broken; None when it holds."""
        check = AuditCheck()
        while not check.is_over:
            check = self.verify_audit_on(check, _CHUNK)
        return check.fault

    def verify_audit_on(self, before: AuditCheck, most: int = 200) -> AuditCheck:
        """Check so many entries more."""
        last = before.last
        rows, head = self._page(last, most), None
        if len(rows) < most:
            # Together: nobody appends between the last entry and the hash that is kept beside the chain.
            with self._together():
                rows, head = self._page(last, most), self.recall(_NOBODY, _HEAD)
        for entry in map(_entry, rows):
            found = fault(last, entry)
            if found is not None:
                return AuditCheck(entry, found, is_over=True)
            last = entry
        if len(rows) == most:
            return AuditCheck(last)
        return AuditCheck(last, _missing(last, head), is_over=True)

    def _page(self, last: AuditEntry | None, most: int) -> Sequence[Row]:
        return self._rows(_NEXT, after=last.id if last is not None else -1, most=most)


def _missing(last: AuditEntry | None, head: str | None) -> AuditFault | None:
    """Whether the hash that is kept beside the chain is not that of its last entry."""
    number, end = (last.id, f"{last.id} {last.hash}") if last is not None else (0, None)
    return None if end == head else AuditFault(number + 1, "entries are missing at the end of the trail")


def _entry(row: Row) -> AuditEntry:
    number, at, kind, sync, subject, body, previous, own = row
    return AuditEntry(number, moment(at), kind, sync, subject, msgspec.Raw(body.encode()), previous, own)


def _named(body: object) -> object:
    """The body with whoever acts."""
    actor, plain = actor_now(), msgspec.to_builtins(body, str_keys=True)
    if actor is None or not isinstance(plain, dict):
        return plain
    return {**msgspec.to_builtins(actor), **cast("dict[str, object]", plain)}
