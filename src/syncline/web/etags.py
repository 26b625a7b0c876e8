"""The revision of something configured into an `ETag`, and `If-Match` into leave to change it.

Used by every route that changes configuration: `wanted.check(revision)` before the change. Nobody overwrites what they have not
seen: without `If-Match` the answer is 428, with that of an older revision 412.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Response

from syncline.errors import Refusal, RequestError
from syncline.web.problems import declared

CONDITIONAL = declared(412, 428)
"""The `responses` of a route that asks for `If-Match`."""


def etag(revision: int) -> str:
    """The entity tag of a revision."""
    return f'"{revision}"'


def put_etag(response: Response, revision: int) -> None:
    """Say which revision an answer shows."""
    response.headers["ETag"] = etag(revision)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a request says that it was made on."""

    given: str | None

    def check(self, revision: int) -> None:
        """Raises `RequestError` unless the request was made on this revision (or on whatever there is: `*`)."""
        if self.given is None:
            raise RequestError("Say which revision you change.", Refusal.NO_REVISION)
        # Without its quotes too: a number that was read is what is meant.
        tags = {
            etag(int(each)) if each.isdecimal() else each for each in map(str.strip, self.given.split(","))
        }
        if not tags & {"*", etag(revision)}:
            raise RequestError("Somebody changed this meanwhile.", Refusal.OLD_REVISION)


def precondition(
    if_match: Annotated[
        str | None,
        Header(
            description="The `ETag` that was read. Needed: without it the answer is 428.", max_length=1000
        ),
    ] = None,
) -> Precondition:
    """The precondition of a request."""
    return Precondition(if_match)


IfMatch = Annotated[Precondition, Depends(precondition)]
