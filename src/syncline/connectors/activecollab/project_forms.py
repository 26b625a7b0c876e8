"""Notes, discussions, comments, subtasks, files, time records and expenses: what each attribute is in the JSON.

Tables, put together with the others in `activecollab.forms` (facts: activecollab-api.md 3.5 to 3.10).
"""

from __future__ import annotations

import re

from syncline.connectors.activecollab.attributes import (
    COMPLETABLE,
    WRITABLE,
    Attribute,
    Directory,
    Form,
    Place,
    as_day,
    as_number,
    as_one_of,
    as_person,
    as_rich,
    as_text,
    as_yes_no,
    to_json,
)
from syncline.connectors.activecollab.client import Json
from syncline.connectors.activecollab.parts import (
    ASSIGNEE,
    ATTACHMENTS,
    BODY,
    COMPLETED,
    CREATED,
    CREATED_BY,
    DONE_STAMPS,
    DUE,
    HIDDEN,
    ITS_PROJECT,
    JOB_TYPE,
    NAME,
    PROJECT_OF_NEW,
    STAMPS,
    UPDATED,
    parent,
)
from syncline.core.records import FieldId
from syncline.core.values import BLANK, FieldType, OneOf, Value

PARENTS = ("task", "note", "discussion")
"""What can be commented on: the slugs of the routes, and the object types."""

_TAG = re.compile(r"<[^>]*>")
_TITLE = 100


def parent_type(json: Json) -> str:
    """The object type of what something belongs to: `Task` is `task`."""
    return str(json.get("parent_type") or "").lower()


def _comments() -> Attribute:
    return Attribute(FieldId("comments_count"), "comments_count", "Comments", FieldType.NUMBER, as_number)


NOTE = Form(
    "note",
    "Note (text document)",
    "notes",
    (NAME, BODY, HIDDEN, PROJECT_OF_NEW, ATTACHMENTS, _comments(), *STAMPS),
    abilities=WRITABLE,
)

DISCUSSION = Form(
    "discussion",
    "Discussion",
    "discussions",
    (NAME, BODY, HIDDEN, PROJECT_OF_NEW, ATTACHMENTS, _comments(), *STAMPS),
    abilities=WRITABLE,
)


def _commented(json: Json) -> Json:
    """A comment with the id of what it is on under that object type's own key, and its text as its name."""
    on = parent_type(json)
    parents = {f"{each}_id": json.get("parent_id") if each == on else 0 for each in PARENTS}
    plain = json.get("body_plain_text") or _TAG.sub("", str(json.get("body") or ""))
    return {**json, **parents, "name": str(plain).strip()[:_TITLE]}


_ONE_PARENT = (
    "A comment is on one task, note or discussion: set one of the three when it is made; it stays there."
)
COMMENT = Form(
    "comment",
    "Comment",
    "comments",
    (
        Attribute(
            FieldId("body"),
            "body",
            "Text",
            FieldType.RICH_TEXT,
            as_rich,
            send=to_json,
            is_required=True,
            note="ActiveCollab sends a new comment by e-mail to whoever follows what it is on. Mentions are written as "
            "plain names, so that they call nobody.",
        ),
        parent("task", "Task", note=_ONE_PARENT),
        parent("note", "Note", note=_ONE_PARENT),
        parent("discussion", "Discussion", note=_ONE_PARENT),
        ITS_PROJECT,
        ATTACHMENTS,
        *STAMPS,
    ),
    place=Place.COMMENTED,
    abilities=WRITABLE,
    refine=_commented,
)

SUBTASK = Form(
    "subtask",
    "Subtask",
    "subtasks",
    (
        Attribute(
            FieldId("name"),
            "name",
            "Name",
            FieldType.TEXT,
            as_text,
            send=to_json,
            is_required=True,
            sent_as="body",
        ),
        ASSIGNEE,
        DUE,
        COMPLETED,
        parent("task", "Task", is_required=True),
        ITS_PROJECT,
        *STAMPS,
        *DONE_STAMPS,
    ),
    place=Place.TASK,
    abilities=COMPLETABLE,
)

