"""One authenticated request: what it asks for, and the envelopes its answer goes into.

Made by `vendor`, handed to the handlers of each resource (facts: activecollab-api.md 2).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import msgspec

from syncline.sandbox.activecollab.refusals import RefusedError, forbidden, missing
from syncline.sandbox.activecollab.shapes import Project, User
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.wire import Request, Response

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Call:
    """One request by a known user. `ids` are the numbers of the path, in order."""

    account: Account
    user: User
    request: Request
    ids: tuple[int, ...]

    @property
    def actor(self) -> Actor:
        """The user, acting through the API."""
        return Actor(self.user, is_api=True)

    def fields(self) -> dict[str, object]:
        """The body. An empty, absent or `[]` body has no fields."""
        return decoded(self.request.body)

    def project(self) -> Project:
        """The project of the path's first number. Raises `RefusedError` (404) when missing or invisible."""
        return visible_project(self, self.ids[0])

    def demand_owner(self) -> None:
        """Raises `RefusedError` for anybody but an owner."""
        if not self.user.is_owner:
            raise forbidden(self.account.quirks, "You are not allowed to do this.")

    def paged(self, ids: Collection[int], table: Mapping[int, object]) -> Response:
        """A bare array of one page, with paging headers. Beyond the end: an empty array."""
        page = page_number(self.request)
        start = (page - 1) * PAGE_SIZE
        rows = [table[each] for each in itertools.islice(ids, start, start + PAGE_SIZE)]
        return Response.json(rows, headers=self.paging_headers(page, len(ids)))

    def paging_headers(self, page: int, total: int) -> dict[str, str]:
        """`X-Angie-Pagination...`; the number of pages only where the quirks say so."""
        headers = {
            "X-Angie-PaginationCurrentPage": str(page),
            "X-Angie-PaginationItemsPerPage": str(PAGE_SIZE),
            "X-Angie-PaginationTotalItems": str(total),
        }
        if self.account.quirks.total_pages_header:
            headers["X-Angie-PaginationTotalPages"] = str(-(-total // PAGE_SIZE))
        return headers


Handler = Callable[[Call], Response]
Routes = Mapping[tuple[str, str], Handler]


def decoded(body: bytes) -> dict[str, object]:
    """A JSON object; nothing at all and PHP's empty array count as an empty one."""
    if body.strip() in (b"", b"[]", b"null"):
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError as exc:
        refusal = Response.json({"type": "BadRequest", "message": "The body is not a JSON object."}, 400)
        raise RefusedError(refusal) from exc


def page_number(request: Request) -> int:
    """`?page=`, 1 when absent or not a number."""
    text = request.query.get("page", "1")
    return max(1, int(text)) if text.isdecimal() else 1


def single(row: object, **siblings: object) -> Response:
    """One object in its envelope."""
    return Response.json({"single": row, **siblings})


def visible_project(call: Call, project_id: int) -> Project:
    """A project that the user may see. Raises `RefusedError` (404)."""
    project = call.account.projects.get(project_id)
    if project is None or not call.account.sees(call.user, project):
        raise missing()
    return project
