"""HighLevel custom objects: object types, records and their changes, through the public API.

`connect` is all that the outside needs; `syncline.bootstrap` calls it.
"""

from syncline.connectors.highlevel.connector import HighLevelConnector, Settings, connect
from syncline.connectors.highlevel.credentials import OAuthClient, PrivateToken
from syncline.connectors.highlevel.oauth import Tokens
from syncline.connectors.highlevel.setup import FieldWish, ObjectWish, ensure_object
from syncline.connectors.highlevel.writing import WriteStyle

__all__ = [
    "FieldWish",
    "HighLevelConnector",
    "OAuthClient",
    "ObjectWish",
    "PrivateToken",
    "Settings",
    "Tokens",
    "WriteStyle",
    "connect",
    "ensure_object",
]
