"""What the engine knows of everything below it: connectors and time (`outside`), and our own memory (`store`).

Protocols, not base classes: the type checker and the shared suites under `tests/` prove that an adapter fits.
"""

from syncline.core.quota import Quota
from syncline.ports.acting import Actor, acting, actor_now
from syncline.ports.alerts import AlertFilter, AlertStore
from syncline.ports.connections import (
    Authorisation,
    ConnectionState,
    ConnectionStore,
    Draft,
    KeptConnection,
)
from syncline.ports.due import Due, DueStore
from syncline.ports.events import DispatchFilter, EventStore, Outgoing
from syncline.ports.inbox import (
    Delivery,
    DeliveryCount,
    DeliveryFilter,
    DeliveryState,
    Inbox,
    Mark,
    MarkCount,
    Pruned,
    Settled,
)
from syncline.ports.jobs import Handler, Handlers, JobEngine, JobHealth, Wake
from syncline.ports.listening import Heard, Listener, Refused, Spoken, Verdict
from syncline.ports.outside import (
    Clock,
    Connector,
    Ending,
    Health,
    ObjectSummary,
    Page,
    ask_before_write,
    asking_before_writes,
    calling_for,
    purpose_now,
)
from syncline.ports.paged import PagedStore
from syncline.ports.people import DoorStore, PeopleStore
from syncline.ports.searching import FoundRecord, SearchStore
from syncline.ports.snapshots import SnapshotStore
from syncline.ports.store import Recognised, Store, Stretch
from syncline.ports.vault import Received, Vault
from syncline.ports.workspace import ItemFilter, Turn, WorkspaceStore

__all__ = [
    "Actor",
    "AlertFilter",
    "AlertStore",
    "Authorisation",
    "Clock",
    "ConnectionState",
    "ConnectionStore",
    "Connector",
    "Delivery",
    "DeliveryCount",
    "DeliveryFilter",
    "DeliveryState",
    "DispatchFilter",
    "DoorStore",
    "Draft",
    "Due",
    "DueStore",
    "Ending",
    "EventStore",
    "FoundRecord",
    "Handler",
    "Handlers",
    "Health",
    "Heard",
    "Inbox",
    "ItemFilter",
    "JobEngine",
    "JobHealth",
    "KeptConnection",
    "Listener",
    "Mark",
    "MarkCount",
    "ObjectSummary",
    "Outgoing",
    "Page",
    "PagedStore",
    "PeopleStore",
    "Pruned",
    "Quota",
    "Received",
    "Recognised",
    "Refused",
    "SearchStore",
    "Settled",
    "SnapshotStore",
    "Spoken",
    "Store",
    "Stretch",
    "Turn",
    "Vault",
    "Verdict",
    "Wake",
    "WorkspaceStore",
    "acting",
    "actor_now",
    "ask_before_write",
    "asking_before_writes",
    "calling_for",
    "purpose_now",
]
