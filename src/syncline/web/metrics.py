"""`/metrics`: the measurements, as Prometheus reads them.

The router is made by `metrics_router` over the metrics of the process, and given to `make_app` among the routers of its
services. An API token with the scope `metrics:read` alone is what a scraper should have.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from syncline.core.people import Scope
from syncline.service.metrics import CONTENT_TYPE, Metrics
from syncline.web.security import Guarded, requires

_ANSWER = {
    200: {
        "description": "The text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


def metrics_router(metrics: Metrics) -> APIRouter:
    """The route over these metrics."""
    router = APIRouter(tags=["metrics"], route_class=Guarded)

    @router.get(
        "/metrics",
        dependencies=[requires(Scope.METRICS_READ)],
        response_class=Response,
        responses={**_ANSWER},
    )
    async def get_metrics() -> Response:
        """The measurements."""
        return Response(await metrics.text(), media_type=CONTENT_TYPE)

    return router
