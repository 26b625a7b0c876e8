"""A client of the HighLevel stand-in for tests: short calls, decoded answers, every exchange remembered."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from syncline.sandbox.highlevel import HighLevelVendor, Options
from syncline.sandbox.wire import Request, Response, SandboxClock

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
TICKET = "custom_objects.ticket"
RECORDS = f"/objects/{TICKET}/records"
OPTIONS = {
    "status": ("SINGLE_OPTIONS", ["Open", "In Progress", "Done"]),
    "kind": ("RADIO", ["Bug", "Wish"]),
    "tags": ("MULTIPLE_OPTIONS", ["Red", "Green", "Blue"]),
    "checks": ("CHECKBOX", ["One", "Two"]),
    "boxes": ("TEXTBOX_LIST", ["Left", "Right"]),
}
PLAIN = {
    "body": "LARGE_TEXT",
    "hours": "NUMERICAL",
    "phone": "PHONE",
    "budget": "MONETORY",
    "due": "DATE",
    "files": "FILE_UPLOAD",
    "code": "TEXT",
}


@dataclass(frozen=True)
class Reply:
    """A decoded answer."""

    status: int
    data: dict[str, Any]
    headers: dict[str, str]

    @property
    def refusal(self) -> tuple[int, Any]:
        """Status and message."""
        return self.status, self.data.get("message")


class Desk:
    """One stand-in with a `ticket` object that has a field of every type."""

    def __init__(self, options: Options | None = None, *, seed: int = 7, has_ticket: bool = True) -> None:
        self.clock = SandboxClock(START)
        self.vendor = HighLevelVendor(self.clock, seed, options)
        self.account = self.vendor.account
        self.location, self.other_location = self.account.location_ids
        self.token = self.account.private_tokens[self.location]
        self.agency_token = self.account.private_tokens[self.account.company_id]
        self.exchanges: list[tuple[Request, Response]] = []
        if has_ticket:
            self.make_ticket()

    def make_ticket(self) -> None:
        """As a person would, so that no quota is used."""
        self.control("create_object", key="ticket", singular="Ticket", plural="Tickets", primary_name="Title")
        for key, (data_type, labels) in OPTIONS.items():
            self.control("create_field", object=TICKET, name=key.title(), type=data_type, options=labels)
        for key, data_type in PLAIN.items():
            self.control("create_field", object=TICKET, name=key.title(), type=data_type)

    def control(self, action: str, **arguments: object) -> Any:
        """A control action."""
        return self.vendor.control(action, arguments)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, str] | None = None,
        token: str | None = "",
        version: str | None = "2021-07-28",
        form: dict[str, str] | None = None,
    ) -> Reply:
        """One request; without a token of its own the location's private one is used."""
        headers = {"Content-Type": "application/x-www-form-urlencoded" if form else "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.token}"
        if version is not None:
            headers["Version"] = version
        raw = urlencode(form).encode() if form else b"" if body is None else json.dumps(body).encode()
        request = Request.of(method, path + ("?" + urlencode(query) if query else ""), headers, raw)
        response = self.vendor.handle(request)
        self.exchanges.append((request, response))
        return Reply(response.status, json.loads(response.body), dict(response.headers))

    def create(self, owner: object = None, **properties: object) -> dict[str, Any]:
        """A new ticket, which has to succeed; answers the record."""
        body = {"locationId": self.location, "properties": properties}
        reply = self.call("POST", RECORDS, body | ({"owner": owner} if owner is not None else {}))
        assert reply.status == 201, reply
        return reply.data["record"]

    def try_create(self, **properties: object) -> Reply:
        """A new ticket, perhaps."""
        return self.call("POST", RECORDS, {"locationId": self.location, "properties": properties})

    def put(self, record_id: str, body: dict[str, object]) -> Reply:
        """A partial update."""
        return self.call("PUT", f"{RECORDS}/{record_id}", body, query={"locationId": self.location})

    def edit(self, record_id: str, **properties: object) -> dict[str, Any]:
        """A partial update of properties, which has to succeed; answers the properties after it."""
        reply = self.put(record_id, {"properties": properties})
        assert reply.status == 200, reply
        return reply.data["record"]["properties"]

    def read(self, record_id: str) -> Reply:
        """One record by id."""
        return self.call("GET", f"{RECORDS}/{record_id}")

    def search(self, **body: object) -> Reply:
        """A search of tickets."""
        whole = {"locationId": self.location, "page": 1, "pageLimit": 100, "query": "", "searchAfter": []}
        return self.call("POST", f"{RECORDS}/search", whole | body)

    def titles(self, **body: object) -> list[str]:
        """The titles that a search finds, in its order."""
        reply = self.search(**body)
        assert reply.status == 200, reply
        return [each["properties"]["title"] for each in reply.data["records"]]
