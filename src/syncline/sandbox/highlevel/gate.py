"""Decides whether a request gets in: route, version, token, quota, kind of token, scope (facts: highlevel-api.md 2.4).

Called by `vendor` for every request. Each refusal has the vendor's status and words; a missing scope is a 401.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncline.sandbox.highlevel.calls import Access, Call, Route, Versions
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request, not_found, unauthorised
from syncline.sandbox.highlevel.state import World
from syncline.sandbox.highlevel.tokens import Token
from syncline.sandbox.wire import Request

VERSIONS = frozenset({"v3", "2023-02-21", "2021-07-28", "2021-04-15", "legacy"})
NO_ROUTE = "This route is not yet supported by the IAM Service. Please update your IAM config."
WRONG_CLASS = "This authClass type is not allowed to access this scope."
Bucket = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A route's template, cut into segments; `{name}` matches anything."""

    route: Route
    segments: tuple[str, ...]

    def match(self, segments: tuple[str, ...]) -> Mapping[str, str] | None:
        """The named parts when the path fits."""
        found: dict[str, str] = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern.startswith("{"):
                found[pattern[1:-1]] = segment
            elif pattern != segment:
                return None
        return found


class Gate:
    """The routes, and what each asks for."""

    def __init__(self, world: World, routes: Iterable[Route]) -> None:
        self._world = world
        self._entries: dict[tuple[str, int], list[Entry]] = {}
        for route in routes:
            segments = tuple(route.template.strip("/").split("/"))
            self._entries.setdefault((route.method, len(segments)), []).append(Entry(route, segments))

    def route(self, request: Request) -> tuple[Route, Call]:
        """The operation a request is for, with its version checked. Raises 400, 401 or 404."""
        path, version = self._version(request)
        route, parts = self._find(request.method, path, version)
        if version is None and route.access is not Access.OPEN:
            raise unauthorised("version header was not found.")
        if version is not None and version not in VERSIONS:
            raise bad_request(self._world.options.bogus_version_message)
        return route, Call(request, None, version or "", parts)

    def token(self, request: Request, now_ms: int) -> Token:
        """Who calls. Raises 401."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not value:
            raise unauthorised("Invalid JWT")
        message = self._world.options.invalid_private_message
        return self._world.tokens.resolve(value.strip(), now_ms, message)

    def bucket(self, token: Token) -> Bucket:
        """Whose quota a call draws on: one per app (or private token) and resource."""
        resource = token.location_id or token.company_id
        if token.is_private and self._world.options.private_token_shares_quota:
            return f"app {next(iter(self._world.tokens.apps))}", resource
        return f"app {token.app}" if token.app else f"private {token.source_id}", resource

    def admit(self, route: Route, token: Token) -> None:
        """Whether the token is of the right kind and has the scope. Raises."""
        is_agency = token.location_id is None
        if (route.access is Access.LOCATION and is_agency) or (
            route.access is Access.COMPANY and not is_agency
        ):
            if token.is_private:
                raise unauthorised("Token's user type mismatch!")
            raise RefusalError(self._world.options.auth_class_status, WRONG_CLASS)
        if route.access is Access.COMPANY and token.is_private and route.template.startswith("/oauth/"):
            raise RefusalError(self._world.options.auth_class_status, WRONG_CLASS)
        if route.scope and route.scope not in token.scopes and not self._is_optional(route):
            raise unauthorised("The token is not authorized for this scope.")

    def _is_optional(self, route: Route) -> bool:
        """The spec leaves out the scope of operations on one record (facts 1.9)."""
        return not self._world.options.record_scopes and route.template.endswith("/records/{id}")

    def _version(self, request: Request) -> tuple[str, str | None]:
        path = request.path
        if self._world.options.v3_prefix and path.startswith("/v3/"):
            return path.removeprefix("/v3"), "v3"
        return path, request.headers.get("version")

    def _find(self, method: str, path: str, version: str | None) -> tuple[Route, Mapping[str, str]]:
        segments = tuple(path.strip("/").split("/"))
        is_elsewhere = False
        for entry in self._entries.get((method, len(segments)), ()):
            parts = entry.match(segments)
            if parts is not None and _exists_in(entry.route.versions, version):
                return entry.route, parts
            is_elsewhere = is_elsewhere or parts is not None
        if is_elsewhere:
            raise not_found(f"Cannot {method} {path}")
        raise RefusalError(self._world.options.unknown_route_status, NO_ROUTE)


def _exists_in(versions: Versions, version: str | None) -> bool:
    if versions is Versions.ALL or version is None:
        return True
    return (version == "v3") == (versions is Versions.V3)
