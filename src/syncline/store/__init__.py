"""Our memory: one SQL database behind `ports.Store`.

`bootstrap` opens it with `open_store`, and counts calls with a `StoreMeter`; nothing else is for use from outside.
"""

from syncline.store.meter import StoreMeter
from syncline.store.opening import migrate, open_store
from syncline.store.sql import SqlStore

__all__ = ["SqlStore", "StoreMeter", "migrate", "open_store"]
