"""Reads and writes of the engine into those of the workspace: an account that lies in our own store.

Made by `connect`, for a connection with `vendor: workspace`. No call leaves the machine, so none counts against a quota. The cursor
of a listing is the number of the latest change: a delta holds what changed after it, and nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, assert_never

import msgspec
import xxhash

from syncline.connectors.workspace.account import Account
from syncline.connectors.workspace.schema import (
    ATTACHMENTS,
    filter_value,
    given_of,
    parent_fields,
    schema_of,
    values_of,
)
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    Edit,
    FieldId,
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
    Update,
    Write,
)
from syncline.core.values import FieldType, Reference, Value
from syncline.core.workspace import FORMS, Item, ItemForm, ItemRef, ItemType
from syncline.core.workspace_checks import fits
from syncline.errors import (
    Detail,
    NotFoundError,
    Problem,
    ProblemKind,
    Refusal,
    RejectedError,
    RequestError,
    StoreError,
    TransientError,
)
from syncline.ports import (
    Clock,
    Ending,
    Health,
    ItemFilter,
    ObjectSummary,
    Page,
    Quota,
    Store,
    ask_before_write,
)

PAGE_SIZE = 100
CREATE_IN = "create_in"
"""A filter that lets everything pass: under which item (the first kind that it can be under) new ones are made."""
SYNC = "sync"
"""Who made a change that a sync made."""

_DETAILS: Mapping[ProblemKind, Detail] = {
    ProblemKind.MISSING: Detail.REQUIRED_FIELD,
    ProblemKind.UNKNOWN_FIELD: Detail.UNKNOWN_FIELD,
    ProblemKind.READ_ONLY: Detail.READ_ONLY,
}


@dataclass(frozen=True, slots=True)
class WorkspacePage:
    """Some items of a listing."""

    items: Sequence[Item]
    store: Store

    @property
    def keys(self) -> Sequence[RecordKey]:
        """The items' ids."""
        return [RecordKey(item.id) for item in self.items]

    @property
    def digests(self) -> Sequence[bytes]:
        """Digests of their last changes' numbers: there are no two of one number."""
        return [xxhash.xxh3_128_digest(f"{item.id} {item.change}".encode()) for item in self.items]

    def record(self, index: int) -> Record:
        """One item as a record."""
        return record_of(self.store, self.items[index])


