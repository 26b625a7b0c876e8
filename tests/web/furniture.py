"""Every router over a service, for the tests that go through all operations. No account is connected."""

from __future__ import annotations

from dataclasses import replace

from syncline.jobs.embedded import EmbeddedJobs
from syncline.service.hub import Hub
from syncline.service.observers import observers
from syncline.service.runtime import Runtime
from syncline.service.serving import Service
from syncline.web.routers import Parts, routers_over
from syncline.web.services import WebServices

_NOWHERE = "http://127.0.0.1:9"


def furnished(services: WebServices) -> WebServices:
    """The services with the routers; the stream has ended, so that whoever asks for it gets an answer."""
    home = services.installation
    runtime, jobs = Runtime(home), EmbeddedJobs(home.clock, jitter=lambda: 0.5)
    hub = Hub(home.clock, "boot")
    hub.close()
    watching = observers(runtime.current, jobs, home.guarded)
    parts = Parts(runtime, jobs, Service(runtime, jobs).intake, watching, hub, _NOWHERE)
    return replace(services, routers=[*services.routers, *routers_over(parts)])
