"""What the engine knows of the outside: connectors, time, and our own memory.

One file, so that the seam can be read in a minute. Protocols, not base classes: the type checker and the shared suites
under `tests/` prove that an adapter fits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import msgspec

from syncline.core.decisions import Answer, Resolution
from syncline.core.memory import (
    Counts,
    Entry,
    Intent,
    IntentState,
    Link,
    Parked,
    Question,
    Run,
    RunState,
    Seen,
)
from syncline.core.plan import Step
from syncline.core.records import (
    Edit,
    FieldId,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Receipt,
    Record,
    RecordKey,
    RunId,
    Scope,
    Side,
    Sighting,
    SyncId,
    Write,
)
from syncline.core.values import Value


class Clock(Protocol):
    """Time as an argument, so that a world can be replayed."""

    def now(self) -> dt.datetime:
        """The current time, aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        ...


class Page(Protocol):
    """Some records of a listing, not yet decoded.

    `keys` and `digests` run in parallel. A digest is of the record's bytes as listed: equal digests mean that nothing
    at all changed, so most records of a quiet account are never decoded.
    """

    @property
    def keys(self) -> Sequence[RecordKey]:
        """The records' keys, in listing order."""
        ...

    @property
    def digests(self) -> Sequence[bytes]:
        """One digest (16 bytes) for each key."""
        ...

    def record(self, index: int) -> Record:
        """Decode one record. Raises `ConnectorError` when it is not of the expected form."""
        ...


class Ending(msgspec.Struct, frozen=True):
    """How a listing ended. `is_complete` only when every record of the scope was surely listed: only then does absence
    mean anything. `cursor` starts the next delta listing (opaque JSON text of the connector)."""

    is_complete: bool
    cursor: str | None = None
    reason: str = ""


class ObjectSummary(msgspec.Struct, frozen=True):
    """An object type that a connection offers."""

    id: ObjectTypeId
    title: str


class Health(msgspec.Struct, frozen=True):
    """What a connection test found. `problems` is empty when the connection can be used; `warnings` do not stop it."""

    account: str
    user: str
    version: str = ""
    scopes: tuple[str, ...] | None = None
    missing_scopes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Quota(msgspec.Struct, frozen=True):
    """What the vendor still allows, as far as it tells: calls left in the short window and in the day."""

    burst_limit: int | None = None
    burst_seconds: float | None = None
    daily_limit: int | None = None
    daily_left: int | None = None


