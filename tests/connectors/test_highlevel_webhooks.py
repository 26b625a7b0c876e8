"""HighLevel webhooks: which signatures are believed, and what a body is about."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from highlevel.webhook.webhook_manager import WebhookManager
from hypothesis import given
from hypothesis import strategies as st

from syncline.connectors.highlevel import WebhookListener
from syncline.errors import ConfigError
from syncline.ports import Heard, Refused, Spoken, Verdict
from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import TICKET, Desk
from tests.sandbox.openapi import SPECS

LOCATION = "ve9EPM428h8vShlRW1KT"
RECORD: dict[str, Any] = {
    "type": "RecordUpdate",
    "id": "679b8f9bde6a0c356a0311b3",
    "objectKey": TICKET,
    "locationId": LOCATION,
    "timestamp": "2026-02-10T08:26:05.961Z",
    "webhookId": "0c2f6a5e-6a38-4d43-9e4e-1f6f5a5f0001",
}


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def _pem(key: Any) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@dataclass
class Vendor:
    """Whoever signs."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def pem(self) -> str:
        return _pem(self.key)

    def headers(self, body: bytes) -> dict[str, str]:
        return {"x-ghl-signature": base64.b64encode(self.key.sign(body)).decode()}


def _legacy(body: bytes) -> dict[str, str]:
    signature = _rsa().sign(body, padding.PKCS1v15(), hashes.SHA256())
    return {"x-wh-signature": base64.b64encode(signature).decode()}


def _body(**changed: object) -> bytes:
    return json.dumps({**RECORD, **changed}).encode()


def _heard(body: dict[str, Any], location: str = LOCATION) -> Heard:
    found = WebhookListener(location).read(json.dumps(body).encode())
    assert isinstance(found, Heard)
    return found


def test_a_body_is_believed_when_one_of_the_keys_signed_it() -> None:
    old, new = Vendor(), Vendor()
    listener = WebhookListener(LOCATION, [old.pem, new.pem])

    for vendor in (old, new):
        assert isinstance(listener.hear(vendor.headers(_body()), _body()), Heard)
    refused = listener.hear(Vendor().headers(_body()), _body())
    assert refused == Refused("The signature does not fit the body and our keys.")


def test_a_key_may_be_given_without_its_frame() -> None:
    vendor = Vendor()
    bare = "".join(vendor.pem.splitlines()[1:-1])

    assert isinstance(WebhookListener(LOCATION, [bare]).hear(vendor.headers(_body()), _body()), Heard)


@pytest.mark.parametrize("key", ["", "nonsense", "AAAA", "-----BEGIN PUBLIC KEY-----"])
def test_a_key_that_is_none_is_told_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        WebhookListener(LOCATION, [key or _pem(_rsa())])

    assert caught.value.problems[0].path == "webhooks.keys"
    assert "nonsense" not in str(caught.value)


@pytest.mark.parametrize(
    "tampered",
    [_body() + b" ", _body(id="another"), _body()[:-1], b""],
    ids=["longer", "changed", "cut", "empty"],
)
def test_a_tampered_body_is_refused(tampered: bytes) -> None:
    vendor = Vendor()

    assert isinstance(
        WebhookListener(LOCATION, [vendor.pem]).hear(vendor.headers(_body()), tampered), Refused
    )


@pytest.mark.parametrize("value", ["N/A", "", None, "not base64!", "QUJD", "é"])
def test_a_missing_or_unreadable_signature_is_refused(value: str | None) -> None:
    headers = {} if value is None else {"x-ghl-signature": value}

    refused = WebhookListener(LOCATION).hear(headers, _body())

    assert isinstance(refused, Refused)
    assert refused.is_forged


def test_the_published_key_is_the_default() -> None:
    vendor = Vendor()

    assert isinstance(WebhookListener(LOCATION).hear(vendor.headers(_body()), _body()), Refused)


def test_the_old_signature_counts_only_behind_the_switch() -> None:
    vendor = Vendor()
    with_legacy = WebhookListener(LOCATION, [vendor.pem], [_pem(_rsa())])

    assert isinstance(WebhookListener(LOCATION, [vendor.pem]).hear(_legacy(_body()), _body()), Refused)
    assert isinstance(with_legacy.hear(_legacy(_body()), _body()), Heard)
    assert isinstance(with_legacy.hear({**_legacy(_body()), "x-ghl-signature": "N/A"}, _body()), Heard)
    assert isinstance(with_legacy.hear(_legacy(_body()), _body(id="x")), Refused)


