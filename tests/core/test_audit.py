"""The chain of the audit trail: what breaks it, and where."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.audit import (
    BEGIN,
    AuditEntry,
    AuditFault,
    AuditKind,
    canonical_json,
    digest,
    fault,
    sealed,
)

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def entry(number: int, before: AuditEntry | None = None, **changed: object) -> AuditEntry:
    """A sealed entry."""
    plain = AuditEntry(
        number,
        AT,
        AuditKind.CHOICE.value,
        "tickets",
        "7",
        msgspec.Raw(b'{"a":1}'),
        BEGIN if before is None else before.hash,
        "",
    )
    return sealed(msgspec.structs.replace(plain, **changed))


FIRST = entry(1)
SECOND = entry(2, FIRST)


def test_a_whole_chain_has_no_fault() -> None:
    assert fault(None, FIRST) is None
    assert fault(FIRST, SECOND) is None


@pytest.mark.usefixtures("far_west")
def test_a_hash_is_the_same_in_every_version_and_zone() -> None:
    there = AT.astimezone(dt.timezone(dt.timedelta(hours=5)))

    assert BEGIN == "0" * 64
    assert digest(FIRST) == FIRST.hash == "5d9d02d3689a42fa51dccf6c2a3d4f2022fdaa1eb9af1fd6b8653c5458d1e217"
    assert entry(1, at=there).hash == FIRST.hash


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 2},
        {"at": AT + dt.timedelta(microseconds=1)},
        {"kind": "undone"},
        {"sync": "phases"},
        {"subject": "8"},
        {"body": msgspec.Raw(b'{"a":2}')},
        {"previous": "1" * 64},
    ],
)
def test_a_hash_covers_everything_else(changed: dict[str, object]) -> None:
    assert digest(msgspec.structs.replace(FIRST, **changed)) != FIRST.hash
    assert len(digest(FIRST)) == 64


@pytest.mark.parametrize(
    ("before", "found", "reason"),
    [
        (None, SECOND, "entry 1 is missing, or entries were put in another order"),
        (FIRST, entry(3, FIRST), "entry 2 is missing, or entries were put in another order"),
        (SECOND, SECOND, "entry 3 is missing, or entries were put in another order"),
        (FIRST, entry(2), "it does not follow the entry before it"),
        (None, entry(1, SECOND), "it does not follow the entry before it"),
        (FIRST, msgspec.structs.replace(SECOND, subject="8"), "it was changed after it was written"),
    ],
)
def test_a_fault_names_the_entry_and_what_is_wrong(
    before: AuditEntry | None, found: AuditEntry, reason: str
) -> None:
    assert fault(before, found) == AuditFault(found.id, reason)


def test_a_body_has_one_text() -> None:
    assert canonical_json({"b": [AT, AuditKind.LINKED], "a": {2: 1, 1: "é"}}) == (
        '{"a":{"1":"é","2":1},"b":["2026-03-02T09:00:00Z","linked"]}'
    )