class Connector(Protocol):
    """One connection, seen by the engine.

    Every call may raise `TransientError` (try again later) or `AuthError` (a person must act). Reads are retried
    inside; writes never.
    """

    @property
    def calls(self) -> int:
        """How many requests this connector has sent so far."""
        ...

    @property
    def quota(self) -> Quota:
        """What is left, from the last answers' headers."""
        ...

    async def check(self) -> Health:
        """Test the connection with the fewest calls; problems are values here, not errors."""
        ...

    async def object_types(self) -> Sequence[ObjectSummary]:
        """The object types that can be synced."""
        ...

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The fields of an object type, fresh from the vendor. Raises `NotFoundError`."""
        ...

    def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """List the scope: all of it, or (with the cursor of an earlier ending) what may have changed since.

        Yields pages and, last, one `Ending`. A record may come twice and a delta may hold unchanged ones. Raises
        `NotFoundError` when the scope names something that is not there.
        """
        ...

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """Read one record directly: `Present` or `Gone` with proof, never a guess; `Unseen` where this user may not
        look any more."""
        ...

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out one write and answer what the vendor now holds.

        Raises `RejectedError` (never, this way), `NotFoundError` (gone meanwhile), `UnknownOutcomeError` (sent, no
        clear answer) or `TransientError` (surely not applied).
        """
        ...

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Records that carry this external key, newest first; empty where the vendor has no place for one."""
        ...

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """When and by whom each field was last edited, where the vendor tells; else empty."""
        ...

    def cost(self, write: Write) -> int:
        """How many calls this write takes."""
        ...

    async def close(self) -> None:
        """Let go of sockets."""
        ...


# --- the store ------------------------------------------------------------------------------------------------------


class Recognised(NamedTuple):
    """What the fast path needs to know of a record we have seen: plain values, thousands at a time.

    `version` is the vendor's time of its last change in microseconds since 1970 (0 where it tells none).
    """

    id: int
    digest: bytes
    is_settled: bool
    version: int


class Stretch(NamedTuple):
    """What became of a page that was stored in the order it is listed in: `ids` (as in `Recognised`) of the records
    that are settled and whose digests are the same, and the positions on the page of all others."""

    ids: Sequence[int]
    others: Sequence[int]


class Store(Protocol):
    """Our memory: one SQL database, reached through short transactions that never wait for the network.

    Plain functions, not coroutines: a call takes microseconds to milliseconds (see docs/decisions). Methods called
    inside `transaction()` commit together or not at all; outside, each commits by itself. Raises `StoreError`.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Group writes: all of them, or none. May be nested; the outermost commits."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...

    # runs

    def begin_run(self, sync: SyncId, now: dt.datetime, lease: dt.timedelta) -> Run:
        """Take the sync's lease and open a run. Raises `BusyError` while another run's lease is alive; a run whose
        lease ran out is closed as interrupted."""
        ...

    def renew(self, run: RunId, now: dt.datetime, lease: dt.timedelta) -> None:
        """Hold the lease longer. Raises `BusyError` when it was lost to another run."""
        ...

    def end_run(self, run: RunId, state: RunState, report: str, now: dt.datetime) -> None:
        """Close a run and give the lease back."""
        ...

    def runs(self, sync: SyncId, limit: int = 20) -> Sequence[Run]:
        """The latest runs, newest first."""
        ...

    # what was seen

    def recognise(
        self, sync: SyncId, side: Side, keys: Sequence[RecordKey]
    ) -> Mapping[RecordKey, Recognised]:
        """Which of these records we know and are not gone: the fast path, called once a page."""
        ...

    def compare(
        self, sync: SyncId, side: Side, keys: Sequence[RecordKey], digests: Sequence[bytes]
    ) -> Stretch:
        """Compare a whole page at once where the database can: the fastest path. `recognise` looks after the others."""
        ...

    def seen(self, sync: SyncId, side: Side, keys: Sequence[RecordKey]) -> Mapping[RecordKey, Seen]:
        """These records as last seen, gone ones too."""
        ...

    def absent(self, sync: SyncId, side: Side, listed: Container[int]) -> Iterator[Seen]:
        """Known records, not yet proven gone and not released, whose `Recognised.id` is not among the listed."""
        ...

    def waiting(self, sync: SyncId, side: Side) -> Sequence[Seen]:
        """Present records that no link ties and that are not released."""
        ...

    def see(self, sync: SyncId, side: Side, seen: Sequence[Seen]) -> None:
        """Remember records as they are now (insert, or replace by key). The link of a known record is kept when
        `link` is None and its standing is LINKED."""
        ...

    def counts(self, sync: SyncId) -> Counts:
        """How many records and links there are."""
        ...

    # links and bases

    def links(self, sync: SyncId, ids: Iterable[LinkId]) -> Mapping[LinkId, Link]:
        """These open links with their bases."""
        ...

    def unsettled(self, sync: SyncId) -> Sequence[LinkId]:
        """Open links with at least one side that is not settled."""
        ...

    def find_link(self, sync: SyncId, key: RecordKey) -> Sequence[LinkId]:
        """Open links one of whose records has this key."""
        ...

    def tie(self, sync: SyncId, left: RecordKey, right: RecordKey, now: dt.datetime) -> LinkId:
        """Make a link between two records (both become LINKED; a key not seen yet is remembered with an empty digest
        and unsettled). Answers the link that is there already when the two are tied. Raises `StoreError` when one of
        them is tied to something else."""
        ...

    def retie(self, link: LinkId, side: Side, key: RecordKey) -> None:
        """Tie one side of a link to another record (a re-created one); the old one is forgotten."""
        ...

    def move_base(self, link: LinkId, left: Mapping[FieldId, Value], right: Mapping[FieldId, Value]) -> None:
        """Set these fields of the base; the others stay."""
        ...

    def unbase(self, link: LinkId, side: Side, fields: Iterable[FieldId]) -> None:
        """Forget these fields of one side's base: they were never agreed on."""
        ...

    def speak(self, link: LinkId, left: Iterable[FieldId], right: Iterable[FieldId]) -> None:
        """Note fields that hold a value which was never agreed on; those noted before stay noted."""
        ...

    def untie(self, link: LinkId, release: Side | None, now: dt.datetime) -> None:
        """Close a link. The released side's record stays for itself; records not released are forgotten."""
        ...

    # writes

    def intend(self, sync: SyncId, run: RunId, steps: Sequence[Step], now: dt.datetime) -> Sequence[int]:
        """Store these steps before they are carried out; answers their intents' ids in the same order."""
        ...

    def settle(self, intents: Mapping[int, IntentState], now: dt.datetime) -> None:
        """What became of intents."""
        ...

    def intents(self, sync: SyncId) -> Sequence[Intent]:
        """Intents whose outcome is not known (open or unknown), oldest first."""
        ...

    # history

    def record(self, sync: SyncId, entries: Sequence[Entry]) -> None:
        """Append to the history; nothing is ever changed or removed there."""
        ...

    def history(
        self, sync: SyncId, key: RecordKey | None = None, run: RunId | None = None, limit: int = 1000
    ) -> Sequence[Entry]:
        """The history of a record (either side's key) or of a run, oldest first."""
        ...

    # questions and parked records

    def ask(self, sync: SyncId, questions: Sequence[Question]) -> None:
        """Make these the open questions of the sync. One that is open already (same link or keys, field, rule and
        values) keeps its id, time and choice; one that is not asked any more is closed."""
        ...

    def questions(self, sync: SyncId | None = None, *, with_closed: bool = False) -> Sequence[Question]:
        """The questions of one sync, or of all, oldest first."""
        ...

    def question(self, question: int) -> Question | None:
        """One question."""
        ...

    def choose(self, question: int, choice: Resolution | Answer | None, now: dt.datetime) -> None:
        """Store a person's choice; the next run carries it out."""
        ...

    def park(self, sync: SyncId, parked: Parked) -> None:
        """Remember a failure (replaces an earlier one of the same side and key)."""
        ...

    def unpark(self, sync: SyncId, side: Side, keys: Iterable[RecordKey]) -> None:
        """Forget failures: the write went through, or a person wants another try."""
        ...

    def parked(self, sync: SyncId) -> Sequence[Parked]:
        """Records whose writes failed."""
        ...

    # small things

    def remember(self, sync: SyncId, name: str, value: str) -> None:
        """Keep a small text for the sync: a cursor, the digest of its mapping, a schema."""
        ...

    def recall(self, sync: SyncId, name: str) -> str | None:
        """A text kept with `remember`."""
        ...

    def save_secret(self, name: str, secret: str) -> None:
        """Keep a secret, encrypted with the installation's key."""
        ...

    def secret(self, name: str) -> str | None:
        """A secret kept with `save_secret`. Raises `SchemaError` when the installation's key does not open it."""
        ...
