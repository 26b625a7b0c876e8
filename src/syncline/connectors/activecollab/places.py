"""Where a record lives: the project (of a subtask, the task) that its routes need, found again when it has moved.

Used by `activecollab.connector`. Routes carry the project, and answer 404 for a record that moved to another one (facts:
activecollab-api.md 7): only after every visible project has been asked is a record gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncline.connectors.activecollab.attributes import Form, Place
from syncline.connectors.activecollab.client import Client, Json
from syncline.connectors.activecollab.listing import Collection, Mark, Project, projects
from syncline.connectors.activecollab.nested import subtask_sheets
from syncline.core.records import RecordKey
from syncline.errors import Detail, NotFoundError, TransientError
from syncline.ports import Clock


@dataclass(frozen=True, slots=True)
class Found:
    """A record where it is now, in the trash or not. `home` is what its routes begin with."""

    home: str
    json: Json

    @property
    def project(self) -> str:
        """The project it is in."""
        return project_of(self.home)


@dataclass(frozen=True, slots=True)
class Lost:
    """No visible project holds the record. `is_hidden`: the project it was in is not visible any more either."""

    is_hidden: bool


@dataclass(frozen=True, slots=True)
class _Absent:
    """No project showed the record. `is_settled`: none had to be listed, so what is known of all of them is of one
    moment. `is_leaving`: a project listed it, and does not hold it any more: it was moved just now, or it is gone."""

    is_settled: bool = False
    is_leaving: bool = False


_ROUNDS = 3
"""So many searches for a record that is moved while it is looked for."""


class Places:
    """What is known of where one object type's records are, learned from listings and answers."""

    def __init__(self, client: Client, clock: Clock, form: Form, *, trust_counts: bool) -> None:
        self._client = client
        self._trust_counts = trust_counts
        self._clock = clock
        self._form = form
        self._home: dict[RecordKey, str] = {}
        self._marks: dict[str, Mark] = {}
        self._searching = asyncio.Lock()

    def learn(self, home: str, keys: Iterable[RecordKey]) -> None:
        """These records are in this project, or this task of it."""
        self._home.update(dict.fromkeys(keys, home))

    def learn_all(self, project: str, collection: Collection) -> None:
        """So are all that its listing named, by their ids alone too."""
        self.learn(project, collection.keys)
        self.learn(project, collection.trashed)
        self.learn(project, collection.completed or ())

    def home(self, key: RecordKey) -> str | None:
        """The project (and task) a record was last seen in."""
        return self._home.get(key)

    async def find(self, key: RecordKey, first: Sequence[str]) -> Found | Lost:
        """Read a record, wherever it is.

        One call when its project is known and still holds it. Else the projects that changed since the last search are
        listed, those of the scope first: at worst a call for each visible project, once; then nothing but the list of
        projects until something happens in one of them. Raises `TransientError` for a record that is moved again and
        again meanwhile.
        """
        was = self._home.get(key)
        if was is not None and (json := await self._read(was, key)) is not None:
            return Found(was, json)
        async with self._searching:
            home = self._home.get(key)
            if home is None or home == was:
                return await self._looked_for(key, first, was)
        # Another search found it while we waited. It is read outside: many may have waited, each with its own record.
        if (json := await self._read(home, key)) is not None:
            return Found(home, json)
        async with self._searching:
            return await self._looked_for(key, first, was)

    async def _looked_for(self, key: RecordKey, first: Sequence[str], was: str | None) -> Found | Lost:
        """Search until nothing moves any more."""
        visible = await projects(self._client)
        for round_ in range(_ROUNDS):
            in_order = sorted(visible, key=lambda project: project.id not in first)
            found = await self._search(key, in_order)
            if isinstance(found, Found):
                return found
            before, visible = visible, visible if found.is_settled else await projects(self._client)
            # While one project was listed, the record may have moved to one that was listed before: where something
            # happened since is listed again. In a busy account something always does; each round takes less time.
            is_quiet = _digests(before) == _digests(visible)
            if not found.is_leaving and (is_quiet or round_ == _ROUNDS - 1):
                return Lost(is_hidden=was is not None and project_of(was) not in _digests(visible))
        text = f"{self._form.slug} {key} is being moved from project to project"
        raise TransientError(text, detail=Detail.MOVED_WHILE_READ)

    async def _search(self, key: RecordKey, visible: Sequence[Project]) -> Found | _Absent:
        """List what changed until the record turns up somewhere."""
        self._home.pop(key, None)
        is_settled = True
        for project in visible:
            old = self._marks.get(project.id)
            if not (self._form.shows_activity and project.is_quiet(old)):
                now = self._clock.now()
                is_settled = False
                await self._relist(project.id)
                self._marks[project.id] = project.mark(old, now)
            home = self._home.get(key, "")
            if project_of(home) == project.id:
                json = await self._read(home, key)
                return _Absent(is_leaving=True) if json is None else Found(home, json)
        return _Absent(is_settled)

    async def _relist(self, project: str) -> None:
        """Learn all ids of a project: one call where the open collection names the completed ones too.

        Raises `TransientError` when something is missing: an incomplete listing proves no absence.
        """
        collection = Collection()
        if self._form.place is Place.TASK:
            async for sheet in subtask_sheets(self._client, project, collection):
                self.learn(sheet.home, sheet.keys)
        else:
            await self._list(project, collection)
            self.learn_all(project, collection)
        if gap := collection.gap(trust_counts=self._trust_counts):
            raise TransientError(f"project {project}: {gap}", detail=Detail.MOVED_WHILE_READ)

    async def _list(self, project: str, collection: Collection) -> None:
        path = f"projects/{project}/{self._form.collection}"
        async for sheet in self._client.sheets(path):
            collection.take_open(sheet)
        if collection.completed is None and self._form.has_archive:
            async for sheet in self._client.sheets(f"{path}/archive"):
                collection.take_archive(sheet)
        else:
            # Named is as good as listed here: only the ids are wanted.
            collection.keys.update(collection.completed or ())

    async def _read(self, home: str, key: RecordKey) -> Json | None:
        try:
            return await self._client.get(f"projects/{home}/{self._form.collection}/{key}")
        except NotFoundError:
            return None


def project_of(home: str) -> str:
    """The project of a home: `1` of `1/tasks/5`."""
    return home.partition("/")[0]


def _digests(visible: Sequence[Project]) -> dict[str, str]:
    return {project.id: project.digest for project in visible}
