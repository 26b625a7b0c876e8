"""What a project holds besides tasks and task lists, as it goes over the wire: notes, discussions, tracked time, files.

They are encoded as they stand (facts: activecollab-api.md 3.5, 3.7 to 3.10). Routes and edits are in `texts`,
`tracking`, `subtasks` and `files`; what all of them have in common is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from syncline.sandbox.activecollab.shapes import Stamped

_CLASS = {"class_": "class"}


class Element(Stamped, eq=False, kw_only=True, rename=_CLASS):
    """Something in a project."""

    project_id: int


class TextElement(Element, eq=False, kw_only=True, rename=_CLASS):
    """A note or a discussion: a name, a body, comments."""

    name: str = ""
    body: str = ""
    body_formatted: str = ""
    body_plain_text: str = ""
    body_mode: str = "paragraph"
    comments_count: int = 0
    attachments: list[object] = msgspec.field(default_factory=list[object])
    is_hidden_from_clients: bool = False


class Note(TextElement, eq=False, kw_only=True, rename=_CLASS):
    """A text document (facts 3.7)."""

    notebook_id: int = 0
    note_group_id: int = 0
    in_notebook: bool = False
    is_pinned: bool = False
    position: int = 0
    contributor_ids: list[int] = msgspec.field(default_factory=list[int])


class Discussion(TextElement, eq=False, kw_only=True, rename=_CLASS):
    """A discussion (facts 3.9)."""


class Tracked(Element, eq=False, kw_only=True, rename=_CLASS):
    """Time or money spent on a task or on the project."""

    value: float = 0.0
    record_date: int = 0
    summary: str = ""
    user_id: int = 0
    parent_type: str = "Project"
    parent_id: int = 0
    billable_status: int = 0


class TimeRecord(Tracked, eq=False, kw_only=True, rename=_CLASS):
    """Hours of work (facts 3.10)."""

    job_type_id: int = 0
    invoice_item_id: int = 0


class Expense(Tracked, eq=False, kw_only=True, rename=_CLASS):
    """Money spent (facts 3.10)."""

    category_id: int = 0


class Subtask(Element, eq=False, kw_only=True, rename=_CLASS):
    """A step of a task (facts 3.5). It does not tell who changed it last."""

    name: str
    task_id: int
    assignee_id: int = 0
    delegated_by_id: int = 0
    is_completed: bool = False
    completed_on: int | None = None
    completed_by_id: int | None = None
    completed_by_name: str | None = None
    completed_by_email: str | None = None
    due_on: int | None = None
    position: int = 0
    fake_assignee_name: str | None = None
    fake_assignee_email: str | None = None


class File(Element, eq=False, kw_only=True, rename=_CLASS):
    """A file of a project (facts 3.8)."""

    name: str
    is_hidden_from_clients: bool = False
    mime_type: str = "application/octet-stream"
    size: int = 0
    md5: str = ""
    download_url: str = ""
    thumbnail_url: str = ""


KINDS: tuple[type[Element], ...] = (Note, Discussion, TimeRecord, Expense, Subtask, File)

E = TypeVar("E", bound=Element)


class Elements:
    """All elements of an account, by class and id."""

    def __init__(self) -> None:
        self._tables: dict[type[Element], dict[int, Element]] = {kind: {} for kind in KINDS}

    def add(self, row: Element) -> None:
        """A new one."""
        self._tables[type(row)][row.id] = row

    def forget(self, row: Element) -> None:
        """Gone for good."""
        self._tables[type(row)].pop(row.id, None)

    def get(self, kind: type[E], element_id: int) -> E | None:
        """One of them."""
        row = self._tables[kind].get(element_id)
        return row if isinstance(row, kind) else None

    def live(self, kind: type[E], project_id: int) -> list[E]:
        """Those of a project that are not in the trash, oldest first."""
        return [row for row in self.all(kind) if row.project_id == project_id and not row.is_trashed]

    def all(self, kind: type[E]) -> Iterable[E]:
        """All of one class."""
        return (row for row in self._tables[kind].values() if isinstance(row, kind))

    def of(self, project_id: int) -> list[Element]:
        """All of a project, of every class."""
        return [row for kind in KINDS for row in self.all(kind) if row.project_id == project_id]

    def trashed(self) -> list[Element]:
        """All that are in the trash."""
        return [row for kind in KINDS for row in self.all(kind) if row.is_trashed]
