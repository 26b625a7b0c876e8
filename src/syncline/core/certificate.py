"""Counts of a comparison into a document whose sums must come out: the divergence certificate.

Made by `engine.certify`, kept in the audit trail, shown by the CLI. A certificate that does not add up cannot be made.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal

import msgspec

from syncline.core.comparison import Cause
from syncline.core.records import RecordKey, RunId, SyncId
from syncline.core.values import Value, canonical

BRANCHES = 64
"""Parts of the fingerprint; two certificates that differ say in how many of them."""


class Records(msgspec.Struct, frozen=True):
    """Records of one side, or links: all of them, those whose pair was compared, and the others by cause. Raises
    `ValueError` unless total = compared + causes."""

    total: int
    compared: int
    causes: Mapping[Cause, int] = {}

    def __post_init__(self) -> None:
        """Hold the sum."""
        _must_sum("records", self.total, self.compared, self.causes)


class Lines(msgspec.Struct, frozen=True):
    """Compared fields: all of them, those that are equal, and the others by cause. Raises `ValueError` unless
    total = equal + causes."""

    total: int
    equal: int
    causes: Mapping[Cause, int] = {}

    def __post_init__(self) -> None:
        """Hold the sum."""
        _must_sum("fields", self.total, self.equal, self.causes)


class Listing(msgspec.Struct, frozen=True):
    """How one side was read: when it began, whether all of it was listed, and how many records were read by themselves
    because the listing did not show them as they are."""

    began_at: dt.datetime
    is_complete: bool
    looks: int = 0
    reason: str = ""


class Difference(msgspec.Struct, frozen=True):
    """One difference: of a line, or with an empty `line` of a record. Values are left out unless asked for."""

    cause: Cause
    left_key: RecordKey | None
    right_key: RecordKey | None
    line: str = ""
    left: Value | None = None
    right: Value | None = None


class Certificate(msgspec.Struct, frozen=True):
    """What the two sides of a sync hold, compared pair by pair and field by field.

    `mapping` and `filter` are the digests of the settings it was made with, `version` the configuration's number (0
    where none is kept), `run` the last run before it. `branches` and `digest` are the fingerprint of every pair with
    every compared value. `samples` are some differences of each cause; of the unexplained ones far more. Raises
    `ValueError` unless all sums come out: each side's compared records are the compared links, and the fields are
    the sum of the lines, as many in each line as there are compared links.
    """

    sync: SyncId
    run: RunId | None
    at: dt.datetime
    mapping: str
    filter: str
    version: int
    listings: tuple[Listing, Listing]
    left: Records
    right: Records
    links: Records
    fields: Lines
    lines: Mapping[str, Lines]
    branches: tuple[str, ...]
    digest: str
    samples: tuple[Difference, ...] = ()

    def __post_init__(self) -> None:
        """Hold the sums."""
        pairs = self.links.compared
        if not self.left.compared == self.right.compared == pairs:
            raise ValueError(
                f"{pairs} pairs were compared, {self.left.compared} left, {self.right.compared} right"
            )
        if any(line.total != pairs for line in self.lines.values()):
            raise ValueError(f"a line was not compared in each of {pairs} pairs")
        if self.fields != summed(self.lines.values()):
            raise ValueError("the fields are not the sum of the lines")

    @property
    def unexplained(self) -> int:
        """Differences that nothing explains: to be zero."""
        parts = (self.left, self.right, self.links, self.fields)
        return sum(part.causes.get(Cause.UNEXPLAINED, 0) for part in parts)

    @property
    def differences(self) -> int:
        """Fields that differ."""
        return self.fields.total - self.fields.equal


def _must_sum(what: str, total: int, good: int, causes: Mapping[Cause, int]) -> None:
    counts = (good, *causes.values())
    if min(counts) < 0 or sum(counts) != total:
        raise ValueError(f"{total} {what} are not {good} and {sum(causes.values())}")


def summed(lines: Iterable[Lines]) -> Lines:
    """All lines in one."""
    total, equal, causes = 0, 0, dict[Cause, int]()
    for line in lines:
        total, equal = total + line.total, equal + line.equal
        for cause, count in line.causes.items():
            causes[cause] = causes.get(cause, 0) + count
    return Lines(total, equal, {cause: causes[cause] for cause in Cause if cause in causes})


def moved_branches(before: Certificate, after: Certificate) -> int:
    """In how many parts of their fingerprints two certificates of a sync differ; 0 when they saw the same. Raises
    `ValueError` for one whose fingerprint has another number of parts."""
    return sum(a != b for a, b in zip(before.branches, after.branches, strict=True))


class Fingerprint:
    """A digest over pairs that does not depend on the order in which they come.

    Each pair's hash is added up in the branch that its keys name. Values that mean the same have the same hash.
    """

    def __init__(self) -> None:
        self._sums = [0] * BRANCHES

    def add(
        self, left: RecordKey, right: RecordKey, values: Iterable[tuple[Value | None, Value | None]]
    ) -> None:
        """Take a pair in."""
        keys = hashlib.sha256(repr((str(left), str(right))).encode()).digest()
        text = ";".join(f"{_normal(a)}={_normal(b)}" for a, b in values)
        leaf = hashlib.sha256(keys + text.encode()).digest()
        branch = int.from_bytes(keys[:4]) % BRANCHES
        self._sums[branch] = (self._sums[branch] + int.from_bytes(leaf)) % (1 << 256)

    @property
    def branches(self) -> tuple[str, ...]:
        """The parts, in their order."""
        return tuple(hashlib.sha256(part.to_bytes(32, "big")).hexdigest()[:32] for part in self._sums)

    @property
    def digest(self) -> str:
        """All parts in one."""
        return hashlib.sha256("".join(self.branches).encode()).hexdigest()


def _normal(value: Value | None) -> str:
    return "?" if value is None else stable(canonical(value))


def stable(normal: Hashable) -> str:
    """A normal form as text that is the same in every process and at every time."""
    match normal:
        case tuple():
            return f"({','.join(stable(part) for part in normal)})"  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - parts of a normal form
        case frozenset():
            return f"{{{','.join(sorted(stable(part) for part in normal))}}}"  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - parts of a normal form
        case Decimal():
            return _stable_number(normal)
        case dt.datetime():
            return normal.astimezone(dt.UTC).isoformat()
        case _:
            return repr(normal)


def _stable_number(number: Decimal) -> str:
    """Without trailing zeros and without the context's rounding; every zero is one."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return str(number)
    plain = "".join(str(digit) for digit in digits)
    short = plain.rstrip("0")
    return f"{'-' if sign else ''}{short}e{exponent + len(plain) - len(short)}" if short else "0"
