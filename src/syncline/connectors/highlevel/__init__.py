"""HighLevel custom objects: object types, records and their changes, through the public API.

`connect` is all that the outside needs; `syncline.bootstrap` calls it.
"""

from syncline.connectors.highlevel.connector import HighLevelConnector, Settings, connect
from syncline.connectors.highlevel.credentials import OAuthClient, PrivateToken
from syncline.connectors.highlevel.health import scopes_for
from syncline.connectors.highlevel.oauth import REFRESH_LIFE, Tokens, authorize_url, challenge_of
from syncline.connectors.highlevel.setup import FieldWish, ObjectWish, ensure_object
from syncline.connectors.highlevel.token_calls import CodeGrant, exchange
from syncline.connectors.highlevel.webhooks import WebhookListener
from syncline.connectors.highlevel.writing import WriteStyle

__all__ = [
    "REFRESH_LIFE",
    "CodeGrant",
    "FieldWish",
    "HighLevelConnector",
    "OAuthClient",
    "ObjectWish",
    "PrivateToken",
    "Settings",
    "Tokens",
    "WebhookListener",
    "WriteStyle",
    "authorize_url",
    "challenge_of",
    "connect",
    "ensure_object",
    "exchange",
    "scopes_for",
]
