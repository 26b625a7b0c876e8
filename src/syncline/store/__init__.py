"""Our memory: one SQL database behind `ports.Store`.

`bootstrap` opens it with `open_store`, counts calls with a `StoreMeter`, and moves all of it with `move`; nothing else is for use from outside.
"""

from syncline.store.meter import StoreMeter
from syncline.store.moving import Move, TableCheck, compare, move
from syncline.store.opening import migrate, open_store
from syncline.store.sql import SqlStore
from syncline.store.vault import DirectoryVault

__all__ = [
    "DirectoryVault",
    "Move",
    "SqlStore",
    "StoreMeter",
    "TableCheck",
    "compare",
    "migrate",
    "move",
    "open_store",
]
