"""The store: every part of `ports.Store` over one connection to one SQL database.

Made by `opening.open_store`. Not for use from several threads; a thread or process of its own opens its own.
"""

from __future__ import annotations

from syncline.store.apart import Apart
from syncline.store.audit import Audit
from syncline.store.desk import Desk
from syncline.store.evidence import Evidence
from syncline.store.journal import Journal
from syncline.store.links import Links
from syncline.store.secrets import Secrets
from syncline.store.sightings import Sightings
from syncline.store.usage import Meters
from syncline.store.versions import Versions


class SqlStore(Audit, Secrets, Sightings, Links, Journal, Desk, Evidence, Versions, Meters, Apart):
    """Our memory in SQL. Implements `ports.Store`."""
