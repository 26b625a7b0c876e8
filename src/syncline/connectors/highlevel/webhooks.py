"""A HighLevel webhook's headers and body into what was heard, or why it is not believed (facts: highlevel-api.md 3).

Made by `bootstrap`, asked by `service.intake`. Nothing of a body is trusted beyond what it is about: the record is read
again, so an event that says too little is still of use.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from syncline.errors import ConfigError, Problem, ProblemKind
from syncline.ports import Heard, Refused, Spoken, Verdict

PUBLISHED_KEY = "MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg="
"""The vendor's Ed25519 key (facts: 3.4)."""
SIGNATURE = "x-ghl-signature"
LEGACY_SIGNATURE = "x-wh-signature"
UNSIGNED = "N/A"
"""What the header holds when the vendor did not sign (facts: 3.4)."""

_Key = TypeVar("_Key", Ed25519PublicKey, RSAPublicKey)

_FAMILY = re.compile(r"(Record|ObjectSchema|Contact|Opportunity|Task|Note|Association|Relation)[A-Z]\w*")
_VARIANTS = {"DeleteRecord": "Record", "CreateRecord": "Record", "UpdateRecord": "Record"}
_PLAIN = {"Contact": "contact", "Opportunity": "opportunity"}
_ATTACHED = {"Task": "task", "Note": "note"}
_LONGEST_MARK = 200


class _Body(msgspec.Struct, rename="camel"):
    """The keys that are looked at; any of them may be missing or of another type."""

    type: object = None
    webhook_id: object = None
    timestamp: object = None
    location_id: object = None
    id: object = None
    object_key: object = None
    key: object = None
    labels: object = None
    properties: object = None
    contact_id: object = None
    association_type: object = None
    first_object_key: object = None
    first_record_id: object = None
    second_object_key: object = None
    second_record_id: object = None
    data: msgspec.Raw = msgspec.Raw()


_READ = msgspec.json.Decoder(_Body).decode
_FIELDS = tuple(name for name in _Body.__struct_fields__ if name != "data")


class WebhookListener:
    """`ports.Listener` of one location.

    `keys` are the Ed25519 keys that are believed (PEM, or base64 of the DER); the published one when there is none.
    `legacy_keys` are RSA keys for `X-WH-Signature`, which the vendor does not send any more: without one that header
    counts for nothing. Raises `ConfigError` for a key that is none.
    """

    def __init__(self, location: str, keys: Sequence[str] = (), legacy_keys: Sequence[str] = ()) -> None:
        self._location = location
        self._keys = [_key(text, Ed25519PublicKey, "keys") for text in keys or (PUBLISHED_KEY,)]
        self._legacy_keys = [_key(text, RSAPublicKey, "legacy_keys") for text in legacy_keys]

    @property
    def account(self) -> str:
        """The location's id."""
        return self._location

    def hear(self, headers: Mapping[str, str], body: bytes) -> Heard | Refused:
        """Verify the signature over the raw body, then read it."""
        return self._distrust(headers, body) or self.read(body)

    def read(self, body: bytes) -> Heard | Refused:
        """What a verified body means. An event that is not known is heard and noted."""
        try:
            outer = _READ(body)
            found = _whole(outer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Refused("The body is not a JSON object.", is_forged=False)
        event = _text(found.type) or _guess(found)
        location = _text(found.location_id)
        frame = Heard(
            event or "(unnamed)",
            Verdict.NOTE,
            _text(found.webhook_id)[:_LONGEST_MARK],
            happened_at=_moment(found.timestamp),
            account=location,
        )
        if location and location != self._location:
            return msgspec.structs.replace(frame, why="It is about another location.")
        return _meant(frame, event, found)

    def _distrust(self, headers: Mapping[str, str], body: bytes) -> Refused | None:
        """Why the sender is not believed. An Ed25519 signature that does not fit is never made up for by an RSA one."""
        signature = headers.get(SIGNATURE, "")
        if signature and signature != UNSIGNED:
            fits = any(_fits(key, signature, body) for key in self._keys)
            return None if fits else Refused("The signature does not fit the body and our keys.")
        legacy = headers.get(LEGACY_SIGNATURE, "")
        if self._legacy_keys and legacy and legacy != UNSIGNED:
            fits = any(_fits_legacy(key, legacy, body) for key in self._legacy_keys)
            return None if fits else Refused("The old signature does not fit the body and our keys.")
        return Refused("It is not signed.")


def _key(text: str, kind: type[_Key], setting: str) -> _Key:
    try:
        raw = text.strip().encode()
        key = load_pem_public_key(raw) if raw.startswith(b"-----") else load_der_public_key(_decoded(text))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, kind):
        wanted = "an Ed25519" if kind is Ed25519PublicKey else "an RSA"
        message, remedy = (
            f"one of them is not {wanted} public key.",
            "Give the PEM text as the vendor publishes it.",
        )
        raise ConfigError(
            "A webhook key cannot be used:",
            (Problem(f"webhooks.{setting}", message, remedy, ProblemKind.BAD_VALUE),),
        )
    return key


