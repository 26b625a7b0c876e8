"""Projects and their collections into pages, with proof that nothing is missing and a cursor for next time.

Used by `activecollab.connector`. There is no "updated since" filter: what changed is found by comparing the projects
first and listing only those that moved (facts: activecollab-api.md 6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import msgspec
import xxhash

from syncline.connectors.activecollab.attributes import Form
from syncline.connectors.activecollab.client import Client, Json, Sheet, decode
from syncline.core.records import RecordKey
from syncline.errors import NotFoundError
from syncline.ports import Clock

OVERLAP = dt.timedelta(seconds=3)
"""The vendor's clock ticks in seconds: what happened in the second we looked at may not show yet."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A project as it looked: a digest of all it says of itself, `last_activity_on` among it, and since when.

    It is settled once its collection was listed `OVERLAP` after the digest was first seen: from then on, any later
    activity changes the digest. Only differences of our own clock are used, so the vendor's may be wrong.
    """

    digest: str
    seen_at: float
    is_settled: bool = False


class Cursor(msgspec.Struct, frozen=True):
    """Where a listing ended, per project id."""

    projects: dict[str, Mark]

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """The cursor of a text; None for none or one of another version, which means listing everything."""
        try:
            return msgspec.json.decode(text, type=cls) if text else None
        except msgspec.DecodeError:
            return None

    def text(self) -> str:
        """As JSON."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class Project:
    """A project that the token's user sees."""

    id: str
    raw: msgspec.Raw
    digest: str

    def mark(self, old: Mark | None, now: dt.datetime) -> Mark:
        """Its mark after a listing at `now` that followed this look at it."""
        if old is None or old.digest != self.digest:
            return Mark(self.digest, now.timestamp())
        return Mark(self.digest, old.seen_at, now.timestamp() - old.seen_at >= OVERLAP.total_seconds())

    def is_quiet(self, old: Mark | None) -> bool:
        """Whether surely nothing happened in it since that mark."""
        return old is not None and old.is_settled and old.digest == self.digest


async def projects(client: Client, wanted: Sequence[str] = ()) -> list[Project]:
    """The wanted projects, or all, completed ones too. Raises `NotFoundError` for one that is not there.

    Costs a call per hundred projects, and as many again for completed ones where they are needed.
    """
    found: dict[str, Project] = {}
    for path in ("projects", "projects/archive"):
        async for sheet in client.sheets(path):
            for key, raw in zip(sheet.keys, sheet.raws, strict=True):
                found[key] = Project(key, raw, xxhash.xxh3_64_hexdigest(raw))
        if wanted and found.keys() >= set(wanted):
            break
    missing = [each for each in wanted if each not in found]
    if missing:
        raise NotFoundError(f"no project {', '.join(missing)} that the token's user sees")
    return [found[each] for each in dict.fromkeys(wanted)] if wanted else list(found.values())


@dataclass(slots=True)
class Collection:
    """One listing of one project's tasks or task lists: what it brought, and what it should have."""

    keys: set[RecordKey] = field(default_factory=set[RecordKey])
    open: set[RecordKey] = field(default_factory=set[RecordKey])
    trashed: set[RecordKey] = field(default_factory=set[RecordKey])
    completed: set[RecordKey] | None = None
    archive_total: int | None = None
    archived: int = 0
    promised: int | None = None
    short: str = ""

    def expect(self, parent: str, promised: int | None, came: int) -> None:
        """Note that fewer came from below something than it said it has."""
        if promised is not None and came < promised:
            self.short = f"{parent} counts {promised}, {came} came"

    def take_open(self, sheet: Sheet) -> Sheet:
        """Note a page of open objects and what it says of the others."""
        self.keys.update(sheet.keys)
        self.open.update(sheet.keys)
        envelope = sheet.envelope
        if envelope is not None:
            self.completed = cast("set[RecordKey]", set(map(str, envelope.completed_task_ids or ())))
            self.trashed.update(RecordKey(str(each)) for each in envelope.trashed_task_ids or ())
            self.promised = envelope.project.count_tasks if envelope.project else None
        return sheet

    def take_archive(self, sheet: Sheet) -> Sheet:
        """Note a page of completed objects."""
        self.keys.update(sheet.keys)
        self.archived += len(sheet.keys)
        self.archive_total = sheet.total if sheet.total is not None else self.archive_total
        return sheet

    def gap(self, *, trust_counts: bool) -> str:
        """Why something may be missing; empty when the listing is proven complete.

        Every id that the collection named must have come, as many completed ones as the headers promised and, with
        `trust_counts`, as many open ones as the project counts.
        """
        if self.completed and not self.completed <= self.keys:
            return f"{len(self.completed - self.keys)} completed tasks did not come"
        if self.archive_total is not None and self.archived < self.archive_total:
            return f"the archive holds {self.archive_total}, {self.archived} came"
        if trust_counts and self.short:
            return self.short
        if trust_counts and self._misses_open():
            return f"the project counts {self.promised} tasks, {len(self.open)} open ones came"
        return ""

    def _misses_open(self) -> bool:
        """Whether the project's own count speaks of more open tasks than came. What it counts is not documented: open
        ones, all but trashed ones, or all."""
        is_open, done = len(self.open), len(self.completed or ())
        sums = (is_open, is_open + done, is_open + done + len(self.trashed))
        return self.promised is not None and self.promised > is_open and self.promised not in sums


