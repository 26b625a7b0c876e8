"""How one HighLevel location is reached, and what is assumed where its facts are unconfirmed.

Made by `bootstrap`, given to `connector.connect`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from syncline.connectors.highlevel.credentials import OAuthClient, PrivateToken
from syncline.connectors.highlevel.writing import WriteStyle
from syncline.core.records import FieldId

BASE_URL = "https://services.leadconnectorhq.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """How one location is reached.

    `versions` overrides the `Version` header per resource (`objects`, `contacts`, `users`, …).
    `search_lag` is the longest delay of the search index that is reckoned with; the real one is not published.
    `external_key` is the field, on every object type that has it, in which created records carry our own key.
    """

    location: str
    access: PrivateToken | OAuthClient
    url: str = BASE_URL
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType[str, str]({}))
    search_lag: dt.timedelta = dt.timedelta(seconds=120)
    external_key: FieldId | None = None
    page_limit: int = 100
    style: WriteStyle = field(default_factory=WriteStyle)