def test_a_wrong_new_signature_is_never_made_up_for_by_a_right_old_one() -> None:
    vendor = Vendor()
    listener = WebhookListener(LOCATION, [vendor.pem], [_pem(_rsa())])

    refused = listener.hear({**_legacy(_body()), **vendor.headers(b"other")}, _body())

    assert isinstance(refused, Refused)


@pytest.mark.parametrize("body", [_body(), _body(title="Ünïcode"), b'{"a": 1}'])
@pytest.mark.parametrize("is_tampered", [False, True])
def test_the_official_client_judges_signatures_alike(body: bytes, is_tampered: bool) -> None:
    vendor = Vendor()
    manager = WebhookManager(SimpleNamespace(**dict.fromkeys(("debug", "warn", "error"), _say)), None, None)
    signed = body + b" " if is_tampered else body
    signature = vendor.headers(signed)["x-ghl-signature"]
    legacy = _legacy(signed)["x-wh-signature"]
    ours = WebhookListener(LOCATION, [vendor.pem], [_pem(_rsa())])

    new = manager.verify_ed25519_signature(body.decode(), signature, vendor.pem)
    old = manager.verify_signature(body.decode(), legacy, _pem(_rsa()))

    assert new is old is not is_tampered
    assert isinstance(ours.hear({"x-ghl-signature": signature}, body), Heard) is new
    assert isinstance(ours.hear({"x-wh-signature": legacy}, body), Heard) is old


def _say(*_: object) -> None:
    """A logger that says nothing."""


