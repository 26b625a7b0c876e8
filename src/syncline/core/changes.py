"""Two versions of what is configured into the changes between them, each in a sentence a person can judge.

Called by `bootstrap` and the CLI for `syncline diff` and `syncline apply`. Works on plain JSON in the form that
`config.canonical` writes, so that a setting this module does not know is still told of.

Law: no changes exactly when the two are the same; swapping them never turns a change into none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from syncline.core.decisions import line_name
from syncline.core.records import FieldId, Side, SyncId

Body = Mapping[str, Any]
"""The syncs by name, each as plain JSON."""


class Reach(Enum):
    """What a change does to records that are linked already."""

    NONE = "none"
    LATER = "later"
    """Nothing is written because of it; edits from now on are decided by it."""
    OPEN = "open"
    """As LATER, and what waits for a person or a counterpart is decided again."""
    FILL = "fill"
    """Every link is looked at in the added field, and in no other."""
    SCOPE = "scope"
    """Records come in or leave."""
    ALL = "all"
    """All of them are concerned."""

    @property
    def touches_links(self) -> bool:
        """Whether a linked record may be treated differently from now on."""
        return self is not Reach.NONE


class ChangeKind(Enum):
    """What was changed."""

    SYNC_ADDED = "sync_added"
    SYNC_REMOVED = "sync_removed"
    CONNECTION = "connection"
    OBJECT = "object"
    FILTER_WIDER = "filter_wider"
    FILTER_NARROWER = "filter_narrower"
    FILTER_OTHER = "filter_other"
    PLACE = "place"
    FIELD_ADDED = "field_added"
    FIELD_REMOVED = "field_removed"
    FIELD_ORDER = "field_order"
    DIRECTION = "direction"
    CONFLICT = "conflict"
    TRANSLATION = "translation"
    LOSSY = "lossy"
    MATCH = "match"
    CONFLICTS = "conflicts"
    DELETES = "deletes"
    DELETED_EDIT = "deleted_edit"
    CREATE = "create"
    BRAKES = "brakes"
    SCHEDULE = "schedule"
    FRESHNESS = "freshness"
    OTHER = "other"

    @property
    def reach(self) -> Reach:
        """What it does to linked records."""
        return _REACH.get(self, Reach.NONE)

    @property
    def meaning(self) -> str:
        """What it does to linked records, in a sentence; empty for nothing."""
        return _MEANINGS.get(self, _BY_REACH[self.reach])


_REACH = {
    ChangeKind.SYNC_REMOVED: Reach.ALL,
    ChangeKind.CONNECTION: Reach.ALL,
    ChangeKind.OBJECT: Reach.ALL,
    ChangeKind.FILTER_WIDER: Reach.SCOPE,
    ChangeKind.FILTER_NARROWER: Reach.SCOPE,
    ChangeKind.FILTER_OTHER: Reach.SCOPE,
    ChangeKind.FIELD_ADDED: Reach.FILL,
    ChangeKind.FIELD_REMOVED: Reach.LATER,
    ChangeKind.DIRECTION: Reach.OPEN,
    ChangeKind.CONFLICT: Reach.OPEN,
    ChangeKind.TRANSLATION: Reach.OPEN,
    ChangeKind.CONFLICTS: Reach.OPEN,
    ChangeKind.DELETES: Reach.OPEN,
    ChangeKind.DELETED_EDIT: Reach.OPEN,
    ChangeKind.OTHER: Reach.OPEN,
}
_BY_REACH = {
    Reach.NONE: "",
    Reach.LATER: "No record is touched; edits from now on are decided by it.",
    Reach.OPEN: "What agrees stays as it is until somebody edits; what waits for a person is decided again.",
    Reach.FILL: "Every linked record is looked at in this field, and in no other.",
    Reach.SCOPE: "Records come in or leave.",
    Reach.ALL: "All linked records are concerned.",
}
_MEANINGS = {
    ChangeKind.SYNC_ADDED: "Records meet for the first time.",
    ChangeKind.SYNC_REMOVED: "It runs no more. Nothing is deleted; its links are remembered.",
    ChangeKind.CONNECTION: "The records must be the same ones; if this is another account, add a new sync instead.",
    ChangeKind.OBJECT: "The links tie other records than these; add a new sync instead.",
    ChangeKind.FILTER_WIDER: "More records take part; linked ones stay linked.",
    ChangeKind.FILTER_NARROWER: "Links of records that leave rest; nothing is deleted.",
    ChangeKind.FILTER_OTHER: "Records come in and leave; links of those that leave rest, nothing is deleted.",
    ChangeKind.FIELD_REMOVED: "No record is touched; this field is no longer carried over.",
}


class Change(msgspec.Struct, frozen=True):
    """One change: of which sync, where in it (`fields[name ↔ title].direction`), what, and in a sentence.

    `line` names the field line that it is about, where it is about one.
    """

    sync: SyncId
    path: str
    kind: ChangeKind
    sentence: str
    line: str = ""

    @property
    def touches_links(self) -> bool:
        """Whether a linked record may be treated differently from now on."""
        return self.kind.reach.touches_links


def digest(body: Any) -> str:
    """Sixteen hexadecimal digits that differ when the configuration does."""
    return hashlib.sha256(_text(body)).hexdigest()[:16]


def changes(before: Body, after: Body) -> tuple[Change, ...]:
    """Everything that differs, sync by sync in the order of `after`, the removed ones last."""
    out: list[Change] = []
    for name, sync in after.items():
        if name not in before:
            sides = " and ".join(f"{sync[side.value]['object']}" for side in Side)
            text = f"adds the sync {name}: {sides}, {len(sync['fields'])} fields"
            out.append(Change(SyncId(name), "", ChangeKind.SYNC_ADDED, text))
        elif not _same(before[name], sync):
            found = tuple(_of_sync(SyncId(name), before[name], sync))
            other = Change(SyncId(name), "", ChangeKind.OTHER, "says the same in other words")
            out += found or (other,)
    out += [
        Change(SyncId(name), "", ChangeKind.SYNC_REMOVED, f"removes the sync {name}")
        for name in before
        if name not in after
    ]
    return tuple(out)


def _text(value: Any) -> bytes:
    """Equal exactly for equal JSON: `true` is not `1`, and the order of names does not count."""
    return msgspec.json.encode(value, order="deterministic")


def _same(a: Any, b: Any) -> bool:
    return _text(a) == _text(b)


def _of_sync(sync: SyncId, before: Body, after: Body) -> Iterator[Change]:
    for side in Side:
        yield from _side(sync, side, before[side.value], after[side.value])
    yield from _lines(sync, before["fields"], after["fields"])
    for name in _names(before, after):
        if name in ("left", "right", "fields") or _same(before.get(name), after.get(name)):
            continue
        kind, sentence = _POLICIES.get(name, (ChangeKind.OTHER, f"{name} changes: {{0}} → {{1}}"))
        text = sentence.format(_said(before.get(name)), _said(after.get(name)))
        yield Change(sync, name, kind, text)


_POLICIES = {
    "match": (ChangeKind.MATCH, "first meetings are matched otherwise: {0} → {1}"),
    "conflicts": (ChangeKind.CONFLICTS, "conflict policy {0} → {1}, for fields without one of their own"),
    "deletes": (ChangeKind.DELETES, "deletes {0} → {1}"),
    "deleted_edit": (ChangeKind.DELETED_EDIT, "deleted here and edited there: {0} → {1}"),
    "create": (ChangeKind.CREATE, "new records are made on: {0} → {1}"),
    "brakes": (ChangeKind.BRAKES, "brakes {0} → {1}"),
    "schedule": (ChangeKind.SCHEDULE, "looked at by itself otherwise: {0} → {1}"),
    "freshness": (ChangeKind.FRESHNESS, "how soon edits should arrive: {0} → {1}"),
}


def _names(before: Body, after: Body) -> Sequence[str]:
    return [*after, *(name for name in before if name not in after)]


# --- one side -------------------------------------------------------------------------------------------------------


def _side(sync: SyncId, side: Side, before: Body, after: Body) -> Iterator[Change]:
    for name in _names(before, after):
        was, now, path = before.get(name), after.get(name), f"{side.value}.{name}"
        if _same(was, now):
            continue
        if name == "where":
            yield from _filters(sync, side, was or {}, now or {})
        elif name == "connection":
            text = f"the {side.value} side is read through the connection {now} (was {was})"
            yield Change(sync, path, ChangeKind.CONNECTION, text)
        elif name == "object":
            yield Change(sync, path, ChangeKind.OBJECT, f"the {side.value} side holds {now} (was {was})")
        else:
            text = f"filter on the {side.value} changes: {name} {_said(was)} → {_said(now)}"
            yield Change(sync, path, ChangeKind.FILTER_OTHER, text)


def _filters(sync: SyncId, side: Side, before: Body, after: Body) -> Iterator[Change]:
    for name in _names(before, after):
        was, now = before.get(name, []), after.get(name, [])
        if not _same(was, now):
            told = f"{name} {_said(was) or 'any'} → {_said(now) or 'any'}"
            kind = _filter_kind(name, frozenset(was), frozenset(now))
            text = f"{_FILTERED[kind].format(side.value)}: {told}"
            yield Change(sync, f"{side.value}.where.{name}", kind, text)


def _filter_kind(name: str, was: frozenset[str], now: frozenset[str]) -> ChangeKind:
    """No accepted values means that all are; `create_…` says where new records go, and filters nothing."""
    if name.startswith("create_"):
        return ChangeKind.PLACE
    if was == now:
        return ChangeKind.OTHER
    if not now or (was and was.issubset(now)):
        return ChangeKind.FILTER_WIDER
    if not was or was.issuperset(now):
        return ChangeKind.FILTER_NARROWER
    return ChangeKind.FILTER_OTHER


_FILTERED = {
    ChangeKind.PLACE: "new records on the {} go elsewhere",
    ChangeKind.OTHER: "filter on the {} names the same values in another order",
    ChangeKind.FILTER_WIDER: "filter on the {} widens",
    ChangeKind.FILTER_NARROWER: "filter on the {} narrows",
    ChangeKind.FILTER_OTHER: "filter on the {} takes others",
}


# --- field lines ----------------------------------------------------------------------------------------------------


def _lines(sync: SyncId, before: Sequence[Body], after: Sequence[Body]) -> Iterator[Change]:
    was, now = {_line(each): each for each in before}, {_line(each): each for each in after}
    for line, each in now.items():
        path = f"fields[{line}]"
        if line not in was:
            text = f"adds field {line}{_way(each.get('direction'))}"
            yield Change(sync, path, ChangeKind.FIELD_ADDED, text, line)
        else:
            for name in _names(was[line], each):
                old, new = was[line].get(name), each.get(name)
                if not _same(old, new):
                    yield Change(sync, f"{path}.{name}", *_line_change(line, name, old, new), line)
    for line in was:
        if line not in now:
            yield Change(sync, f"fields[{line}]", ChangeKind.FIELD_REMOVED, f"removes field {line}", line)
    if [line for line in was if line in now] != [line for line in now if line in was]:
        text = "lists the fields in another order"
        yield Change(sync, "fields", ChangeKind.FIELD_ORDER, text)


def _line(field: Body) -> str:
    return line_name(FieldId(field["left"]), FieldId(field["right"]))


def _way(direction: Any) -> str:
    return f" ({direction})" if direction in ("to_left", "to_right") else ""


def _line_change(line: str, name: str, old: Any, new: Any) -> tuple[ChangeKind, str]:
    if name == "direction":
        becomes = "two-way" if new == "both" else f"one-way ({new})"
        return ChangeKind.DIRECTION, f"field {line} becomes {becomes}"
    if name == "conflict":
        told = f"{_said(old) or 'as the sync says'} → {_said(new) or 'as the sync says'}"
        return ChangeKind.CONFLICT, f"field {line}: conflict policy {told}"
    if name == "lossy":
        may = "may lose something on the way back" if new else "must come back as it went"
        return ChangeKind.LOSSY, f"field {line} {may}"
    told = f"{name} {_said(old) or 'none'} → {_said(new) or 'none'}"
    return ChangeKind.TRANSLATION, f"field {line} is translated otherwise: {told}"


_LONGEST = 80


def _said(value: Any) -> str:
    """A setting in a few words."""
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):  # pyright: ignore[reportUnknownVariableType] - plain JSON
        text = ", ".join(value)  # pyright: ignore[reportUnknownArgumentType] - plain JSON
    else:
        text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
