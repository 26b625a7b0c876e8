"""An authorisation code into the tokens of one location, over HTTP.

Used by the service when a person comes back from HighLevel, and by `client` for renewals. Facts: highlevel-api.md 2.1.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from syncline.connectors.highlevel.credentials import location_tokens
from syncline.connectors.highlevel.oauth import (
    COMPANY,
    LOCATION_TOKEN_PATH,
    LOCATION_TOKEN_VERSION,
    TOKEN_PATH,
    Tokens,
    code_form,
    read_tokens,
)
from syncline.connectors.http import Answer, Transport, base_url


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """What came back from HighLevel, and what it was asked with. `location` is empty where any may be chosen."""

    client_id: str
    client_secret: str = field(repr=False)
    code: str = field(repr=False)
    redirect_uri: str
    verifier: str = field(default="", repr=False)
    location: str = ""


async def post_form(transport: Transport, base: str, form: bytes, bearer: str) -> Answer:
    """Post to the token endpoint, or with a bearer to the one that makes a location's token out of an agency's."""
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    if not bearer:
        return await transport.send("POST", f"{base}{TOKEN_PATH}", headers, form)
    headers |= {"authorization": f"Bearer {bearer}", "version": LOCATION_TOKEN_VERSION}
    return await transport.send("POST", f"{base}{LOCATION_TOKEN_PATH}", headers, form)


async def exchange(transport: Transport, url: str, grant: CodeGrant, now: dt.datetime) -> Tokens:
    """The first tokens of a location. Raises `AuthError` for a code that is not good, `TransientError`, and
    `UnknownOutcomeError` when no clear answer came: the code may be spent then."""
    base = base_url(url)
    form = code_form(grant.client_id, grant.client_secret, grant.code, grant.redirect_uri, grant.verifier)
    answer = await post_form(transport, base, form, "")
    tokens = read_tokens(answer.status, answer.body, now)
    if tokens.user_type != COMPANY or tokens.location_id:
        return tokens

    async def send(form: bytes, bearer: str) -> Answer:
        return await post_form(transport, base, form, bearer)

    return await location_tokens(tokens, grant.location, send, now)
