"""Every documented behaviour of `ports.Store`, as tests: subclass `StoreSuite` and give it a `store`.

class TestMyDatabase(StoreSuite):
    @pytest.fixture
    def store(self): ...   # yields an open, empty store
"""

from __future__ import annotations

from tests.store.alerts_suite import AlertSuite
from tests.store.apart_suite import ApartSuite
from tests.store.audit_suite import AuditSuite
from tests.store.connections_suite import ConnectionSuite
from tests.store.desk_suite import MemoSuite, ParkedSuite, QuestionSuite
from tests.store.due_suite import DueSuite
from tests.store.events_suite import EventSuite
from tests.store.evidence_suite import EvidenceSuite
from tests.store.inbox_suite import DeliverySuite, MarkSuite
from tests.store.journal_suite import HistorySuite, IntentSuite
from tests.store.links_suite import BaseSuite, LinkSuite
from tests.store.paged_suite import PagedSuite
from tests.store.people_suite import PeopleSuite
from tests.store.round_trip_suite import RoundTripSuite
from tests.store.runs_suite import RunSuite
from tests.store.searching_suite import SearchingSuite
from tests.store.sightings_suite import CompareSuite, SightingSuite
from tests.store.snapshots_suite import SnapshotSuite
from tests.store.tally_suite import TallySuite
from tests.store.transactions_suite import TransactionSuite
from tests.store.usage_suite import UsageSuite
from tests.store.versions_suite import VersionSuite
from tests.store.workspace_suite import WorkspaceSuite


class StoreSuite(
    RunSuite,
    SightingSuite,
    CompareSuite,
    LinkSuite,
    BaseSuite,
    IntentSuite,
    HistorySuite,
    QuestionSuite,
    ParkedSuite,
    EvidenceSuite,
    MemoSuite,
    AuditSuite,
    TransactionSuite,
    UsageSuite,
    VersionSuite,
    RoundTripSuite,
    ApartSuite,
    TallySuite,
    DeliverySuite,
    MarkSuite,
    PagedSuite,
    PeopleSuite,
    DueSuite,
    ConnectionSuite,
    AlertSuite,
    EventSuite,
    WorkspaceSuite,
    SearchingSuite,
    SnapshotSuite,
):
    """What every database must do."""
