"""Changes as signed webhooks for the apps that are installed where they happened (facts: highlevel-api.md 3).

Fed by `records`, `objects` and the CRM for every write, the API's own writes too (so they echo); emptied by `vendor.outbox`.
Registered by the control action `subscribe`, since the vendor has no API for it. A private token alone gets none.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from enum import Enum

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from syncline.sandbox.highlevel.ids import Ids
from syncline.sandbox.highlevel.tokens import App
from syncline.sandbox.wire import Delivery, SandboxClock


class Event(Enum):
    """The events that the stand-in sends."""

    RECORD_CREATE = "RecordCreate"
    RECORD_UPDATE = "RecordUpdate"
    RECORD_DELETE = "RecordDelete"
    OBJECT_CREATE = "ObjectSchemaCreate"
    OBJECT_UPDATE = "ObjectSchemaUpdate"
    ASSOCIATION_CREATE = "AssociationCreate"
    ASSOCIATION_UPDATE = "AssociationUpdate"
    ASSOCIATION_DELETE = "AssociationDelete"
    RELATION_CREATE = "RelationCreate"
    RELATION_DELETE = "RelationDelete"
    CONTACT_CREATE = "ContactCreate"
    CONTACT_UPDATE = "ContactUpdate"
    CONTACT_TAGS = "ContactTagUpdate"
    CONTACT_DELETE = "ContactDelete"
    OPPORTUNITY_CREATE = "OpportunityCreate"
    OPPORTUNITY_UPDATE = "OpportunityUpdate"
    OPPORTUNITY_STAGE = "OpportunityStageUpdate"
    OPPORTUNITY_STATUS = "OpportunityStatusUpdate"
    OPPORTUNITY_VALUE = "OpportunityMonetaryValueUpdate"
    OPPORTUNITY_ASSIGNED = "OpportunityAssignedToUpdate"
    OPPORTUNITY_DELETE = "OpportunityDelete"
    TASK_CREATE = "TaskCreate"
    TASK_COMPLETE = "TaskComplete"
    TASK_DELETE = "TaskDelete"
    NOTE_CREATE = "NoteCreate"
    NOTE_UPDATE = "NoteUpdate"
    NOTE_DELETE = "NoteDelete"


class Envelope(Enum):
    """Where the event's own keys stand: at the top (as real deliveries) or in `data` (as the guide shows)."""

    FLAT = "flat"
    DATA = "data"


class Subscription(msgspec.Struct, frozen=True):
    """One address of one app."""

    url: str
    app: App
    events: frozenset[Event]
    envelope: Envelope


class Webhooks:
    """Who is told what, and what waits to be sent."""

    def __init__(self, clock: SandboxClock, ids: Ids, seed: int) -> None:
        self._clock = clock
        self._ids = ids
        secret = hashlib.sha256(f"webhook key {seed}".encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._legacy_key: rsa.RSAPrivateKey | None = None
        self._waiting: list[Delivery] = []
        self.subscriptions: list[Subscription] = []
        self.signs_legacy = False

    @property
    def public_key(self) -> str:
        """The Ed25519 key, as PEM."""
        return _pem(self._key.public_key())

    @property
    def legacy_public_key(self) -> str:
        """The RSA key, as PEM. Made on first use; not from the seed."""
        return _pem(self._rsa().public_key())

    def emit(self, event: Event, location_id: str, body: Callable[[str], dict[str, object]]) -> None:
        """Queue an event for everybody who is to hear of it. `body` makes its keys from the time of sending."""
        for subscription in self.subscriptions:
            if event in subscription.events and location_id in subscription.app.installed_ms:
                self._queue(subscription, event, body)

    def take(self) -> list[Delivery]:
        """Hand over what waits."""
        taken, self._waiting = self._waiting, []
        return taken

    def _queue(
        self, subscription: Subscription, event: Event, body: Callable[[str], dict[str, object]]
    ) -> None:
        now = self._clock.now()
        timestamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        frame: dict[str, object] = {
            "type": event.value,
            "timestamp": timestamp,
            "webhookId": self._ids.uuid(),
            "appId": subscription.app.id,
            "versionId": subscription.app.version_id,
        }
        inner = body(timestamp)
        whole = frame | ({"data": inner} if subscription.envelope is Envelope.DATA else inner)
        raw = msgspec.json.encode(whole)
        self._waiting.append(Delivery(subscription.url, self._headers(raw), raw, now))

    def _headers(self, raw: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "X-GHL-Signature": base64.b64encode(self._key.sign(raw)).decode(),
        }
        if self.signs_legacy:
            signature = self._rsa().sign(raw, padding.PKCS1v15(), hashes.SHA256())
            headers["X-WH-Signature"] = base64.b64encode(signature).decode()
        return headers

    def _rsa(self) -> rsa.RSAPrivateKey:
        if self._legacy_key is None:
            self._legacy_key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        return self._legacy_key


def value_string(value: object) -> str:
    """A property's value in a webhook; for anything but text, its JSON (the vendor's encoding is unconfirmed)."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _pem(key: rsa.RSAPublicKey | Ed25519PublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
