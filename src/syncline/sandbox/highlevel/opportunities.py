"""Opportunities and their pipelines: `/opportunities/` (facts: highlevel-api.md 1.8, 1.9).

The search pages by `startAfter` and `startAfterId` in order of creation; its query is spelt otherwise in v3. One change fires
several events, and an update is told of a create and a delete too (facts 3.3).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

import msgspec

from syncline.sandbox.highlevel.bodies import checked, read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.coding import js_number
from syncline.sandbox.highlevel.contact_search import index_of
from syncline.sandbox.highlevel.contacts import missing, succeeded, user_of
from syncline.sandbox.highlevel.crm import Crm, Model, changed_row, new_row
from syncline.sandbox.highlevel.crm_shapes import opportunity_event, opportunity_shape, pipeline_shape
from syncline.sandbox.highlevel.jsons import as_list, as_number, as_object
from syncline.sandbox.highlevel.location_fields import values_after
from syncline.sandbox.highlevel.records import Author, integration
from syncline.sandbox.highlevel.refusals import bad_request, foreign_location, unprocessable
from syncline.sandbox.highlevel.state import World, iso
from syncline.sandbox.highlevel.table import Key, Row
from syncline.sandbox.highlevel.webhooks import Event

STATUSES = ("open", "won", "lost", "abandoned")
MAX_LIMIT = 100
_EVENTS = (
    ("pipelineStageId", Event.OPPORTUNITY_STAGE),
    ("status", Event.OPPORTUNITY_STATUS),
    ("monetaryValue", Event.OPPORTUNITY_VALUE),
    ("assignedTo", Event.OPPORTUNITY_ASSIGNED),
)
_NEW_NAMES = {
    "location_id": "locationId",
    "pipeline_id": "pipelineId",
    "pipeline_stage_id": "pipelineStageId",
    "contact_id": "contactId",
    "assigned_to": "assignedTo",
}


class _Either(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    pipeline_stage_id: str | msgspec.UnsetType = msgspec.UNSET
    monetary_value: float | msgspec.UnsetType = msgspec.UNSET
    assigned_to: str | msgspec.UnsetType = msgspec.UNSET
    custom_fields: list[object] | msgspec.UnsetType = msgspec.UNSET


class _Edit(_Either, rename="camel", omit_defaults=True, kw_only=True):
    pipeline_id: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET


class _New(_Either, rename="camel", omit_defaults=True, kw_only=True):
    location_id: str
    pipeline_id: str
    name: str
    status: str
    contact_id: str


class _Status(msgspec.Struct, rename="camel"):
    status: str
    lost_reason_id: str = ""


class _Search(msgspec.Struct, frozen=True):
    location_id: str
    pipeline_id: str = ""
    pipeline_stage_id: str = ""
    contact_id: str = ""
    assigned_to: str = ""
    status: str = "all"
    q: str = ""
    id: str = ""
    order: str = "added_desc"
    start_after: int | None = msgspec.field(name="startAfter", default=None)
    start_after_id: str | None = msgspec.field(name="startAfterId", default=None)
    page: int = 1
    limit: int = 20


class _Pipelines(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str


def list_pipelines(world: World, call: Call) -> Answer:
    """GET /opportunities/pipelines."""
    query = read_query(call.request, _Pipelines)
    location_id = call.location(world, query.location_id)
    pipelines = world.locations[location_id].crm.pipelines.values()
    return Answer({"pipelines": [pipeline_shape(each, location_id) for each in pipelines]})


def search_opportunities(world: World, call: Call) -> Answer:
    """GET /opportunities/search."""
    given = dict(call.request.query)
    names = {new: old for old, new in _NEW_NAMES.items()} if call.is_v3 else {}
    if call.is_v3 and (old := given.keys() & _NEW_NAMES.keys()):
        raise unprocessable(*(f"property {name} should not exist" for name in sorted(old)))
    query = checked({names.get(name, name): value for name, value in given.items()}, _Search, is_strict=False)
    location_id = call.location(world, query.location_id)
    if not 1 <= query.limit <= MAX_LIMIT:
        raise unprocessable(f"limit must not be greater than {MAX_LIMIT}")
    crm = world.locations[location_id].crm
    index = index_of(world, crm.opportunities)
    keys = [key for key in index.ordering(("createdAt",)).keys if _passes(index.rows[str(key[-1])], query)]
    page = _page(keys, query)
    hits = [_shape(crm, index.rows[str(key[-1])], location_id) for key in page]
    return Answer({"opportunities": hits, "meta": _meta(page, len(keys), query), "aggregations": {}})


def post_opportunity(world: World, call: Call) -> Answer:
    """POST /opportunities/."""
    refuse_query(call.request)
    body = read_body(call.request, _New)
    location_id = call.location(world, body.location_id)
    given = as_object(msgspec.to_builtins(body)) or {}
    del given["locationId"]
    row = create(world, location_id, given, integration(world, call))
    return Answer({"opportunity": _shape(world.locations[location_id].crm, row, location_id)}, 201)


def get_opportunity(world: World, call: Call) -> Answer:
    """GET /opportunities/{id}."""
    refuse_query(call.request)
    location_id, crm, row = _addressed(world, call)
    return Answer({"opportunity": _shape(crm, row, location_id)})


def put_opportunity(world: World, call: Call) -> Answer:
    """PUT /opportunities/{id}; the contact cannot be changed."""
    refuse_query(call.request)
    given = as_object(msgspec.to_builtins(read_body(call.request, _Edit))) or {}
    location_id, crm, row = _addressed(world, call)
    after = update(world, location_id, row, given, integration(world, call))
    return Answer({"opportunity": _shape(crm, after, location_id)})


def put_status(world: World, call: Call) -> Answer:
    """PUT /opportunities/{id}/status."""
    refuse_query(call.request)
    body = read_body(call.request, _Status)
    location_id, _, row = _addressed(world, call)
    update(world, location_id, row, {"status": body.status}, integration(world, call))
    return Answer({_done(call): True})


def delete_opportunity(world: World, call: Call) -> Answer:
    """DELETE /opportunities/{id}."""
    refuse_query(call.request)
    location_id, _, row = _addressed(world, call)
    delete(world, location_id, row)
    return Answer({_done(call): True})


def create(
    world: World, location_id: str, given: Mapping[str, object], author: Author, *, is_silent: bool = False
) -> Row:
    """Make an opportunity; without a stage in the first one of its pipeline."""
    crm = world.locations[location_id].crm
    if str(given.get("contactId")) not in crm.contacts.rows:
        raise missing(world, "Contact", str(given.get("contactId")))
    properties = _applied(world, location_id, {}, given)
    now = world.now_ms()
    row = new_row(world.ids.short(), properties, now, author.stamp(iso(now)))
    crm.opportunities.put(row, now)
    if not is_silent:
        _tell(world, Event.OPPORTUNITY_CREATE, location_id, row)
        _tell(world, Event.OPPORTUNITY_UPDATE, location_id, row)
    return row


def update(world: World, location_id: str, row: Row, given: Mapping[str, object], author: Author) -> Row:
    """Change what is given and nothing else."""
    properties = _applied(world, location_id, row.properties, given)
    now = world.now_ms()
    after = changed_row(row, properties, now, author.stamp(iso(now)))
    world.locations[location_id].crm.opportunities.put(after, now)
    for name, event in _EVENTS:
        if properties.get(name) != row.properties.get(name):
            _tell(world, event, location_id, after)
    _tell(world, Event.OPPORTUNITY_UPDATE, location_id, after)
    return after


def delete(world: World, location_id: str, row: Row) -> None:
    """Delete an opportunity for good."""
    world.locations[location_id].crm.opportunities.drop(row.id, world.now_ms())
    _tell(world, Event.OPPORTUNITY_DELETE, location_id, row)
    _tell(world, Event.OPPORTUNITY_UPDATE, location_id, row)


def _tell(world: World, event: Event, location_id: str, row: Row) -> None:
    world.webhooks.emit(event, location_id, lambda _: opportunity_event(row, location_id))


def _shape(crm: Crm, row: Row, location_id: str) -> dict[str, object]:
    return opportunity_shape(row, location_id, crm.contacts.rows.get(str(row.properties.get("contactId"))))


def _done(call: Call) -> str:
    return "success" if call.is_v3 else succeeded(call)


def _addressed(world: World, call: Call) -> tuple[str, Crm, Row]:
    location_id = call.location(world)
    crm, key = world.locations[location_id].crm, call.path["id"]
    row = crm.opportunities.rows.get(key)
    if row is None:
        if any(key in other.crm.opportunities.rows for other in world.locations.values()):
            raise foreign_location()
        raise missing(world, "Opportunity", key)
    return location_id, crm, row


def _applied(
    world: World, location_id: str, before: Mapping[str, object], given: Mapping[str, object]
) -> dict[str, object]:
    crm, after = world.locations[location_id].crm, dict(before) | dict(given)
    if (listed := as_list(given.get("customFields"))) is not None:
        kept = as_object(before.get("customFields")) or {}
        after["customFields"] = values_after(crm, Model.OPPORTUNITY, kept, listed)
    if not str(after.get("name", "")).strip():
        raise unprocessable("name should not be empty")
    if after.get("status") not in STATUSES:
        raise unprocessable(f"status must be one of the following values: {', '.join(STATUSES)}")
    if assigned := str(given.get("assignedTo", "")):
        user_of(world, location_id, assigned, "assignedTo")
    if (amount := as_number(after.get("monetaryValue"))) is not None:
        after["monetaryValue"] = js_number(amount)
    after["pipelineStageId"] = _stage(crm, after, given)
    return {name: value for name, value in after.items() if value not in ("", None)}


def _stage(crm: Crm, after: Mapping[str, object], given: Mapping[str, object]) -> str:
    """The stage after a write: the given one, which must be of the pipeline, else the first one of a new pipeline."""
    pipeline = crm.pipelines.get(str(after.get("pipelineId")))
    if pipeline is None:
        raise bad_request("Pipeline not found")
    stage = str(after.get("pipelineStageId", ""))
    if stage in pipeline.stage_ids:
        return stage
    if "pipelineStageId" in given:
        raise bad_request("The pipelineStageId is not a stage of the pipeline")
    return pipeline.stage_ids[0]


def _passes(row: Row, query: _Search) -> bool:
    wanted = {
        "pipelineId": query.pipeline_id,
        "pipelineStageId": query.pipeline_stage_id,
        "contactId": query.contact_id,
        "assignedTo": query.assigned_to,
        "status": "" if query.status == "all" else query.status,
    }
    has_all = all(not value or row.properties.get(name) == value for name, value in wanted.items())
    is_named = query.q.lower() in str(row.properties.get("name", "")).lower()
    return has_all and is_named and query.id in ("", row.id)


def _page(keys: Sequence[Key], query: _Search) -> Sequence[Key]:
    skipped = (query.page - 1) * query.limit
    place = None
    if query.start_after is not None and query.start_after_id is not None:
        place = (query.start_after, query.start_after_id)
    if query.order == "added_asc":
        start = skipped if place is None else bisect_right(keys, place)
        return keys[start : start + query.limit]
    end = len(keys) - skipped if place is None else bisect_left(keys, place)
    return list(reversed(keys[max(0, end - query.limit) : max(0, end)]))


def _meta(page: Sequence[Key], total: int, query: _Search) -> dict[str, object]:
    meta: dict[str, object] = {"total": total, "currentPage": query.page}
    if not page:
        return meta
    return meta | {"startAfter": page[-1][0], "startAfterId": page[-1][-1]}