class WorkspaceConnector:
    """The connector to the workspace of an installation."""

    calls = 0
    """Nothing is called."""

    def __init__(self, name: str, store: Store, clock: Clock) -> None:
        self._name = name
        self._store = store
        self._account = Account(store, clock, lambda: SYNC)

    @property
    def quota(self) -> Quota:
        """No limits."""
        return Quota()

    @property
    def skew(self) -> dt.timedelta | None:
        """Its clock is ours."""
        return dt.timedelta(0)

    async def check(self) -> Health:
        """It is always there."""
        return Health("Workspace", SYNC, "1", account_id="workspace", user_id=SYNC)

    async def object_types(self) -> Sequence[ObjectSummary]:
        """Its kinds of items."""
        return [ObjectSummary(ObjectTypeId(kind.value), FORMS[kind].title) for kind in ItemType]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The fields of a kind. Raises `NotFoundError`."""
        return schema_of(self._kind(object_type))

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """All items in scope, or those changed after the cursor's number."""
        kind = self._kind(scope.object_type)
        self._check_filters(kind, scope)
        cursor = str(self._store.last_change())
        wanted = ItemFilter(kind, after=int(since) if since else 0)
        for items in self._account.changed(wanted, PAGE_SIZE):
            inside = [item for item in items if is_in(scope, item)]
            if inside:
                yield WorkspacePage(inside, self._store)
        yield Ending(since is None, cursor, "" if since is None else "a delta listing")

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """One item, or the proof that it is gone."""
        found = self._store.item(ItemRef(self._kind(scope.object_type), key))
        if found is None:
            return Gone(Proof.NOT_FOUND)
        if found.deleted_at is not None:
            return Gone(Proof.TRASHED, found.deleted_at, found.by)
        record = record_of(self._store, found)
        return Present(msgspec.structs.replace(record, in_scope=is_in(scope, found)))

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out one write in one transaction."""
        kind = self._kind(scope.object_type)
        ask_before_write()
        try:
            with self._store.transaction():
                item = self._effect(kind, scope, write)
                is_live = item.deleted_at is None
                return Receipt(RecordKey(item.id), record_of(self._store, item) if is_live else None)
        except RequestError as error:
            self._refused(kind, error)
        except StoreError as error:
            raise TransientError(str(error), connection=self._name) from error

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Items that carry this external key, newest first."""
        kind = self._kind(scope.object_type)
        return [record_of(self._store, item) for item in self._store.items_marked(kind, external_key)]

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """When each field was last changed, and by whom."""
        found = self._store.item(ItemRef(self._kind(scope.object_type), key))
        if found is None:
            return {}
        edits = {FieldId(name): Edit(each.at, each.by) for name, each in found.edits.items()}
        moved = edits.pop(FieldId("parent"), None)
        return edits if moved is None else {**edits, **_moved(found, moved)}

    def cost(self, write: Write) -> int:
        """Writes cost no calls."""
        del write
        return 0

    async def close(self) -> None:
        """The store is not ours to close."""

    def _kind(self, object_type: ObjectTypeId) -> ItemType:
        try:
            return ItemType(object_type)
        except ValueError as error:
            raise NotFoundError(f"no object type {object_type}", connection=self._name) from error

    def _check_filters(self, kind: ItemType, scope: Scope) -> None:
        form = FORMS[kind]
        parents = {parent.value: parent for parent in form.parents}
        for name, accepted in scope.where.items():
            if name == CREATE_IN and parents:
                parents[name] = form.parents[0]
            if name not in parents and form.field(name) is None:
                raise NotFoundError(f"a {kind.value} has no filter {name}", connection=self._name)
            for key in accepted if name in parents else ():
                if self._store.item(ItemRef(parents[name], key)) is None:
                    raise NotFoundError(f"no {parents[name].value} {key}", connection=self._name)

    def _effect(self, kind: ItemType, scope: Scope, write: Write) -> Item:
        match write:
            case Create(fields, external_key):
                given, parent = self._given(kind, {**_defaults(kind, scope), **fields})
                return self._account.create(kind, given, parent=parent, external_key=external_key)
            case Update(key, fields):
                return self._update(ItemRef(kind, key), fields)
            case Delete(key):
                return self._account.delete(ItemRef(kind, key))
            case Restore(key, fields):
                self._account.restore(ItemRef(kind, key))
                return self._update(ItemRef(kind, key), fields)
            case Archive():
                raise RejectedError("cannot archive", connection=self._name, detail=Detail.UNSUPPORTED)
            case _:
                assert_never(write)

    def _update(self, ref: ItemRef, fields: Mapping[FieldId, Value]) -> Item:
        given, parent = self._given(ref.kind, fields)
        # A sync may come late, and have missed what a contract went through in between.
        return self._account.update(ref, given, parent=parent, may_leap=True)

    def _given(
        self, kind: ItemType, fields: Mapping[FieldId, Value]
    ) -> tuple[dict[str, object], ItemRef | None]:
        """The fields as the checks take them, and what the item is to be under. Raises `RejectedError`."""
        places = {each.id: each for each in parent_fields(FORMS[kind])}
        given: dict[str, object] = {}
        parent = None
        for name, value in fields.items():
            if name == ATTACHMENTS:
                raise RejectedError("read-only", connection=self._name, field=name, detail=Detail.READ_ONLY)
            if name not in places:
                given[name] = given_of(value)
            elif isinstance(value, Reference):
                parent = ItemRef(ItemType(name), value.key)
            elif places[name].is_required:
                text = f"a {kind.value} belongs to a {name}"
                raise RejectedError(text, connection=self._name, field=name, detail=Detail.NO_PARENT)
        return given, parent

    def _refused(self, kind: ItemType, error: RequestError) -> NoReturn:
        if error.refusal is Refusal.NOT_THERE:
            raise NotFoundError(str(error.args[0]), connection=self._name) from error
        first = error.problems[0] if error.problems else None
        text = f"{first.path} {first.message} {first.remedy}".strip() if first else str(error)
        field = first.path if first else None
        raise RejectedError(text, connection=self._name, field=field, detail=_detail(kind, first)) from error


def record_of(store: Store, item: Item) -> Record:
    """An item as a record."""
    return Record(
        RecordKey(item.id),
        values_of(item, store.attachments(item.ref)),
        updated_at=item.last_modified,
        created_at=item.created_at,
        updated_by=item.by,
        title=item.title,
        external_key=item.external_key,
        wrote_at=item.last_modified if item.by == SYNC else None,
    )


def is_in(scope: Scope, item: Item) -> bool:
    """Whether an item passes a scope's filters: one of the accepted values in each named field."""
    return all(_passes(item, name, accepted) for name, accepted in scope.where.items())


def _passes(item: Item, name: str, accepted: Sequence[str]) -> bool:
    parent = item.parent
    if name == CREATE_IN:
        return True
    if name in [kind.value for kind in FORMS[item.kind].parents]:
        return parent is not None and parent.kind.value == name and parent.id in accepted
    return any(fits(item.fields, {name: each}) for each in accepted)


def _defaults(kind: ItemType, scope: Scope) -> dict[FieldId, Value]:
    """What a new item needs so that it lies in the scope: the first accepted value of each filter."""
    form: ItemForm = FORMS[kind]
    defaults: dict[FieldId, Value] = {}
    home = scope.where.get(CREATE_IN)
    if home and form.parents:
        place = form.parents[0].value
        defaults[FieldId(place)] = Reference(place, home[0])
    for name, accepted in scope.where.items():
        if accepted and name != CREATE_IN and FieldId(name) not in defaults:
            defaults.update(filter_value(name, form, accepted[0]))
    return defaults


def _moved(item: Item, edit: Edit) -> Mapping[FieldId, Edit]:
    return {FieldId(kind.value): edit for kind in FORMS[item.kind].parents}


def _detail(kind: ItemType, problem: Problem | None) -> Detail:
    if problem is None or problem.kind is None:
        return Detail.VALIDATION
    if problem.path in [parent.value for parent in FORMS[kind].parents]:
        return Detail.NO_PARENT
    field = FORMS[kind].field(problem.path)
    if field is not None and field.type is FieldType.PERSON:
        return Detail.UNKNOWN_PERSON
    return _DETAILS.get(problem.kind, Detail.VALIDATION)
