"""Private tokens, OAuth apps, codes and tokens: who may call, as whom, for how long (facts: highlevel-api.md 2).

Used by `gate` (resolve), `oauth` (issue, refresh) and `control` (authorise, rotate, revoke).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from syncline.sandbox.highlevel.ids import Ids
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request, unauthorised

ACCESS_SECONDS = 86_399
OVERLAP_MS = 7 * 86_400_000
_YEAR_MS = 365 * 86_400_000

SUB_ACCOUNT_SCOPES = (
    "objects/schema.readonly",
    "objects/schema.write",
    "objects/record.readonly",
    "objects/record.write",
    "locations/customFields.readonly",
    "locations/customFields.write",
    "users.readonly",
    "locations.readonly",
    "contacts.readonly",
    "contacts.write",
    "opportunities.readonly",
    "opportunities.write",
    "locations/tasks.readonly",
    "locations/tags.readonly",
    "associations.readonly",
    "associations.write",
    "associations/relation.readonly",
    "associations/relation.write",
    "medias.readonly",
    "medias.write",
    "documents_contracts/list.readonly",
    "documents_contracts/sendlink.write",
    "documents_contracts_templates/list.readonly",
    "documents_contracts_templates/sendlink.write",
)
AGENCY_SCOPES = (
    "oauth.readonly",
    "oauth.write",
    "users.readonly",
    "locations.readonly",
    "objects/schema.write",
)


class Token(msgspec.Struct, frozen=True):
    """A bearer token. `location_id` is None for an agency's (Company) token; `app` is empty for a private one."""

    value: str
    source_id: str
    company_id: str
    location_id: str | None
    scopes: frozenset[str]
    user_id: str
    app: str = ""
    expires_ms: int | None = None

    @property
    def is_private(self) -> bool:
        """Whether this is a Private Integration Token."""
        return not self.app


class Grant(msgspec.Struct, frozen=True):
    """What a user allowed an app: behind a code, then behind a refresh token."""

    client_id: str
    company_id: str
    location_id: str | None
    user_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    expires_ms: int


@dataclass(slots=True)
class App:
    """A Marketplace app. `client_id` is `<app id>-<8 characters>`."""

    client_id: str
    secret: str
    version_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    installed_ms: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def id(self) -> str:
        """The app id, as webhooks carry it."""
        return self.client_id.partition("-")[0]


@dataclass(slots=True)
class Tokens:
    """Everything that was issued."""

    ids: Ids
    apps: dict[str, App] = field(default_factory=dict[str, App])
    _tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    _codes: dict[str, Grant] = field(default_factory=dict[str, Grant])
    _refresh: dict[str, Grant] = field(default_factory=dict[str, Grant])

    def add_private(
        self, company_id: str, location_id: str | None, user_id: str, scopes: Iterable[str]
    ) -> Token:
        """A new private token: static, without expiry."""
        token = Token(
            f"pit-{self.ids.uuid()}", self.ids.uuid(), company_id, location_id, frozenset(scopes), user_id
        )
        self._tokens[token.value] = token
        return token

    def resolve(self, value: str, now_ms: int, invalid_private_message: str) -> Token:
        """The token behind an `Authorization` header. Raises 401 in the vendor's words."""
        token = self._tokens.get(value)
        if token is not None and (token.expires_ms is None or now_ms < token.expires_ms):
            return token
        if value.startswith("pit-"):
            raise unauthorised(invalid_private_message)
        if token is not None:
            raise unauthorised("The token is expired")
        is_jwt = value.count(".") == 2
        raise unauthorised("Invalid token: access token is invalid" if is_jwt else "Invalid JWT")

    def known(self, value: str) -> Token:
        """The token, expired or not. Raises `ValueError`."""
        if value not in self._tokens:
            raise ValueError("There is no such token.")
        return self._tokens[value]

    def rotate(self, value: str, now_ms: int, *, has_overlap: bool) -> Token:
        """A new private token in place of the old one, which dies now or in seven days."""
        old = self.known(value)
        if not old.is_private:
            raise ValueError("Only private tokens are rotated; OAuth tokens are refreshed.")
        new = msgspec.structs.replace(old, value=f"pit-{self.ids.uuid()}")
        self._tokens[new.value] = new
        ends = now_ms + OVERLAP_MS if has_overlap else now_ms
        self._tokens[value] = msgspec.structs.replace(old, expires_ms=ends)
        return new

    def revoke(self, value: str) -> None:
        """The token is unknown from now on."""
        self.known(value)
        del self._tokens[value]

    def set_scopes(self, value: str, scopes: Iterable[str]) -> None:
        """Change what a token may do."""
        self._tokens[value] = msgspec.structs.replace(self.known(value), scopes=frozenset(scopes))

    def add_code(self, grant: Grant) -> str:
        """A code for the redirect; good once."""
        code = self.ids.secret()[:40]
        self._codes[code] = grant
        return code

    def redeem_code(self, code: str, client_id: str, now_ms: int) -> Grant:
        """The grant behind a code. Raises 400."""
        grant = self._codes.pop(code, None)
        if grant is None or grant.client_id != client_id or now_ms >= grant.expires_ms:
            raise bad_request("Invalid grant: authorization code is invalid")
        self.apps[client_id].installed_ms.setdefault(grant.location_id or grant.company_id, now_ms)
        return grant

    def known_refresh(self, value: str, client_id: str, now_ms: int) -> Grant:
        """The grant behind a refresh token, which stays good. Raises 400."""
        grant = self._refresh.get(value)
        if grant is None or grant.client_id != client_id or now_ms >= grant.expires_ms:
            raise invalid_refresh()
        return grant

    def spend_refresh(self, value: str) -> None:
        """A refresh token is good once."""
        del self._refresh[value]

    def forget_grants(self, location_id: str) -> None:
        """The app was uninstalled: no refresh token for the location works any more (facts 6.20)."""
        self._refresh = {
            value: grant for value, grant in self._refresh.items() if grant.location_id != location_id
        }

    def add_refresh(self, grant: Grant, now_ms: int) -> str:
        """A new refresh token: good for a year, or until used."""
        value = self.ids.secret()
        self._refresh[value] = msgspec.structs.replace(grant, expires_ms=now_ms + _YEAR_MS)
        return value

    def add_access(self, grant: Grant, now_ms: int) -> Token:
        """A new access token: good for a day."""
        value = self._jwt(grant)
        token = Token(
            value,
            grant.client_id,
            grant.company_id,
            grant.location_id,
            frozenset(grant.scopes),
            grant.user_id,
            grant.client_id,
            now_ms + ACCESS_SECONDS * 1000,
        )
        self._tokens[value] = token
        return token

    def _jwt(self, grant: Grant) -> str:
        claims = {
            "authClass": "Location" if grant.location_id else "Company",
            "authClassId": grant.location_id or grant.company_id,
            "jti": self.ids.secret()[:16],
        }
        parts = (b'{"alg":"RS256","typ":"JWT"}', msgspec.json.encode(claims), self.ids.secret().encode())
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def invalid_refresh() -> RefusalError:
    """400: the refresh token is wrong, expired or spent (facts 2.1)."""
    return bad_request("Invalid grant: refresh token is invalid")
