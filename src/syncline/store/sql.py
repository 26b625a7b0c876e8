"""The store: every part of `ports.Store` over one connection to one SQL database.

Made by `opening.open_store`. Not for use from several threads; a thread or process of its own opens its own.
"""

from __future__ import annotations

from syncline.store.desk import Desk
from syncline.store.journal import Journal
from syncline.store.links import Links
from syncline.store.secrets import Secrets
from syncline.store.sightings import Sightings


class SqlStore(Secrets, Sightings, Links, Journal, Desk):
    """Our memory in SQL. Implements `ports.Store`."""
