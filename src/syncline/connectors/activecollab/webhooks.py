"""An ActiveCollab webhook's headers and body into what was heard, or why it is not believed (facts: activecollab-api.md 4).

Made by `bootstrap`, asked by `service.intake`. The vendor signs nothing: a shared secret comes in clear, so an event is
never more than a hint, and the record is read again.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections.abc import Mapping

import msgspec

from syncline.ports import Heard, Refused, Spoken, Verdict

SECRET_HEADER = "x-angie-webhooksecret"  # noqa: S105 - a header's name
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COLLECTIONS = {
    "tasks": "task",
    "task-lists": "task_list",
    "notes": "note",
    "discussions": "discussion",
    "files": "file",
    "time-records": "time_record",
    "expenses": "expense",
}
_PLACE = re.compile(rf"projects/(\d+)(?:(?:/(?:visible|hidden)[a-z-]*)?/({'|'.join(_COLLECTIONS)})/(\d+))?")
"""Where a log entry says it happened; `projects/1/visible-to-clients/tasks/5` was captured (facts: 3.13)."""
_FOLLOWERS = ("task", "task_list", "subtask", "comment", *list(_COLLECTIONS.values())[2:])
"""What a project takes along when it comes or goes."""
_STATES = re.compile(r"Project(MovedToTrash|RestoredFromTrash|Completed|Reopened)")
_LOG = "activity_log"
_ROLES = frozenset({"owner", "member", "client"})
_CLASSES = {
    **dict.fromkeys(_ROLES, "user"),
    "task_label": "label",
    "project_label": "label",
}
"""Words of classes whose object type has another name: a user's class is its role (facts: 3.11)."""
_BELOW = re.compile(r"(subtask|comment|time_record|expense)_\w*activity_log")
"""Log entries about something below their parent, whose own number they do not tell."""
_ATTACHED = frozenset({"warehouse_attachment", "local_attachment", "attachment"})
"""Not an object type of their own: what they are attached to has changed."""


class _Payload(msgspec.Struct, rename={"kind": "class"}):
    """The keys that are looked at; any of them may be missing or of another type."""

    kind: object = None
    id: object = None
    project_id: object = None
    parent_type: object = None
    parent_id: object = None
    parent_path: object = None


class _Body(msgspec.Struct):
    type: object = None
    timestamp: object = None
    instance_id: object = None
    payload: msgspec.Raw = msgspec.Raw()


_READ = msgspec.json.Decoder(_Body).decode
_READ_PAYLOAD = msgspec.json.Decoder(_Payload).decode


class WebhookListener:
    """`ports.Listener` of one account. `secret` is what every webhook must carry; without one, none is believed.
    `instance` is the account's number in webhooks; events of another one are refused where it is given."""

    def __init__(self, secret: str, instance: int | None = None) -> None:
        self._secret = secret.encode()
        self._instance = instance

    @property
    def account(self) -> str:
        """Empty: a webhook is set up in one account, and its secret tells which."""
        return ""

    def hear(self, headers: Mapping[str, str], body: bytes) -> Heard | Refused:
        """Compare the secret in constant time, then read the body."""
        given = headers.get(SECRET_HEADER, "").encode()
        if not self._secret:
            return Refused("No webhook secret was made for this connection.")
        if not hmac.compare_digest(given, self._secret):
            return Refused("The webhook secret is missing." if not given else "The webhook secret is wrong.")
        return self.read(body)

    def read(self, body: bytes) -> Heard | Refused:
        """What a verified body means. An event that is not known is heard; the object it carries says what it is about."""
        try:
            found = _READ(body)
            payload = _carried(found.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Refused("The body is not a JSON object.", is_forged=False)
        if self._instance is not None and found.instance_id != self._instance:
            return Refused("It comes from another ActiveCollab account.")
        return _meant(found, payload)


def _carried(raw: msgspec.Raw) -> _Payload:
    return _READ_PAYLOAD(raw) if bytes(raw).lstrip().startswith(b"{") else _Payload()


def _meant(found: _Body, payload: _Payload) -> Heard:
    event = found.type if isinstance(found.type, str) and found.type else "(unnamed)"
    spoken = _spoken(event, payload)
    kind = _kind(payload.kind)
    return Heard(
        event,
        Verdict.LOOK if spoken else Verdict.NOTE,
        spoken=spoken,
        happened_at=_moment(found.timestamp),
        project=_number(payload.id) if kind == "project" else _project(payload),
        why="" if spoken else "It carries no object that could be looked at.",
    )


def _spoken(event: str, payload: _Payload) -> tuple[Spoken, ...]:
    """The object itself. A project that comes or goes takes along what is in it; a log entry is about its parent, which may
    only be told by a path (facts: 4), and perhaps about something below that."""
    kind, key = _kind(payload.kind), _number(payload.id)
    if kind.endswith(_LOG):
        below = _BELOW.fullmatch(kind)
        return (*_parent(payload), *([Spoken(below[1])] if below else []))
    if kind in _ATTACHED:
        return _parent(payload)
    if not kind or not key:
        return ()
    followers = _FOLLOWERS if _STATES.fullmatch(event) else ()
    return (Spoken(kind, key), *map(Spoken, followers))


def _parent(payload: _Payload) -> tuple[Spoken, ...]:
    kind, key = _kind(payload.parent_type), _number(payload.parent_id)
    if kind and key:
        return (Spoken(kind, key),)
    place = _place(payload)
    if place is None:
        return ()
    project, collection, number = place.groups()
    return (Spoken(_COLLECTIONS[collection], number),) if collection else (Spoken("project", project),)


def _project(payload: _Payload) -> str:
    place = _place(payload)
    return _number(payload.project_id) or (place.group(1) if place else "")


def _place(payload: _Payload) -> re.Match[str] | None:
    return _PLACE.search(payload.parent_path) if isinstance(payload.parent_path, str) else None


def _kind(name: object) -> str:
    """`TaskList` is `task_list`: the words of object types."""
    word = _WORDS.sub("_", name).lower() if isinstance(name, str) else ""
    return _CLASSES.get(word, word)


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else ""


def _moment(value: object) -> dt.datetime | None:
    """Seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
