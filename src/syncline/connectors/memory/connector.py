"""Reads and writes of the engine into those of a `MemoryAccount`: the simplest complete connector.

Used by the engine's tests and the shared conformance suite. The cursor of a listing is the account's sequence number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import msgspec
import xxhash

from syncline.connectors.memory.account import MemoryAccount, StoredRecord, When, option_keys
from syncline.core.records import (
    Ability,
    Archive,
    Create,
    Delete,
    Edit,
    FieldId,
    FieldSchema,
    Gone,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Receipt,
    Record,
    RecordKey,
    Restore,
    Scope,
    Sighting,
    Unseen,
    Update,
    Write,
)
from syncline.core.values import BLANK, FieldType, ManyOf, OneOf, Person, Reference, Text, Value, YesNo
from syncline.errors import AuthError, Detail, NotFoundError, RejectedError
from syncline.ports import Ending, Health, ObjectSummary, Page, Quota, ask_before_write

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class MemoryPage:
    """Some stored records of a listing."""

    records: Sequence[Record]

    @property
    def keys(self) -> Sequence[RecordKey]:
        """The records' keys."""
        return [record.key for record in self.records]

    @property
    def digests(self) -> Sequence[bytes]:
        """Digests of what is listed."""
        return [
            xxhash.xxh3_128_digest(msgspec.json.encode(record, order="deterministic"))
            for record in self.records
        ]

    def record(self, index: int) -> Record:
        """One record."""
        return self.records[index]


