"""Tasks, task lists and projects: what each attribute is in the JSON, and what may be written.

Tables, put together with the others in `activecollab.forms` (facts: activecollab-api.md 3.2 to 3.4).
"""

from __future__ import annotations

from syncline.connectors.activecollab.attributes import (
    Attribute,
    Form,
    Place,
    as_amount,
    as_labels,
    as_moment,
    as_number,
    as_one_of,
    as_person,
    as_text,
    as_yes_no,
    to_json,
)
from syncline.connectors.activecollab.parts import (
    ASSIGNEE,
    ATTACHMENTS,
    BODY,
    COMPLETED,
    DONE_STAMPS,
    DUE,
    HIDDEN,
    JOB,
    MAILS_THE_PERSON,
    NAME,
    PROJECT_OF_NEW,
    STAMPS,
    STARTS,
)
from syncline.core.records import FieldId
from syncline.core.values import FieldType

TASK = Form(
    "task",
    "Task",
    "tasks",
    (
        NAME,
        BODY,
        ASSIGNEE,
        Attribute(
            FieldId("task_list"),
            "task_list_id",
            "Task list",
            FieldType.ONE_OF,
            as_one_of,
            send=to_json,
            clear=0,
            references="task_list",
        ),
        Attribute(
            FieldId("labels"), "labels", "Labels", FieldType.MANY_OF, as_labels, send=to_json, clear=[]
        ),
        STARTS,
        DUE,
        Attribute(
            FieldId("estimate"),
            "estimate",
            "Estimate (hours)",
            FieldType.NUMBER,
            as_amount,
            send=to_json,
            clear=0,
        ),
        JOB,
        Attribute(
            FieldId("is_important"),
            "is_important",
            "Important",
            FieldType.YES_NO,
            as_yes_no,
            send=to_json,
            clear=False,
        ),
        HIDDEN,
        COMPLETED,
        PROJECT_OF_NEW,
        ATTACHMENTS,
        Attribute(FieldId("task_number"), "task_number", "Number in project", FieldType.NUMBER, as_number),
        Attribute(FieldId("comments_count"), "comments_count", "Comments", FieldType.NUMBER, as_number),
        *STAMPS,
        *DONE_STAMPS,
    ),
    has_archive=True,
)

TASK_LIST = Form(
    "task-list",
    "Task list",
    "task-lists",
    (
        NAME,
        STARTS,
        DUE,
        COMPLETED,
        PROJECT_OF_NEW,
        Attribute(FieldId("open_tasks"), "open_tasks", "Open tasks", FieldType.NUMBER, as_number),
        Attribute(
            FieldId("completed_tasks"), "completed_tasks", "Completed tasks", FieldType.NUMBER, as_number
        ),
        *STAMPS,
        *DONE_STAMPS,
    ),
    has_archive=True,
)

PROJECT_FORM = Form(
    "project",
    "Project",
    "projects",
    (
        NAME,
        BODY,
        Attribute(
            FieldId("company"),
            "company_id",
            "Client",
            FieldType.ONE_OF,
            as_one_of,
            send=to_json,
            clear=0,
            references="company",
        ),
        Attribute(
            FieldId("leader"),
            "leader_id",
            "Leader",
            FieldType.PERSON,
            as_person,
            send=to_json,
            clear=0,
            note=MAILS_THE_PERSON,
        ),
        Attribute(FieldId("budget"), "budget", "Budget", FieldType.NUMBER, as_number, send=to_json),
        COMPLETED,
        Attribute(FieldId("budget_type"), "budget_type", "Budget type", FieldType.TEXT, as_text),
        Attribute(FieldId("count_tasks"), "count_tasks", "Tasks", FieldType.NUMBER, as_number),
        Attribute(FieldId("project_number"), "project_number", "Number", FieldType.NUMBER, as_number),
        *STAMPS,
        *DONE_STAMPS,
        Attribute(
            FieldId("last_activity_on"), "last_activity_on", "Last activity", FieldType.MOMENT, as_moment
        ),
    ),
    place=Place.ACCOUNT,
    has_archive=True,
)
