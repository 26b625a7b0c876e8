"""Subtasks and comments into pages: they are listed below each task, note or discussion that says it has some.

Used by `activecollab.connector` and `activecollab.places`. A project that did not move is left out whole; in one that
did, every parent with some is asked, since not every edit is known to show in it (facts: activecollab-api.md 3.5, 3.6, 6).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from syncline.connectors.activecollab.attributes import Form
from syncline.connectors.activecollab.client import Client, Json, Sheet, decode
from syncline.connectors.activecollab.listing import Collection, Cursor, Listing, Project
from syncline.connectors.activecollab.project_forms import DISCUSSION, NOTE, PARENTS
from syncline.connectors.activecollab.work_forms import TASK
from syncline.ports import Clock

_PARENT_FORMS: Mapping[str, Form] = {form.slug: form for form in (TASK, NOTE, DISCUSSION)}


async def objects(client: Client, form: Form, project: str) -> AsyncGenerator[Json, None]:
    """All tasks, notes or discussions of a project, completed ones too."""
    path = f"projects/{project}/{form.collection}"
    async for sheet in client.sheets(path):
        for raw in sheet.raws:
            yield decode(raw)
    if form.has_archive:
        async for sheet in client.sheets(f"{path}/archive"):
            for raw in sheet.raws:
                yield decode(raw)


def count(json: Json, name: str) -> int | None:
    """How many it says it has; None where this version does not say."""
    found = json.get(name)
    return found if isinstance(found, int) else None


async def subtask_sheets(client: Client, project: str, collection: Collection) -> AsyncGenerator[Sheet, None]:
    """The subtasks of all tasks of a project. Notes in `collection` what should have come and did not."""
    async for task in objects(client, TASK, project):
        if (promised := count(task, "total_subtasks")) == 0:
            continue
        home, came = f"{project}/tasks/{task['id']}", 0
        async for sheet in client.sheets(f"projects/{home}/subtasks"):
            came += len(sheet.keys)
            yield replace(sheet, home=home)
        collection.expect(f"task {task['id']}", promised, came)


async def comment_sheets(
    client: Client, project: str, collection: Collection, on: Sequence[str]
) -> AsyncGenerator[Sheet, None]:
    """The comments on these kinds of things in a project. Notes in `collection` what should have come and did not."""
    for slug in on or PARENTS:
        async for parent in objects(client, _PARENT_FORMS[slug], project):
            if (promised := count(parent, "comments_count")) == 0:
                continue
            came = 0
            async for sheet in client.sheets(f"comments/{slug}/{parent['id']}"):
                came += len(sheet.keys)
                yield sheet
            collection.expect(f"{slug} {parent['id']}", promised, came)


class SubtaskListing(Listing):
    """A listing of the subtasks of a scope."""

    async def walk(self, project: Project, collection: Collection) -> AsyncGenerator[Sheet, None]:
        """One project."""
        async for sheet in subtask_sheets(self.client, project.id, collection):
            yield collection.take_open(sheet)


class CommentListing(Listing):
    """A listing of the comments of a scope. `on`: the kinds of things that they are on; none means all."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        form: Form,
        since: Cursor | None,
        on: Sequence[str],
        *,
        trust_counts: bool,
    ) -> None:
        super().__init__(client, clock, form, since, trust_counts=trust_counts)
        self._on = on

    async def walk(self, project: Project, collection: Collection) -> AsyncGenerator[Sheet, None]:
        """One project."""
        async for sheet in comment_sheets(self.client, project.id, collection, self._on):
            yield collection.take_open(sheet)
