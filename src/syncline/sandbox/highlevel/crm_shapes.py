"""Contacts, opportunities, tasks and notes, as the JSON that HighLevel answers and sends (facts: highlevel-api.md 1.8, 3.2).

Used by their operations and by webhooks. Like records, a contact has another shape in each place.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncline.sandbox.highlevel.crm import Note, Pipeline, Task
from syncline.sandbox.highlevel.location_fields import value_shapes
from syncline.sandbox.highlevel.table import Row

_UNTOLD_WHEN_MADE = frozenset({"timezone"})
"""The official files leave it out of the answer to a create."""
_EVENT_KEYS = (
    "address1",
    "city",
    "state",
    "companyName",
    "country",
    "source",
    "dnd",
    "email",
    "firstName",
    "lastName",
    "phone",
    "postalCode",
    "tags",
    "website",
    "assignedTo",
)


def contact_shape(row: Row, location_id: str) -> dict[str, object]:
    """One contact by id, and after an update: `GetContectByIdSchema`."""
    return {"id": row.id, "name": full_name(row), **_common(row, location_id)}


def new_contact_shape(row: Row, location_id: str) -> dict[str, object]:
    """After a create: `CreateContactSchema`."""
    common = _common(row, location_id)
    return {"id": row.id, "deleted": False, **{k: v for k, v in common.items() if k not in _UNTOLD_WHEN_MADE}}


def contact_hit_shape(
    row: Row, location_id: str, cursor: list[object], *, has_names: bool
) -> dict[str, object]:
    """One contact of a search, whose form no official file tells. Without `has_names` only the lower-case ones."""
    shape: dict[str, object] = {
        "id": row.id,
        **_common(row, location_id),
        "followers": [],
        "additionalEmails": [],
    }
    if not has_names:
        for name in ("firstName", "lastName"):
            shape.pop(name, None)
    return shape | {"searchAfter": cursor}


def listed_contact_shape(row: Row, location_id: str) -> dict[str, object]:
    """One contact of the deprecated listing: `ContactsSearchSchema`."""
    names = ("email", "timezone", "country", "source", "tags", "businessId")
    shape: dict[str, object] = {name: row.properties[name] for name in names if name in row.properties}
    return {
        "id": row.id,
        "locationId": location_id,
        **shape,
        "dateAdded": row.created_at,
        "customFields": value_shapes(row.properties.get("customFields"), "value"),
        "followers": [],
    }


def contact_event(row: Row, location_id: str) -> dict[str, object]:
    """The body of the Contact events. No time of the change, and `attachments` is never filled."""
    shape: dict[str, object] = {"locationId": location_id, "id": row.id, "name": full_name(row)}
    shape |= {name: row.properties[name] for name in _EVENT_KEYS if name in row.properties}
    if "dateOfBirth" in row.properties:
        shape["dateOfBirth"] = f"{row.properties['dateOfBirth']}T00:00:00.000Z"
    custom = value_shapes(row.properties.get("customFields"), "value")
    return shape | {"dateAdded": row.created_at, "attachments": [], "customFields": custom}


def full_name(row: Row) -> str:
    """First and last name."""
    parts = (row.properties.get(name) for name in ("firstName", "lastName"))
    return " ".join(str(part) for part in parts if part)


def _common(row: Row, location_id: str) -> dict[str, object]:
    shape: dict[str, object] = {"locationId": location_id, "type": "lead", "dnd": False, "tags": []}
    shape |= {name: value for name, value in row.properties.items() if name != "customFields"}
    for name in ("firstName", "lastName", "email"):
        if name in row.properties:
            shape[f"{name}LowerCase"] = str(row.properties[name]).lower()
    return shape | {
        "fullNameLowerCase": full_name(row).lower(),
        "dateAdded": row.created_at,
        "dateUpdated": row.updated_at,
        "customFields": value_shapes(row.properties.get("customFields"), "value"),
    }


def opportunity_shape(row: Row, location_id: str, contact: Row | None) -> dict[str, object]:
    """One opportunity: `SearchOpportunitiesResponseSchema`, by id and in searches."""
    shape: dict[str, object] = {
        "id": row.id,
        "locationId": location_id,
        **{name: value for name, value in row.properties.items() if name != "customFields"},
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "lastActionDate": row.updated_at,
        "customFields": value_shapes(row.properties.get("customFields"), "fieldValue"),
        "followers": [],
    }
    if contact is None:
        return shape
    names = ("companyName", "email", "phone", "tags")
    card = {name: contact.properties[name] for name in names if name in contact.properties}
    return shape | {"contact": {"id": contact.id, "name": full_name(contact), **card}}


def opportunity_event(row: Row, location_id: str) -> dict[str, object]:
    """The body of the Opportunity events."""
    names = (
        "assignedTo",
        "contactId",
        "monetaryValue",
        "name",
        "pipelineId",
        "pipelineStageId",
        "source",
        "status",
    )
    shape: dict[str, object] = {name: row.properties[name] for name in names if name in row.properties}
    return {"locationId": location_id, "id": row.id, **shape, "dateAdded": row.created_at}


def pipeline_shape(pipeline: Pipeline, location_id: str) -> dict[str, object]:
    """`PipelinesResponseSchema`."""
    stages = [{"id": stage.id, "name": stage.name} for stage in pipeline.stages]
    return {"id": pipeline.id, "name": pipeline.name, "stages": stages, "locationId": location_id}


def task_shape(task: Task) -> dict[str, object]:
    """`TaskSchema`."""
    return _filled(
        {
            "id": task.id,
            "title": task.title,
            "body": task.body,
            "assignedTo": task.assigned_to,
            "dueDate": task.due,
            "completed": task.is_completed,
            "contactId": task.contact_id,
        }
    )


def found_task_shape(task: Task, location_id: str) -> dict[str, object]:
    """One task of the location-wide search, whose form no official file tells."""
    shape = dict(task_shape(task))
    return {"_id": shape.pop("id"), **shape, "locationId": location_id, "dateAdded": task.added_at}


def task_event(task: Task, location_id: str, *, is_whole: bool) -> dict[str, object]:
    """The body of the Task events; live ones lacked `contactId` and `body` (facts 3.3)."""
    shape: dict[str, object] = {
        "locationId": location_id,
        "id": task.id,
        "title": task.title,
        "dateAdded": task.added_at,
        "dueDate": task.due,
    }
    more = {"assignedTo": task.assigned_to, "body": task.body, "contactId": task.contact_id}
    return shape | _filled(more) if is_whole else shape


def note_shape(note: Note) -> dict[str, object]:
    """`GetNoteSchema`."""
    texts = {"userId": note.user_id, "title": note.title, "color": note.color}
    return {
        "id": note.id,
        "body": note.body,
        "dateAdded": note.added_at,
        "contactId": note.contact_id,
        "pinned": note.is_pinned,
        **_filled(texts),
    }


def note_event(note: Note, location_id: str) -> dict[str, object]:
    """The body of the Note events: an allow-list (facts 3.3)."""
    return {
        "locationId": location_id,
        "id": note.id,
        "body": note.body,
        "contactId": note.contact_id,
        "dateAdded": note.added_at,
    }


def _filled(shape: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in shape.items() if value != ""}