class Listing:
    """One listing of a scope. After `sheets()` has run: `cursor` and `gaps`."""

    def __init__(
        self, client: Client, clock: Clock, form: Form, since: Cursor | None, *, trust_counts: bool
    ) -> None:
        self._trust_counts = trust_counts
        self.client = client
        self._clock = clock
        self._form = form
        self._since: Mapping[str, Mark] = since.projects if since else {}
        self._marks: dict[str, Mark] = {}
        self.gaps: list[str] = []

    @property
    def cursor(self) -> str:
        """Where it ended. A project with a gap is left out, so that it is listed again."""
        return Cursor(self._marks).text()

    async def sheets(
        self, scope: Sequence[Project]
    ) -> AsyncGenerator[tuple[Project, Sheet, Collection], None]:
        """The pages of all projects that may have moved."""
        for project in scope:
            old = self._since.get(project.id)
            if project.is_quiet(old):
                self._marks[project.id] = old or project.mark(None, self._clock.now())
                continue
            listed_at, collection = self._clock.now(), Collection()
            async for sheet in self.walk(project, collection):
                yield project, sheet, collection
            if gap := collection.gap(trust_counts=self._trust_counts):
                self.gaps.append(f"project {project.id}: {gap}")
            else:
                self._marks[project.id] = project.mark(old, listed_at)

    async def walk(self, project: Project, collection: Collection) -> AsyncGenerator[Sheet, None]:
        """One project: open objects, then completed ones, then open ones again where some were reopened meanwhile."""
        path = f"projects/{project.id}/{self._form.collection}"
        async for sheet in self.client.sheets(path):
            yield collection.take_open(sheet)
        if self._form.has_archive and (collection.completed is None or collection.completed):
            async for sheet in self.client.sheets(f"{path}/archive"):
                yield collection.take_archive(sheet)
        if collection.completed and not collection.completed <= collection.keys:
            async for sheet in self.client.sheets(path):
                yield collection.take_open(sheet)


class AccountListing:
    """A listing of what belongs to the account as a whole, the projects themselves too. After `sheets()`: `gap`."""

    def __init__(self, client: Client, form: Form, roles: Sequence[str] = ()) -> None:
        self._client = client
        self._form = form
        self._roles = roles
        self.gap = ""

    async def sheets(self, wanted: Sequence[str] = ()) -> AsyncGenerator[Sheet, None]:
        """All of them, completed ones too; of these the wanted ones, or those of the roles, where some are named."""
        first = self._form.listed_at or self._form.collection
        for path in (first, f"{first}/archive") if self._form.has_archive else (first,):
            count, total = 0, None
            async for sheet in self._client.sheets(path):
                count, total = count + len(sheet.keys), sheet.total
                yield self._kept(sheet.only(wanted) if wanted else sheet)
            if total is not None and count < total:
                self.gap = f"{path}: {total} promised, {count} came"

    def _kept(self, sheet: Sheet) -> Sheet:
        """What may be told from its roles is few: it can be decoded."""
        if self._form.roles is None:
            return sheet
        objects = zip(sheet.keys, map(decode, sheet.raws), strict=True)
        kept = {
            key
            for key, json in objects
            if not json.get("is_trashed") and has_role(self._form, json, self._roles)
        }
        return sheet.only(kept)


def has_role(form: Form, json: Json, roles: Sequence[str]) -> bool:
    """Whether an object has one of these roles; without any named, every one will do."""
    return not roles or form.roles is None or form.roles(json) in roles
