"""The catalogue of codes: complete, and stable once a code was released."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from syncline import errors
from syncline.core.brakes import BrakeName
from syncline.core.catalogue import (
    ENTRIES,
    EXIT_CODES,
    CatalogueEntry,
    EntryKind,
    entries,
    entry,
    held_rules,
    remedy_of,
)
from syncline.core.decisions import Rule
from syncline.errors import ConnectorError, Detail, ProblemKind, Refusal, RejectedError, SynclineError

GOLDEN = Path(__file__).parent / "codes.txt"
RELEASED = GOLDEN.read_text(encoding="utf-8").split()
"""A code in here may never go away or mean something else: people's scripts ask for it."""

CLASSES = [
    each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, SynclineError)
]


@pytest.mark.parametrize("code", RELEASED)
def test_a_released_code_stays(code: str) -> None:
    assert ENTRIES[code].code == code


def test_every_new_code_is_noted_as_released() -> None:
    assert [code for code in ENTRIES if code not in RELEASED] == [], f"add them to {GOLDEN.name}"


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.code)
def test_every_error_is_explained_with_its_exit_code(error: type[SynclineError]) -> None:
    assert ENTRIES[error.code].exit_code == error.exit_code


@pytest.mark.parametrize("code", [each.value for kind in (Detail, ProblemKind, Refusal) for each in kind])
def test_every_detail_is_explained_and_belongs_to_an_error(code: str) -> None:
    group = code.partition(".")[0]

    assert ENTRIES[code].exit_code == ENTRIES[group].exit_code
    assert group in {error.code for error in CLASSES}


def test_every_brake_is_explained() -> None:
    assert {f"brake.{name.value}" for name in BrakeName} <= ENTRIES.keys()


def test_every_rule_that_asks_a_person_is_explained() -> None:
    assert {rule for rule in Rule if rule.is_question} <= held_rules()


def test_every_exit_code_of_an_error_is_explained() -> None:
    assert {error.exit_code for error in CLASSES} <= EXIT_CODES.keys()


@pytest.mark.parametrize("code", ENTRIES)
def test_an_entry_says_everything_in_sentences(code: str) -> None:
    found = ENTRIES[code]

    assert found.title
    assert not found.title.endswith(".")
    for text in (found.happened, found.done, found.remedy):
        assert text.endswith((".", "`.")), (code, text)
        assert "  " not in text


def test_an_unknown_detail_falls_back_to_its_group() -> None:
    assert entry("rejected.never_heard_of") == ENTRIES["rejected"]
    assert entry("rejected.never.heard_of") == ENTRIES["rejected"]
    assert entry("never_heard_of") is None
    assert remedy_of("never_heard_of") == ""
    assert remedy_of("busy") == ENTRIES["busy"].remedy


def test_an_error_tells_its_detail_where_it_knows_one() -> None:
    assert ConnectorError("x").full_code == "connector"
    assert RejectedError("x").full_code == "rejected"
    assert RejectedError("x", is_duplicate=True).full_code == "rejected.duplicate"
    assert RejectedError("x", detail=Detail.READ_ONLY).full_code == "rejected.read_only"
    assert RejectedError("x", detail=Detail.READ_ONLY).code == "rejected"
    assert SynclineError("x").full_code == "error"


def test_one_entry_of_each_kind_in_full() -> None:
    found = {each.code: each for each in entries()}

    assert found["busy"] == CatalogueEntry(
        "busy",
        EntryKind.ERROR,
        "Busy",
        "Another run holds this sync, or another process writes to the database.",
        "Nothing was written.",
        "Wait for it to end; a run that died gives its hold back within minutes.",
        75,
        is_retried=True,
    )
    assert found["auth.no_access"] == CatalogueEntry(
        "auth.no_access",
        EntryKind.DETAIL,
        "No access",
        "The token works, but may not do this or see this location.",
        "Nothing more was sent to this connection; what was done before stays done.",
        "Check the location's id and the rights of the token's user.",
        3,
    )
    assert found["held.parked"] == CatalogueEntry(
        "held.parked",
        EntryKind.HELD,
        "Parked",
        Rule.PARKED.sentence,
        "It waits; everything else goes on.",
        "Do what the failure's own code says; an edit of the record tries again too.",
        is_retried=True,
    )
    assert found["exit.0"] == CatalogueEntry(
        "exit.0",
        EntryKind.EXIT,
        "Done",
        "The command did what it was asked to.",
        "Everything.",
        "Nothing.",
        0,
    )
    conflict, brake, fault = found["held.conflict"], found["brake.deletes"], found["mapping.pair"]
    assert not conflict.is_retried, "a person is asked"
    assert (brake.kind, brake.exit_code, brake.is_retried) == (EntryKind.BRAKE, 4, False)
    assert brake.done.startswith("The plan was stopped before it wrote anything. ")
    assert brake.remedy.endswith(", run with --release deletes.")
    assert (fault.kind, fault.exit_code) == (EntryKind.PROBLEM, 2)