class MemoryConnector:
    """The connector to a `MemoryAccount`. The cursor of a listing is the account's sequence number."""

    def __init__(
        self,
        account: MemoryAccount,
        *,
        name: str = "memory",
        token: str = "memory",  # noqa: S107 - opens nothing but the account above
        archive_field: FieldId | None = None,
    ) -> None:
        self.account = account
        self._name = name
        self._token = token
        self._archive_field = archive_field
        self._calls = 0

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return self._calls

    @property
    def skew(self) -> dt.timedelta | None:
        """As far as the account is set to be ahead."""
        return self.account.skew

    @property
    def quota(self) -> Quota:
        """No limits."""
        return Quota()

    async def check(self) -> Health:
        """Name the account and its user."""
        if self._token != self.account.token:
            return Health("", "", problems=("The token was refused.",))
        self._call()
        return Health("memory", self.account.user, version="1")

    async def object_types(self) -> Sequence[ObjectSummary]:
        """The account's one object type."""
        self._call()
        return [ObjectSummary(self.account.schema.id, self.account.schema.title)]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The account's schema as it is now."""
        self._call(object_type)
        return self.account.schema

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """All records in scope, or those changed after the cursor's sequence number."""
        self._call(scope.object_type)
        start, cursor = (int(since) if since else -1), str(self.account.sequence)
        listed = [
            self._record(each)
            for each in self.account.records.values()
            if each.trashed_at is None and each.sequence > start and each.key not in self.account.hidden
        ]
        inside = [record for record in listed if _is_in(scope, record.fields)]
        for first in range(0, len(inside), PAGE_SIZE):
            self._calls += 1 if first else 0
            yield MemoryPage(inside[first : first + PAGE_SIZE])
        gap = self.account.listing_gap
        is_all = since is None and not gap
        reason = gap or ("" if is_all else "a delta listing")
        yield Ending(is_all, None if gap else cursor, reason, is_gapless=not gap)

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """One record, or the proof that it is gone."""
        self._call(scope.object_type)
        stored = self.account.records.get(key)
        if key in self.account.unreadable:
            return Unseen("this user may not look")
        if stored is None:
            return Gone(Proof.NOT_FOUND)
        if stored.trashed_at is not None:
            return Gone(Proof.TRASHED, stored.trashed_at, stored.trashed_by)
        record = self._record(stored)
        return Present(msgspec.structs.replace(record, in_scope=_is_in(scope, record.fields)))

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out one write; `faults` may strike before and after its effect."""
        self._call(scope.object_type)
        ask_before_write()
        self.account.faults(When.BEFORE, write)
        key = self._effect(scope, write)
        self.account.faults(When.AFTER, write)
        stored = self.account.records.get(key)
        is_live = stored is not None and stored.trashed_at is None
        return Receipt(key, self._record(stored) if stored and is_live else None)

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Live records that carry this external key, newest first."""
        self._call(scope.object_type)
        return [
            self._record(each)
            for each in reversed(self.account.records.values())
            if external_key and each.external_key == external_key and each.trashed_at is None
        ]

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """The account's edit history, latest edit per field."""
        self._call(scope.object_type)
        return self.account.live(key).edits if self.account.tells_edits else {}

    def cost(self, write: Write) -> int:
        """Every write is one call."""
        del write
        return 1

    async def close(self) -> None:
        """Nothing to let go of."""

    def _call(self, object_type: ObjectTypeId | None = None) -> None:
        self._calls += 1
        if self._token != self.account.token:
            raise AuthError("the token was refused", connection=self._name, detail=Detail.TOKEN_REFUSED)
        if object_type is not None and object_type != self.account.schema.id:
            raise NotFoundError(f"no object type {object_type}", connection=self._name)

    def _effect(self, scope: Scope, write: Write) -> RecordKey:
        """Do it; every refusal comes before anything changed."""
        account, by = self.account, self.account.user
        match write:
            case Create(fields, external_key):
                self._allow(Ability.CREATE, fields)
                mark = external_key if account.has_external_keys else ""
                return account.create({**self._defaults(scope), **fields}, by=by, mark=mark)
            case Update(key, fields):
                self._allow(Ability.UPDATE, fields)
                account.edit(key, fields, by=by)
            case Delete(key):
                self._allow(Ability.DELETE)
                account.delete(key, by=by)
            case Archive(key):
                self._allow(Ability.ARCHIVE)
                if self._archive_field is None:
                    raise RejectedError("cannot archive", connection=self._name, detail=Detail.UNSUPPORTED)
                account.edit(key, {self._archive_field: YesNo(yes=True)}, by=by)
            case Restore(key, fields):
                self._allow(Ability.RESTORE, fields)
                account.restore(key)
                account.edit(key, fields, by=by)
            case _:
                assert_never(write)
        return write.key

    def _allow(self, ability: Ability, fields: Mapping[FieldId, Value] | None = None) -> None:
        """Raise `RejectedError` for what this object type, or one of these fields, does not allow."""
        if ability not in self.account.schema.abilities:
            raise RejectedError(f"cannot {ability.value}", connection=self._name, detail=Detail.UNSUPPORTED)
        for field_id in fields or {}:
            form = self.account.schema.field(field_id)
            if form is not None and form.is_read_only:
                raise RejectedError(
                    "read-only", connection=self._name, field=field_id, detail=Detail.READ_ONLY
                )

    def _defaults(self, scope: Scope) -> dict[FieldId, Value]:
        """What a new record needs so that it lies in the scope: the first listed value of each filter."""
        defaults: dict[FieldId, Value] = {}
        for name, accepted in scope.where.items():
            form = self.account.schema.field(FieldId(name))
            if form is not None and accepted:
                defaults[form.id] = _filter_value(form, accepted[0])
        return defaults

    def _record(self, stored: StoredRecord) -> Record:
        known = {form.id for form in self.account.schema.fields}
        fields = {name: value for name, value in stored.fields.items() if name in known}
        title = next((value.text for value in fields.values() if isinstance(value, Text)), "")
        return Record(
            stored.key,
            fields,
            updated_at=stored.updated_at,
            created_at=stored.created_at,
            updated_by=stored.updated_by,
            title=title,
            url=f"memory://{self._name}/{stored.key}",
            external_key=stored.external_key,
        )


def _filter_value(form: FieldSchema, accepted: str) -> Value:
    match form.type:
        case FieldType.ONE_OF:
            return OneOf(accepted)
        case FieldType.MANY_OF:
            return ManyOf((accepted,))
        case FieldType.REFERENCE:
            return Reference(form.references or "", accepted)
        case FieldType.PERSON:
            return Person(email=accepted)
        case _:
            return Text(accepted)


def _is_in(scope: Scope, fields: Mapping[FieldId, Value]) -> bool:
    """Whether a record passes the scope's filters: one of the accepted values in each named field."""
    return all(
        not option_keys(fields.get(FieldId(name), BLANK)).isdisjoint(accepted)
        for name, accepted in scope.where.items()
    )
