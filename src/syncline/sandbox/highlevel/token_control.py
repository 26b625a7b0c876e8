"""Control actions on access: authorise the app, rotate and revoke tokens, pause a location, subscribe to webhooks.

Collected by `control`. They stand for what a person does on the vendor's own pages, for which there is no API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlencode

import msgspec

from syncline.sandbox.highlevel.state import World
from syncline.sandbox.highlevel.tokens import App, Grant
from syncline.sandbox.highlevel.webhooks import Envelope, Event, Subscription

_CODE_MS = 10 * 60_000


class _Authorise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without `location` the agency installs the app, and the token will be of class Company."""

    client_id: str | None = None
    redirect_uri: str | None = None
    scopes: list[str] | None = None
    location: str | None = None
    user: str | None = None
    state: str | None = None


class _OfToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: str


class _Rotate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: str
    overlap: bool = False


class _SetScopes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: str
    scopes: list[str]


class _NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scopes: list[str]
    location: str | None = None


class _Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    events: tuple[Event, ...] = tuple(Event)
    envelope: Envelope = Envelope.FLAT
    app: str | None = None


class _SetRedirect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    redirect_uri: str
    client_id: str | None = None


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    location: str


class _SetActive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    location: str
    active: bool


def _authorise(world: World, args: dict[str, object]) -> object:
    """The user agrees: a code for the redirect, good once and for ten minutes."""
    wish = msgspec.convert(args, _Authorise)
    app = _app(world, wish.client_id)
    redirect = wish.redirect_uri or app.redirect_uri
    scopes = app.scopes if wish.scopes is None else tuple(wish.scopes)
    if redirect != app.redirect_uri:
        raise ValueError("The app has another redirect address.")
    if not set(scopes) <= set(app.scopes):
        raise ValueError("The app does not have all of these scopes.")
    if wish.location is not None:
        _check_location(world, wish.location)
    user = wish.user or next(iter(world.users))
    grant = Grant(
        app.client_id, world.company_id, wish.location, user, scopes, redirect, world.now_ms() + _CODE_MS
    )
    code = world.tokens.add_code(grant)
    query = {"code": code} | ({"state": wish.state} if wish.state is not None else {})
    return {"code": code, "redirect": f"{redirect}?{urlencode(query)}"}


def _create_token(world: World, args: dict[str, object]) -> object:
    """A private token; an agency's without `location`."""
    wish = msgspec.convert(args, _NewToken)
    if wish.location is not None:
        _check_location(world, wish.location)
    user = next(iter(world.users))
    return {"token": world.tokens.add_private(world.company_id, wish.location, user, wish.scopes).value}


def _rotate_token(world: World, args: dict[str, object]) -> object:
    """The old token dies at once, or with `overlap` after seven days."""
    wish = msgspec.convert(args, _Rotate)
    return {"token": world.tokens.rotate(wish.token, world.now_ms(), has_overlap=wish.overlap).value}


def _revoke_token(world: World, args: dict[str, object]) -> object:
    world.tokens.revoke(msgspec.convert(args, _OfToken).token)
    return {"revoked": True}


def _set_scopes(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _SetScopes)
    world.tokens.set_scopes(wish.token, wish.scopes)
    return {"scopes": sorted(wish.scopes)}


def _subscribe(world: World, args: dict[str, object]) -> object:
    """One more address for an app's events; they come from the locations where the app is installed."""
    wish = msgspec.convert(args, _Subscribe)
    subscription = Subscription(wish.url, _app(world, wish.app), frozenset(wish.events), wish.envelope)
    world.webhooks.subscriptions.append(subscription)
    return {"subscriptions": len(world.webhooks.subscriptions)}


def _unsubscribe(world: World, args: dict[str, object]) -> object:
    """All addresses are forgotten."""
    world.webhooks.subscriptions.clear()
    return {"subscriptions": 0}


def _uninstall(world: World, args: dict[str, object]) -> object:
    """The app leaves a location: its events stop and its refresh tokens are worthless."""
    location_id = msgspec.convert(args, _Place).location
    _check_location(world, location_id)
    for app in world.tokens.apps.values():
        app.installed_ms.pop(location_id, None)
    world.tokens.forget_grants(location_id)
    return {"location": location_id}


def _set_location_active(world: World, args: dict[str, object]) -> object:
    """An inactive location refuses to refresh; the refresh token stays good."""
    wish = msgspec.convert(args, _SetActive)
    _check_location(world, wish.location)
    world.locations[wish.location].is_active = wish.active
    return {"location": wish.location, "active": wish.active}


def _set_redirect(world: World, args: dict[str, object]) -> object:
    """Where the app sends people back to, as its maker sets it in the Marketplace."""
    wish = msgspec.convert(args, _SetRedirect)
    _app(world, wish.client_id).redirect_uri = wish.redirect_uri
    return {"redirect_uri": wish.redirect_uri}


ACTIONS: Mapping[str, Callable[[World, dict[str, object]], object]] = MappingProxyType(
    {
        "authorize": _authorise,
        "create_token": _create_token,
        "rotate_token": _rotate_token,
        "revoke_token": _revoke_token,
        "set_scopes": _set_scopes,
        "subscribe": _subscribe,
        "unsubscribe": _unsubscribe,
        "uninstall": _uninstall,
        "set_location_active": _set_location_active,
        "set_redirect": _set_redirect,
    }
)


def _app(world: World, client_id: str | None) -> App:
    """By client id or app id; the only one when not named."""
    apps = world.tokens.apps.values()
    found = next((app for app in apps if client_id in (None, app.client_id, app.id)), None)
    if found is None:
        raise ValueError(f"There is no app {client_id!r}.")
    return found


def _check_location(world: World, location_id: str) -> None:
    if location_id not in world.locations:
        raise ValueError(f"There is no location {location_id!r}.")
