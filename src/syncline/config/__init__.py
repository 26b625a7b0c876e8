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
    WorkspaceSettings,
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
from syncline.config.starter import start_file
from syncline.config.syncs import (
    BrakeSettings,
    FieldSettings,
    MatchSettings,
    ScheduleSettings,
    SideSettings,
    SyncSettings,
)
from syncline.config.watching import AlertSettings, FreshnessSettings, TraceSettings

__all__ = [
    "ActiveCollabSettings",
    "ActiveCollabWebhookSettings",
    "AlertSettings",
    "BrakeSettings",
    "Config",
    "ConnectionSettings",
    "FieldSettings",
    "FreshnessSettings",
    "HighLevelSettings",
    "HighLevelWebhookSettings",
    "MatchSettings",
    "OAuthSettings",
    "QuotaSettings",
    "ScheduleSettings",
    "SideSettings",
    "Stored",
    "SyncSettings",
    "TraceSettings",
    "WorkspaceSettings",
    "applied_syncs",
    "as_yaml",
    "canonical",
    "json_schema",
    "load",
    "merged",
    "placed",
    "start_file",
]
