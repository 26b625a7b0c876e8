"""`/api/v1/connections/{name}/objects`: what can be synced: object types, their fields, and a few records as they are.

The router is made by `objects_router` over the runtime of the process. All of it is read fresh from the vendor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Query

from syncline.bootstrap import Installation
from syncline.core.mapping import Direction, FieldMapping
from syncline.core.people import Scope
from syncline.core.records import Ability, ObjectSchema, ObjectTypeId, Record
from syncline.core.records import Scope as RecordScope
from syncline.core.suggest import proposed
from syncline.core.values import FieldType
from syncline.ports import Ending
from syncline.service.runtime import Runtime
from syncline.web.forms import Told
from syncline.web.security import Guarded, requires
from syncline.web.shapes import EndOut, Key, SyncName, ValueOut, value_out

_READ = requires(Scope.SYNCS_READ)
_VALUES = requires(Scope.RECORDS_READ)
_MOST = 20


class ObjectOut(Told):
    """An object type that a connection offers."""

    id: str
    title: str


class OptionOut(Told):
    """One choice of a field."""

    key: str
    label: str
    email: str


class FieldOut(Told):
    """A field. `options` is null where any value goes; with `is_open` a value outside of them becomes a new one."""

    id: str
    title: str
    type: FieldType
    is_required: bool
    is_read_only: bool
    is_unique: bool
    is_open: bool
    options: list[OptionOut] | None
    max_length: int | None
    references: str | None
    note: str


class FieldsOut(Told):
    """The fields of an object type, what can be done with its records, and the scopes that the connection needs to read
    and to write them (empty where its vendor has none)."""

    id: str
    title: str
    abilities: list[Ability]
    fields: list[FieldOut]
    scopes_to_read: list[str]
    scopes_to_write: list[str]


class SampleOut(Told):
    """A record as it is now."""

    key: str
    title: str
    updated_at: dt.datetime | None
    fields: dict[str, ValueOut | None]


class SuggestionOut(Told):
    """A draft to begin with: fields that seem to mean the same and fit, and what is left over on each side."""

    draft: dict[str, Any]
    unmapped_left: list[str]
    unmapped_right: list[str]


def objects_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(prefix="/api/v1/connections/{name}/objects", tags=["objects"], route_class=Guarded)

    @router.get("", dependencies=[_READ])
    async def list_objects(name: SyncName) -> list[ObjectOut]:
        """The object types that a connection offers."""
        async with runtime.held() as installation:
            found = await installation.connector(name).object_types()
        return [ObjectOut.model_validate(each) for each in found]

    @router.get("/{object_type}/fields", dependencies=[_READ])
    async def list_fields(name: SyncName, object_type: SyncName) -> FieldsOut:
        """The fields of an object type."""
        async with runtime.held() as installation:
            return await _fields(installation, name, object_type)

    @router.get("/{object_type}/samples", dependencies=[_VALUES])
    async def list_samples(
        name: SyncName,
        object_type: SyncName,
        limit: Annotated[int, Query(ge=1, le=_MOST, description="At most so many records.")] = 3,
    ) -> list[SampleOut]:
        """A few records as they are now, to see what the fields hold."""
        async with runtime.held() as installation:
            found = await _sample(installation, name, object_type, limit)
        return [_record(each) for each in found]

    @router.get("/{object_type}/suggestion", dependencies=[_READ])
    async def suggest_draft(
        name: SyncName,
        object_type: SyncName,
        connection: Annotated[Key, Query(description="The connection of the right side.")],
        right_object: Annotated[Key, Query(alias="object", description="Its object type.")],
    ) -> SuggestionOut:
        """A draft that joins this object type (left) with another one, from what their fields are called. Look at it, add
        filters, and save it."""
        left, right = (
            EndOut(connection=name, object=object_type),
            EndOut(connection=connection, object=right_object),
        )
        async with runtime.held() as installation:
            schemas = [
                await installation.connector(end.connection).schema(ObjectTypeId(end.object))
                for end in (left, right)
            ]
        return _suggestion(left, right, *schemas)

    return router


def _suggestion(left: EndOut, right: EndOut, one: ObjectSchema, other: ObjectSchema) -> SuggestionOut:
    found = proposed(one, other)
    ends = {"left": left.model_dump(), "right": right.model_dump()}
    lines = [_written(line) for line in found.lines]
    taken = {line.left for line in found.lines}, {line.right for line in found.lines}
    rest = [
        [str(field.id) for field in schema.fields if field.id not in names and not field.is_read_only]
        for schema, names in zip((one, other), taken, strict=True)
    ]
    draft: dict[str, Any] = {**ends, "match": {"on": [list(pair) for pair in found.on]}, "fields": lines}
    return SuggestionOut(draft=draft, unmapped_left=rest[0], unmapped_right=rest[1])


def _written(line: FieldMapping) -> dict[str, Any]:
    """A line as a draft has it, without what is as by default."""
    told: dict[str, Any] = {"left": line.left, "right": line.right}
    if line.direction is not Direction.BOTH:
        told["direction"] = line.direction.value
    if line.values:
        told["values"] = [list(pair) for pair in line.values]
    return told


async def _fields(installation: Installation, name: str, object_type: str) -> FieldsOut:
    schema = await installation.connector(name).schema(ObjectTypeId(object_type))
    return FieldsOut(
        id=schema.id,
        title=schema.title,
        abilities=sorted(schema.abilities, key=lambda each: each.value),
        fields=[FieldOut.model_validate(each) for each in schema.fields],
        scopes_to_read=list(installation.scopes_for(name, object_type, is_written=False)),
        scopes_to_write=list(installation.scopes_for(name, object_type, is_written=True)),
    )


async def _sample(installation: Installation, name: str, object_type: str, limit: int) -> list[Record]:
    """The first records of the first page that holds any."""
    # Not every listing says that there is no such object type; the schema does.
    connector = installation.connector(name)
    await connector.schema(ObjectTypeId(object_type))
    parts = connector.pages(RecordScope(ObjectTypeId(object_type)))
    found: list[Record] = []
    async for part in parts:
        if isinstance(part, Ending):
            break
        found = [part.record(index) for index in range(min(len(part.keys), limit))]
        if found:
            break
    if isinstance(parts, AsyncGenerator):
        await parts.aclose()  # the rest of the listing is not wanted
    return found


def _record(record: Record) -> SampleOut:
    return SampleOut(
        key=record.key,
        title=record.title,
        updated_at=record.updated_at,
        fields={name: value_out(value) for name, value in record.fields.items()},
    )
