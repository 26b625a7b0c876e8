"""Edits into stored records: an imaginary vendor's account with trash, edit history and a schema that can change.

People edit through its methods, `memory.connector` for the engine. Times come from the clock and keys are counted, so
that a world can be replayed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from syncline.core.records import Edit, FieldId, FieldSchema, ObjectSchema, RecordKey, Write
from syncline.core.values import (
    BLANK,
    FieldType,
    ManyOf,
    OneOf,
    Person,
    Reference,
    Text,
    Value,
    is_blank,
    same,
)
from syncline.errors import Detail, NotFoundError, RejectedError
from syncline.ports import Clock


class When(Enum):
    """Which side of a write's effect a fault strikes on."""

    BEFORE = "before"
    AFTER = "after"


Faults = Callable[[When, Write], None]
Normalise = Callable[[FieldId, Value], Value]


def no_faults(when: When, write: Write) -> None:
    """Let everything pass."""
    del when, write


def as_sent(field_id: FieldId, value: Value) -> Value:
    """Keep a value as it was sent."""
    del field_id
    return value


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as the account keeps it. `sequence` grows with every change in the account."""

    key: RecordKey
    fields: Mapping[FieldId, Value]
    created_at: dt.datetime
    updated_at: dt.datetime
    updated_by: str
    sequence: int
    external_key: str = ""
    trashed_at: dt.datetime | None = None
    trashed_by: str = ""
    edits: Mapping[FieldId, Edit] = field(default_factory=dict[FieldId, Edit])


class MemoryAccount:
    """One account of an imaginary vendor, holding records of one object type.

    The public attributes may be set at any time: another `schema` (drift), a `normalise` hook (the vendor stores
    something else than it was sent), `faults` (raise before or after a write's effect), `listing_gap` (a reason why
    listings are incomplete), `hidden` keys (left out of listings), `unreadable` keys (a direct read tells nothing), `skew`
    (how far its clock claims to be ahead).
    """

    def __init__(
        self,
        schema: ObjectSchema,
        clock: Clock,
        *,
        has_external_keys: bool = True,
        normalise: Normalise = as_sent,
        user: str = "sync@example.test",
        token: str = "memory",  # noqa: S107 - opens nothing but this object
    ) -> None:
        self.schema = schema
        self.clock = clock
        self.has_external_keys = has_external_keys
        self.tells_edits = True
        self.normalise = normalise
        self.faults: Faults = no_faults
        self.user = user
        self.token = token
        self.listing_gap = ""
        self.hidden: set[RecordKey] = set()
        self.unreadable: set[RecordKey] = set()
        self.skew: dt.timedelta | None = dt.timedelta()
        self.records: dict[RecordKey, StoredRecord] = {}
        self.sequence = 0

    def create(
        self, fields: Mapping[FieldId, Value], *, by: str = "owner@example.test", mark: str = ""
    ) -> RecordKey:
        """Make a record, as a person (or, with `mark`, a program that sets an external key)."""
        self._check(fields)
        self._check_required(fields)
        now, key = self.clock.now(), RecordKey(str(self.sequence + 1))
        empty = {each.id: BLANK for each in self.schema.fields}
        kept = self._normalised(fields)
        edits = {field_id: Edit(now, by) for field_id in kept}
        self._save(StoredRecord(key, {**empty, **kept}, now, now, by, 0, mark, edits=edits))
        return key

    def edit(
        self, key: RecordKey, fields: Mapping[FieldId, Value], *, by: str = "owner@example.test"
    ) -> None:
        """Change some fields. Setting what is already there changes nothing, not even the time."""
        old = self.live(key)
        self._check(fields, key)
        kept = self._normalised(fields)
        changed = {
            name: value for name, value in kept.items() if not same(value, old.fields.get(name, BLANK))
        }
        self._check_required({**old.fields, **changed})
        if changed:
            now = self.clock.now()
            edits = {**old.edits, **{name: Edit(now, by) for name in changed}}
            values = {**old.fields, **changed}
            self._save(replace(old, fields=values, edits=edits, updated_at=now, updated_by=by))

    def delete(self, key: RecordKey, *, by: str = "owner@example.test") -> None:
        """Move a record to the trash."""
        self._save(replace(self.live(key), trashed_at=self.clock.now(), trashed_by=by))

    def restore(self, key: RecordKey) -> None:
        """Bring a record back from the trash."""
        old = self.records.get(key)
        if old is None or old.trashed_at is None:
            raise NotFoundError("not in the trash")
        now = self.clock.now()
        self._save(replace(old, trashed_at=None, updated_at=max(now, old.updated_at)))

    def purge(self, key: RecordKey) -> None:
        """Delete for good, from the trash too."""
        del self.records[key]

    def live(self, key: RecordKey) -> StoredRecord:
        """A record outside the trash. Raises `NotFoundError`."""
        found = self.records.get(key)
        if found is None or found.trashed_at is not None:
            raise NotFoundError("not there")
        return found

    def _save(self, record: StoredRecord) -> None:
        self.sequence += 1
        self.records[record.key] = replace(record, sequence=self.sequence)

    def _normalised(self, fields: Mapping[FieldId, Value]) -> dict[FieldId, Value]:
        return {name: self.normalise(name, value) for name, value in fields.items()}

    def _check(self, fields: Mapping[FieldId, Value], key: RecordKey | None = None) -> None:
        """Raise `RejectedError` for the first field that a vendor would refuse."""
        for field_id, value in fields.items():
            form = self.schema.field(field_id)
            if form is None:
                raise RejectedError("unknown field", field=field_id, detail=Detail.UNKNOWN_FIELD)
            fault = _fault(form, value)
            if fault:
                raise RejectedError(fault, field=field_id, detail=Detail.VALIDATION)
            if form.is_unique and not is_blank(value) and self._is_taken(field_id, value, key):
                raise RejectedError("another record has this value", field=field_id, is_duplicate=True)

    def _check_required(self, fields: Mapping[FieldId, Value]) -> None:
        for form in self.schema.fields:
            if form.is_required and is_blank(fields.get(form.id, BLANK)):
                raise RejectedError("a value is required", field=form.id, detail=Detail.REQUIRED_FIELD)

    def _is_taken(self, field_id: FieldId, value: Value, key: RecordKey | None) -> bool:
        return any(
            other.key != key and other.trashed_at is None and same(other.fields.get(field_id, BLANK), value)
            for other in self.records.values()
        )


def _fault(form: FieldSchema, value: Value) -> str:
    """What is wrong with a value for this field, or nothing."""
    if is_blank(value):
        return ""
    if _TAGS[form.type] != value.__struct_config__.tag:
        return f"wants {form.type.value}"
    if form.max_length is not None and isinstance(value, Text) and len(value.text) > form.max_length:
        return f"longer than {form.max_length} characters"
    if form.options is None or form.is_open:
        return ""
    known = {option.key for option in form.options} | {
        option.email for option in form.options if option.email
    }
    return "" if option_keys(value) <= known else "not one of the options"


def option_keys(value: Value) -> set[str]:
    """The option keys that a value names."""
    match value:
        case OneOf(key):
            return {key}
        case ManyOf(keys):
            return set(keys)
        case Person(email, key):
            return {email or key}
        case Reference(_, key):
            return {key}
        case Text(text):
            return {text}
        case _:
            return set()


_TAGS = {each: each.value for each in FieldType}
