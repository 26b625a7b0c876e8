"""One account's whole memory: records by id, tokens, histories, webhooks, and the clock they are stamped with.

Changed only by the modules of each resource (`task_edits`, `projects`, ...), read by all. Nothing here knows HTTP.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict

import msgspec

from syncline.sandbox.activecollab.elements import (
    Element,
    Elements,
    Expense,
    Subtask,
    TimeRecord,
    Tracked,
)
from syncline.sandbox.activecollab.refusals import Flavour, Quirks
from syncline.sandbox.activecollab.shapes import (
    Comment,
    Company,
    Completable,
    JobType,
    Label,
    Modification,
    Project,
    Stamped,
    Task,
    TaskList,
    User,
)
from syncline.sandbox.wire import Delivery, SandboxClock


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and whether through the API or in the web UI."""

    user: User
    is_api: bool = False


class Created(TypedDict):
    """The stamp of a new record."""

    created_on: int
    created_by_id: int
    created_by_name: str
    created_by_email: str
    updated_on: int
    updated_by_id: int


@dataclass(slots=True)
class Room:
    """What belongs to one project, kept in listing order (the keys; the values mean nothing)."""

    open: dict[int, None] = field(default_factory=dict[int, None])
    completed: dict[int, None] = field(default_factory=dict[int, None])
    trashed: dict[int, None] = field(default_factory=dict[int, None])
    task_lists: dict[int, None] = field(default_factory=dict[int, None])
    last_task_number: int = 0

    def shelf(self, task: Task) -> dict[int, None]:
        """The part of the room where this task is."""
        if task.is_trashed:
            return self.trashed
        return self.completed if task.is_completed else self.open


@dataclass(frozen=True, slots=True)
class Subscription:
    """An API token and whom it was issued to."""

    id: int
    user_id: int
    client_vendor: str
    client_name: str
    token: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent, and is not attached to anything yet."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that was registered in the web UI."""

    id: int
    url: str
    secret: str


