"""Our memory: one SQL database behind `ports.Store`.

`bootstrap` opens it with `open_store`, counts calls with a `StoreMeter`, and moves all of it with `move`; nothing else is for use from outside.
"""

from syncline.store.meter import StoreMeter
from syncline.store.moving import Move, TableCheck, compare, move
from syncline.store.opening import migrate, open_store
from syncline.store.sql import SqlStore

__all__ = [
    "Move",
    "SqlStore",
    "StoreMeter",
    "TableCheck",
    "compare",
    "migrate",
    "move",
    "open_store",
]
