"""Webhooks of the HighLevel stand-in: what fires, for whom, in which envelope, and how it is signed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from syncline.sandbox.highlevel import Options
from syncline.sandbox.wire import Delivery
from tests.sandbox.highlevel_desk import RECORDS, TICKET, Desk

URL = "https://hooks.example.test/highlevel"


def _bodies(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in desk.vendor.outbox()]


def test_api_writes_and_edits_by_people_fire_alike() -> None:
    desk = Desk()
    desk.control("subscribe", url=URL)
    record = desk.create(title="x", hours=2, tags=["red"])
    desk.edit(record["id"], title="y")
    desk.control("update_record", object=TICKET, id=record["id"], properties={"title": "z"})
    desk.call("DELETE", f"{RECORDS}/{record['id']}")
    bodies = _bodies(desk)

    assert [each["type"] for each in bodies] == [
        "RecordCreate",
        "RecordUpdate",
        "RecordUpdate",
        "RecordDelete",
    ]
    assert {each["id"] for each in bodies} == {record["id"]}
    assert {each["objectKey"] for each in bodies} == {TICKET}
    assert len({each["webhookId"] for each in bodies}) == 4
    assert bodies[0]["appId"] == desk.account.app.app_id
    assert bodies[0]["versionId"] == desk.account.app.version_id
    assert bodies[0]["properties"] == [
        {"key": "title", "valueString": "x"},
        {"key": "hours", "valueString": "2"},
        {"key": "tags", "valueString": '["red"]'},
    ]
    assert desk.vendor.outbox() == []


def test_schema_changes_fire_but_field_changes_do_not() -> None:
    desk = Desk(has_ticket=False)
    desk.control("subscribe", url=URL)
    desk.make_ticket()
    body = {"locationId": desk.location, "searchableProperties": []}
    desk.call("PUT", f"/objects/{TICKET}", body)

    assert [each["type"] for each in _bodies(desk)] == ["ObjectSchemaCreate", "ObjectSchemaUpdate"]


def test_only_subscribed_events_of_installed_locations_are_sent() -> None:
    desk = Desk()
    desk.create(title="nobody listens")
    desk.control("subscribe", url=URL, events=["RecordDelete"])
    record = desk.create(title="x")
    desk.call("DELETE", f"{RECORDS}/{record['id']}")
    assert [each["type"] for each in _bodies(desk)] == ["RecordDelete"]

    desk.control("uninstall", location=desk.location)
    desk.call("DELETE", f"{RECORDS}/{desk.create(title='x')['id']}")
    assert _bodies(desk) == []
    desk.control("unsubscribe")
    assert desk.vendor.outbox() == []


def test_the_envelope_may_hold_the_event_in_data() -> None:
    desk = Desk()
    desk.control("subscribe", url=URL, envelope="data")
    record = desk.create(title="x")
    body = _bodies(desk)[0]

    assert set(body) == {"type", "timestamp", "webhookId", "appId", "versionId", "data"}
    assert body["data"]["id"] == record["id"]


def test_the_object_key_may_be_missing_and_identical_writes_silent() -> None:
    desk = Desk(Options(object_key_in_webhooks=False, identical_put_fires=False))
    desk.control("subscribe", url=URL)
    record = desk.create(title="x")
    desk.edit(record["id"], title="x")
    bodies = _bodies(desk)

    assert len(bodies) == 1
    assert "objectKey" not in bodies[0]


def _ed25519(desk: Desk) -> Ed25519PublicKey:
    key = serialization.load_pem_public_key(desk.account.webhook_public_key.encode())
    assert isinstance(key, Ed25519PublicKey)
    return key


def _delivery(desk: Desk) -> Delivery:
    desk.control("subscribe", url=URL)
    desk.create(title="Ünïcode")
    return desk.vendor.outbox()[0]


def test_the_raw_body_is_signed() -> None:
    desk = Desk()
    delivery = _delivery(desk)
    signature = base64.b64decode(delivery.headers["X-GHL-Signature"])

    assert (delivery.url, delivery.due) == (URL, desk.clock.now())
    assert "X-WH-Signature" not in delivery.headers
    _ed25519(desk).verify(signature, delivery.body)
    with pytest.raises(InvalidSignature):
        _ed25519(desk).verify(signature, delivery.body + b" ")


def test_the_key_comes_from_the_seed() -> None:
    assert Desk(seed=1).account.webhook_public_key == Desk(seed=1).account.webhook_public_key
    assert Desk(seed=1).account.webhook_public_key != Desk(seed=2).account.webhook_public_key


def test_the_old_signature_comes_with_a_switch() -> None:
    desk = Desk(Options(legacy_signature=True))
    delivery = _delivery(desk)
    key = serialization.load_pem_public_key(desk.vendor.legacy_webhook_public_key.encode())

    assert isinstance(key, RSAPublicKey)
    signature = base64.b64decode(delivery.headers["X-WH-Signature"])
    key.verify(signature, delivery.body, padding.PKCS1v15(), hashes.SHA256())
