"""The control API under `/_sandbox/`: what a test or a demo may do to a sandbox that no vendor's API allows.

Called by `sandbox.server`; never used by the engine. It asks for no credentials, which is why a sandbox serves
loopback addresses only.

    GET    /_sandbox/requests?since=N    all requests after number N, credentials masked; DELETE forgets them
    GET    /_sandbox/clock               POST {"advance": seconds} | {"stop": true} | {"run": true}
    POST   /_sandbox/quota               the vendor's own quota settings
    GET    /_sandbox/faults              POST one fault or a list; DELETE all, or ?id=N
    POST   /_sandbox/act                 {"action": "...", ...}: the vendor's own actions, e.g. a person's edit
    GET    /_sandbox/webhooks            what was sent; POST /_sandbox/webhooks/flush sends all that waits
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from syncline.sandbox.faults import Fault, Faults
from syncline.sandbox.journal import Journal
from syncline.sandbox.mailroom import Mailroom
from syncline.sandbox.wire import RealTicker, Request, Response, SandboxClock, Vendor

PREFIX = "/_sandbox/"

Action = Callable[[Request], Awaitable[object]]


class Control:
    """The control API of one sandbox."""

    def __init__(
        self, vendor: Vendor, clock: SandboxClock, faults: Faults, journal: Journal, mailroom: Mailroom
    ) -> None:
        self._vendor = vendor
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self._mailroom = mailroom
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "clock"): self._show_clock,
            ("POST", "clock"): self._set_clock,
            ("POST", "quota"): self._set_quota,
            ("GET", "faults"): self._show_faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._remove_faults,
            ("POST", "act"): self._act,
            ("GET", "webhooks"): self._show_webhooks,
            ("POST", "webhooks/flush"): self._flush_webhooks,
        }

    async def handle(self, request: Request) -> Response:
        """Answer one request: 404 for an unknown path, 400 with the reason for bad input."""
        action = self._actions.get((request.method, request.path.removeprefix(PREFIX).rstrip("/")))
        if action is None:
            return Response.json({"error": "The control API has no such path."}, 404)
        try:
            data = await action(request)
        except (ValueError, msgspec.MsgspecError) as exc:
            return Response.json({"error": str(exc)}, 400)
        self._mailroom.collect()
        return Response.json(data)

    async def _requests(self, request: Request) -> object:
        shown = self._journal.shown(int(request.query.get("since", "0")))
        return {"requests": shown, "last": self._journal.last_number}

    async def _forget_requests(self, request: Request) -> object:
        self._journal.clear()
        return {"last": self._journal.last_number}

    async def _show_clock(self, request: Request) -> object:
        return {"now": self._clock.now(), "is_running": self._clock.is_running}

    async def _set_clock(self, request: Request) -> object:
        setting = msgspec.json.decode(request.body, type=_ClockSetting)
        if setting.stop:
            self._clock.stop()
        if setting.run:
            self._clock.run(RealTicker())
        if setting.advance:
            self._clock.advance(setting.advance)
        self._mailroom.pump()
        return await self._show_clock(request)

    async def _set_quota(self, request: Request) -> object:
        return self._vendor.control("quota", _arguments(request))

    async def _show_faults(self, request: Request) -> object:
        return {"faults": self._faults.rules()}

    async def _add_faults(self, request: Request) -> object:
        if request.body.lstrip().startswith(b"["):
            faults = msgspec.json.decode(request.body, type=list[Fault])
        else:
            faults = [msgspec.json.decode(request.body, type=Fault)]
        return {"ids": [self._faults.add(fault) for fault in faults]}

    async def _remove_faults(self, request: Request) -> object:
        self._faults.remove(int(request.query["id"]) if "id" in request.query else None)
        return await self._show_faults(request)

    async def _act(self, request: Request) -> object:
        arguments = _arguments(request)
        action = arguments.pop("action", None)
        if not isinstance(action, str):
            raise ValueError("The body needs an `action`: the name of what to do.")
        return self._vendor.control(action, arguments)

    async def _show_webhooks(self, request: Request) -> object:
        return {"sent": self._mailroom.sent, "waiting": self._mailroom.waiting}

    async def _flush_webhooks(self, request: Request) -> object:
        return {"sent": await self._mailroom.flush()}


class _ClockSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    advance: float = 0.0
    stop: bool = False
    run: bool = False


def _arguments(request: Request) -> dict[str, object]:
    return msgspec.json.decode(request.body or b"{}", type=dict[str, object])
