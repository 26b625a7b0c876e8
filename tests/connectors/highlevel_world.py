"""A HighLevel sandbox on a real port, with a ticket object, and a connector that talks to it.

Used by the tests of the HighLevel connector. One virtual clock moves the connector and the sandbox.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from syncline.connectors.highlevel import (
    FieldWish,
    HighLevelConnector,
    OAuthClient,
    ObjectWish,
    PrivateToken,
    Settings,
    Tokens,
    connect,
    ensure_object,
)
from syncline.connectors.highlevel.oauth import code_form, read_tokens
from syncline.connectors.highlevel.schema import DataType
from syncline.connectors.http import AiohttpTransport, Environment
from syncline.core.records import Create, FieldId, ObjectTypeId, RecordKey, Scope
from syncline.core.values import Day, File, Files, ManyOf, Money, Number, OneOf, Person, Phone, Text, Value
from syncline.ports import Ending, Page
from syncline.sandbox.faults import Faults
from syncline.sandbox.highlevel import HighLevelVendor, Options
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import Delivery, Request, Response, SandboxClock
from tests.clock import START, VirtualClock

TICKET = ObjectTypeId("custom_objects.ticket")
SCOPE = Scope(TICKET)
CHOICES = ("Low", "High", "Urgent")
WISH = ObjectWish(
    key="ticket",
    singular="Ticket",
    plural="Tickets",
    primary=FieldWish("Title"),
    fields=(
        FieldWish("Notes", DataType.LARGE_TEXT),
        FieldWish("Hours", DataType.NUMERICAL),
        FieldWish("Phone", DataType.PHONE),
        FieldWish("Price", DataType.MONETORY),
        FieldWish("Areas", DataType.CHECKBOX, CHOICES),
        FieldWish("Tags", DataType.MULTIPLE_OPTIONS, CHOICES),
        FieldWish("Kind", DataType.SINGLE_OPTIONS, CHOICES),
        FieldWish("Level", DataType.RADIO, CHOICES),
        FieldWish("Due", DataType.DATE),
        FieldWish("Lines", DataType.TEXTBOX_LIST, CHOICES),
        FieldWish("Files", DataType.FILE_UPLOAD),
        FieldWish("Syncline key"),
    ),
)
KEY_FIELD = FieldId("syncline_key")

FULL: dict[FieldId, Value] = {
    FieldId("title"): Text("Door does not close"),
    FieldId("notes"): Text("first\nsecond"),
    FieldId("hours"): Number(Decimal("2.5")),
    FieldId("phone"): Phone("+14155550123"),
    FieldId("price"): Money(Decimal("46401.10")),
    FieldId("areas"): ManyOf(("low", "high")),
    FieldId("tags"): ManyOf(("urgent",)),
    FieldId("kind"): OneOf("high"),
    FieldId("level"): OneOf("low"),
    FieldId("due"): Day(dt.date(2026, 3, 9)),
    FieldId("lines.low"): Text("one"),
    FieldId("files"): Files((File(url="https://files.example.test/a"),)),
    FieldId("owner"): Person("owner@example.test"),
}


class Witness:
    """A vendor that remembers every exchange."""

    def __init__(self, vendor: HighLevelVendor) -> None:
        self.vendor = vendor
        self.exchanges: list[tuple[Request, Response]] = []

    def handle(self, request: Request) -> Response:
        response = self.vendor.handle(request)
        self.exchanges.append((request, response))
        return response

    def outbox(self) -> list[Delivery]:
        return self.vendor.outbox()


@dataclass
class World:
    """One sandbox and whoever talks to it."""

    clock: VirtualClock
    vendor: HighLevelVendor
    witness: Witness
    server: SandboxServer
    faults: Faults
    connector: HighLevelConnector = field(init=False)
    opened: list[HighLevelConnector] = field(default_factory=list)

    @property
    def location(self) -> str:
        return self.vendor.account.location_ids[0]

    def act(self, action: str, **args: object) -> Any:
        """What no API allows: a person's edit, another quota, …"""
        return self.vendor.control(action, dict(args))

    def edit(self, action: str, **args: object) -> Any:
        """A person's edit of a ticket."""
        return self.act(action, object=TICKET, **args)

    def fill(self, count: int) -> list[str]:
        """So many tickets, made a second apart an hour ago."""
        at = self.clock.now() - dt.timedelta(hours=1, seconds=count)
        records = [
            {
                "properties": {"title": f"Ticket {number}", "hours": number},
                "created_at": (at + dt.timedelta(seconds=number)).isoformat(),
            }
            for number in range(count)
        ]
        return self.edit("load", records=records)["ids"]

    def open(self, **changes: Any) -> HighLevelConnector:
        """Another connector to the same location."""
        settings = Settings(
            location=self.location,
            access=PrivateToken(self.vendor.account.private_tokens[self.location]),
            url=self.server.base_url,
            external_key=KEY_FIELD,
        )
        environment = Environment(AiohttpTransport(), self.clock, random.Random(1).random)
        connector = connect(replace(settings, **changes), environment, connection="hl")
        self.opened.append(connector)
        return connector

    def requests(self, since: int = 0) -> list[tuple[str, str]]:
        """Method and path of the requests after this number."""
        return [(each.request.method, each.request.path) for each in self.server.journal.since(since)]

    async def grant(self, saved: list[Tokens], **args: object) -> OAuthClient:
        """The app, authorised for the location by a person; renewed tokens go to `saved`."""
        app = self.vendor.account.app
        code = self.act("authorize", location=self.location, **args)["code"]
        transport = AiohttpTransport()
        form = code_form(app.client_id, app.client_secret, code, app.redirect_uri)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await transport.send("POST", f"{self.server.base_url}/oauth/token", headers, form)
        await transport.close()

        async def save(tokens: Tokens) -> None:
            saved.append(tokens)

        tokens = read_tokens(answer.status, answer.body, self.clock.now())
        return OAuthClient(app.client_id, app.client_secret, tokens, save)