def test_the_official_client_takes_the_stand_ins_webhooks_as_we_do(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(Options(legacy_signature=True))
    desk.control("subscribe", url="https://hooks.example.test")
    desk.create(title="Ünïcode")
    sent = desk.vendor.outbox()[0]
    monkeypatch.setenv("CLIENT_ID", f"{desk.account.app.app_id}-x")
    monkeypatch.setenv("WEBHOOK_SIGNATURE_PUBLIC_KEY", desk.account.webhook_public_key)
    manager = WebhookManager(SimpleNamespace(**dict.fromkeys(("debug", "warn", "error"), _say)), None, None)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    request = SimpleNamespace(headers=headers, body=sent.body, method="POST", url="/")

    asyncio.run(manager.subscribe()(request))

    heard = WebhookListener(desk.location, [desk.account.webhook_public_key]).hear(headers, sent.body)
    assert request.is_signature_valid is True
    assert isinstance(heard, Heard)
    assert heard.spoken == (Spoken(TICKET, json.loads(sent.body)["id"]),)


def test_a_record_event_speaks_of_its_record() -> None:
    heard = _heard(RECORD)

    assert (heard.event, heard.verdict, heard.is_schema) == ("RecordUpdate", Verdict.LOOK, False)
    assert heard.spoken == (Spoken(TICKET, RECORD["id"]),)
    assert heard.mark == RECORD["webhookId"]
    assert heard.happened_at == dt.datetime(2026, 2, 10, 8, 26, 5, 961_000, dt.UTC)


def test_the_event_may_stand_in_an_envelope() -> None:
    frame = {key: RECORD[key] for key in ("type", "timestamp", "webhookId")}
    inner = {key: value for key, value in RECORD.items() if key not in frame}

    assert _heard({**frame, "data": inner}) == _heard(RECORD)
    assert _heard({**frame, "data": {**inner, "type": "text"}}) == _heard(RECORD)


@pytest.mark.parametrize(
    ("body", "spoken"),
    [
        ({"type": "RecordCreate", "id": "r"}, [("", "r")]),
        ({"type": "DeleteRecord", "id": "r", "objectKey": TICKET}, [(TICKET, "r")]),
        ({"type": "ObjectSchemaUpdate", "id": "s", "key": TICKET}, [(TICKET, "")]),
        ({"type": "ContactTagUpdate", "id": "c"}, [("contact", "c")]),
        ({"type": "OpportunityStageUpdate", "id": "o"}, [("opportunity", "o")]),
        ({"type": "TaskComplete", "id": "t"}, [("task", "")]),
        ({"type": "TaskDelete", "id": "t", "contactId": "c"}, [("task", "c:t")]),
        ({"type": "NoteUpdate", "id": "n", "contactId": "c"}, [("note", "c:n")]),
        (
            {"type": "AssociationCreate", "id": "a", "firstObjectKey": TICKET, "secondObjectKey": "contact"},
            [(TICKET, ""), ("contact", "")],
        ),
        (
            {
                "type": "RelationDelete",
                "id": "l",
                "firstObjectKey": TICKET,
                "firstRecordId": "r",
                "secondObjectKey": "contact",
                "secondRecordId": "c",
            },
            [(TICKET, "r"), ("contact", "c")],
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_each_kind_of_event_speaks_of_its_records(
    body: dict[str, str], spoken: list[tuple[str, str]]
) -> None:
    heard = _heard({**body, "locationId": LOCATION})

    assert heard.verdict is Verdict.LOOK
    assert [(each.object_type, each.key) for each in heard.spoken] == spoken
    assert heard.is_schema is body["type"].startswith(("ObjectSchema", "Association"))


@pytest.mark.parametrize(
    "body",
    [
        {"type": "INSTALL", "locationId": LOCATION},
        {"type": "UNINSTALL", "companyId": "x"},
        {"type": "SomethingNew", "id": "x", "locationId": LOCATION},
        {"type": "RecordUpdate", "id": 7},
        {"type": ["RecordUpdate"], "webhookId": {}, "timestamp": [], "data": "text"},
        {},
    ],
)
def test_what_is_not_known_is_noted_and_no_error(body: dict[str, object]) -> None:
    heard = _heard(body)

    assert (heard.verdict, heard.spoken) == (Verdict.NOTE, ())
    assert heard.why


def test_an_event_of_another_location_is_noted_with_its_account() -> None:
    heard = _heard(RECORD, location="elsewhere")

    assert (heard.verdict, heard.spoken, heard.account) == (Verdict.NOTE, (), LOCATION)
    assert "another location" in heard.why


@pytest.mark.parametrize("stamp", ["2026-02-10T08:26:05", 1_770_711_965_000, "2026-02-10T09:26:05+01:00"])
def test_a_time_may_be_written_in_several_ways(stamp: object) -> None:
    assert _heard({**RECORD, "timestamp": stamp}).happened_at == dt.datetime(
        2026, 2, 10, 8, 26, 5, tzinfo=dt.UTC
    )


@pytest.mark.parametrize("stamp", ["soon", None, 10**30, "", True, float("1e400")])
def test_a_time_that_is_none_is_left_out(stamp: object) -> None:
    heard = _heard({**RECORD, "timestamp": stamp if stamp != float("1e400") else "1e400"})

    assert heard.happened_at is None or stamp is True


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 100_000, b'{"a":' * 50_000]
)
def test_what_is_no_object_is_refused_and_not_called_forged(body: bytes) -> None:
    refused = WebhookListener(LOCATION).read(body)

    assert isinstance(refused, Refused)
    assert not refused.is_forged


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_NAMES = [
    "type",
    "id",
    "objectKey",
    "timestamp",
    "webhookId",
    "locationId",
    "data",
    "key",
    "labels",
    "properties",
]


@given(body=st.dictionaries(st.sampled_from([*_NAMES, "firstRecordId", "firstObjectKey"]), _JSON))
def test_no_body_breaks_the_reader(body: dict[str, object]) -> None:
    assert isinstance(WebhookListener(LOCATION).read(json.dumps(body).encode()), Heard | Refused)


@given(body=st.binary(max_size=60))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    assert isinstance(WebhookListener(LOCATION).read(body), Heard | Refused)


def _examples() -> list[tuple[str, dict[str, Any]]]:
    for name in ("webhook-examples.json", "webhook-examples.derived.json"):
        if (SPECS / name).is_file():
            events = json.loads((SPECS / name).read_text())["events"]
            return [(event, body) for event, found in events.items() for body in found["examples"]]
    return []


FAMILIES = ("Record", "ObjectSchema", "Contact", "Opportunity", "Task", "Note", "Association", "Relation")


def test_every_documented_body_is_understood() -> None:
    examples = _examples()
    if not examples:
        pytest.skip("the webhook examples (../shared/specs/highlevel) are not on this machine")

    for event, body in examples:
        heard = _heard(body, location=body.get("locationId", LOCATION))
        assert (heard.verdict is Verdict.LOOK) is event.startswith(FAMILIES), (event, heard)
    assert len(examples) > 60
