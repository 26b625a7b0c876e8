"""Opportunities through the opportunities API: listed in order of creation, one pipeline or all.

A kind of `connector` (`crm.crm_kinds`). No listing by time of change is documented, so a delta lists all of them again, a
hundred to a call. Scope filters: `pipeline` and `contact` (ids); `create_for`, the contact that new ones are for when the
field is not given. Facts: highlevel-api.md 1.8, section 4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial

import msgspec

from syncline.connectors.highlevel.attributes import Attribute, Emptied, Form
from syncline.connectors.highlevel.cards import (
    CREATED_AT,
    NOTHING_KEPT,
    UPDATED_AT,
    Card,
    CardKind,
    Entity,
    Wire,
    decoded,
)
from syncline.connectors.highlevel.client import Route
from syncline.connectors.highlevel.contacts import CONTACT
from syncline.connectors.highlevel.listing import SearchPage, digest
from syncline.core.records import FieldId, ObjectTypeId, Option, Record, RecordKey, Scope
from syncline.core.values import OneOf, Reference, Value
from syncline.errors import Detail, RejectedError
from syncline.ports import Ending

OPPORTUNITY = ObjectTypeId("opportunity")
STAGE, PIPELINE, STATUS, FOR = FieldId("stage"), FieldId("pipeline"), FieldId("status"), FieldId("contact")
PIPELINES = Route("GET", "/opportunities/pipelines", "opportunities.readonly", "opportunities")
SEARCH_OPPORTUNITIES = Route("GET", "/opportunities/search", "opportunities.readonly", "opportunities")
STATUSES = ("open", "won", "lost", "abandoned")
_LIMIT = 100
_OLD_NAMES = {"locationId": "location_id", "pipelineId": "pipeline_id", "contactId": "contact_id"}
"""How the query was spelt before v3 (facts: 1.2)."""


def _titled(wire: Wire) -> str:
    return str(wire.get("name") or "")


def _read_only(field_id: FieldId, title: str, key: str) -> Attribute:
    return Attribute(field_id, title, key, Form.MOMENT, is_read_only=True)


_ATTRIBUTES = (
    Attribute(FieldId("name"), "Name", "name", emptied=Emptied.NEVER, is_required=True),
    Attribute(
        FOR,
        "Contact",
        "contactId",
        Form.RECORD,
        Emptied.NEVER,
        is_required=True,
        is_fixed=True,
        references=CONTACT,
        note="HighLevel takes it when an opportunity is made, and never changes it.",
    ),
    Attribute(STAGE, "Stage", "pipelineStageId", Form.CHOICE, Emptied.NEVER),
    Attribute(
        PIPELINE,
        "Pipeline",
        "pipelineId",
        Form.CHOICE,
        is_read_only=True,
        note="It follows from the stage: a stage of another pipeline moves the opportunity there.",
    ),
    Attribute(STATUS, "Status", "status", Form.CHOICE, Emptied.NEVER),
    Attribute(
        FieldId("monetary_value"),
        "Value",
        "monetaryValue",
        Form.AMOUNT,
        Emptied.ZERO,
        note="An emptied value is kept as 0.",
    ),
    Attribute(FieldId("assigned_to"), "Owner", "assignedTo", Form.PERSON, Emptied.TEXT),
    Attribute(
        FieldId("source"), "Source", "source", is_read_only=True, note="HighLevel offers no call for it."
    ),
    _read_only(FieldId("stage_changed_at"), "Stage changed at", "lastStageChangeAt"),
    _read_only(FieldId("status_changed_at"), "Status changed at", "lastStatusChangeAt"),
    _read_only(CREATED_AT, "Created at", "createdAt"),
    _read_only(UPDATED_AT, "Updated at", "updatedAt"),
)


class WireStage(msgspec.Struct):
    """One step of a pipeline."""

    id: str
    name: str = ""


class WirePipeline(msgspec.Struct):
    """`PipelinesResponseSchema`; the type of its stages is not told there."""

    id: str
    name: str = ""
    stages: list[WireStage] = msgspec.field(default_factory=list[WireStage])


class _Pipelines(msgspec.Struct):
    pipelines: list[WirePipeline] = msgspec.field(default_factory=list[WirePipeline])


class _Meta(msgspec.Struct, rename="camel"):
    total: int
    start_after: int | None = None
    start_after_id: str | None = None


class _Found(msgspec.Struct):
    meta: _Meta
    opportunities: list[msgspec.Raw] = msgspec.field(default_factory=list[msgspec.Raw])


class Opportunities(CardKind):
    """`kinds.NamedKind` of opportunities."""

    entity = Entity(
        type=OPPORTUNITY,
        title="Opportunities",
        wrapper="opportunity",
        attributes=_ATTRIBUTES,
        create=Route("POST", "/opportunities/", "opportunities.write", "opportunities", is_write=True),
        read=Route("GET", "/opportunities/{id}", "opportunities.readonly", "opportunities"),
        update=Route("PUT", "/opportunities/{id}", "opportunities.write", "opportunities", is_write=True),
        delete=Route("DELETE", "/opportunities/{id}", "opportunities.write", "opportunities", is_write=True),
        titled=_titled,
        model="opportunity",
        has_numbers=False,
        filters=frozenset({"pipeline", "contact", "create_for"}),
    )
    _pipelines: tuple[WirePipeline, ...] = ()

    async def pages(self, scope: Scope, since: str | None) -> AsyncIterator[SearchPage | Ending]:
        """All opportunities of the filter, complete when as many came as HighLevel counts. The search index lags behind
        writes, as that of records does."""
        del since
        card = await self.card(scope)
        gaps: list[str] = []
        for pipeline in scope.where.get("pipeline") or ("",):
            for contact in scope.where.get("contact") or ("",):
                wanted = {"pipelineId": pipeline, "contactId": contact}
                query = {name: value for name, value in wanted.items() if value}
                async for page in self._walk(card, query, gaps):
                    yield page
        yield Ending(not gaps, NOTHING_KEPT, "; ".join(gaps))

    async def options(self) -> Mapping[FieldId, tuple[Option, ...] | None]:
        """Pipelines, their stages, and the four statuses."""
        answer = await self.client.call(PIPELINES, query={"locationId": self.client.location})
        self._pipelines = tuple(answer.json(_Pipelines).pipelines)
        stages = [(pipeline, stage) for pipeline in self._pipelines for stage in pipeline.stages]
        return {
            PIPELINE: tuple(Option(each.id, each.name or each.id) for each in self._pipelines),
            STAGE: tuple(Option(stage.id, f"{line.name}: {stage.name}") for line, stage in stages),
            STATUS: tuple(Option(each, each.capitalize()) for each in STATUSES),
        }

    def new_body(
        self, card: Card, scope: Scope, fields: Mapping[FieldId, Value]
    ) -> tuple[dict[str, object], Mapping[str, str]]:
        """With the status, the pipeline and the contact that HighLevel insists on."""
        chosen = {STATUS: OneOf("open"), **fields}
        place = scope.where.get("create_for") or scope.where.get("contact")
        if FOR not in chosen and place:
            chosen[FOR] = Reference(CONTACT, place[0])
        if FOR not in chosen:
            text = "an opportunity needs a contact: map the field, or name one in the filter create_for"
            raise RejectedError(text, field=FOR, detail=Detail.NO_PARENT)
        body = {"locationId": self.client.location, **card.body(chosen, is_new=True)}
        return {"pipelineId": self._pipeline(scope), **self._placed(body)}, {}

    def changed_body(self, card: Card, fields: Mapping[FieldId, Value]) -> dict[str, object]:
        """A stage is sent with its pipeline, as it may be of another one."""
        return self._placed(super().changed_body(card, fields))

    def is_in(self, scope: Scope, record: Record) -> bool:
        """Whether its pipeline and contact are among the wanted ones."""
        pipeline, contact = record.fields.get(PIPELINE), record.fields.get(FOR)
        is_there = isinstance(pipeline, OneOf) and pipeline.key in scope.where.get(
            "pipeline", (pipeline.key,)
        )
        is_theirs = isinstance(contact, Reference) and contact.key in scope.where.get(
            "contact", (contact.key,)
        )
        return (is_there or "pipeline" not in scope.where) and (is_theirs or "contact" not in scope.where)

    def _placed(self, body: dict[str, object]) -> dict[str, object]:
        stage = body.get("pipelineStageId")
        if stage is None:
            return body
        for pipeline in self._pipelines:
            if any(stage == each.id for each in pipeline.stages):
                return {**body, "pipelineId": pipeline.id}
        raise RejectedError("no pipeline has this stage", field=STAGE, detail=Detail.VALIDATION)

    def _pipeline(self, scope: Scope) -> str:
        """Where a new opportunity goes that has no stage."""
        wanted = scope.where.get("pipeline")
        if wanted:
            return wanted[0]
        if not self._pipelines:
            text = "the HighLevel location has no pipeline"
            raise RejectedError(text, field=STAGE, detail=Detail.NO_PARENT)
        return self._pipelines[0].id

    async def _walk(self, card: Card, query: Mapping[str, str], gaps: list[str]) -> AsyncIterator[SearchPage]:
        """One listing to its end; what is missing is added to the gaps."""
        place: Mapping[str, str] | None = {}
        seen: set[RecordKey] = set()
        total = 0
        while place is not None:
            found = await self._look({**query, **place})
            total = found.meta.total
            page = _page(card, found)
            seen.update(page.keys)
            following = _place(found)
            is_last = not page.keys or (len(page.keys) < _LIMIT and len(seen) >= total)
            place = None if is_last or following == place else following
            if page.keys:
                yield page
        if len(seen) != total:
            gaps.append(f"{len(seen)} opportunities came, HighLevel counts {total}")

    async def _look(self, query: Mapping[str, str]) -> _Found:
        whole = {"locationId": self.client.location, "order": "added_asc", "limit": str(_LIMIT), **query}
        if self.client.version(SEARCH_OPPORTUNITIES) != "v3":
            whole = {_OLD_NAMES.get(name, name): value for name, value in whole.items()}
        return (await self.client.call(SEARCH_OPPORTUNITIES, query=whole)).json(_Found)


def _place(found: _Found) -> Mapping[str, str] | None:
    """Where the next page starts; both are needed, or the first page comes again (facts: section 4)."""
    after, after_id = found.meta.start_after, found.meta.start_after_id
    if after is None or after_id is None:
        return None
    return {"startAfter": str(after), "startAfterId": after_id}


def _page(card: Card, found: _Found) -> SearchPage:
    raws = [bytes(raw) for raw in found.opportunities]
    keys = [card.key(decoded(raw, OPPORTUNITY)) for raw in raws]
    digests = [digest(raw) for raw in raws]
    return SearchPage(OPPORTUNITY, partial(_decoded, card), raws, keys, digests, found.meta.total)


def _decoded(card: Card, raw: bytes) -> Record:
    return card.record(decoded(raw, OPPORTUNITY))