class Account:
    """Everything one account knows."""

    def __init__(
        self, clock: SandboxClock, seed: int, flavour: Flavour, account_id: int, quirks: Quirks
    ) -> None:
        self.clock = clock
        self.random = random.Random(seed)  # noqa: S311 - a sandbox must repeat itself; its tokens open nothing else
        self.flavour = flavour
        self.id = account_id
        self.quirks = quirks
        self.users: dict[int, User] = {}
        self.companies: dict[int, Company] = {}
        self.projects: dict[int, Project] = {}
        self.task_lists: dict[int, TaskList] = {}
        self.tasks: dict[int, Task] = {}
        self.comments: dict[int, Comment] = {}
        self.labels: dict[int, Label] = {}
        self.labels_by_name: dict[tuple[str, str], Label] = {}
        self.job_types: dict[int, JobType] = {}
        self.rooms: dict[int, Room] = {}
        self.comments_by_parent: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        self.elements = Elements()
        self.elements_trashed_with: dict[int, list[Element]] = {}
        self.contents: dict[str, bytes] = {}
        self.file_tokens: dict[str, int] = {}
        self.uploads: dict[str, Upload] = {}
        self.bills: dict[str, dict[int, object]] = {}
        self.attachments: dict[int, Element] = {}
        self.warehouse = "https://warehouse.activecollab.example.test"
        self.history: defaultdict[int, list[Modification]] = defaultdict(list)
        self.trashed_with: dict[tuple[str, int], list[Task]] = {}
        self.passwords: dict[int, str] = {}
        self.second_factors: dict[int, str] = {}
        self.intents: dict[str, int] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.outbox: list[Delivery] = []
        self.webhook_secret = self.secret()
        self._last_ids: defaultdict[str, int] = defaultdict(int)

    def now(self) -> int:
        """The current second."""
        return int(self.clock.now().timestamp())

    def next_id(self, class_: str) -> int:
        """Ids count up per class."""
        self._last_ids[class_] += 1
        return self._last_ids[class_]

    def secret(self, length: int = 40) -> str:
        """A random text, the same for the same seed."""
        return "".join(
            self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789", k=length)
        )

    def created(self, actor: Actor) -> Created:
        """The stamp of a record that is created now."""
        now, user = self.now(), actor.user
        return Created(
            created_on=now,
            created_by_id=user.id,
            created_by_name=user.display_name,
            created_by_email=user.email,
            updated_on=now,
            updated_by_id=user.id,
        )

    def touch(self, row: Stamped, actor: Actor) -> None:
        """The record was changed now. Times have a resolution of one second, so this may not show."""
        row.updated_on = self.now()
        if row.updated_by_id is not msgspec.UNSET:
            row.updated_by_id = actor.user.id

    def bump(self, project_id: int) -> None:
        """Something happened in the project."""
        self.projects[project_id].last_activity_on = self.now()

    def sees(self, user: User, project: Project) -> bool:
        """Owners see all projects, others those they are on."""
        return user.is_owner or user.id in (project.members or ())

    def record(self, task: Task, actor: Actor, modifications: dict[str, tuple[object, ...]]) -> None:
        """Add one entry to the task's history."""
        user = actor.user
        self.history[task.id].append(
            Modification(self.now(), user.id, user.display_name, user.email, modifications)
        )

    def notify(self, event: str, payload: msgspec.Struct, actor: Actor) -> None:
        """Put one delivery for each webhook into the outbox (facts 4)."""
        if not self.webhooks or (actor.is_api and not self.quirks.api_writes_fire_webhooks):
            return
        body = msgspec.json.encode(
            {"payload": payload, "timestamp": self.now(), "type": event, "instance_id": self.id}
        )
        for hook in self.webhooks.values():
            headers = {"content-type": "application/json"}
            if hook.secret:
                headers["X-Angie-WebhookSecret"] = hook.secret
            self.outbox.append(Delivery(hook.url, headers, body, self.clock.now()))

    @contextmanager
    def moving(self, task: Task) -> Generator[None, None, None]:
        """Keep listings and counters right while a task changes its state, list or project."""
        self._take_out(task)
        try:
            yield
        finally:
            self.put_in(task)

    def put_in(self, task: Task) -> None:
        """Add a task to its project's listings and counters."""
        self.rooms[task.project_id].shelf(task)[task.id] = None
        self._count(task, 1)

    def _take_out(self, task: Task) -> None:
        self.rooms[task.project_id].shelf(task).pop(task.id, None)
        self._count(task, -1)

    def _count(self, task: Task, step: int) -> None:
        if task.is_trashed:
            return
        task_list = self.task_lists.get(task.task_list_id)
        if task_list is not None and task.is_completed:
            task_list.completed_tasks += step
        elif task_list is not None:
            task_list.open_tasks += step
        if not task.is_completed:
            self.projects[task.project_id].count_tasks += step

    def drop(self, task: Task) -> None:
        """Forget a task and all that hangs on it."""
        self._take_out(task)
        del self.tasks[task.id]
        self.history.pop(task.id, None)
        for subtask in self.subtasks(task.id):
            self.elements.forget(subtask)
        for tracked in self.tracked(task.id):
            self.elements.forget(tracked)
        self.drop_comments("Task", task.id)

    def subtasks(self, task_id: int) -> list[Subtask]:
        """The subtasks of a task, those in the trash too."""
        return [row for row in self.elements.all(Subtask) if row.task_id == task_id]

    def tracked(self, task_id: int) -> list[Tracked]:
        """What was tracked on a task, what is in the trash too."""
        rows = (*self.elements.all(TimeRecord), *self.elements.all(Expense))
        return [row for row in rows if (row.parent_type, row.parent_id) == ("Task", task_id)]

    def drop_comments(self, parent_type: str, parent_id: int) -> None:
        """Forget the comments of something that is forgotten."""
        self.comments_by_parent.pop((parent_type, parent_id), None)
        mine = [
            each
            for each in self.comments.values()
            if (each.parent_type, each.parent_id) == (parent_type, parent_id)
        ]
        for comment in mine:
            del self.comments[comment.id]


def complete(account: Account, row: Completable, actor: Actor) -> None:
    """Mark as completed."""
    user = actor.user
    row.is_completed, row.completed_on, row.completed_by_id = True, account.now(), user.id
    row.completed_by_name, row.completed_by_email = user.display_name, user.email
    account.touch(row, actor)


def reopen(account: Account, row: Completable, actor: Actor) -> None:
    """Mark as open."""
    row.is_completed, row.completed_on, row.completed_by_id = False, None, None
    row.completed_by_name, row.completed_by_email = None, None
    account.touch(row, actor)


def trash(account: Account, row: Stamped, actor: Actor) -> None:
    """Put into the trash."""
    row.is_trashed, row.trashed_on, row.trashed_by_id = True, account.now(), actor.user.id
    account.touch(row, actor)


def restore(account: Account, row: Stamped, actor: Actor) -> None:
    """Take back out of the trash."""
    row.is_trashed, row.trashed_on, row.trashed_by_id = False, None, 0
    account.touch(row, actor)
