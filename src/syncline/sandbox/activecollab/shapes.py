"""The records of an account, field for field as ActiveCollab writes them to the wire.

They are encoded as they stand, so a listing costs one pass of the encoder. Times are Unix seconds, days Unix seconds
at UTC midnight, 0 is the null of ids (facts: activecollab-api.md 2 and 3.2 to 3.11).
"""

from __future__ import annotations

import msgspec

_CLASS = {"class_": "class"}


class Stamped(msgspec.Struct, eq=False, kw_only=True, rename=_CLASS):
    """What every record has: identity, and who made, changed and trashed it."""

    id: int
    class_: str
    url_path: str
    is_trashed: bool = False
    trashed_on: int | None = None
    trashed_by_id: int = 0
    created_on: int = 0
    created_by_id: int = 0
    created_by_name: str = ""
    created_by_email: str = ""
    updated_on: int = 0
    updated_by_id: int | msgspec.UnsetType = 0


class Named(Stamped, eq=False, kw_only=True, rename=_CLASS):
    """A record with a name."""

    name: str


class Completable(Named, eq=False, kw_only=True, rename=_CLASS):
    """What can be completed and opened again."""

    is_completed: bool = False
    completed_on: int | None = None
    completed_by_id: int | None = None
    completed_by_name: str | None = None
    completed_by_email: str | None = None


class User(msgspec.Struct, eq=False, kw_only=True, rename=_CLASS):
    """A person (facts 3.11). `class_` is the role."""

    id: int
    class_: str
    url_path: str
    email: str
    first_name: str
    last_name: str
    display_name: str
    short_display_name: str
    additional_email_addresses: list[str] = msgspec.field(default_factory=list[str])
    title: str = ""
    phone: str = ""
    company_id: int = 1
    language_id: int = 1
    daily_capacity: float | None = None
    custom_permissions: list[str] = msgspec.field(default_factory=list[str])
    is_archived: bool = False
    is_trashed: bool = False
    trashed_on: int | None = None
    trashed_by_id: int = 0
    is_pending_activation: bool = False
    first_login_on: int | None = None
    avatar_url: str = ""
    workspace_count: int = 1
    created_on: int = 0
    created_by_id: int = 0
    created_by_name: str = ""
    created_by_email: str = ""
    updated_on: int = 0

    @property
    def is_owner(self) -> bool:
        """Whether the user sees and may do everything."""
        return self.class_ == "Owner"


class Company(Named, eq=False, kw_only=True, rename=_CLASS):
    """A client, or (`is_owner`) the account's own company."""

    members: list[int] = msgspec.field(default_factory=list[int])
    is_owner: bool = False
    address: str = ""
    address_line_1: str = ""
    address_line_2: str = ""
    city: str = ""
    zip_code: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""
    homepage_url: str = ""
    tax_id: str = ""
    tax_number: str = ""
    currency_id: int | None = None
    has_note: bool = False
    is_archived: bool = False
    archived_on: int | None = None


class Project(Completable, eq=False, kw_only=True, rename=_CLASS):
    """A project (facts 3.2)."""

    body: str | None = None
    body_formatted: str = ""
    members: list[int] | None = None
    category_id: int = 0
    label_id: int = 0
    company_id: int = 1
    leader_id: int = 0
    currency_id: int = 1
    based_on_type: str | None = None
    based_on_id: int | None = None
    email: str = ""
    is_tracking_enabled: bool = True
    is_billable: bool = True
    members_can_change_billable: bool = True
    is_client_reporting_enabled: bool = False
    is_sample: bool = False
    budget: float | None = None
    budget_type: str = "pay_as_you_go"
    budgeting_interval: str = "whole_project"
    task_estimates_enabled: bool = True
    show_task_estimates_to_clients: bool = True
    is_estimate_visible_to_subcontractors: bool = False
    count_tasks: int = 0
    count_discussions: int = 0
    count_files: int = 0
    count_notes: int = 0
    file_size: int = 0
    project_number: int = 0
    last_activity_on: int = 0
    member_permissions: str = "collaborative"


class TaskList(Completable, eq=False, kw_only=True, rename=_CLASS):
    """A task list, the successor of milestones (facts 3.3)."""

    project_id: int
    start_on: int | None = None
    due_on: int | None = None
    position: int = 0
    open_tasks: int = 0
    completed_tasks: int = 0


class Label(msgspec.Struct, eq=False, kw_only=True, rename=_CLASS):
    """A label of tasks or of projects (`class_`)."""

    id: int
    class_: str
    url_path: str
    name: str
    color: str = "#F2F4F6"
    lighter_text_color: str = "#777777"
    darker_text_color: str = "#333333"
    is_default: bool = False
    is_global: bool = True
    position: int = 0


class Dependencies(msgspec.Struct, frozen=True):
    """How many open tasks a task waits for and holds up."""

    parents_count: int = 0
    children_count: int = 0


_NO_DEPENDENCIES = Dependencies()


class Task(Completable, eq=False, kw_only=True, rename=_CLASS):
    """A task (facts 3.4)."""

    project_id: int
    task_number: int
    assignee_id: int = 0
    delegated_by_id: int = 0
    attachments: list[object] = msgspec.field(default_factory=list[object])
    body: str = ""
    body_formatted: str = ""
    body_mode: str = "paragraph"
    comments_count: int = 0
    completed_subtasks: int = 0
    open_subtasks: int = 0
    total_subtasks: int = 0
    created_from_recurring_task_id: int = 0
    due_on: int | None = None
    start_on: int | None = None
    estimate: float = 0.0
    fake_assignee_name: str | None = None
    fake_assignee_email: str | None = None
    is_billable: bool = True
    is_hidden_from_clients: bool = False
    is_important: bool = False
    job_type_id: int = 0
    labels: list[Label] = msgspec.field(default_factory=list[Label])
    open_dependencies: Dependencies = _NO_DEPENDENCIES
    position: int = 0
    task_list_id: int = 0


class Comment(Stamped, eq=False, kw_only=True, rename=_CLASS):
    """A comment on a task, a note or a discussion (facts 3.6)."""

    parent_type: str
    parent_id: int
    project_id: int
    attachments: list[object] = msgspec.field(default_factory=list[object])
    body: str = ""
    body_formatted: str = ""
    body_plain_text: str = ""
    body_mode: str = "paragraph"
    reactions: list[object] = msgspec.field(default_factory=list[object])
    last_modification_on: int | None = None
    last_modification_by_id: int | None = None
    last_modification_by_name: str | None = None
    last_modification_by_email: str | None = None


class JobType(msgspec.Struct, eq=False, kw_only=True, rename=_CLASS):
    """A kind of work with its price (facts 3.10)."""

    id: int
    class_: str = "JobType"
    name: str
    is_archived: bool = False
    is_default: bool = False
    default_hourly_rate: float = 100.0
    updated_on: int = 0


class Modification(msgspec.Struct, frozen=True):
    """One entry of a task's history. `modifications`: field to old value, new value and (verbose) a sentence."""

    timestamp: int
    created_by_id: int
    created_by_name: str
    created_by_email: str
    modifications: dict[str, tuple[object, ...]]
