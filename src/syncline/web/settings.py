"""`/api/v1/settings/alerts`: from when on something is worth an alert, and how often channels are told.

What `syncline.yaml` says goes before what is kept here. The router is made by `settings_router` over the runtime.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from syncline.core.people import Scope
from syncline.service.runtime import Runtime
from syncline.service.wished import Wished, keep, wished
from syncline.web.etags import CONDITIONAL, IfMatch, put_etag
from syncline.web.forms import Sent, Told
from syncline.web.security import Guarded, requires

_READ = requires(Scope.ALERTS_READ)
_WRITE = requires(Scope.SETTINGS_WRITE)


class AlertSettingsOut(Told):
    """What is in force. Spans of time are told as `90s`, `15m`, `6h`, `2d`; what is switched off is null."""

    settings: dict[str, Any]
    of_file: list[str] = Field(description="What syncline.yaml says: it is changed there.")
    kept: list[str] = Field(description="What was kept over the API; all else is as by default.")
    revision: int


class AlertSettingsIn(Sent):
    """What is to be kept; what is left out is as by default again."""

    settings: dict[str, Any] = Field(
        description="By the names of the section `alerts` of syncline.yaml, and in the same form."
    )


def settings_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(prefix="/api/v1/settings", tags=["alerts"], route_class=Guarded)

    @router.get("/alerts", dependencies=[_READ])
    async def get_alert_settings(response: Response) -> AlertSettingsOut:
        """From when on something is worth an alert, and how often channels are told."""
        return _shown(response, wished(runtime.current()))

    @router.put("/alerts", dependencies=[_WRITE], responses=CONDITIONAL)
    async def keep_alert_settings(
        body: AlertSettingsIn, response: Response, if_match: IfMatch
    ) -> AlertSettingsOut:
        """Keep other settings for alerts. They hold at once, in every process."""
        revision = wished(runtime.current()).revision
        if_match.check(revision)
        return _shown(response, keep(runtime.current(), body.settings, revision))

    return router


def _shown(response: Response, found: Wished) -> AlertSettingsOut:
    put_etag(response, found.revision)
    return AlertSettingsOut(
        settings=found.settings.model_dump(mode="json"),
        of_file=sorted(found.of_file),
        kept=sorted(found.kept),
        revision=found.revision,
    )
