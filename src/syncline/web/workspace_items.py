"""Items of one kind over HTTP: listed, made, shown, changed, removed, restored; each answer with its revision.

Used by the routers of the workspace, which say the paths and the models.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query, Request, Response

from syncline.core.contracts import NEXT, ContractStatus
from syncline.core.workspace import FORMS, Item, ItemRef, ItemType
from syncline.errors import Refusal, RequestError
from syncline.service.workspace import Workspace, cursor_of
from syncline.web.etags import Precondition, put_etag
from syncline.web.forms import Moment, Sent
from syncline.web.paging import Listing, Page, PageQuery, Paging
from syncline.web.workspace_values import ItemOut

T = TypeVar("T", bound=ItemOut)
Offer = Callable[[], Workspace]
"""The workspace of the process, as it is configured now."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items of a list are wanted, and where the page is answered."""

    request: Request
    response: Response
    paging: PageQuery
    modified_since: dt.datetime | None
    with_deleted: bool


def wanted(
    request: Request,
    response: Response,
    paging: Paging,
    modified_since: Annotated[
        Moment | None,
        Query(description="Only what was changed later: the greatest `last_modified` that you have seen."),
    ] = None,
    with_deleted: Annotated[bool, Query(description="Also what lies in the trash.")] = False,  # noqa: FBT002 - a parameter of the address
) -> Wanted:
    """The list that a request asks for."""
    return Wanted(request, response, paging, modified_since, with_deleted)


Listed = Annotated[Wanted, Depends(wanted)]


@dataclass(frozen=True, slots=True)
class Shelf(Generic[T]):
    """The items of one kind; those of one parent, where `parent` is given to its methods."""

    offer: Offer
    kind: ItemType
    model: type[T]

    def listed(self, asked: Wanted, parent: ItemRef | None = None, **where: str | None) -> Page[T]:
        """Items, least recently changed first, whose fields are as `where` says."""
        workspace = self.offer()
        if parent is not None:
            workspace.get(parent.kind, parent.id)
        name = f"workspace.{self.kind.value}"
        found = workspace.page(
            self.kind,
            parent=parent,
            since=asked.modified_since,
            after=asked.paging.position(str, name) or "",
            limit=asked.paging.most,
            where={field: value for field, value in where.items() if value is not None},
            with_deleted=asked.with_deleted,
        )
        page = Listing(asked.request, asked.response, name).page(asked.paging, found, cursor_of)
        return Page(items=[self.out(each) for each in page.items], next_cursor=page.next_cursor)

    def made(self, response: Response, body: Sent, path: str, parent: ItemRef | None = None) -> T:
        """A new item, and where it is found: `path` and its id."""
        if parent is not None:
            self.offer().get(parent.kind, parent.id)
        item = self.offer().create(self.kind, body.model_dump(mode="json", exclude_unset=True), parent=parent)
        response.headers["Location"] = f"{path}/{item.id}"
        return self.shown(response, item)

    def found(self, id_: str, parent: ItemRef | None = None, *, with_deleted: bool = False) -> Item:
        """One item. Raises `RequestError` when it is not there, or not of this parent."""
        item = self.offer().get(self.kind, id_, with_deleted=with_deleted)
        if parent is not None and item.parent != parent:
            raise RequestError(f"There is no such {self.kind.value} here.", Refusal.NOT_THERE)
        return item

    def changed(self, response: Response, body: Sent, item: Item, if_match: Precondition) -> T:
        """The item with the fields that a body gives. Raises `RequestError` where it was made on another revision."""
        if_match.check(item.revision)
        given = body.model_dump(mode="json", exclude_unset=True)
        return self.shown(response, self.offer().update(self.kind, item.id, given, revision=item.revision))

    def removed(self, item: Item, if_match: Precondition) -> None:
        """Put an item into the trash. Raises `RequestError` where somebody changed it meanwhile."""
        if_match.check(item.revision)
        self.offer().delete(self.kind, item.id, revision=item.revision)

    def restored(self, response: Response, id_: str, parent: ItemRef | None = None) -> T:
        """Bring an item back from the trash."""
        item = self.found(id_, parent, with_deleted=True)
        return self.shown(response, self.offer().restore(self.kind, item.id))

    def shown(self, response: Response, item: Item) -> T:
        """An item as the answer."""
        put_etag(response, item.revision)
        return self.out(item)

    def out(self, item: Item) -> T:
        """An item as a list shows it."""
        return self.model.model_validate(told(item))


def in_project(project_id: str) -> ItemRef:
    """The project as a parent."""
    return ItemRef(ItemType.PROJECT, project_id)


def in_contract(contract_id: str) -> ItemRef:
    """The contract as a parent."""
    return ItemRef(ItemType.CONTRACT, contract_id)


def told(item: Item) -> dict[str, object]:
    """An item as its model takes it: all of its fields, those of every item, and what it is of."""
    found: dict[str, object] = {field.name: item.fields.get(field.name) for field in FORMS[item.kind].fields}
    found |= {
        "id": item.id,
        "revision": item.revision,
        "created_at": item.created_at,
        "last_modified": item.last_modified,
        "deleted_at": item.deleted_at,
        "project_id": None,
        "contract_id": None,
    }
    if item.parent is not None:
        found[f"{item.parent.kind.value}_id"] = item.parent.id
    if item.kind is ItemType.CONTRACT:
        found["next_statuses"] = NEXT[ContractStatus(item.fields["status"])]
    return found
