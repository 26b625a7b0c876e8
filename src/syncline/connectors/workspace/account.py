"""The workspace as an account: every change is checked, numbered, kept and told of in one transaction, whoever makes it.

Used by the connector (what syncs do) and by `service.workspace` (what people do). Each method is one transaction, or joins the one
that is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

import msgspec

from syncline.core.workspace import Attachment, Edition, Item, ItemRef, ItemType, Plain, Stamp
from syncline.core.workspace_checks import (
    Checked,
    checked_change,
    checked_new,
    checked_parent,
    is_id,
    not_there,
    pointing,
)
from syncline.core.workspace_news import Verb, news
from syncline.errors import Problem, Refusal, RequestError
from syncline.ports import Clock, ItemFilter, Store
from syncline.ports.workspace import Turn

_OURS = re.compile(r"(?:project|document|contract|milestone|lead|task|person)-\d+")
PARENT = "parent"
"""Under which name the edit of an item's place is kept."""
ATTACHMENTS = "attachments"
"""Under which name the edit of an item's attachments is kept."""


class Account:
    """The items of the workspace. `who` names whoever makes the changes."""

    def __init__(self, store: Store, clock: Clock, who: Callable[[], str]) -> None:
        self.store = store
        self._clock = clock
        self._who = who

    def get(self, ref: ItemRef) -> Item:
        """An item that does not lie in the trash. Raises `RequestError` (NOT_THERE)."""
        found = self.store.item(ref)
        if found is None or found.deleted_at is not None:
            raise absent(ref)
        return found

    def create(
        self,
        kind: ItemType,
        given: Mapping[str, object],
        *,
        parent: ItemRef | None = None,
        id_: str = "",
        external_key: str = "",
    ) -> Item:
        """Make an item. Raises `RequestError`: INVALID with every fault, NAME_TAKEN for an id that is in use."""
        checked = checked_new(kind, given)
        with self.store.transaction():
            turn = self.store.item_turn(self._clock.now())
            self._refuse(kind, checked, {}, checked_parent(kind, parent), parent)
            self._check_id(kind, id_)
            made = Item(
                id=id_ or f"{kind.value}-{turn.number}",
                kind=kind,
                parent=parent,
                fields=checked.fields,
                revision=0,
                created_at=turn.at,
                last_modified=turn.at,
                external_key=external_key,
            )
            return self._keep(made, Verb.CREATED, checked.fields, turn)

    def update(
        self,
        ref: ItemRef,
        given: Mapping[str, object],
        *,
        parent: ItemRef | None = None,
        revision: int | None = None,
        may_leap: bool = False,
    ) -> Item:
        """Change these fields, and under what it is where a `parent` is given. What is so already is no change. Raises
        `RequestError`: NOT_THERE, INVALID, OLD_REVISION when it was changed since `revision`."""
        with self.store.transaction():
            turn = self.store.item_turn(self._clock.now())
            before = self._current(ref, revision)
            checked = checked_change(ref.kind, before.fields, given, may_leap=may_leap)
            moved = parent if parent is not None and parent != before.parent else None
            faults = checked_parent(ref.kind, moved) if moved else ()
            self._refuse(ref.kind, checked, before.fields, faults, moved)
            names = [*_differing(before.fields, checked.fields), *([PARENT] if moved else ())]
            if not names:
                return before
            self._keep_edition(before, checked.fields, turn)
            after = msgspec.structs.replace(before, fields=checked.fields, parent=moved or before.parent)
            return self._keep(after, Verb.UPDATED, names, turn)

    def delete(self, ref: ItemRef, *, revision: int | None = None) -> Item:
        """Put an item into the trash; what is under it stays as it is. Raises `RequestError`: NOT_THERE, OLD_REVISION."""
        with self.store.transaction():
            turn = self.store.item_turn(self._clock.now())
            before = self._current(ref, revision)
            return self._keep(msgspec.structs.replace(before, deleted_at=turn.at), Verb.DELETED, (), turn)

    def restore(self, ref: ItemRef) -> Item:
        """Bring an item back from the trash; one that does not lie there stays as it is. Raises `RequestError` (NOT_THERE)."""
        with self.store.transaction():
            turn = self.store.item_turn(self._clock.now())
            before = self.store.item(ref)
            if before is None:
                raise absent(ref)
            if before.deleted_at is None:
                return before
            return self._keep(msgspec.structs.replace(before, deleted_at=None), Verb.CREATED, (), turn)

    def link(self, ref: ItemRef, name: str, other: ItemRef) -> Item:
        """Let a field point to another item, also one that people cannot set. Raises `RequestError` (NOT_THERE)."""
        with self.store.transaction():
            turn = self.store.item_turn(self._clock.now())
            before = self._current(ref, None)
            after = msgspec.structs.replace(before, fields={**before.fields, name: other.id})
            return self._keep(after, Verb.UPDATED, [name], turn)

    def touch(self, ref: ItemRef, name: str) -> Item:
        """Something of an item changed that is none of its fields. Raises `RequestError` (NOT_THERE)."""
        with self.store.transaction():
            turn = self.store.item_turn(self._clock.now())
            return self._keep(self._current(ref, None), Verb.UPDATED, [name], turn)

    def attach(self, owner: ItemRef, name: str, mime: str, sha256: str, size: int) -> Attachment:
        """Hang a file on an item; its bytes are the caller's. Raises `RequestError` (NOT_THERE)."""
        with self.store.transaction():
            item = self.touch(owner, ATTACHMENTS)
            made = Attachment(
                f"attachment-{item.change}", owner, name, mime, size, sha256, item.last_modified
            )
            self.store.save_attachment(made)
            return made

    def copy_attachments(self, source: ItemRef, target: ItemRef) -> None:
        """Hang the files of one item on another too."""
        for each in self.store.attachments(source):
            self.attach(target, each.name, each.mime, each.sha256, each.size)

    def changed(self, wanted: ItemFilter, size: int) -> Iterator[list[Item]]:
        """The items that fit, so many at a time, as they last changed: what changes meanwhile comes once more at the end."""
        while found := [*self.store.items(wanted, size)]:
            yield found
            wanted = msgspec.structs.replace(wanted, after=found[-1].change)

    def _current(self, ref: ItemRef, revision: int | None) -> Item:
        found = self.get(ref)
        if revision is not None and revision != found.revision:
            raise RequestError("Somebody changed this meanwhile.", Refusal.OLD_REVISION)
        return found

    def _refuse(
        self,
        kind: ItemType,
        checked: Checked,
        before: Mapping[str, Plain],
        faults: tuple[Problem, ...],
        parent: ItemRef | None,
    ) -> None:
        """Raises unless all of it may be kept. What a field pointed to before may be gone meanwhile."""
        problems = [*checked.problems, *faults]
        pointed = [each for each in pointing(kind, checked.fields) if before.get(each[0]) != each[1].id]
        if parent is not None and not faults:
            pointed.append((parent.kind.value, parent))
        for name, ref in pointed:
            found = self.store.item(ref)
            if found is None or found.deleted_at is not None:
                problems.append(not_there(name, ref))
        if problems:
            refusal = Refusal.TRANSITION if checked.is_barred else Refusal.INVALID
            raise RequestError(f"The {kind.value} cannot be so.", refusal, problems=tuple(problems))

    def _check_id(self, kind: ItemType, id_: str) -> None:
        if not id_:
            return
        if not is_id(id_) or _OURS.fullmatch(id_):
            remedy = "Give letters, digits and _.- (at most 64), and none of the form that is given out here."
            raise RequestError(
                "The id cannot be used:",
                Refusal.INVALID,
                problems=(Problem("id", "is no id that can be chosen.", remedy, found=id_[:100]),),
            )
        if self.store.item(ItemRef(kind, id_)) is not None:
            raise RequestError(f"There is a {kind.value} '{id_}' already.", Refusal.NAME_TAKEN)

    def _keep(self, item: Item, verb: Verb, names: Iterable[str], turn: Turn) -> Item:
        changed, by = list(names), self._who()
        kept = msgspec.structs.replace(
            item,
            revision=item.revision + 1,
            last_modified=turn.at,
            change=turn.number,
            by=by,
            edits={**item.edits, **dict.fromkeys(changed, Stamp(turn.at, by))},
        )
        self.store.save_item(kept)
        event = news(kept, verb, changed)
        wanting = [each.id for each in self.store.subscriptions() if each.wants(event.type)]
        self.store.add_event(event, wanting)
        return kept

    def _keep_edition(self, before: Item, after: Mapping[str, Plain], turn: Turn) -> None:
        """How a document was, when its version grows."""
        old = before.fields.get("version")
        if before.kind is not ItemType.DOCUMENT or old == after.get("version"):
            return
        body = str(before.fields.get("body", ""))
        self.store.save_edition(
            Edition(before.id, cast("int", old), before.title, body, turn.at, self._who())
        )


def absent(ref: ItemRef) -> RequestError:
    """That an item is not there."""
    return RequestError(f"There is no {ref.kind.value} '{ref.id}'.", Refusal.NOT_THERE)


def _differing(before: Mapping[str, Plain], after: Mapping[str, Plain]) -> list[str]:
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]
