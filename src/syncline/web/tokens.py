"""`/api/v1/tokens`: API tokens for programs. Everybody has their own; an admin sees and revokes all."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from syncline.core.people import ApiToken, Scope
from syncline.errors import AccessError, Refusal, RequestError
from syncline.service import tokens
from syncline.service.tokens import Wish
from syncline.web.forms import Moment, Name, Number, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, Principal, Who, requires
from syncline.web.services import Services, WebServices

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"], route_class=Guarded)

_OWN = requires(Scope.OWN)


class TokenOut(Told):
    """One API token, without what it opens doors with."""

    id: int
    user: int
    name: str
    last_four: str
    scopes: list[Scope]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class NewTokenOut(TokenOut):
    """A new API token. `token` is shown this once: it is null when the same request is answered again."""

    token: str | None


class TokenIn(Sent):
    """The token that is wanted. Without an end it lasts a year, which is the longest."""

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=50)
    expires_at: Moment | None = None


@router.get("", dependencies=[_OWN])
async def list_tokens(
    request: Request,
    response: Response,
    services: Services,
    who: Who,
    paging: Paging,
    *,
    everybody: Annotated[bool, Query(description="Those of all users; needs the scope `admin`.")] = False,
) -> Page[TokenOut]:
    """One's own tokens, also those that are not in force any more."""
    whose = None if everybody and Scope.ADMIN in who.rights else who.user.id
    after = paging.position(int, "tokens") or 0
    found = services.people.store.tokens(whose, after, paging.most)
    listing = Listing(request, response, "tokens")
    items = [TokenOut.model_validate(token) for token in found]
    return listing.page(paging, items, lambda token: token.id)


@router.post("", status_code=201, dependencies=[requires(Scope.OWN, shown_once=("token",))])
async def make_token(body: TokenIn, response: Response, services: Services, who: Who) -> NewTokenOut:
    """Make a token. It may do no more than the request that makes it."""
    if who.token is not None and Scope.ADMIN not in who.rights:
        # It would live on when the token that made it is revoked.
        raise AccessError("A token cannot make another one.", Refusal.SESSION_ONLY)
    wish = Wish(body.name, tuple(dict.fromkeys(body.scopes)), body.expires_at)
    made = tokens.make(services.people, who.user, who.rights, wish)
    response.headers["Location"] = f"/api/v1/tokens/{made.token.id}"
    shown = TokenOut.model_validate(made.token)
    return NewTokenOut(**shown.model_dump(), token=made.text)


@router.get("/{token}", dependencies=[_OWN])
async def get_token(token: Number, services: Services, who: Who) -> TokenOut:
    """One token."""
    return TokenOut.model_validate(_known(services, who, token))


@router.delete("/{token}", status_code=204, dependencies=[_OWN])
async def revoke_token(token: Number, services: Services, who: Who) -> None:
    """Take a token out of force for good."""
    tokens.revoke(services.people, who.user.id, _known(services, who, token))


def _known(services: WebServices, who: Principal, token: int) -> ApiToken:
    """A token that this request may see to; of others' it is not even told that they exist."""
    found = services.people.store.token(token)
    if found is None or (found.user != who.user.id and Scope.ADMIN not in who.rights):
        raise RequestError(f"There is no token {token}.", Refusal.NOT_THERE)
    return found