_HOW = "Files are read: their description is synced, their content is fetched with a short-lived token."
FILE = Form(
    "file",
    "File",
    "files",
    (
        Attribute(FieldId("name"), "name", "Name", FieldType.TEXT, as_text, note=_HOW),
        Attribute(FieldId("mime_type"), "mime_type", "Kind", FieldType.TEXT, as_text),
        Attribute(FieldId("size"), "size", "Size (bytes)", FieldType.NUMBER, as_number),
        Attribute(FieldId("md5"), "md5", "MD5", FieldType.TEXT, as_text),
        Attribute(
            FieldId("is_hidden_from_clients"),
            "is_hidden_from_clients",
            "Hidden from clients",
            FieldType.YES_NO,
            as_yes_no,
        ),
        ITS_PROJECT,
        *STAMPS,
    ),
    abilities=frozenset(),
)


# --- tracked time and money ----------------------------------------------------------------------------------------


def _tracked(json: Json) -> Json:
    """Time or money with the task it is on (0 where it is on the project itself), and its summary as its name."""
    task = json.get("parent_id") if parent_type(json) == "task" else 0
    return {"task_id": task, **json, "name": json.get("summary") or ""}


BILLING = FieldId("billing")
BILLING_STATES = {"0": "Not billable", "1": "Billable", "2": "Pending payment", "3": "Paid"}


def _billing(value: object, _: Directory) -> Value:
    """The state of billing; 0 is one of the states."""
    return OneOf(str(value)) if isinstance(value, int) else BLANK


def _billable(value: Value, directory: Directory) -> object:
    return int(bool(to_json(value, directory)))


_INVOICED = (
    "Written as billable or not; what an invoice made of it since is in `billing`. ActiveCollab keeps no on projects "
    "that are not billable."
)
_READ_ONLY = "Read only: how expenses are written is not published."
_TASK_OF_TIME = parent("task", "Task", note="Set when it is made; without one, the time is on the project.")
_BILLING = Attribute(
    BILLING,
    "billable_status",
    "Billing",
    FieldType.ONE_OF,
    _billing,
    note="Invoicing sets it.",
)

TIME_RECORD = Form(
    "time-record",
    "Time record",
    "time-records",
    (
        Attribute(FieldId("summary"), "summary", "Summary", FieldType.TEXT, as_text, send=to_json, clear=""),
        Attribute(
            FieldId("value"), "value", "Hours", FieldType.NUMBER, as_number, send=to_json, is_required=True
        ),
        Attribute(
            FieldId("record_date"),
            "record_date",
            "Day",
            FieldType.DAY,
            as_day,
            send=to_json,
            is_required=True,
        ),
        Attribute(
            FieldId("user"), "user_id", "Person", FieldType.PERSON, as_person, send=to_json, is_required=True
        ),
        Attribute(
            JOB_TYPE,
            "job_type_id",
            "Job type",
            FieldType.ONE_OF,
            as_one_of,
            send=to_json,
            can_clear=False,
            note="A new one without gets the account's default job type.",
        ),
        Attribute(
            FieldId("is_billable"),
            "billable_status",
            "Billable",
            FieldType.YES_NO,
            as_yes_no,
            send=_billable,
            clear=0,
            note=_INVOICED,
        ),
        _BILLING,
        _TASK_OF_TIME,
        PROJECT_OF_NEW,
        *STAMPS,
    ),
    abilities=WRITABLE,
    shows_activity=False,
    refine=_tracked,
    defaults={"billable_status": 0},
)

EXPENSE = Form(
    "expense",
    "Expense",
    "expenses",
    (
        Attribute(FieldId("summary"), "summary", "Summary", FieldType.TEXT, as_text, note=_READ_ONLY),
        Attribute(FieldId("value"), "value", "Amount", FieldType.NUMBER, as_number, note=_READ_ONLY),
        Attribute(FieldId("record_date"), "record_date", "Day", FieldType.DAY, as_day, note=_READ_ONLY),
        Attribute(FieldId("user"), "user_id", "Person", FieldType.PERSON, as_person, note=_READ_ONLY),
        Attribute(
            FieldId("is_billable"),
            "billable_status",
            "Billable",
            FieldType.YES_NO,
            as_yes_no,
            note=_READ_ONLY,
        ),
        _BILLING,
        Attribute(
            FieldId("task"),
            "task_id",
            "Task",
            FieldType.REFERENCE,
            _TASK_OF_TIME.read,
            references="task",
            note=_READ_ONLY,
        ),
        ITS_PROJECT,
        CREATED,
        CREATED_BY,
        UPDATED,
    ),
    abilities=frozenset(),
    shows_activity=False,
    refine=_tracked,
)
