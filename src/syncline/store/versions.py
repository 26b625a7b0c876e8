"""What was configured, version by version: appended to, read, never changed.

A part of `SqlStore`. A body is one JSON text in canonical form, so that equal configurations are equal texts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from syncline.core.memory import Version
from syncline.errors import StoreError
from syncline.store.codec import micros, moment
from syncline.store.session import Row, Rows
from syncline.store.tables import version

_COLUMNS = ("id", "at", "digest", "body", "note")
_ALL = sa.select(*(version.c[name] for name in _COLUMNS))
_LATEST = _ALL.order_by(version.c.id.desc()).limit(sa.bindparam("most"))
_ONE = _ALL.where(version.c.id == sa.bindparam("number"))
_HIGHEST = sa.select(sa.func.max(version.c.id))
_SAVE = sa.insert(version).inline().values({name: sa.bindparam(name) for name in _COLUMNS})


class Versions(Rows):
    """Versions of what is configured."""

    def save_version(self, body: Mapping[str, object], digest: str, note: str, now: dt.datetime) -> Version:
        """Keep what was applied; numbers count from 1. Nothing is ever changed or removed there."""
        text = msgspec.json.encode(body, order="deterministic").decode()
        with self._together():
            row = self._row(_HIGHEST)
            number = 1 + (row[0] or 0 if row else 0)
            self._run(_SAVE, id=number, at=micros(now), digest=digest, body=text, note=note)
        kept = self.version(number)
        if kept is None:
            raise StoreError(f"version {number} was not kept")
        return kept

    def version(self, number: int | None = None) -> Version | None:
        """One version; the latest unless named."""
        row = self._row(_LATEST, most=1) if number is None else self._row(_ONE, number=number)
        return None if row is None else _version(row)

    def versions(self, limit: int = 100) -> Sequence[Version]:
        """The latest versions, newest first."""
        return [_version(row) for row in self._rows(_LATEST, most=limit)]


def _version(row: Row) -> Version:
    number, at, digest, body, note = row
    return Version(number, moment(at), digest, msgspec.json.decode(body), note)
