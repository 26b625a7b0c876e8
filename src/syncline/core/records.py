"""The nouns, grouped by who hands them to whom.

Connectors make records and sightings, the store keeps links and bases, `core` compares them. Nothing here does
anything: frozen values only, each encodes to JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from typing import NewType

import msgspec

from syncline.core.values import FieldType, Value

SyncId = NewType("SyncId", str)
ConnectionId = NewType("ConnectionId", str)
ObjectTypeId = NewType("ObjectTypeId", str)
FieldId = NewType("FieldId", str)
RecordKey = NewType("RecordKey", str)
LinkId = NewType("LinkId", int)
RunId = NewType("RunId", str)
StepId = NewType("StepId", str)


class Side(Enum):
    """One side of a sync."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


# --- what a connector tells of an object type -----------------------------------------------------------------------


class Option(msgspec.Struct, frozen=True):
    """One choice of a one-of, many-of or person field. For a person, `key` is the id and `email` is known."""

    key: str
    label: str
    email: str = ""


class FieldSchema(msgspec.Struct, frozen=True):
    """One field of an object type, as the vendor describes it.

    `options` is None where any value goes, a tuple where only these do. `is_open` says that a value outside the
    options is accepted and becomes a new option (free labels).
    """

    id: FieldId
    title: str
    type: FieldType
    is_required: bool = False
    is_read_only: bool = False
    is_unique: bool = False
    options: tuple[Option, ...] | None = None
    is_open: bool = False
    max_length: int | None = None
    references: ObjectTypeId | None = None
    note: str = ""


class Ability(Enum):
    """What can be done with records of an object type."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    ARCHIVE = "archive"


class ObjectSchema(msgspec.Struct, frozen=True):
    """An object type with its fields. `parents` names the filters a new record needs (a task needs a project)."""

    id: ObjectTypeId
    title: str
    fields: tuple[FieldSchema, ...]
    abilities: frozenset[Ability] = frozenset({Ability.CREATE, Ability.UPDATE, Ability.DELETE})

    def field(self, field_id: FieldId) -> FieldSchema | None:
        """The field of that id, or None."""
        return next((field for field in self.fields if field.id == field_id), None)


class Scope(msgspec.Struct, frozen=True):
    """Which records of a connection take part: an object type and the filter of a sync's side.

    `where` maps a filter name of the object type to the accepted values, for example `{"project": ("1", "2")}`.
    """

    object_type: ObjectTypeId
    where: Mapping[str, tuple[str, ...]] = {}


# --- what a connector tells of a record -----------------------------------------------------------------------------


class Record(msgspec.Struct, frozen=True):
    """One item, normalised. A field missing from `fields` was not seen; only `Blank` is empty.

    `updated_at` is the vendor's own time of the last change (aware UTC), None where it tells none. `in_scope` is false
    when a direct read shows that the record is there but outside the sync's filter. `wrote_at` is the vendor's time of
    our own last write: while it is the record's last change, people's edits are older than it, and nobody knows by how
    much.
    """

    key: RecordKey
    fields: Mapping[FieldId, Value]
    updated_at: dt.datetime | None = None
    created_at: dt.datetime | None = None
    updated_by: str = ""
    title: str = ""
    url: str = ""
    external_key: str = ""
    in_scope: bool = True
    wrote_at: dt.datetime | None = None


class Proof(Enum):
    """How we know that a record is gone."""

    NOT_FOUND = "not_found"
    """A direct read answered 404."""
    TRASHED = "trashed"
    """It lies in the vendor's trash, and can be restored from there."""
    DELETED_BY_US = "deleted_by_us"
    """We deleted it, and the vendor said so."""
    LISTED_TWICE = "listed_twice"
    """Two complete listings, some time apart, lack it, and a direct read tells nothing: it may only be hidden."""

    @property
    def is_direct(self) -> bool:
        """Whether the vendor itself said that the record is gone. What is only missing may come back, so that nothing
        is deleted, made anew or let go because of it before a person has said so."""
        return self is not Proof.LISTED_TWICE

    @property
    def sentence(self) -> str:
        """The proof in a person's words."""
        return _PROOFS[self]


_PROOFS = {
    Proof.NOT_FOUND: "a direct read answered that it is not there (404)",
    Proof.TRASHED: "it lies in the trash",
    Proof.DELETED_BY_US: "we deleted it",
    Proof.LISTED_TWICE: "two complete listings lack it, and it cannot be read: it may only be hidden",
}


class Present(msgspec.Struct, frozen=True, tag="present"):
    """The record is there, and this is what it holds."""

    record: Record


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """The record is not there any more, with proof. `at` and `by` (an e-mail, else an id) say when it went and who
    deleted it, where the vendor tells."""

    proof: Proof
    at: dt.datetime | None = None
    by: str = ""


class Unseen(msgspec.Struct, frozen=True, tag="unseen"):
    """We do not know; nothing may be decided from it."""

    reason: str = ""


Sighting = Present | Gone | Unseen


class Edit(msgspec.Struct, frozen=True):
    """When a field was last edited at the vendor, and by whom (an e-mail, else an id), where it tells.

    `is_record`: the vendor tells this only of the record as a whole; another field may have been edited then.
    """

    at: dt.datetime | None
    by: str = ""
    is_record: bool = False


# --- what the store remembers ---------------------------------------------------------------------------------------


class Base(msgspec.Struct, frozen=True):
    """What each side of a link held when they last agreed, per field of that side."""

    left: Mapping[FieldId, Value]
    right: Mapping[FieldId, Value]

    def of(self, side: Side) -> Mapping[FieldId, Value]:
        """The base values of one side."""
        return self.left if side is Side.LEFT else self.right


# --- what the engine asks of a connector ----------------------------------------------------------------------------


class Create(msgspec.Struct, frozen=True, tag="create"):
    """Make a record. `external_key` marks it as ours where the vendor has a place for one."""

    fields: Mapping[FieldId, Value]
    external_key: str = ""


class Update(msgspec.Struct, frozen=True, tag="update"):
    """Change these fields of a record, and no other.

    `was` is what those fields held when it was decided: many-valued fields are written as added and removed against it
    where the vendor works that way.
    """

    key: RecordKey
    fields: Mapping[FieldId, Value]
    was: Mapping[FieldId, Value] = {}


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    """Delete a record the vendor's usual way (to the trash where there is one)."""

    key: RecordKey


class Archive(msgspec.Struct, frozen=True, tag="archive"):
    """Put a record away without deleting it, where the vendor can."""

    key: RecordKey


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    """Bring a record back from the trash, then set these fields."""

    key: RecordKey
    fields: Mapping[FieldId, Value] = {}


Write = Create | Update | Delete | Archive | Restore


class Receipt(msgspec.Struct, frozen=True):
    """What the vendor answered to a write: the record as it stores it now, or None after a delete or archive."""

    key: RecordKey
    record: Record | None
