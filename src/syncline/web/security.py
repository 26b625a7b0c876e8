"""A request into who makes it and whether they may: session cookie or API token, CSRF, rights; before anything else is read.

Every route of the API is made by `Guarded` (`APIRouter(route_class=Guarded)`) and states what it asks for with `requires(...)`
or `anyone()`; a route that states nothing cannot be made. `Guarded` also answers repeated requests (`idempotency`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Response, params
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from syncline.core.people import ApiToken, LoginSession, Scope, User, rights_of
from syncline.errors import AccessError, Refusal
from syncline.ports import Actor, acting
from syncline.service import sessions, tokens
from syncline.service.sessions import Entered, Visit
from syncline.web.idempotency import HEADER as IDEMPOTENCY_KEY
from syncline.web.idempotency import KEY_SCHEMA, Content, once
from syncline.web.problems import declared
from syncline.web.services import Services, WebServices, WebSettings, services_of

CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "
_SAME = frozenset({"same-origin", "none"})

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "syncline_session",
        "description": "The cookie that a login sets; its name is `__Host-syncline_session` over https.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "The session's `csrf_token`, on every request with the cookie that changes something.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token (`syn_…`). The scopes named are those it needs.",
    },
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request, and what it may do. One of `session` and `token` is there; `csrf_token` is the session's."""

    user: User
    rights: frozenset[Scope]
    session: LoginSession | None = None
    token: ApiToken | None = None
    csrf_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a route asks for: a scope (None: nothing, anybody may), and whether only people who are logged in may. Parts of its
    answer named in `shown_once` are left out when the answer is given again. `streams`: the body is left to the route, and
    this tells what it was."""

    scope: Scope | None
    is_session_only: bool = False
    shown_once: tuple[str, ...] = ()
    streams: Content | None = None

    def __call__(self) -> None:
        """As a dependency it does nothing: `Guarded` has seen to it before."""


def requires(
    scope: Scope,
    *,
    session_only: bool = False,
    shown_once: tuple[str, ...] = (),
    streams: Content | None = None,
) -> Any:
    """For the `dependencies` of a route: only with this scope."""
    return Depends(Stated(scope, session_only, shown_once, streams))


def anyone() -> Any:
    """For the `dependencies` of a route: without logging in."""
    return Depends(Stated(None))


def stated(route: BaseRoute) -> Stated | None:
    """What a route asks for; None for one that does not say."""
    return _asked(getattr(route, "dependencies", ()))


def principal_of(request: Request) -> Principal:
    """Who makes the request. Raises `AccessError` when nobody is known."""
    found = getattr(request.state, "principal", None)
    if not isinstance(found, Principal):
        raise AccessError("You are not logged in.", Refusal.NOT_LOGGED_IN)
    return found


Who = Annotated[Principal, Depends(principal_of)]


def actor_of(who: Principal | None) -> Actor | None:
    """Whom the audit trail names for what a request does."""
    if who is None:
        return None
    return Actor(who.user.id, who.token.id if who.token is not None else None)


class Guarded(APIRoute):
    """A route that lets in whom it may, then takes the body, then answers, once for each idempotency key. Raises `TypeError`
    when it is made without a statement."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        asked = _asked(options.get("dependencies"))
        if asked is None:
            raise TypeError(f"{path} ({endpoint.__name__}) states no scope: add requires(...) or anyone()")
        methods = frozenset[str](options.get("methods") or {"GET"})
        extra = _documented(asked, methods)
        options["openapi_extra"] = {**extra, **(options.get("openapi_extra") or {})}
        options["responses"] = {**_refusals(path, asked, methods), **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with everything around it."""
        handle = super().get_route_handler()
        asked = stated(self) or Stated(Scope.ADMIN)

        async def guarded(request: Request) -> Response:
            services = services_of(request)
            who = admitted(request, services, asked)
            request.state.principal = who
            if asked.streams is None:
                await request.body()
            user = who.user.id if who is not None else None
            with acting(actor_of(who)):
                return await once(request, handle, user, asked.shown_once, asked.streams or Request.body)

        return guarded


def admitted(request: Request, services: WebServices, asked: Stated) -> Principal | None:
    """Who makes the request, where they may do what is asked for. Raises `AccessError`."""
    is_change = request.method not in _SAFE
    authorization = request.headers.get("authorization")
    if is_change and authorization is None:
        _check_origin(request, services.settings)
    who = _by_session(request, services) if authorization is None else _by_token(authorization, services)
    if asked.scope is None:
        return who
    if who is None:
        raise AccessError("You are not logged in.", Refusal.NOT_LOGGED_IN)
    if is_change and who.session is not None:
        _check_csrf(request, who.session)
    _check_rights(who, asked)
    return who


def _by_session(request: Request, services: WebServices) -> Principal | None:
    id_ = request.cookies.get(cookie_name(services.settings), "")
    found = sessions.present(services.people, id_) if id_ else None
    if found is None:
        return None
    user, session = found
    return Principal(user, rights_of(user.role), session=session, csrf_token=sessions.csrf_token(id_))


def _by_token(authorization: str, services: WebServices) -> Principal | None:
    if not authorization.lower().startswith(_BEARER):
        return None
    found = tokens.recognise(services.people, authorization[len(_BEARER) :].strip())
    if found is None:
        return None
    user, token = found
    return Principal(user, tokens.rights(user, token), token=token)


def _check_rights(who: Principal, asked: Stated) -> None:
    if asked.is_session_only and who.session is None:
        raise AccessError("This cannot be done with an API token.", Refusal.SESSION_ONLY)
    if asked.scope not in who.rights:
        name = asked.scope.value if asked.scope else ""
        raise AccessError(f"You lack the scope '{name}'.", Refusal.MISSING_RIGHT)


def _check_origin(request: Request, settings: WebSettings) -> None:
    """Browsers say from where they send; programs do not, and cannot be made to send by another site."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    scheme = "https" if settings.is_https else request.url.scheme
    own = (settings.origin, f"{scheme}://{request.headers.get('host', '')}")
    if (site is not None and site not in _SAME) or (origin is not None and origin not in own):
        raise AccessError("The request comes from another site.", Refusal.FOREIGN_ORIGIN)


def _check_csrf(request: Request, session: LoginSession) -> None:
    if not sessions.is_csrf_token(session, request.headers.get(CSRF_HEADER, "")):
        raise AccessError("The CSRF token is missing or wrong.", Refusal.NO_CSRF_TOKEN)


# --- the cookie -------------------------------------------------------------------------------------------------------


def cookie_name(settings: WebSettings) -> str:
    """What the session's cookie is called: over https in a way that binds it to this very host."""
    return "__Host-syncline_session" if settings.is_https else "syncline_session"


def visit_of(request: Request, services: Services) -> Visit:
    """From where somebody comes to log in."""
    return Visit(
        request.client.host if request.client else "",
        request.headers.get("user-agent", ""),
        request.cookies.get(cookie_name(services.settings), ""),
    )


Visiting = Annotated[Visit, Depends(visit_of)]


def give_cookie(response: Response, services: WebServices, entered: Entered) -> None:
    """Put the session's id into the cookie. It lasts as long as a session can; the service ends it earlier."""
    response.set_cookie(
        cookie_name(services.settings),
        entered.id,
        max_age=int(services.people.patience.longest.total_seconds()),
        path="/",
        secure=services.settings.is_https,
        httponly=True,
        samesite="lax",
    )


def take_cookie(response: Response, services: WebServices) -> None:
    """Take the cookie away."""
    response.delete_cookie(
        cookie_name(services.settings),
        path="/",
        secure=services.settings.is_https,
        httponly=True,
        samesite="lax",
    )


# --- the document -----------------------------------------------------------------------------------------------------


def _asked(dependencies: Sequence[params.Depends] | None) -> Stated | None:
    found = [each.dependency for each in dependencies or ()]
    return next((each for each in found if isinstance(each, Stated)), None)


def _documented(asked: Stated, methods: frozenset[str]) -> dict[str, Any]:
    extra: dict[str, Any] = {"security": []}
    if asked.scope is not None:
        csrf: dict[str, list[str]] = {} if methods <= _SAFE else {"csrf": []}
        extra["security"].append({"session": [], **csrf})
        extra["x-scope"] = asked.scope.value
        if not asked.is_session_only:
            extra["security"].append({"token": [asked.scope.value]})
        if "POST" in methods:
            extra["parameters"] = [
                {"name": IDEMPOTENCY_KEY, "in": "header", "required": False, "schema": KEY_SCHEMA}
            ]
    return extra


def _refusals(path: str, asked: Stated, methods: frozenset[str]) -> dict[int | str, dict[str, Any]]:
    """The problems that any route of this kind may answer with."""
    # The database, or a sync, may be busy with another's work: 409, whatever is asked.
    statuses = [400, 409, 413, 422, 500]
    if asked.scope is not None:
        statuses += [401, 403]
    if "{" in path:
        statuses.append(404)
    if not methods <= _SAFE:
        statuses.append(403)
    return declared(*sorted(set(statuses)))
