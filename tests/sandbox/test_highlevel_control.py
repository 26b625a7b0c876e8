"""What tests and demos do behind the HighLevel stand-in's API, and that wrong wishes are told."""

from __future__ import annotations

import aiohttp
import pytest

from syncline.sandbox.server import SandboxServer
from tests.sandbox.highlevel_desk import TICKET, Desk


def test_a_person_edits_records_in_the_web_app() -> None:
    desk = Desk()
    editor = desk.account.user_ids_by_email["editor@example.test"]
    record = desk.control("create_record", object=TICKET, user=editor, properties={"tags": ["red"]})
    desk.control("update_record", object=TICKET, id=record["id"], user=editor, properties={"tags": ["blue"]})
    hit = desk.search().data["records"][0]

    assert hit["properties"] == {"tags": ["blue"]}
    assert hit["lastUpdatedBy"]["channel"] == "WEB_USER"
    assert hit["lastUpdatedBy"]["sourceId"] == editor
    desk.control("delete_record", object=TICKET, id=record["id"])
    assert desk.read(record["id"]).status == 404


def test_an_integrations_write_shows_its_token_or_app() -> None:
    desk = Desk()
    record = desk.control("create_record", object=TICKET, properties={})
    desk.edit(record["id"], title="x")
    hit = desk.search().data["records"][0]

    assert hit["createdBy"]["channel"] == "WEB_USER"
    assert hit["lastUpdatedBy"]["channel"] != "WEB_USER"
    assert hit["lastUpdatedBy"]["source"] == "PUBLIC_API"


def test_many_records_are_loaded_with_their_times() -> None:
    desk = Desk()
    desk.control("subscribe", url="https://hooks.example.test")
    old = {"created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-06-01T00:00:00Z"}
    ids = desk.control(
        "load",
        object=TICKET,
        records=[{"properties": {"title": "old"}, **old}, {"properties": {"title": "new"}}],
    )["ids"]

    assert desk.vendor.outbox() == []
    assert desk.titles(sort=[{"field": "updatedAt", "direction": "asc"}]) == ["old", "new"]
    record = desk.read(ids[0]).data["record"]
    assert (record["dateAdded"], record["dateUpdated"]) == (
        "2025-01-01T00:00:00.000Z",
        "2025-06-01T00:00:00.000Z",
    )


def test_stats_options_and_account_are_told() -> None:
    desk = Desk()
    desk.create(title="x")
    stats = desk.control("stats")

    assert (stats["requests"], stats["refused_429"]) == (1, 0)
    assert stats["records"][f"{desk.location}/{TICKET}"] == 1
    assert desk.control("options", plain_array="reject")["plain_array"] == "reject"
    assert desk.control("options")["plain_array"] == "reject"
    assert desk.control("quota")["burst"] == 100
    account = desk.control("account")
    assert account["private_tokens"][desk.location] == desk.token
    token = desk.control("create_token", location=desk.location, scopes=["locations.readonly"])["token"]
    assert desk.call("GET", f"/locations/{desk.location}", token=token).status == 200
    assert desk.call("GET", "/objects/", query={"locationId": desk.location}, token=token).status == 401


async def test_the_control_api_reaches_every_action() -> None:
    desk = Desk()
    async with (
        SandboxServer(desk.vendor, desk.clock) as server,
        aiohttp.ClientSession(server.control_url) as http,
    ):
        body = {"action": "create_record", "object": TICKET, "properties": {"title": "x"}}
        async with http.post("act", json=body) as reply:
            record = await reply.json()
        async with http.post("act", json={"action": "dance"}) as reply:
            assert reply.status == 400
        async with http.post("quota", json={"burst": 25}) as reply:
            assert (await reply.json())["burst"] == 25

    assert desk.read(record["id"]).data["record"]["properties"] == {"title": "x"}


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("dance", {}),
        ("quota", {"burst": "many"}),
        ("quota", {"speed": 1}),
        ("options", {"surprise": True}),
        ("search_lag", {}),
        ("create_record", {"object": TICKET, "properties": {"nothing": 1}}),
        ("create_record", {"object": "custom_objects.nothing"}),
        ("create_record", {"object": TICKET, "user": "nobody"}),
        ("create_record", {"object": TICKET, "location": "nowhere"}),
        ("update_record", {"object": TICKET, "id": "nothing"}),
        ("delete_record", {"object": TICKET, "id": "nothing"}),
        ("create_object", {"key": "ticket", "singular": "T", "plural": "Ts"}),
        ("create_field", {"object": TICKET, "name": "X", "type": "NOTHING"}),
        ("make_unique", {"object": TICKET, "field": "nothing"}),
        ("rename_option", {"object": TICKET, "field": "status", "option": "x", "label": "X"}),
        ("authorize", {"scopes": ["payments.write"]}),
        ("authorize", {"redirect_uri": "https://elsewhere.example.test"}),
        ("authorize", {"client_id": "nobody"}),
        ("authorize", {"location": "nowhere"}),
        ("rotate_token", {"token": "pit-unknown"}),
        ("subscribe", {"url": "https://x.example.test", "events": ["TaskUpdate"]}),
        ("set_location_active", {"location": "nowhere", "active": True}),
        ("load", {"object": TICKET, "records": [{"properties": {}, "created_at": "soon"}]}),
    ],
)
def test_a_wrong_wish_is_a_value_error(action: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Desk().control(action, **arguments)
