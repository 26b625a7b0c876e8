"""What the CRM half of a location holds: contacts, opportunities, their own custom fields, tasks, notes, pipelines.

Plain data, kept in `state.Location.crm`; the operations live in `contacts`, `opportunities`, `contact_tasks` and
`contact_notes`. Contacts and opportunities are rows of a `RecordTable`, so that searches lag behind writes as those of
records do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import msgspec

from syncline.sandbox.highlevel.ids import Ids
from syncline.sandbox.highlevel.table import RecordTable, Row, Stamp


class Model(Enum):
    """What a location's own custom field belongs to (facts: highlevel-api.md 1.5)."""

    CONTACT = "contact"
    OPPORTUNITY = "opportunity"


class LocationField(msgspec.Struct, frozen=True):
    """One custom field of contacts or opportunities. Options are plain texts, their own keys."""

    id: str
    name: str
    key: str
    data_type: str
    model: Model
    position: int
    placeholder: str = ""
    options: tuple[str, ...] = ()

    @property
    def full_key(self) -> str:
        """`contact.pincode`."""
        return f"{self.model.value}.{self.key}"


class Stage(msgspec.Struct, frozen=True):
    """One step of a pipeline."""

    id: str
    name: str


class Pipeline(msgspec.Struct, frozen=True):
    """An ordered way of opportunities."""

    id: str
    name: str
    stages: tuple[Stage, ...]

    @property
    def stage_ids(self) -> tuple[str, ...]:
        """The stages' ids, in order."""
        return tuple(stage.id for stage in self.stages)


class Task(msgspec.Struct, frozen=True):
    """A task of a contact. There is no time of its last change (facts: highlevel-api.md 1.8)."""

    id: str
    contact_id: str
    title: str
    due: str
    is_completed: bool
    added_at: str
    body: str = ""
    assigned_to: str = ""


class Note(msgspec.Struct, frozen=True):
    """A note of a contact; no time of its last change either."""

    id: str
    contact_id: str
    body: str
    added_at: str
    title: str = ""
    color: str = ""
    user_id: str = ""
    is_pinned: bool = False


@dataclass(slots=True)
class Crm:
    """The CRM of one location. `allows_duplicates` is its setting *Allow Duplicate Contact*."""

    contacts: RecordTable = field(default_factory=RecordTable)
    opportunities: RecordTable = field(default_factory=RecordTable)
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    notes: dict[str, Note] = field(default_factory=dict[str, Note])
    fields: dict[str, LocationField] = field(default_factory=dict[str, LocationField])
    pipelines: dict[str, Pipeline] = field(default_factory=dict[str, Pipeline])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    allows_duplicates: bool = False

    def fields_of(self, model: Model) -> list[LocationField]:
        """The custom fields of contacts, or of opportunities."""
        return [each for each in self.fields.values() if each.model is model]

    def pipeline_of(self, stage_id: str) -> Pipeline | None:
        """Where a stage belongs."""
        return next((each for each in self.pipelines.values() if stage_id in each.stage_ids), None)


def new_crm(ids: Ids) -> Crm:
    """Two pipelines and nothing else."""
    crm = Crm()
    for name, stages in (("Sales", ("New", "Meeting", "Offer")), ("Renewals", ("Due", "Asked"))):
        pipeline = Pipeline(ids.short(), name, tuple(Stage(ids.uuid(), stage) for stage in stages))
        crm.pipelines[pipeline.id] = pipeline
    return crm


def new_row(record_id: str, properties: dict[str, object], at_ms: int, stamp: Stamp) -> Row:
    """A contact or an opportunity that was just made."""
    return Row(
        id=record_id,
        owner=(),
        followers=(),
        properties=properties,
        created_ms=at_ms,
        updated_ms=at_ms,
        created_at=stamp.created_at,
        updated_at=stamp.created_at,
        created_by=stamp,
        updated_by=stamp,
    )


def changed_row(row: Row, properties: dict[str, object], at_ms: int, stamp: Stamp) -> Row:
    """The same with other content."""
    return msgspec.structs.replace(
        row, properties=properties, updated_ms=at_ms, updated_at=stamp.created_at, updated_by=stamp
    )
