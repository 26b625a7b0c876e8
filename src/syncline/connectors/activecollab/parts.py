"""The attributes that several ActiveCollab object types have, and the names of fields that more than one module knows.

Used by the tables `work_forms`, `project_forms` and `account_forms` (facts: activecollab-api.md 2, 3.2 to 3.11).
"""

from __future__ import annotations

from syncline.connectors.activecollab.attributes import (
    Attribute,
    as_day,
    as_files,
    as_moment,
    as_one_of,
    as_person,
    as_reference,
    as_rich,
    as_text,
    as_yes_no,
    to_json,
)
from syncline.core.records import FieldId
from syncline.core.values import FieldType

IS_COMPLETED = FieldId("is_completed")
JOB_TYPE = FieldId("job_type")
ESTIMATE = FieldId("estimate")
PROJECT = FieldId("project")
TASK_OF = FieldId("task")
URL = FieldId("url")

MAILS_THE_PERSON = "ActiveCollab tells a person by e-mail when something is given to them."

NAME = Attribute(FieldId("name"), "name", "Name", FieldType.TEXT, as_text, send=to_json, is_required=True)
STARTS = Attribute(FieldId("start_on"), "start_on", "Starts on", FieldType.DAY, as_day, send=to_json)
DUE = Attribute(FieldId("due_on"), "due_on", "Due on", FieldType.DAY, as_day, send=to_json)
BODY = Attribute(FieldId("body"), "body", "Description", FieldType.RICH_TEXT, as_rich, send=to_json, clear="")
COMPLETED = Attribute(IS_COMPLETED, "is_completed", "Completed", FieldType.YES_NO, as_yes_no, by_route=True)
ASSIGNEE = Attribute(
    FieldId("assignee"),
    "assignee_id",
    "Assignee",
    FieldType.PERSON,
    as_person,
    send=to_json,
    clear=0,
    note=MAILS_THE_PERSON,
)
HIDDEN = Attribute(
    FieldId("is_hidden_from_clients"),
    "is_hidden_from_clients",
    "Hidden from clients",
    FieldType.YES_NO,
    as_yes_no,
    send=to_json,
    clear=False,
)
PROJECT_OF_NEW = Attribute(
    PROJECT,
    "project_id",
    "Project",
    FieldType.ONE_OF,
    as_one_of,
    send=to_json,
    is_fixed=True,
    references="project",
    note="Set when it is made, else the first project of the filter; moving between projects is not offered.",
)
ITS_PROJECT = Attribute(
    PROJECT,
    "project_id",
    "Project",
    FieldType.ONE_OF,
    as_one_of,
    references="project",
    note="Follows from what it belongs to.",
)
ATTACHMENTS = Attribute(
    FieldId("attachments"),
    "attachments",
    "Attachments",
    FieldType.FILES,
    as_files,
    note="Read by name and size; their content is fetched with a short-lived token.",
)
JOB = Attribute(JOB_TYPE, "job_type_id", "Job type", FieldType.ONE_OF, as_one_of, send=to_json, clear=0)
CREATED = Attribute(FieldId("created_on"), "created_on", "Created", FieldType.MOMENT, as_moment)
CREATED_BY = Attribute(FieldId("created_by"), "created_by_id", "Created by", FieldType.PERSON, as_person)
UPDATED = Attribute(FieldId("updated_on"), "updated_on", "Updated", FieldType.MOMENT, as_moment)
STAMPS = (CREATED, CREATED_BY, UPDATED)
DONE_STAMPS = (
    Attribute(FieldId("completed_at"), "completed_on", "Completed at", FieldType.MOMENT, as_moment),
    Attribute(FieldId("completed_by"), "completed_by_id", "Completed by", FieldType.PERSON, as_person),
)


def parent(object_type: str, title: str, *, is_required: bool = False, note: str = "") -> Attribute:
    """What a record belongs to: set when it is made, and it stays there."""
    return Attribute(
        FieldId(object_type),
        f"{object_type}_id",
        title,
        FieldType.REFERENCE,
        as_reference(object_type),
        send=to_json,
        is_required=is_required,
        is_fixed=True,
        references=object_type,
        note=note or "Set when it is made; it cannot be moved to another one.",
    )
