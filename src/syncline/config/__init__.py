"""Settings: what `syncline.yaml` and the environment say, checked."""

from __future__ import annotations

from syncline.config.connections import (
    ActiveCollabSettings,
    ActiveCollabWebhookSettings,
    ConnectionSettings,
    HighLevelSettings,
    HighLevelWebhookSettings,
    OAuthSettings,
    QuotaSettings,
)
from syncline.config.kept import Stored, merged
from syncline.config.loading import (
    Config,
    applied_syncs,
    as_yaml,
    canonical,
    json_schema,
    load,
    placed,
)
from syncline.config.syncs import (
    BrakeSettings,
    FieldSettings,
    MatchSettings,
    ScheduleSettings,
    SideSettings,
    SyncSettings,
)

__all__ = [
    "ActiveCollabSettings",
    "ActiveCollabWebhookSettings",
    "BrakeSettings",
    "Config",
    "ConnectionSettings",
    "FieldSettings",
    "HighLevelSettings",
    "HighLevelWebhookSettings",
    "MatchSettings",
    "OAuthSettings",
    "QuotaSettings",
    "ScheduleSettings",
    "SideSettings",
    "Stored",
    "SyncSettings",
    "applied_syncs",
    "as_yaml",
    "canonical",
    "json_schema",
    "load",
    "merged",
    "placed",
]