def _decoded(text: str) -> bytes:
    """Raises `binascii.Error`, a `ValueError`."""
    return base64.b64decode("".join(text.split()), validate=True)


def _fits(key: Ed25519PublicKey, signature: str, body: bytes) -> bool:
    try:
        key.verify(_decoded(signature), body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _fits_legacy(key: RSAPublicKey, signature: str, body: bytes) -> bool:
    try:
        key.verify(_decoded(signature), body, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _whole(outer: _Body) -> _Body:
    """The event's own keys, be they at the top or in `data`; what `data` lacks is taken from around it (facts: 3.3)."""
    if outer.id is not None or not bytes(outer.data).lstrip().startswith(b"{"):
        return outer
    inner = _READ(outer.data)
    for name in _FIELDS:
        if getattr(inner, name) is None or name == "type":
            setattr(inner, name, getattr(outer, name))
    return inner


def _guess(found: _Body) -> str:
    """The family of an event without a name: the documented examples have none (facts: 3.2)."""
    if found.first_record_id is not None:
        return "Relation"
    if found.association_type is not None:
        return "Association"
    if found.object_key is not None or isinstance(found.properties, list):
        return "Record"
    return "ObjectSchema" if found.labels is not None and found.key is not None else ""


def _meant(frame: Heard, event: str, found: _Body) -> Heard:
    named = _FAMILY.fullmatch(event)
    family = named.group(1) if named else _VARIANTS.get(event, event)
    spoken = _spoken(family, found)
    if spoken is None:
        return msgspec.structs.replace(frame, why="No sync can look at what this event is about.")
    is_schema = family in ("ObjectSchema", "Association")
    return msgspec.structs.replace(frame, verdict=Verdict.LOOK, spoken=spoken, is_schema=is_schema)


def _spoken(family: str, found: _Body) -> tuple[Spoken, ...] | None:
    """The records (or types) that an event of this family is about; None for a family that is none of ours."""
    key = _text(found.id)
    ends = (
        (_text(found.first_object_key), _text(found.first_record_id)),
        (_text(found.second_object_key), _text(found.second_record_id)),
    )
    match family:
        case "Record":
            return (Spoken(_text(found.object_key), key),) if key else None
        case "ObjectSchema":
            return (Spoken(_text(found.key)),) if _text(found.key) else None
        case "Association":
            return tuple(Spoken(kind) for kind, _ in ends if kind) or None
        case "Relation":
            return tuple(Spoken(kind, record) for kind, record in ends if kind and record) or None
        case "Task" | "Note":
            return _attached(_ATTACHED[family], key, _text(found.contact_id))
        case _:
            return (Spoken(_PLAIN[family], key),) if family in _PLAIN and key else None


def _attached(object_type: str, key: str, contact: str) -> tuple[Spoken, ...] | None:
    """What belongs to a contact is found only with it. Live task events lacked it (facts: 3.3): then any may have changed."""
    if not key:
        return None
    return (Spoken(object_type, f"{contact}:{key}" if contact else ""),)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> dt.datetime | None:
    """ISO 8601, or milliseconds since 1970."""
    try:
        if isinstance(value, int | float):
            return dt.datetime.fromtimestamp(value / 1000, dt.UTC)
        found = dt.datetime.fromisoformat(_text(value))
        return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
