"""Every documented behaviour of `ports.Store`, as tests: subclass `StoreSuite` and give it a `store`.

class TestMyDatabase(StoreSuite):
    @pytest.fixture
    def store(self): ...   # yields an open, empty store
"""

from __future__ import annotations

from tests.store.apart_suite import ApartSuite
from tests.store.audit_suite import AuditSuite
from tests.store.desk_suite import MemoSuite, ParkedSuite, QuestionSuite
from tests.store.evidence_suite import EvidenceSuite
from tests.store.journal_suite import HistorySuite, IntentSuite
from tests.store.links_suite import BaseSuite, LinkSuite
from tests.store.round_trip_suite import RoundTripSuite
from tests.store.runs_suite import RunSuite
from tests.store.sightings_suite import CompareSuite, SightingSuite
from tests.store.tally_suite import TallySuite
from tests.store.transactions_suite import TransactionSuite
from tests.store.usage_suite import UsageSuite
from tests.store.versions_suite import VersionSuite


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
):
    """What every database must do."""
