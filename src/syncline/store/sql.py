"""The store: every part of `ports.Store` over one connection to one SQL database.

Made by `opening.open_store`. Not for use from several threads; a thread or process of its own opens its own.
"""

from __future__ import annotations

from syncline.store.alerts import Alerts
from syncline.store.apart import Apart
from syncline.store.audit import Audit
from syncline.store.connections import Connections
from syncline.store.desk import Desk
from syncline.store.doors import Doors
from syncline.store.due import Dues
from syncline.store.events import Events
from syncline.store.evidence import Evidence
from syncline.store.inbox import Deliveries
from syncline.store.journal import Journal
from syncline.store.links import Links
from syncline.store.marks import Marks
from syncline.store.memos import Memos
from syncline.store.paged import Paged
from syncline.store.people import People
from syncline.store.searching import Searching
from syncline.store.secrets import Secrets
from syncline.store.sightings import Sightings
from syncline.store.snapshots import Snapshots
from syncline.store.usage import Meters
from syncline.store.versions import Versions
from syncline.store.workspace import WorkspaceItems


class SqlStore(
    Audit,
    # Encrypt too, so they go before `Secrets`.
    Connections,
    Alerts,
    Events,
    Secrets,
    Memos,
    Sightings,
    Links,
    Journal,
    Desk,
    Evidence,
    Versions,
    Meters,
    Apart,
    Paged,
    People,
    Doors,
    Deliveries,
    Marks,
    Dues,
    WorkspaceItems,
    Searching,
    Snapshots,
):
    """Our memory in SQL. Implements `ports.Store`."""
