"""All object types of ActiveCollab by their names, in the order in which a person is offered them.

Used by `activecollab.connector` and `activecollab.schema`.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncline.connectors.activecollab.account_forms import COMPANY, LABEL, USER
from syncline.connectors.activecollab.attributes import Form
from syncline.connectors.activecollab.bill_forms import ESTIMATE, INVOICE
from syncline.connectors.activecollab.project_forms import (
    COMMENT,
    DISCUSSION,
    EXPENSE,
    FILE,
    NOTE,
    SUBTASK,
    TIME_RECORD,
)
from syncline.connectors.activecollab.work_forms import PROJECT_FORM, TASK, TASK_LIST

FORMS: Mapping[str, Form] = {
    "task": TASK,
    "task_list": TASK_LIST,
    "project": PROJECT_FORM,
    "company": COMPANY,
    "note": NOTE,
    "time_record": TIME_RECORD,
    "expense": EXPENSE,
    "subtask": SUBTASK,
    "comment": COMMENT,
    "discussion": DISCUSSION,
    "file": FILE,
    "user": USER,
    "label": LABEL,
    "invoice": INVOICE,
    "estimate": ESTIMATE,
}
