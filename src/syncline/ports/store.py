"""What the engine knows of our own memory: one SQL database behind plain functions.

Implemented by `store`; the shared suite under `tests/store/` proves that an adapter fits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from syncline.core.audit import AuditCheck, AuditEntry, AuditFault, AuditKind
from syncline.core.case import Decided
from syncline.core.decisions import Answer, Resolution
from syncline.core.memory import (
    Counts,
    Entry,
    Intent,
    IntentState,
    KeptApart,
    Link,
    Parked,
    Question,
    Run,
    RunState,
    Seen,
    Version,
)
from syncline.core.plan import Step
from syncline.core.quota import Allowance, Purpose, Usage
from syncline.core.records import (
    FieldId,
    LinkId,
    RecordKey,
    RunId,
    Side,
    SyncId,
)
from syncline.core.values import Value
from syncline.ports.alerts import AlertStore
from syncline.ports.connections import ConnectionStore
from syncline.ports.due import DueStore
from syncline.ports.events import EventStore
from syncline.ports.inbox import Inbox
from syncline.ports.paged import PagedStore
from syncline.ports.people import DoorStore, PeopleStore
from syncline.ports.searching import SearchStore
from syncline.ports.snapshots import SnapshotStore
from syncline.ports.workspace import WorkspaceStore


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


class Store(
    PeopleStore,
    DoorStore,
    Inbox,
    DueStore,
    ConnectionStore,
    AlertStore,
    EventStore,
    PagedStore,
    WorkspaceStore,
    SearchStore,
    SnapshotStore,
    Protocol,
):
    """Our memory: one SQL database, reached through short transactions that never wait for the network.

    Plain functions, not coroutines: a call takes microseconds to milliseconds (see docs/decisions). Methods called
    inside `transaction()` commit together or not at all; outside, each commits by itself. Raises `StoreError`.
    """

    def transaction(self, *, may_be_lost: bool = False) -> AbstractContextManager[None]:
        """Group writes: all of them, or none. May be nested; the outermost commits.

        What `may_be_lost` survives the death of a process, but not always a loss of power: then it is gone together with
        everything that was committed after it, as when a slightly older backup is put back. A later commit that waits for
        the disk takes it along. For what nobody was told of, and a run finds out again.
        """
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
        """Present records in scope that no link ties and that are not released."""
        ...

    def outside(self, sync: SyncId, side: Side) -> Sequence[Seen]:
        """Present records out of scope that no link ties and that are not released."""
        ...

    def resembling(self, sync: SyncId, text: str, limit: int) -> Sequence[tuple[Side, Seen]]:
        """Records whose title holds this text, or whose key begins with it, in whatever case; present ones first. Takes as
        long as there are records."""
        ...

    def see(self, sync: SyncId, side: Side, seen: Sequence[Seen]) -> None:
        """Remember records as they are now (insert, or replace by key). The link of a known record is kept when
        `link` is None and its standing is LINKED."""
        ...

    def counts(self, sync: SyncId) -> Counts:
        """How many records (not gone) and open links there are, as kept with every change."""
        ...

    def recount(self, sync: SyncId) -> Counts:
        """The same, counted: takes as long as there are records."""
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

    def linked(
        self, sync: SyncId, limit: int = 100, *, before: int | None = None, is_settled: bool | None = None
    ) -> Sequence[LinkId]:
        """Open links, the newest first; only those with a number below `before`, and of which all (or not all) is settled,
        where that is asked."""
        ...

    # records kept apart

    def keep_apart(
        self, sync: SyncId, left: RecordKey, right: RecordKey, reason: str, now: dt.datetime
    ) -> None:
        """Remember that these two are not the same. Said again, it gets a new reason and time."""
        ...

    def rejoin(self, sync: SyncId, left: RecordKey, right: RecordKey) -> None:
        """Forget that these two are kept apart."""
        ...

    def apart(self, sync: SyncId) -> Sequence[KeptApart]:
        """All pairs that are kept apart, oldest first."""
        ...

    def released(self, sync: SyncId, side: Side) -> Sequence[Seen]:
        """Present records that go on alone."""
        ...

    # writes

    def intend(self, sync: SyncId, run: RunId, steps: Sequence[Step], now: dt.datetime) -> Sequence[int]:
        """Store these steps before they are carried out; answers their intents' ids in the same order."""
        ...

    def settle(self, run: RunId, intents: Mapping[int, IntentState], now: dt.datetime) -> None:
        """What became of intents, be they this run's or those of one that was interrupted. Raises `BusyError` when the run
        lost its lease: another one looks after them."""
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

    # evidence

    def keep_evidence(self, run: RunId, decided: Iterable[Decided]) -> None:
        """Keep what a run decided, and on what. Calling again adds to it."""
        ...

    def evidence(self, run: RunId) -> Iterator[Decided]:
        """What a run decided, in the order it was kept; nothing for a quiet run, or one whose evidence is pruned."""
        ...

    def prune_evidence(self, sync: SyncId, before: dt.datetime) -> int:
        """Forget the evidence of runs that began before, and intents settled before; answers how many rows went.
        History, links and intents without a known outcome stay."""
        ...

    # the audit trail

    def audit(
        self, kind: AuditKind, body: object, *, now: dt.datetime, sync: str = "", subject: str = ""
    ) -> AuditEntry:
        """Append an entry to the hash chain. `body` becomes canonical JSON; it must hold no secret and no field
        value. Where it is known who acts (`acting`), the body names them, unless it does so itself."""
        ...

    def audit_entry(self, entry: int) -> AuditEntry | None:
        """One entry of the trail."""
        ...

    def audit_trail(
        self,
        since: dt.datetime | None = None,
        kind: AuditKind | None = None,
        sync: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[AuditEntry]:
        """The latest `limit` entries, oldest first; only those with a number below `before`, where it is given."""
        ...

    def verify_audit(self) -> AuditFault | None:
        """The first entry at which the chain is broken; None when it holds. Takes its time: some seconds for 100,000."""
        ...

    def verify_audit_on(self, before: AuditCheck, most: int = 200) -> AuditCheck:
        """Check so many entries more, those after what was checked before (`AuditCheck()`: from the first on)."""
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

    # quota

    def use(self, connection: str, hour: dt.datetime, purpose: Purpose, calls: int) -> None:
        """Add to the calls of a connection in the hour that begins then."""
        ...

    def usage(self, connection: str, since: dt.datetime) -> Sequence[Usage]:
        """The calls of a connection in every hour that begins then or later, oldest first."""
        ...

    def save_allowance(self, connection: str, allowance: Allowance) -> None:
        """Keep what the vendor said of its day, unless something newer is kept."""
        ...

    def allowance(self, connection: str) -> Allowance | None:
        """What was kept with `save_allowance`."""
        ...

    # versions

    def save_version(self, body: Mapping[str, object], digest: str, note: str, now: dt.datetime) -> Version:
        """Keep what was applied; numbers count from 1. Nothing is ever changed or removed there."""
        ...

    def version(self, number: int | None = None) -> Version | None:
        """One version; the latest unless named."""
        ...

    def versions(self, limit: int = 100) -> Sequence[Version]:
        """The latest versions, newest first."""
        ...

    # small things

    def remember(self, sync: SyncId, name: str, value: str) -> None:
        """Keep a small text for the sync: a cursor, the digest of its mapping, a schema."""
        ...

    def recall(self, sync: SyncId, name: str) -> str | None:
        """A text kept with `remember`."""
        ...

    def reading_once(self, sync: SyncId) -> AbstractContextManager[None]:
        """While it is open, what `recall` answers for the sync was read together, at the first need. For whoever holds the
        sync: what another process keeps meanwhile is not seen."""
        ...

    def save_secret(self, name: str, secret: str) -> None:
        """Keep a secret, encrypted with the installation's key."""
        ...

    def secret(self, name: str) -> str | None:
        """A secret kept with `save_secret`. Raises `SchemaError` when the installation's key does not open it."""
        ...

    def every_secret(self) -> Mapping[str, str]:
        """All of them by name: what must never be told. Raises `SchemaError` when a key does not open one."""
        ...
