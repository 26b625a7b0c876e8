"""HighLevel: object types, records and their changes, through the public API.

`connect` is all that the outside needs; `syncline.bootstrap` calls it.
"""

from syncline.connectors.highlevel.associations import Association, AssociationWish, End, ensure_association
from syncline.connectors.highlevel.connector import HighLevelConnector, connect
from syncline.connectors.highlevel.credentials import OAuthClient, PrivateToken
from syncline.connectors.highlevel.health import scopes_for
from syncline.connectors.highlevel.oauth import REFRESH_LIFE, Tokens, authorize_url, challenge_of
from syncline.connectors.highlevel.relations import (
    relate,
    relate_all,
    relations_of,
    room,
    unrelate,
    unrelate_records,
)
from syncline.connectors.highlevel.sending import (
    Medium,
    Outcome,
    Sent,
    TemplateIntent,
    TemplateWish,
    prepare_template,
    send_document,
    send_template,
)
from syncline.connectors.highlevel.settings import Settings
from syncline.connectors.highlevel.setup import FieldWish, ObjectWish, Survey, ensure_object, survey_object
from syncline.connectors.highlevel.token_calls import CodeGrant, exchange
from syncline.connectors.highlevel.webhooks import WebhookListener
from syncline.connectors.highlevel.writing import WriteStyle

__all__ = [
    "REFRESH_LIFE",
    "Association",
    "AssociationWish",
    "CodeGrant",
    "End",
    "FieldWish",
    "HighLevelConnector",
    "Medium",
    "OAuthClient",
    "ObjectWish",
    "Outcome",
    "PrivateToken",
    "Sent",
    "Settings",
    "Survey",
    "TemplateIntent",
    "TemplateWish",
    "Tokens",
    "WebhookListener",
    "WriteStyle",
    "authorize_url",
    "challenge_of",
    "connect",
    "ensure_association",
    "ensure_object",
    "exchange",
    "prepare_template",
    "relate",
    "relate_all",
    "relations_of",
    "room",
    "scopes_for",
    "send_document",
    "send_template",
    "survey_object",
    "unrelate",
    "unrelate_records",
]
