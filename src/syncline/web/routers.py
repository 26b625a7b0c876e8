"""The parts of a service into all routers of the API that are not about people.

Called by `cli.serve`, and by the tests that go through every operation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter

from syncline.connectors.activecollab.login import CLOUD
from syncline.ports import JobEngine
from syncline.service.hub import Hub
from syncline.service.intake import Intake
from syncline.service.observers import Observers
from syncline.service.runtime import Runtime
from syncline.service.workspace import Workspace
from syncline.web.alerts import alerts_router, channels_router
from syncline.web.answers import answers_router
from syncline.web.brakes import brakes_router
from syncline.web.certificates import certificates_router
from syncline.web.connections import connections_router
from syncline.web.deliveries import deliveries_router
from syncline.web.drafts import drafts_router
from syncline.web.events import events_router, subscriptions_router
from syncline.web.links import links_router
from syncline.web.logins import logins_router
from syncline.web.metrics import metrics_router
from syncline.web.objects import objects_router
from syncline.web.overview import overview_router
from syncline.web.past import past_router
from syncline.web.questions import questions_router
from syncline.web.quota import quota_router
from syncline.web.records import records_router
from syncline.web.runs import runs_router
from syncline.web.search import search_router
from syncline.web.settings import settings_router
from syncline.web.stream import stream_router
from syncline.web.syncs import syncs_router
from syncline.web.templates import templates_router
from syncline.web.unlinked import unlinked_router
from syncline.web.workspace import workspace_router


def _nobody() -> None:
    return


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routers ask. `cloud` is where ActiveCollab's cloud accounts log in; `overhear` is called when something changed
    in the workspace."""

    runtime: Runtime
    jobs: JobEngine
    intake: Intake
    watching: Observers
    hub: Hub
    cloud: str = CLOUD
    overhear: Callable[[], None] = _nobody


def routers_over(parts: Parts) -> list[APIRouter]:
    """Every router over these parts."""
    runtime, watching = parts.runtime, parts.watching

    def workspace() -> Workspace:
        home = runtime.current()
        return Workspace(home.store, home.clock, home.vault, changed=parts.overhear)

    return [
        connections_router(runtime),
        logins_router(runtime, parts.cloud),
        objects_router(runtime),
        syncs_router(runtime, parts.jobs),
        templates_router(runtime),
        drafts_router(runtime),
        runs_router(runtime, parts.jobs),
        past_router(runtime),
        records_router(runtime, parts.jobs),
        links_router(runtime),
        unlinked_router(runtime),
        brakes_router(runtime),
        quota_router(runtime),
        certificates_router(runtime),
        answers_router(runtime),
        questions_router(runtime),
        deliveries_router(parts.intake),
        alerts_router(watching.alerts),
        channels_router(watching.alerts),
        settings_router(runtime),
        events_router(),
        subscriptions_router(watching.events),
        metrics_router(watching.metrics),
        stream_router(parts.hub),
        workspace_router(workspace),
        overview_router(workspace, lambda: runtime.current().clock, lambda: runtime.current().store),
        search_router(runtime),
    ]
