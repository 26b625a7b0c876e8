"""Every code that Syncline shows into what happened, what it did about it, and what a person does next.

The command line prints entries and adds their remedies to errors, failures and parked records; `docs/errors.md` is made
from them. A code is stable once it was released: it may be explained better, and never means something else. The part
before the first dot is the group that the engine acts on; `entry` answers the group where a detail is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

import msgspec

from syncline.core.brakes import BRAKES
from syncline.core.decisions import Rule
from syncline.core.explained_errors import DETAILS, ERRORS, Told
from syncline.core.explained_problems import PROBLEMS
from syncline.core.explained_refusals import REFUSALS


class EntryKind(Enum):
    """What a code is the code of. The value is the heading in the documents."""

    ERROR = "Errors"
    DETAIL = "Errors of one connection, in detail"
    PROBLEM = "Faults in the configuration"
    REFUSAL = "Requests that the service refuses"
    BRAKE = "Brakes"
    HELD = "Held back"
    EXIT = "Exit codes"


class CatalogueEntry(msgspec.Struct, frozen=True):
    """One code, explained. `exit_code` is what the command ends with when this ends it (None: it does not end one);
    `is_retried` says whether Syncline tries again by itself."""

    code: str
    kind: EntryKind
    title: str
    happened: str
    done: str
    remedy: str
    exit_code: int | None = None
    is_retried: bool = False


EXIT_CODES: Mapping[int, Told] = {
    0: Told("Done", "The command did what it was asked to.", "Everything.", "Nothing."),
    2: Told(
        "A person must change something",
        "The configuration, the mapping, the database or the command line has a fault.",
        "Nothing was written.",
        "Do what the message says, then run the command again.",
    ),
    3: Told(
        "Credentials or rights",
        "A connection's credentials do not work, or lack a right.",
        "Nothing more was sent to that connection; what was done before stays done.",
        "Mend the connection, test it with `syncline check`, then run again.",
    ),
    4: Told(
        "A brake stopped the plan",
        "What was seen is unusual enough that somebody should look at it first.",
        "Nothing was written to either vendor.",
        "Read the plan. Where it is right, release the brake as the message says.",
    ),
    5: Told(
        "Done, but some records failed",
        "Some writes were refused or did not go through.",
        "All others were carried out; the failed ones wait.",
        "See `syncline status`: each waiting record names its code and what to do.",
    ),
    6: Told(
        "A difference that nothing explains",
        "A certificate found a difference between the two sides that no rule, question or pending write accounts for.",
        "It is listed in the certificate; nothing was changed.",
        "Run the sync once and certify again. If it stays, it is a bug: report it with the certificate.",
    ),
    70: Told(
        "A bug",
        "Something happened that should not.",
        "What was done stays done; an interrupted write is looked after by the next run.",
        "Report it, with the message and what you did.",
    ),
    75: Told(
        "Busy, or out of reach for now",
        "Another run holds the sync, or a vendor does not answer.",
        "Nothing is lost.",
        "Run the command again later.",
        is_retried=True,
    ),
    130: Told(
        "Stopped by a person",
        "The command was interrupted.",
        "What was sent is noted; the next run looks what became of it.",
        "Run the command again when you like.",
    ),
}

_HELD: Mapping[Rule, tuple[str, str]] = {
    Rule.UNSEEN: (
        "Not seen",
        "Run again once the side shows it: a field that is hidden from the token's user needs a right.",
    ),
    Rule.CONFLICT: ("Conflict", "Choose: `syncline conflicts list`, then `syncline conflicts resolve`."),
    Rule.NO_COUNTERPART: (
        "No counterpart",
        "Add the missing option, person, pair or value, or change the record; the next run takes it up.",
    ),
    Rule.AMBIGUOUS: (
        "Ambiguous",
        "See who may be meant: `syncline links candidates RECORD`. Then `syncline links link LEFT RIGHT`, or change a key "
        "field so that only two of them share it.",
    ),
    Rule.KEPT_APART: (
        "Kept apart",
        "`syncline links copy RECORD` makes a copy of its own, `syncline links release RECORD` leaves it alone.",
    ),
    Rule.DELETED_ASK: (
        "Deleted on one side",
        "Answer: `syncline conflicts resolve N --answer delete|restore|release`.",
    ),
    Rule.AWAITS_PARENT: (
        "Waits for what it points to",
        "Nothing, where that record is on its way. Else see to it in the sync that is named: link it, let it take part, or "
        "let this one point to another.",
    ),
    Rule.OUT_OF_SCOPE: (
        "Out of scope",
        "Nothing; move the record back into the filter, or widen the filter.",
    ),
    Rule.PARKED: ("Parked", "Do what the failure's own code says; an edit of the record tries again too."),
    Rule.UNKNOWN_OUTCOME: ("Unknown outcome", "Nothing; the next run looks what became of the write."),
}
"""Rules that hold something back; what is held and why says the rule's own sentence."""


def held_rules() -> frozenset[Rule]:
    """The rules that the catalogue explains as holding something back."""
    return frozenset(_HELD)


def entry(code: str) -> CatalogueEntry | None:
    """The entry of a code, else that of its group; None for a code that is none."""
    return ENTRIES.get(code) or ENTRIES.get(_group(code))


def remedy_of(code: str) -> str:
    """What a person does about a code; empty for a code that is none."""
    found = entry(code)
    return "" if found is None else found.remedy


def entries() -> Iterator[CatalogueEntry]:
    """Every code explained, kind by kind."""
    for error, told in ERRORS.items():
        yield _made(error.code, EntryKind.ERROR, told, error.exit_code)
    exit_codes = {error.code: error.exit_code for error in ERRORS}
    for detail, told in DETAILS.items():
        yield _made(detail.value, EntryKind.DETAIL, told, exit_codes[_group(detail.value)])
    for problem, told in PROBLEMS.items():
        yield _made(problem.value, EntryKind.PROBLEM, told, exit_codes[_group(problem.value)])
    for refusal, told in REFUSALS.items():
        yield _made(refusal.value, EntryKind.REFUSAL, told, exit_codes[_group(refusal.value)])
    for name, brake in BRAKES.items():
        remedy = f"{brake.release_when}, run with --release {name.value}."
        done = f"The plan was stopped before it wrote anything. {brake.protects}"
        told = Told(brake.title, brake.pulls, done, remedy)
        yield _made(f"brake.{name.value}", EntryKind.BRAKE, told, 4)
    for rule, (title, remedy) in _HELD.items():
        is_retried = not rule.is_question
        told = Told(title, rule.sentence, "It waits; everything else goes on.", remedy, is_retried=is_retried)
        yield _made(f"held.{rule.value}", EntryKind.HELD, told, None)
    for number, told in EXIT_CODES.items():
        yield _made(f"exit.{number}", EntryKind.EXIT, told, number)


def _group(code: str) -> str:
    """What the engine acts on: the part before the first dot."""
    return code.partition(".")[0]


def _made(code: str, kind: EntryKind, told: Told, exit_code: int | None) -> CatalogueEntry:
    return CatalogueEntry(
        code, kind, told.title, told.happened, told.done, told.remedy, exit_code, told.is_retried
    )


ENTRIES: Mapping[str, CatalogueEntry] = {each.code: each for each in entries()}
"""Every code with its entry."""
