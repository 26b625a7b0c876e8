"""A long list into pages: so many items, and an opaque cursor for where the next page begins.

Used by every route that lists. A list is read from the store from a position on (the last item's key), never by counting, so that
pages stay right while things come and go.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from syncline.errors import Refusal, RequestError

T = TypeVar("T")
K = TypeVar("K", int, str)

_MOST = 2**62


class Page(BaseModel, Generic[T]):
    """Some items of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last one.")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page is wanted."""

    limit: int
    cursor: str | None

    @property
    def most(self) -> int:
        """How many items to read: one more than are shown tells whether there is a next page."""
        return self.limit + 1

    def position(self, kind: type[K], list_name: str) -> K | None:
        """The key of the last item of the page before; None on the first page. Raises `RequestError` for a cursor that is not
        one of this list."""
        if self.cursor is None:
            return None
        try:
            raw = base64.b64decode(self.cursor.encode(), altchars=b"-_", validate=True)
            name, key = msgspec.json.decode(raw, type=tuple[str, kind])
        except (binascii.Error, ValueError) as error:
            raise _refused() from error
        if name != list_name or (isinstance(key, int) and abs(key) > _MOST):
            raise _refused()
        return key


def page_query(
    limit: Annotated[int, Query(ge=1, le=200, description="At most so many items.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="The `next_cursor` of the page before.")
    ] = None,
) -> PageQuery:
    """The page that a request asks for."""
    return PageQuery(limit, cursor)


Paging = Annotated[PageQuery, Depends(page_query)]


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a page is answered: its `Link` header names the next one. `name` keeps cursors of other lists out."""

    request: Request
    response: Response
    name: str

    def page(self, query: PageQuery, items: Sequence[T], key: Callable[[T], int | str]) -> Page[T]:
        """A page of what was read (`query.most` items at most)."""
        shown = list(items[: query.limit])
        following = cursor(self.name, key(shown[-1])) if len(items) > query.limit else None
        if following is not None:
            target = self.request.url.include_query_params(limit=query.limit, cursor=following)
            self.response.headers["Link"] = f'<{target.path}?{target.query}>; rel="next"'
        return Page[T](items=shown, next_cursor=following)


def cursor(list_name: str, key: int | str) -> str:
    """An opaque text for where a page begins."""
    return base64.urlsafe_b64encode(msgspec.json.encode((list_name, key))).decode()


def _refused() -> RequestError:
    return RequestError("The cursor is not one of this list.", Refusal.CURSOR)
