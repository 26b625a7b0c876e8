"""What a person does in the workspace into items, attachments, events and marks.

Called by `web` for every request about the workspace. What syncs do there goes through `connectors.workspace`, over the same account.
Every change is kept together with the event that tells of it; `changed` is called after it, so that syncs look at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from syncline.connectors.workspace import Account
from syncline.connectors.workspace.account import ATTACHMENTS
from syncline.core.workspace import Attachment, Edition, Item, ItemRef, ItemType, ProjectWish
from syncline.core.workspace_checks import fits
from syncline.errors import Problem, Refusal, RequestError
from syncline.ports import Clock, ItemFilter, Store, Vault, actor_now
from syncline.service.leads import project_of

_ANY: Mapping[str, str] = {}
_SCANNED = 200
"""Items that are read at once where a filter may leave most of them out."""
_LONGEST_NAME, _LONGEST_MIME = 250, 100
_LONGEST_UPLOAD = dt.timedelta(days=1)


def _nobody() -> None:
    return


class Workspace:
    """The items and attachments of the workspace. `changed` is called after every change."""

    def __init__(
        self, store: Store, clock: Clock, vault: Vault, *, changed: Callable[[], None] = _nobody
    ) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._account = Account(store, clock, lambda: _person(store))
        self.changed = changed

    # --- items

    def page(
        self,
        kind: ItemType,
        *,
        parent: ItemRef | None = None,
        since: dt.datetime | None = None,
        after: str = "",
        limit: int = 100,
        where: Mapping[str, str] = _ANY,
        with_deleted: bool = False,
    ) -> Sequence[Item]:
        """Items in the order in which they were last changed: later than `since`, behind the item with the cursor `after` (see
        `cursor_of`), whose fields are as `where` says. `with_deleted`: also those in the trash. Raises `RequestError` (CURSOR) for a
        cursor that is none."""
        if after and not (after.isascii() and after.isdecimal() and len(after) < 19):
            raise RequestError("The cursor is none of ours.", Refusal.CURSOR)
        wanted = ItemFilter(kind, parent, since, int(after or 0), with_deleted)
        found: list[Item] = []
        for items in self._account.changed(wanted, _SCANNED if where else limit):
            found += [item for item in items if fits(item.fields, where)]
            if len(found) >= limit:
                break
        return found[:limit]

    def get(
        self,
        kind: ItemType,
        id: str,  # noqa: A002 - as everywhere in the API
        *,
        with_deleted: bool = False,
    ) -> Item:
        """One item. Raises `RequestError` (NOT_THERE) when it is not there, or lies in the trash where that does not count."""
        found = self._store.item(ItemRef(kind, id)) if with_deleted else None
        return found if found is not None else self._account.get(ItemRef(kind, id))

    def create(
        self,
        kind: ItemType,
        fields: Mapping[str, object],
        *,
        parent: ItemRef | None = None,
        id: str = "",  # noqa: A002 - as everywhere in the API
    ) -> Item:
        """Make an item. Raises `RequestError`: INVALID with every fault, NAME_TAKEN for an id that is in use."""
        return self._told(self._account.create(kind, fields, parent=parent, id_=id))

    def update(
        self,
        kind: ItemType,
        id: str,  # noqa: A002 - as everywhere in the API
        fields: Mapping[str, object],
        *,
        revision: int | None = None,
    ) -> Item:
        """Change these fields (None empties one) and no other. Raises `RequestError`: NOT_THERE, INVALID, OLD_REVISION when it was
        changed since `revision`."""
        return self._told(self._account.update(ItemRef(kind, id), fields, revision=revision))

    def delete(
        self,
        kind: ItemType,
        id: str,  # noqa: A002 - as everywhere in the API
        *,
        revision: int | None = None,
    ) -> None:
        """Put an item into the trash; its children stay as they are. Raises `RequestError`: NOT_THERE, OLD_REVISION."""
        self._told(self._account.delete(ItemRef(kind, id), revision=revision))

    def restore(self, kind: ItemType, id: str) -> Item:  # noqa: A002 - as everywhere in the API
        """Bring an item back from the trash; one that does not lie there stays as it is. Raises `RequestError` (NOT_THERE)."""
        return self._told(self._account.restore(ItemRef(kind, id)))

    def editions(self, document: str) -> Sequence[Edition]:
        """How a document was in its earlier versions, the latest first. Raises `RequestError` (NOT_THERE)."""
        self._account.get(ItemRef(ItemType.DOCUMENT, document))
        return self._store.editions(document)

    def to_project(self, lead: str, wish: ProjectWish) -> Item:
        """The project of a lead: made with documents and first tasks when there is none yet, and the same one ever after. Raises
        `RequestError`: NOT_THERE, INVALID."""
        return self._told(project_of(self._account, lead, wish, self._clock.now().date()))

    # --- attachments

    async def attach(self, owner: ItemRef, name: str, mime: str, chunks: AsyncIterator[bytes]) -> Attachment:
        """Hang a file on an item. Memory stays flat; equal bytes are stored once. Raises `RequestError`: NOT_THERE, INVALID;
        `StoreError` when the bytes cannot be kept."""
        self._account.get(owner)
        _check_name(name, mime)
        received = await self._vault.receive(chunks)
        try:
            with self._store.transaction():
                attachment = self._account.attach(owner, name, mime, received.sha256, received.size)
                # Inside: nobody else can find these bytes unwanted and remove them meanwhile.
                self._vault.settle(received)
        except BaseException:
            self._vault.forget(received)
            raise
        self.changed()
        return attachment

    def attachments(self, owner: ItemRef) -> Sequence[Attachment]:
        """The attachments of an item, oldest first. Raises `RequestError` (NOT_THERE)."""
        self._account.get(owner)
        return self._store.attachments(owner)

    def open(self, attachment: str) -> tuple[Attachment, AsyncIterator[bytes]]:
        """An attachment and its bytes in pieces. Raises `RequestError` (NOT_THERE)."""
        found = self._attachment(attachment)
        return found, self._vault.read(found.sha256)

    def detach(self, attachment: str) -> None:
        """Take an attachment off its item. Bytes that no other attachment has are removed. Raises `RequestError` (NOT_THERE)."""
        with self._store.transaction():
            found = self._attachment(attachment)
            self._account.touch(found.owner, ATTACHMENTS)
            self._store.drop_attachment(attachment)
        self._discard([found.sha256])
        self.changed()

    def purge(self, kind: ItemType, id: str) -> None:  # noqa: A002 - as everywhere in the API
        """Forget for good an item that lies in the trash, with its attachments. Raises `RequestError` (NOT_THERE)."""
        ref = ItemRef(kind, id)
        found = self._store.item(ref)
        if found is None or found.deleted_at is None:
            raise RequestError(f"There is no {kind.value} '{id}' in the trash.", Refusal.NOT_THERE)
        self._discard(self._store.purge_item(ref))

    def sweep(self) -> int:
        """Remove bytes that no attachment has, such as a crash leaves behind; how many files there were."""
        found = [sha256 for sha256 in self._vault.digests() if not self._store.is_attached(sha256)]
        return self._discard(found) + self._vault.abandon(self._clock.now() - _LONGEST_UPLOAD)

    def _discard(self, digests: Sequence[str]) -> int:
        """After the commit, so that a crash leaves too much rather than too little; under a turn, so that nobody attaches the same
        bytes meanwhile."""
        count = 0
        if not digests:
            return count
        with self._store.transaction():
            self._store.item_turn(self._clock.now())
            for sha256 in digests:
                if not self._store.is_attached(sha256):
                    self._vault.remove(sha256)
                    count += 1
        return count

    def _attachment(self, attachment: str) -> Attachment:
        found = self._store.attachment(attachment)
        owner = found and self._store.item(found.owner)
        if found is None or owner is None or owner.deleted_at is not None:
            raise RequestError(f"There is no attachment '{attachment}'.", Refusal.NOT_THERE)
        return found

    def _told(self, item: Item) -> Item:
        self.changed()
        return item


def cursor_of(item: Item) -> str:
    """Where a page that ends with this item ends."""
    return str(item.change)


def _check_name(name: str, mime: str) -> None:
    problems: list[Problem] = []
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable() or {"/", "\\"} & set(name):
        remedy = f"Give a file name of at most {_LONGEST_NAME} characters, without slashes."
        problems.append(Problem("name", "is no file name.", remedy, found=name[:100]))
    if not mime.isascii() or not mime.isprintable() or not 0 < len(mime) <= _LONGEST_MIME or "/" not in mime:
        problems.append(
            Problem("mime", "is no media type.", "Give one such as application/pdf.", found=mime[:100])
        )
    if problems:
        raise RequestError("The attachment cannot be so:", Refusal.INVALID, problems=tuple(problems))


def _person(store: Store) -> str:
    """The e-mail of whoever asks, where that is known."""
    actor = actor_now()
    user = store.user(actor.by) if actor is not None else None
    return user.email if user is not None else ""