@asynccontextmanager
async def world(
    *, options: Options | None = None, lag: float = 0, has_tickets: bool = True, **changes: Any
) -> AsyncIterator[World]:
    """A sandbox with the ticket object, its key field unique; `changes` are of the connector's settings."""
    sandbox_clock = SandboxClock(START)
    clock = VirtualClock(START, sandbox_clock.advance)
    vendor = HighLevelVendor(sandbox_clock, 7, options)
    faults = Faults(3)
    witness = Witness(vendor)
    async with SandboxServer(witness, sandbox_clock, faults) as server:
        made = World(clock, vendor, witness, server, faults)
        made.connector = made.open(**changes)
        try:
            if has_tickets:
                await ensure_object(made.connector.client, WISH)
                made.edit("make_unique", field=KEY_FIELD)
            made.act("search_lag", seconds=lag)
            yield made
        finally:
            for connector in made.opened:
                await connector.close()


async def listing(
    connector: HighLevelConnector, since: str | None = None, scope: Scope = SCOPE
) -> tuple[Mapping[str, bytes], list[Page], Ending]:
    """Digests by key, the pages, and the ending."""
    pages: list[Page] = []
    ending: Ending | None = None
    async for item in connector.pages(scope, since):
        assert ending is None, "nothing follows the ending"
        if isinstance(item, Ending):
            ending = item
        else:
            pages.append(item)
    assert ending is not None
    digests = {key: each for page in pages for key, each in zip(page.keys, page.digests, strict=True)}
    return digests, pages, ending


async def create(w: World, title: str = "Ticket", key: str = "") -> RecordKey:
    """One ticket through the connector."""
    receipt = await w.connector.write(SCOPE, Create({FieldId("title"): Text(title)}, key))
    return receipt.key
