"""The account a new stand-in starts with: one company, two locations, three users, one app, private tokens.

Called once by `vendor`; what it makes is told by `account`, so that nobody has to know ids beforehand.
"""

from __future__ import annotations

import msgspec

from syncline.sandbox.highlevel.crm import new_crm
from syncline.sandbox.highlevel.ids import Ids
from syncline.sandbox.highlevel.options import Options
from syncline.sandbox.highlevel.quota import Limits, Quota
from syncline.sandbox.highlevel.state import DataType, Field, Folder, Location, ObjectType, User, World
from syncline.sandbox.highlevel.tokens import AGENCY_SCOPES, SUB_ACCOUNT_SCOPES, App, Tokens
from syncline.sandbox.highlevel.webhooks import Webhooks
from syncline.sandbox.wire import SandboxClock

_STANDARD = (
    (
        "contact",
        "Contact",
        "Contacts",
        (("name", DataType.TEXT), ("email", DataType.TEXT), ("phone", DataType.PHONE)),
    ),
    (
        "opportunity",
        "Opportunity",
        "Opportunities",
        (("name", DataType.TEXT), ("monetary_value", DataType.MONETORY)),
    ),
    (
        "business",
        "Company",
        "Companies",
        (
            ("name", DataType.TEXT),
            ("email", DataType.TEXT),
            ("phone", DataType.PHONE),
            ("website", DataType.TEXT),
            ("address", DataType.TEXT),
            ("city", DataType.TEXT),
            ("state", DataType.TEXT),
            ("postal_code", DataType.TEXT),
            ("country", DataType.TEXT),
            ("description", DataType.LARGE_TEXT),
        ),
    ),
)


class AppAccount(msgspec.Struct, frozen=True):
    """What an integration has to know of its Marketplace app."""

    client_id: str
    client_secret: str
    app_id: str
    version_id: str
    redirect_uri: str
    scopes: tuple[str, ...]


class Account(msgspec.Struct, frozen=True):
    """Everything a client needs to use a stand-in. `private_tokens` is by location id, and by company id."""

    company_id: str
    location_ids: tuple[str, ...]
    user_ids_by_email: dict[str, str]
    private_tokens: dict[str, str]
    app: AppAccount
    webhook_public_key: str


def new_world(clock: SandboxClock, seed: int, options: Options) -> tuple[World, Account]:
    """An account, and what a client has to know of it."""
    ids = Ids(seed)
    webhooks = Webhooks(clock, ids, seed)
    world = World(clock, ids, options, ids.short(), Tokens(ids), webhooks, Quota(Limits()))
    for name in ("One", "Two"):
        location = Location(
            ids.short(),
            f"Sandbox Location {name}",
            f"location.{name.lower()}@example.test",
            "America/New_York",
        )
        location.objects = {item.key: item for item in _standard_objects(world, location.id)}
        world.locations[location.id] = location
    _add_users(world)
    app = _add_app(world)
    for location in world.locations.values():
        location.crm = new_crm(world.ids)
    return world, _account(world, app)


def _standard_objects(world: World, location_id: str) -> list[ObjectType]:
    now = world.now_ms()
    items: list[ObjectType] = []
    for key, singular, plural, fields in _STANDARD:
        folder = Folder(world.ids.short(), f"{singular} Info")
        items.append(
            ObjectType(
                id=world.ids.object_id(now),
                key=key,
                location_id=location_id,
                singular=singular,
                plural=plural,
                primary="name",
                added_ms=now,
                updated_ms=now,
                is_standard=True,
                searchable=("name",),
                folders={folder.id: folder},
                fields={
                    name: Field(
                        world.ids.short(),
                        name,
                        name.replace("_", " ").title(),
                        data_type,
                        folder.id,
                        now,
                        now,
                    )
                    for name, data_type in fields
                },
            )
        )
    return items


def _add_users(world: World) -> None:
    one, two = world.locations
    people = (
        ("Owner", "One", "owner@example.test", "admin", (one, two)),
        ("Editor", "Two", "editor@example.test", "user", (one, two)),
        ("Member", "Three", "member@example.test", "user", (one,)),
    )
    for number, (first, last, email, role, location_ids) in enumerate(people, 1):
        user = User(world.ids.short(), first, last, email, f"+1415555010{number}", role, location_ids)
        world.users[user.id] = user


def _add_app(world: World) -> App:
    now = world.now_ms()
    app = App(
        client_id=f"{world.ids.object_id(now)}-{world.ids.secret()[:8]}",
        secret=world.ids.uuid(),
        version_id=world.ids.object_id(now),
        redirect_uri="https://syncline.example.test/oauth/callback",
        scopes=tuple(dict.fromkeys(SUB_ACCOUNT_SCOPES + AGENCY_SCOPES)),
        installed_ms=dict.fromkeys([world.company_id, *world.locations], now),
    )
    world.tokens.apps[app.client_id] = app
    return app


def _account(world: World, app: App) -> Account:
    owner = next(iter(world.users))
    tokens = {
        each: world.tokens.add_private(world.company_id, each, owner, SUB_ACCOUNT_SCOPES).value
        for each in world.locations
    }
    agency = world.tokens.add_private(world.company_id, None, owner, AGENCY_SCOPES)
    return Account(
        company_id=world.company_id,
        location_ids=tuple(world.locations),
        user_ids_by_email={user.email: user.id for user in world.users.values()},
        private_tokens=tokens | {world.company_id: agency.value},
        app=AppAccount(app.client_id, app.secret, app.id, app.version_id, app.redirect_uri, app.scopes),
        webhook_public_key=world.webhooks.public_key,
    )
