"""ActiveCollab's object types with their fields, options as this account has them.

Used by `activecollab.connector`. The account has no custom fields and describes no schema of its own (facts:
activecollab-api.md 3.14), so types come from the attribute tables and only options are asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from syncline.connectors.activecollab.attributes import (
    Attribute,
    Directory,
    Form,
    User,
)
from syncline.connectors.activecollab.client import Client, Json
from syncline.connectors.activecollab.forms import FORMS
from syncline.connectors.activecollab.parts import JOB_TYPE, PROJECT, URL
from syncline.connectors.activecollab.project_forms import BILLING, BILLING_STATES
from syncline.core.records import Ability, FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option
from syncline.core.values import FieldType
from syncline.errors import NotFoundError

Options = dict[FieldId, tuple[Option, ...]]
_COMPANY = FieldId("company")

NAME_LENGTH = 191
"""Longest name that every known version keeps (unconfirmed: a column of MySQL under utf8mb4)."""


def form_of(object_type: ObjectTypeId) -> Form:
    """The attribute table of an object type. Raises `NotFoundError`."""
    form = FORMS.get(object_type)
    if form is None:
        raise NotFoundError(f"ActiveCollab has no object type {object_type}; known: {', '.join(FORMS)}")
    return form


async def directory(client: Client) -> Directory:
    """All users that are not in the trash. `/users` is not paged (facts: 2, Pagination)."""
    people = [each for each in await client.array("users") if not each.get("is_trashed")]
    return Directory(_user(each) for each in people)


def _user(json: Json) -> User:
    first, last = json.get("first_name") or "", json.get("last_name") or ""
    name = json.get("display_name") or f"{first} {last}".strip()
    return User(str(json["id"]), str(json.get("email") or ""), str(name))


async def options(client: Client, form: Form, people: Directory, projects: Sequence[Json]) -> Options:
    """The options of every field that has some. Costs a call per project for the task lists of tasks."""
    found: Options = {PROJECT: _named(projects)}
    persons = tuple(Option(user.id, user.name, user.email) for user in people.users)
    found.update({each.id: persons for each in form.attributes if each.type is FieldType.PERSON})
    if form.slug == "task":
        labels = await client.array("labels/task-labels")
        found[FieldId("labels")] = tuple(Option(str(each["name"]), str(each["name"])) for each in labels)
        found[FieldId("task_list")] = await _task_lists(client, projects)
    if form.attribute(JOB_TYPE):
        found[JOB_TYPE] = _named(
            [each for each in await client.array("job-types") if not each.get("is_archived")]
        )
    if form.attribute(_COMPANY):
        found[_COMPANY] = _named(await client.array("companies"))
    if form.attribute(BILLING):
        found[BILLING] = tuple(Option(key, label) for key, label in BILLING_STATES.items())
    return found


async def _task_lists(client: Client, projects: Sequence[Json]) -> tuple[Option, ...]:
    """The open task lists of these projects; the project is named where there are several."""
    listed = await asyncio.gather(*(client.array(f"projects/{each['id']}/task-lists") for each in projects))
    return tuple(
        Option(
            str(json["id"]), f"{json['name']} ({project['name']})" if len(projects) > 1 else str(json["name"])
        )
        for project, lists in zip(projects, listed, strict=True)
        for json in lists
    )


def _named(objects: Sequence[Json]) -> tuple[Option, ...]:
    return tuple(Option(str(each["id"]), str(each.get("name") or each["id"])) for each in objects)


def schema(object_type: ObjectTypeId, form: Form, found: Options, *, can_restore: bool) -> ObjectSchema:
    """The object type with these options."""
    abilities = form.abilities if can_restore else form.abilities - {Ability.RESTORE}
    fields = [_field(each, found.get(each.id)) for each in form.attributes]
    fields.append(FieldSchema(URL, "Address", FieldType.TEXT, is_read_only=True))
    return ObjectSchema(
        object_type,
        form.title,
        tuple(fields),
        abilities,
    )


def _field(attribute: Attribute, found: tuple[Option, ...] | None) -> FieldSchema:
    return FieldSchema(
        attribute.id,
        attribute.title,
        attribute.type,
        is_required=attribute.is_required,
        is_read_only=attribute.is_read_only,
        options=found,
        is_open=attribute.type is FieldType.MANY_OF,
        max_length=NAME_LENGTH if attribute.key == "name" else None,
        references=ObjectTypeId(attribute.references) if attribute.references else None,
        note=attribute.note,
    )
