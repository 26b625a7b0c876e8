"""The HighLevel stand-in as one object: a request in, the vendor's answer out, webhooks in the outbox.

Served by `sandbox.server` and by the simulated world of the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from syncline.sandbox.highlevel import medias
from syncline.sandbox.highlevel.calls import Access, Answer
from syncline.sandbox.highlevel.control import Controls
from syncline.sandbox.highlevel.gate import Bucket, Gate
from syncline.sandbox.highlevel.options import Options
from syncline.sandbox.highlevel.persona import Account, new_world
from syncline.sandbox.highlevel.refusals import RefusalError
from syncline.sandbox.highlevel.routes import ROUTES
from syncline.sandbox.wire import Delivery, Request, Response, SandboxClock

_CONTENT_TYPE = "application/json; charset=utf-8"


class HighLevelVendor:
    """One HighLevel company in memory, made from a seed. `options` settles what the facts leave open."""

    def __init__(self, clock: SandboxClock, seed: int = 1, options: Options | None = None) -> None:
        self._world, self._account = new_world(clock, seed, options or Options())
        self._world.webhooks.signs_legacy = self._world.options.legacy_signature
        self._gate = Gate(self._world, ROUTES)
        self._controls = Controls(self._world, self._account)

    @property
    def account(self) -> Account:
        """What a client has to know to use this stand-in: ids, tokens, the app, the webhook key."""
        return self._account

    @property
    def legacy_webhook_public_key(self) -> str:
        """The RSA key of `X-WH-Signature`, as PEM."""
        return self._world.webhooks.legacy_public_key

    def handle(self, request: Request) -> Response:
        """Answer one request; refusals are answers too."""
        world = self._world
        if request.method == "GET" and request.path.startswith(medias.STORAGE):
            return medias.serve(world, request)
        world.served += 1
        now = world.now_ms()
        bucket: Bucket | None = None
        try:
            route, call = self._gate.route(request)
            if route.access is not Access.OPEN:
                token = self._gate.token(request, now)
                bucket = self._gate.bucket(token)
                if not world.quota.take(bucket, now):
                    raise RefusalError(429, "Too Many Requests")
                self._gate.admit(route, token)
                call = replace(call, token=token)
            answer = route.operation(world, call)
        except RefusalError as exc:
            answer = Answer(exc.body, exc.status)
        body = msgspec.json.encode({**answer.data, "traceId": world.ids.trace()})
        return Response(answer.status, body, self._headers(bucket, now, answer.status))

    def _headers(self, bucket: Bucket | None, now_ms: int, status: int) -> Mapping[str, str]:
        quota, options = self._world.quota, self._world.options
        headers = {
            "content-type": _CONTENT_TYPE,
            **quota.headers(bucket, now_ms, with_daily_reset=options.daily_reset_header),
        }
        if status == 429 and bucket is not None and options.retry_after:
            headers["Retry-After"] = str(quota.wait_seconds(bucket, now_ms))
        return headers

    def outbox(self) -> list[Delivery]:
        """Hand over the webhooks made since the last call."""
        return self._world.webhooks.take()

    def control(self, action: str, args: dict[str, object]) -> object:
        """What no API of the vendor allows: see `control`. Raises `ValueError`."""
        return self._controls.run(action, args)
